"""Settlement: a fill and all that follows from it as one statement, on PostgreSQL.

There every statement is a round trip, and the books of a fill are five: the end of its order, the trade, the ledger
entries, their sums, the position. SQLite has no round trips, and takes them one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    String,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from pumpswap.errors import StorageError
from pumpswap.model import Filled, LedgerEntry, Order, Position, RealisedGain
from pumpswap.storage import rows
from pumpswap.storage.book_tables import ROUND
from pumpswap.storage.columns import DISPLAY
from pumpswap.storage.host.journal import ATTACHMENTS
from pumpswap.storage.host.pool_ids import with_pool_id
from pumpswap.storage.ledger_writer import entering, entry_arrays
from pumpswap.storage.outcomes import UNRESOLVED, outcome_values
from pumpswap.storage.tables import DECISIONS, ORDERS, POSITIONS, TRADES

__all__ = ["Settlement", "settle_at_once"]

_RUN: ColumnElement[int] = bindparam("the_run", type_=BigInteger)
_ORDER: ColumnElement[str] = bindparam("the_order", type_=String)
_FIGURES = ("signal_score", "signal_strength", "q50_value")
_SIGNAL = (*_FIGURES, "vol_regime")
# The plan's id of the pool where no host is attached; with one, what it calls the pool is looked up afterwards.
_IS_ATTACHED = func.to_regclass(literal_column(f"'{ATTACHMENTS.name}'")).is_not(None)
_LARGEST_FIGURE: ColumnElement[float] = literal_column("1e20::float8")


@dataclass(frozen=True, slots=True)
class Settlement:
    """A fill of a stored order, the ledger entries that it makes, and its position afterwards."""

    order: Order
    filled: Filled
    gain: RealisedGain | None
    entries: Sequence[LedgerEntry]
    position: Position


def settle_at_once(
    connection: Connection, run_id: int, settlement: Settlement, decimals: int | None
) -> tuple[bool, bool]:
    """Store a settlement in the open transaction of a PostgreSQL connection.

    Returns (whether the order was open, whether the entries follow what is stored); where either is False the caller
    gives the transaction up. Raises AmountOutOfRange and UsageError before anything is written.
    """
    order, filled, position = settlement.order, settlement.filled, settlement.position
    trade = rows.trade_integers(filled) | rows.gain_values(settlement.gain)
    trade |= rows.trade_values(filled, rows.OrderFacts(order.side.value, order.pool, order.mint), decimals)
    held = rows.position_values(position, decimals)
    values = {"the_run": run_id, "the_order": order.order_id, "ended_ns": outcome_values(filled)["outcome_ns"]}
    values |= {f"trade_{name}": trade.get(name) for name in _TRADE if name not in _SIGNAL}
    values |= {f"held_{name}": held[name] for name in _HELD}
    values |= entry_arrays(settlement.entries)
    ended, entered, is_attached = _execute(connection, values)
    if is_attached:
        _link(connection, run_id, settlement)
    return ended > 0, entered == len(settlement.entries)


def _execute(connection: Connection, values: dict[str, Any]) -> tuple[int, int, bool]:
    """By the driver itself: it would read the text of a statement as long as this anew each time."""
    from psycopg import Error, RawCursor

    sql, names, constants = _compiled()
    given = constants | values
    try:
        with RawCursor(connection.connection.driver_connection) as cursor:  # type: ignore[arg-type]
            found = cursor.execute(sql, [given[name] for name in names]).fetchone()
    except Error as error:
        raise DBAPIError.instance(str(sql), None, error, Error) from error
    if found is None:
        raise StorageError("the database has not answered a settlement", hint="this is a bug in its driver")
    return found[0], found[1], found[2]


@cache
def _compiled() -> tuple[bytes, tuple[str, ...], dict[str, Any]]:
    """Text with numbered places, the names of the values in their order, and those values that are always the same."""
    from sqlalchemy.dialects.postgresql import psycopg

    dialect = psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
    made = _SETTLE.compile(dialect=dialect)
    constants = {name: value for name, value in made.params.items() if value is not None}
    return str(made).encode(), tuple(made.positiontup or ()), constants


def _link(connection: Connection, run_id: int, settlement: Settlement) -> None:
    """On an attached database: the host's own id of the pool, if it has one."""
    order, position = settlement.order, settlement.position

    def write(known: str | None) -> None:
        trade = (TRADES.c.run_id == run_id, TRADES.c.order_id == order.order_id)
        held = (
            POSITIONS.c.run_id == run_id,
            POSITIONS.c.pair_address == position.pool,
            POSITIONS.c.round == position.round,
        )
        connection.execute(update(TRADES).where(*trade).values(pool_id=known))
        connection.execute(update(POSITIONS).where(*held).values(pool_id=known))

    with_pool_id(connection, order.pool, write)


# ---------------------------------------------------------------- the statement, made once


def _given(prefix: str, column: Column[object]) -> ColumnElement[object]:
    return bindparam(f"{prefix}_{column.name}", type_=column.type)


def _pool_id(prefix: str) -> ColumnElement[object]:
    return case((_IS_ATTACHED, null()), else_=bindparam(f"{prefix}_pool_id", type_=String))


def _figure(of: CTE, name: str) -> ColumnElement[object]:
    """As ``display.figure``."""
    value = of.c[name]
    return case((func.abs(value) < _LARGEST_FIGURE, cast(value, DISPLAY)), else_=null())


def _end_of_order() -> CTE:
    decided = (DECISIONS.c.run_id == ORDERS.c.run_id, DECISIONS.c.decision_id == ORDERS.c.decision_id)
    signal = (select(DECISIONS.c[name]).where(*decided).scalar_subquery().label(name) for name in _SIGNAL)
    ended = update(ORDERS).where(
        ORDERS.c.run_id == _RUN,
        ORDERS.c.order_id == _ORDER,
        ORDERS.c.status.in_([literal_column(f"'{status}'") for status in UNRESOLVED]),
    )
    new = {
        "status": literal_column("'filled'"),
        "outcome_ns": bindparam("ended_ns", type_=BigInteger),
        "outcome": null(),
    }
    return ended.values(new).returning(ORDERS.c.run_id, *signal).cte("ended")


def _trade(ended: CTE) -> CTE:
    special = {"pool_id": _pool_id("trade"), "vol_regime": ended.c.vol_regime}
    special |= {name: _figure(ended, name) for name in _FIGURES}
    chosen = [special[name] if name in special else _given("trade", TRADES.c[name]) for name in _TRADE]
    new = postgresql.insert(TRADES).from_select(["run_id", *_TRADE], select(ended.c.run_id, *chosen))
    return new.returning(TRADES.c.id).cte("traded")


def _position(ended: CTE) -> CTE:
    chosen = [_pool_id("held") if name == "pool_id" else _given("held", POSITIONS.c[name]) for name in _HELD]
    new = postgresql.insert(POSITIONS).from_select(["run_id", *_HELD], select(ended.c.run_id, *chosen))
    changed = {name: new.excluded[name] for name in _HELD if name not in ROUND}
    kept = new.on_conflict_do_update(index_elements=ROUND, set_=changed)
    return kept.returning(POSITIONS.c.id).cte("held")


_TRADE = tuple(column.name for column in TRADES.columns if column.name not in ("id", "run_id"))
_HELD = tuple(column.name for column in POSITIONS.columns if column.name not in ("id", "run_id"))
_ENDED = _end_of_order()
_ENTERED, _ADDED = entering(select(_ENDED.c.run_id).exists())
_SETTLE = select(
    select(func.count()).select_from(_ENDED).scalar_subquery().label("ended"),
    select(func.count()).select_from(_ENTERED).scalar_subquery().label("entered"),
    _IS_ATTACHED.label("attached"),
).add_cte(_trade(_ENDED), _position(_ENDED), _ADDED)
