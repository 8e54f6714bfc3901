"""Opening a database for the collector: the host's tables as they are, or tables like them that we make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, event, insert, inspect, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from pumpswap.errors import StorageError
from pumpswap.storage import migrate
from pumpswap.storage.collected.market import CollectedMarket, Place
from pumpswap.storage.collected.market_rows import CANDLE_COLUMNS, TRADE_COLUMNS
from pumpswap.storage.collected.own_tables import MARKER, NAMES, own_tables
from pumpswap.storage.collected.shape import TableShape
from pumpswap.storage.connections import Connections, named_errors
from pumpswap.storage.engines import make_engine, parse_target, place_of, write_options
from pumpswap.storage.host import catalog_postgres, catalog_sqlite
from pumpswap.storage.host.connect import host_errors
from pumpswap.storage.host.detect import detect

__all__ = ["open_collected"]

# What a row needs, and what else we know to give it, by table.
_NEEDED = {
    "dexes": ("id",),
    "tokens": ("id", "address"),
    "pools": ("id", "address", "dex_id"),
    "watchlist": ("pool_id",),
    "ohlcv_data": CANDLE_COLUMNS[:3] + CANDLE_COLUMNS[4:9],
    "trades": ("id", "pool_id", "tx_hash", "block_timestamp"),
    "new_pools_history": ("pool_id", "collected_at"),
    "collection_metadata": ("collector_type",),
}
_GIVEN = {
    "dexes": ("id", "name", "network"),
    "tokens": ("id", "address", "network"),
    "pools": ("id", "address", "dex_id", "created_at", "last_updated", "discovery_source", "collection_priority"),
    "watchlist": ("pool_id", "is_active", "created_at", "updated_at", "added_at"),
    "ohlcv_data": CANDLE_COLUMNS,
    "trades": TRADE_COLUMNS,
    "new_pools_history": ("pool_id", "type", "address", "dex_id", "network_id", "collected_at"),
    "collection_metadata": ("collector_type", "last_run", "run_count", "error_count", "created_at", "updated_at"),
}
# A host that keeps a transaction open must not keep the collector from ending.
LOCK_MS = 30_000
_INDISPENSABLE = ("pools", "new_pools_history")


def open_collected(target: str | Path, at_ns: int, *, lock_ms: int = LOCK_MS) -> CollectedMarket:
    """Open a SQLite file or a PostgreSQL URL for collecting; ``at_ns`` is written beside tables that are made,
    ``lock_ms`` is how long locks of others are waited for.

    Tables of a host are used as they are, whatever their shape: none is made, none is changed. Where there are none,
    ours are made like them. In both cases our own tables (``pumpswap_*``) are brought forward first.

    Raises ConfigError for a target that this package does not serve; StorageError for a database that cannot be
    written, or in which the host's pools or snapshots have no table that could take them.
    """
    engine = make_engine(target, busy_ms=lock_ms, as_found=_is_file(target))
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _patience(lock_ms))
    what = f"opening {place_of(engine)}"
    try:
        with named_errors(what), host_errors(what):
            is_own = _prepared(engine, at_ns)
            with engine.connect() as connection:
                shapes, left_out = _shapes(connection)
    except BaseException:
        engine.dispose()
        raise
    return CollectedMarket(Connections(engine), shapes, Place(place_of(engine), is_own, left_out))


def _patience(lock_ms: int) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = '{lock_ms:d}ms'")
        cursor.close()
        connection.commit()

    return set_up


def _is_file(target: str | Path) -> bool:
    """A file that is there keeps its journal mode: it may be a host's."""
    where = parse_target(target)
    return isinstance(where, Path) and where.expanduser().is_file()


def _prepared(engine: Engine, at_ns: int) -> bool:
    """Make what is missing and ours to make; returns whether the collected tables are ours."""
    with engine.connect() as connection:
        if _are_hosts(connection):
            _shapes(connection)  # refused before anything is made
            is_own = False
        else:
            is_own = True
    migrate.upgrade(engine)
    if is_own:
        with engine.connect().execution_options(**write_options(engine)) as connection, connection.begin():
            # Another process may have been here meanwhile.
            is_own = not _are_hosts(connection)
            if is_own:
                _make_own(connection, at_ns)
    return is_own


def _are_hosts(connection: Connection) -> bool:
    """Whether the tables belong to a host. Raises StorageError where some are somebody's, and pools are not there."""
    strangers = [name for name in NAMES if name in _present(connection) - _marked(connection)]
    if strangers and "pools" not in strangers:
        raise StorageError(
            f"there is a table {strangers[0]}, and no table pools of the same owner: this is neither a host's database"
            " nor ours; nothing was changed",
            hint="name another database with --database",
        )
    return bool(strangers)


def _make_own(connection: Connection, at_ns: int) -> None:
    made, present, marked = own_tables(connection.dialect.name), _present(connection), _marked(connection)
    missing = [made.tables[name] for name in NAMES if name not in present]
    made.create_all(connection, tables=missing)
    MARKER.create(connection, checkfirst=True)
    new = [{"name": table.name, "created_ns": at_ns} for table in missing if table.name not in marked]
    if new:
        connection.execute(insert(MARKER), new)


def _marked(connection: Connection) -> set[str]:
    """Tables that we have made."""
    if not inspect(connection).has_table(MARKER.name):
        return set()
    return set(connection.execute(select(MARKER.c.name)).scalars())


def _present(connection: Connection) -> set[str]:
    catalog = catalog_sqlite if connection.dialect.name == "sqlite" else catalog_postgres
    return {one.name.lower() for one in catalog.find(connection, NAMES)}


def _shapes(connection: Connection) -> tuple[dict[str, TableShape], dict[str, str]]:
    """The tables that can be written, and why the others cannot."""
    host = detect(connection)
    inspector = inspect(connection)
    names = {name.lower(): name for name in inspector.get_table_names(schema=host.pools.schema)}
    shapes, left_out = {}, {}
    for name in NAMES:
        reason = "there is no such table"
        if name in names:
            shape = TableShape(connection, names[name], host.pools.schema)
            reason = shape.obstacle(_NEEDED[name], _GIVEN[name])
            if not reason:
                shapes[name] = shape
                continue
        if name in _INDISPENSABLE:
            raise StorageError(
                f"nothing can be collected into this database: {name}: {reason}; nothing was changed",
                hint="let the host's own collector make its tables, or collect into a database of ours (--database)",
            )
        left_out[name] = reason
    return shapes, left_out
