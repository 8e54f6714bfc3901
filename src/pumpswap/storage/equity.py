"""EquityCurve: the equity of one run over time."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import insert, select

from pumpswap.model import EquityPoint
from pumpswap.storage.connections import Connections
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import EQUITY, StoredRow

__all__ = ["COLUMNS", "EquityCurve"]

_FIELDS = ("at_ns", "cash_lamports", "marks_lamports", "rent_lamports", "put_in_lamports")
COLUMNS = tuple(EQUITY.c[name] for name in _FIELDS)  # of an EquityPoint, in its order
_INSERT = insert(EQUITY)
_SELECT = select(*COLUMNS)


class EquityCurve:
    """Points in the order in which they were measured; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def add(self, point: EquityPoint) -> None:
        """Store a point."""
        values = {name: getattr(point, name) for name in _FIELDS}
        check_integers(values, "the equity")
        with self._connections.writing("the equity") as connection:
            connection.execute(_INSERT, {"run_id": self._run_id} | values)

    def points(self, since_ns: int | None = None) -> Iterator[EquityPoint]:
        """The curve, or what of it was measured since then."""
        query = _SELECT.where(EQUITY.c.run_id == self._run_id)
        if since_ns is not None:
            query = query.where(EQUITY.c.at_ns >= since_ns)
        return self._connections.rows(query.order_by(EQUITY.c.at_ns, EQUITY.c.id), _point_of)

    def latest(self) -> EquityPoint | None:
        """The newest point."""
        query = _SELECT.where(EQUITY.c.run_id == self._run_id)
        newest = query.order_by(EQUITY.c.at_ns.desc(), EQUITY.c.id.desc()).limit(1)
        return next(iter(self._connections.all_rows(newest, _point_of)), None)


def _point_of(row: StoredRow) -> EquityPoint:
    return EquityPoint(*row)
