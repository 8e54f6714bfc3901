"""Keys of our tables to the host's: ON DELETE SET NULL, so that the host deletes what it likes (D09).

ON UPDATE CASCADE as well: the host renames ids when it adds their network.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from alembic.operations import Operations
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ForeignKeyConstraint,
    FromClause,
    MetaData,
    String,
    Table,
    case,
    func,
    inspect,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.schema import CreateTable

from pumpswap.errors import StorageError
from pumpswap.storage.host.detect import VECTORS, Host
from pumpswap.storage.host.pairs import PREFIX, is_text
from pumpswap.storage.host.relation import Relation
from pumpswap.storage.tables import METADATA, POSITIONS, Q50_HISTORY, TRADES

__all__ = ["KEYS", "Key", "KeyState", "add", "link_pools", "obstacle", "rebuild", "state_of", "unlink_vectors"]

_ON_DELETE, _ON_UPDATE = "SET NULL", "CASCADE"
_INTEGERS = ("smallint", "integer", "bigint", "int", "serial", "bigserial")


@dataclass(frozen=True, slots=True)
class Key:
    """A column of ours that names a row of the host's."""

    table: Table
    column: str
    to_vectors: bool = False

    @property
    def name(self) -> str:
        """Name of the constraint."""
        return f"fk_{self.table.name}_{self.column}"

    def target(self, host: Host) -> Relation | None:
        """The host's table."""
        return host.vectors if self.to_vectors else host.pools

    def target_name(self, host: Host) -> str:
        """Name of the host's table, whether it is there or not."""
        target = self.target(host)
        return VECTORS if target is None else target.name


KEYS = (
    Key(TRADES, "pool_id"),
    Key(POSITIONS, "pool_id"),
    Key(Q50_HISTORY, "pool_id"),
    Key(Q50_HISTORY, "feature_vector_id", to_vectors=True),
)


class KeyState(Enum):
    """Whether a key is there; OTHER: one that deletes or refuses instead of setting NULL."""

    MISSING = "missing"
    PRESENT = "present"
    OTHER = "other"


def obstacle(key: Key, host: Host) -> str:
    """Why there can be no such key on this database; empty when there can."""
    target = key.target(host)
    if target is None:
        return "this host has no table pool_feature_vectors"
    if not target.is_table:
        return f"{target.name} is a view"
    if target.id_obstacle:
        return target.id_obstacle
    kind = target.type_of("id") or ""
    fits = kind.split("(")[0] in _INTEGERS if key.to_vectors else is_text(kind)
    if not fits:
        wanted = "an integer" if key.to_vectors else "text"
        return f"{target.name}.id is {kind or 'of no type'}, not {wanted}"
    missing = [right for right in target.obstacles if right in ("select", "references")]
    return f"this login has no {missing[0].upper()} right on {target.name}" if missing else ""


def state_of(connection: Connection, key: Key, target: Relation) -> KeyState:
    """Whether our table has the key already."""
    for found in inspect(connection).get_foreign_keys(key.table.name):
        if found["constrained_columns"] == [key.column] and found["referred_table"].lower() == target.name.lower():
            is_ours = found["options"].get("ondelete") == _ON_DELETE
            return KeyState.PRESENT if is_ours else KeyState.OTHER
    return KeyState.MISSING


def add(operations: Operations, key: Key, target: Relation) -> None:
    """PostgreSQL: add the constraint."""
    operations.create_foreign_key(
        key.name,
        key.table.name,
        target.name,
        [key.column],
        ["id"],
        referent_schema=target.schema,
        ondelete=_ON_DELETE,
        onupdate=_ON_UPDATE,
    )


# ---------------------------------------------------------------- values


def link_pools(connection: Connection, table: Table, host: Host) -> tuple[int, int]:
    """Let ``pool_id`` be the host's own id of the pool, or NULL where it has none.

    Returns how many rows got an id that they did not have, and how many lost one that the host does not know.
    """
    # Joined, not looked up for each row: the host's table need not have an index.
    ids = select(host.pools.table("id").c.id).distinct()
    named = [(ids.subquery(f"host_{number}"), name) for number, name in enumerate(_names(table))]
    known = func.coalesce(*(one.c.id for one, _ in named))
    query = select(table.c.id, known.label("known")).where(table.c.pool_id.is_distinct_from(known))
    joined: FromClause = table
    for one, name in named:
        joined = joined.outerjoin(one, one.c.id == name)
    differing = query.select_from(joined).subquery("differing")
    linked, changed = connection.execute(
        select(func.count(differing.c.known), func.count()).select_from(differing)
    ).one()
    if changed:
        connection.execute(update(table).where(table.c.id == differing.c.id).values(pool_id=differing.c.known))
    return linked, changed - linked


def _names(table: Table) -> list[ColumnElement[str]]:
    """What the host may call the pool of a row, the best first."""
    if "pair_address" in table.c:
        return [literal(PREFIX) + table.c.pair_address, table.c.pair_address]
    bare = case(
        (func.substr(table.c.pool_id, 1, len(PREFIX)) == PREFIX, func.substr(table.c.pool_id, len(PREFIX) + 1)),
        else_=literal(PREFIX) + table.c.pool_id,
    )
    return [table.c.pool_id, bare]


def unlink_vectors(connection: Connection, vectors: Relation) -> int:
    """Set ``feature_vector_id`` to NULL where the host has no such row; returns how many."""
    known = select(vectors.table("id").c.id)
    lost = (Q50_HISTORY.c.feature_vector_id.is_not(None), Q50_HISTORY.c.feature_vector_id.not_in(known))
    count: int = connection.execute(select(func.count()).select_from(Q50_HISTORY).where(*lost)).scalar_one()
    if count:
        connection.execute(update(Q50_HISTORY).where(*lost).values(feature_vector_id=None))
    return count


# ---------------------------------------------------------------- SQLite


def rebuild(connection: Connection, table: Table, keys: list[tuple[Key, Relation]]) -> None:
    """SQLite cannot add a key: make the table anew with it, and move all rows, indexes and triggers.

    Raises StorageError for a table with other columns than ours.
    """
    columns = [column["name"] for column in inspect(connection).get_columns(table.name)]
    if set(columns) != set(table.c.keys()):
        odd = ", ".join(sorted(set(columns) ^ set(table.c.keys())))
        raise StorageError(
            f"the table {table.name} has other columns than it should: {odd}; nothing was changed",
            hint="a key can only be added to the table as pumpswap has made it",
        )
    extras = connection.execute(
        text(
            "SELECT sql FROM sqlite_master"
            " WHERE tbl_name = :name AND type <> 'table' AND sql IS NOT NULL ORDER BY rowid"
        ),
        {"name": table.name},
    ).scalars()
    statements = [
        # Without it, views and triggers of the host would be checked, and perhaps rewritten, when a table is renamed.
        "PRAGMA legacy_alter_table = ON",
        f"ALTER TABLE {table.name} RENAME TO {table.name}_before",
        str(CreateTable(_with_keys(table, keys)).compile(connection)).strip(),
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM {table.name}_before",
        f"DROP TABLE {table.name}_before",
        *extras,
        "PRAGMA legacy_alter_table = OFF",
    ]
    for statement in statements:
        connection.exec_driver_sql(statement)


def _with_keys(table: Table, keys: list[tuple[Key, Relation]]) -> Table:
    """Our table as it is defined, with keys to the host's."""
    metadata = MetaData(naming_convention=METADATA.naming_convention)
    for one in METADATA.sorted_tables:
        one.to_metadata(metadata)
    copy = metadata.tables[table.name]
    for key, target in keys:
        referred = metadata.tables.get(target.name)
        if referred is None:
            referred = Table(target.name, metadata, Column("id", String))
        copy.append_constraint(
            ForeignKeyConstraint([key.column], [referred.c.id], name=key.name, ondelete=_ON_DELETE, onupdate=_ON_UPDATE)
        )
    return copy
