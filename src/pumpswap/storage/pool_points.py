"""PoolPoints: what an engine saw of its pools over time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, cast, delete, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.model import PoolPoint
from pumpswap.storage.connections import Connections
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import POOL_POINTS, StoredRow

__all__ = ["PoolPoints"]

_INTEGERS = ("at_ns", "base_units", "effective_quote_lamports", "real_quote_lamports")
_KEEP = {
    "sqlite": sqlite.insert(POOL_POINTS).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(POOL_POINTS).on_conflict_do_nothing(),
}


class PoolPoints:
    """Of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def add(self, points: Sequence[PoolPoint]) -> None:
        """Store them; one that is there already stays as it is."""
        if not points:
            return
        values = []
        for point in points:
            integers = {name: getattr(point, name) for name in _INTEGERS}
            check_integers(integers, f"the point of {point.pool}")
            values.append({"run_id": self._run_id, "pool": point.pool} | integers)
        with self._connections.writing("the points of pools") as connection:
            connection.execute(_KEEP[connection.dialect.name], values)

    def forget_before(self, pool: str, at_ns: int) -> int:
        """Remove what is older of one pool; returns how many."""
        these = (POOL_POINTS.c.run_id == self._run_id, POOL_POINTS.c.pool == pool, POOL_POINTS.c.at_ns < at_ns)
        with self._connections.writing("the points of pools") as connection:
            return connection.execute(delete(POOL_POINTS).where(*these)).rowcount

    def of_pool(self, pool: str, since_ns: int, until_ns: int, most: int) -> list[PoolPoint]:
        """At most ``most`` points, evenly spread over the time: each the first of its part."""
        step = max((until_ns - since_ns) // max(most, 1), 1)
        ticks = select(cast(literal(since_ns), BigInteger).label("at_ns")).cte("ticks", recursive=True)
        ticks = ticks.union_all(select(ticks.c.at_ns + step).where(ticks.c.at_ns + step < until_ns))
        of_pool = (POOL_POINTS.c.run_id == self._run_id, POOL_POINTS.c.pool == pool)
        inside = (*of_pool, POOL_POINTS.c.at_ns >= ticks.c.at_ns, POOL_POINTS.c.at_ns <= until_ns)
        first = select(POOL_POINTS.c.at_ns).where(*inside).order_by(POOL_POINTS.c.at_ns).limit(1)
        times = select(first.correlate(ticks).scalar_subquery()).select_from(ticks)
        query = select(POOL_POINTS).where(*of_pool, POOL_POINTS.c.at_ns.in_(times)).order_by(POOL_POINTS.c.at_ns)
        return self._connections.all_rows(query, _point_of)

    def first_ns(self, pool: str, since_ns: int) -> int | None:
        """When the first point since then was taken; None without any."""
        of_pool = (POOL_POINTS.c.run_id == self._run_id, POOL_POINTS.c.pool == pool, POOL_POINTS.c.at_ns >= since_ns)
        with self._connections.reading() as connection:
            return connection.execute(select(func.min(POOL_POINTS.c.at_ns)).where(*of_pool)).scalar()

    def pools(self, most: int) -> list[str]:
        """The first pools that have points, by address: as quick as they are few, however many points they have."""
        inner = POOL_POINTS.alias()
        first = select(func.min(inner.c.pool).label("pool")).where(inner.c.run_id == self._run_id)
        found = first.cte("found", recursive=True)
        beyond = (POOL_POINTS.c.run_id == self._run_id, POOL_POINTS.c.pool > found.c.pool)
        next_one = select(func.min(POOL_POINTS.c.pool)).where(*beyond).correlate(found).scalar_subquery()
        found = found.union_all(select(next_one).select_from(found).where(found.c.pool.is_not(None)))
        query = select(found.c.pool).where(found.c.pool.is_not(None)).limit(most)
        with self._connections.reading() as connection:
            return list(connection.execute(query).scalars())


def _point_of(row: StoredRow) -> PoolPoint:
    return PoolPoint(row.pool, *(getattr(row, name) for name in _INTEGERS))
