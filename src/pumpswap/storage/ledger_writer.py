"""Ledger entries and their sums, written: the fastest way that each database has.

SQLite takes plain tuples, and its sums are added up in Python: it would make a float of a sum beyond 64 bits.
PostgreSQL takes one array for each column and adds up itself, in NUMERIC: one round trip for any number of entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Numeric,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from pumpswap.model import LedgerEntry
from pumpswap.storage.rows import entry_columns
from pumpswap.storage.tables import BALANCES, LEDGER, StoredRow

__all__ = ["entering", "entry_arrays", "last_sequence", "write_entries"]

_Sums = dict[tuple[str, str], tuple[int, int]]  # (asset, kind) → (units, number of entries)

_ASSETS_AT_ONCE = 500
_RUN: ColumnElement[int] = bindparam("the_run", type_=BigInteger)

_LAST = select(func.coalesce(func.max(LEDGER.c.sequence), 0)).where(LEDGER.c.run_id == _RUN)

# Made once: building a statement takes longer than running it.
_INSERT_TUPLES = str(insert(LEDGER).compile(dialect=sqlite.dialect()))
_SELECT_SUMS = select(BALANCES).where(
    BALANCES.c.run_id == _RUN, BALANCES.c.asset.in_(bindparam("assets", expanding=True))
)
_KEY: dict[str, ColumnElement[object]] = {"asset": bindparam("the_asset"), "kind": bindparam("the_kind")}
_SUM: dict[str, ColumnElement[object]] = {"units": bindparam("units"), "entries": bindparam("entries")}
_INSERT_SUM = insert(BALANCES).values(run_id=_RUN, **_KEY, **_SUM)
_UPDATE_SUM = (
    update(BALANCES)
    .where(BALANCES.c.run_id == _RUN, *(BALANCES.c[name] == key for name, key in _KEY.items()))
    .values(**_SUM)
)


def _of_arrays(table: Table, prefix: str = "", also: ColumnElement[bool] | None = None) -> postgresql.Insert:
    """INSERT of one run's rows, given an array for each column; of none when the ledger does not end where it must, or
    when what must ``also`` be true is not.
    """
    names = [column.name for column in table.columns if column.name != "run_id"]
    items = [_ITEMS.get(name, table.c[name].type) for name in names]
    arrays = (bindparam(prefix + name, type_=postgresql.ARRAY(item)) for name, item in zip(names, items, strict=True))
    unnested = select(_RUN, *func.unnest(*arrays).table_valued(*names).render_derived().columns)
    as_expected = _LAST.scalar_subquery() == bindparam("first") - 1
    conditions = (as_expected,) if also is None else (as_expected, also)
    return postgresql.insert(table).from_select(["run_id", *names], unnested.where(*conditions))


_ITEMS: dict[str, TypeEngine[Any]] = {"units": Numeric(78, 0)}  # of a sum; an entry's fit into it


def _add_sums(also: ColumnElement[bool] | None = None) -> postgresql.Insert:
    added = _of_arrays(BALANCES, "sum_", also)
    return added.on_conflict_do_update(
        index_elements=["run_id", "asset", "kind"],
        # op: sums are texts on SQLite, so that a bare + would be taken for one of texts
        set_={name: BALANCES.c[name].op("+")(added.excluded[name]) for name in ("units", "entries")},
    )


# One statement, since a round trip takes longer than either half.
_INSERT_AND_ADD = _add_sums().add_cte(_of_arrays(LEDGER, "entry_").cte("entered"))


def entering(also: ColumnElement[bool]) -> tuple[CTE, CTE]:
    """(new entries, their sums) as parts of a larger statement on PostgreSQL, given ``entry_arrays``; nothing of both
    unless ``also`` is true.
    """
    entered = _of_arrays(LEDGER, "entry_", also).returning(LEDGER.c.sequence).cte("entered")
    return entered, _add_sums(also).returning(BALANCES.c.kind).cte("added")


def entry_arrays(entries: Sequence[LedgerEntry]) -> dict[str, Any]:
    """Values for ``entering``. Raises AmountOutOfRange."""
    # With a prefix: SQLAlchemy takes a value that is called like a column of an UPDATE for a new value of it.
    columns = {f"entry_{name}": values for name, values in entry_columns(entries).items()}
    return {"first": entries[0].sequence} | columns | _sum_columns(_added_up(entries))


def last_sequence(connection: Connection, run_id: int) -> int:
    """Sequence of the newest entry; 0 before the first."""
    last: int = connection.execute(_LAST, {"the_run": run_id}).scalar_one()
    return last


def write_entries(connection: Connection, run_id: int, entries: Sequence[LedgerEntry]) -> bool:
    """Store entries, which follow each other, and add them to the sums by asset and kind.

    Returns False, and writes nothing, when the first of them does not follow what is stored. Raises AmountOutOfRange
    before anything is written.
    """
    if connection.dialect.name == "postgresql":
        values = {"the_run": run_id} | entry_arrays(entries)
        added = connection.execute(_INSERT_AND_ADD, values, execution_options={"preserve_rowcount": True})
        return added.rowcount > 0
    columns, sums, first = entry_columns(entries), _added_up(entries), entries[0].sequence
    if last_sequence(connection, run_id) != first - 1:
        return False
    connection.exec_driver_sql(_INSERT_TUPLES, [*zip(repeat(run_id), *columns.values(), strict=False)])
    _add(connection, run_id, sums)
    return True


def _added_up(entries: Sequence[LedgerEntry]) -> _Sums:
    sums: _Sums = {}
    for entry in entries:
        key = entry.asset, entry.kind.value
        units, count = sums.get(key, (0, 0))
        sums[key] = units + entry.units, count + 1
    return sums


def _sum_columns(sums: _Sums) -> dict[str, list[Any]]:
    return {
        "sum_asset": [asset for asset, _ in sums],
        "sum_kind": [kind for _, kind in sums],
        "sum_units": [Decimal(units) for units, _ in sums.values()],
        "sum_entries": [count for _, count in sums.values()],
    }


def _add(connection: Connection, run_id: int, sums: _Sums) -> None:
    assets = sorted({asset for asset, _ in sums})
    stored: dict[tuple[str, str], StoredRow] = {}
    for start in range(0, len(assets), _ASSETS_AT_ONCE):
        part = {"the_run": run_id, "assets": assets[start : start + _ASSETS_AT_ONCE]}
        stored |= {(row.asset, row.kind): row for row in connection.execute(_SELECT_SUMS, part)}
    changed: list[dict[str, object]] = []
    new: list[dict[str, object]] = []
    for (asset, kind), (units, count) in sums.items():
        row = stored.get((asset, kind))
        if row is not None:
            units, count = units + row.units, count + row.entries
        one = {"the_run": run_id, "the_asset": asset, "the_kind": kind, "units": units, "entries": count}
        (new if row is None else changed).append(one)
    if new:
        connection.execute(_INSERT_SUM, new)
    if changed:
        connection.execute(_UPDATE_SUM, changed)
