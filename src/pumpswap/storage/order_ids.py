"""OrderIds: which ids a run has given out, so that none is given out twice."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table, select, union_all

from pumpswap.model import Order
from pumpswap.storage.connections import Connections
from pumpswap.storage.rows import order_of
from pumpswap.storage.tables import CHORES, DECISIONS, ORDERS

__all__ = ["OrderIds"]

# Orders at the same time are stored in another order than their ids were given out, but not by as much as this.
_NEWEST = 1_000


class OrderIds:
    """Ids of orders, chores and decisions of one run."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def newest_orders(self) -> Sequence[str]:
        """The latest ids of orders and of chores."""
        return [*self._newest(ORDERS, "order_id"), *self._newest(CHORES, "order_id")]

    def newest_decisions(self) -> Sequence[str]:
        """The latest ids of decisions."""
        return self._newest(DECISIONS, "decision_id")

    def has_order(self, order_id: str) -> bool:
        """Whether an order is stored."""
        query = select(ORDERS.c.id).where(ORDERS.c.run_id == self._run_id, ORDERS.c.order_id == order_id)
        with self._connections.reading() as connection:
            return connection.execute(query).first() is not None

    def order_of_client(self, client_order_id: str) -> Order | None:
        """The order that another system has named so; None when it is not stored."""
        query = select(ORDERS).where(ORDERS.c.run_id == self._run_id, ORDERS.c.client_order_id == client_order_id)
        with self._connections.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else order_of(row)

    def created_since(self, since_ns: int) -> dict[str, int]:
        """When orders and chores were made, those since then, by id."""
        parts = (
            select(table.c.order_id, table.c.created_ns).where(
                table.c.run_id == self._run_id, table.c.created_ns >= since_ns
            )
            for table in (ORDERS, CHORES)
        )
        with self._connections.reading() as connection:
            return {row.order_id: row.created_ns for row in connection.execute(union_all(*parts))}

    def _newest(self, table: Table, column: str) -> Sequence[str]:
        # A sum is in no index: for the bare column SQLite sorts all ids of the run instead of reading from the end.
        this = table.c.run_id + 0 == self._run_id
        query = select(table.c[column]).where(this).order_by(table.c.id.desc()).limit(_NEWEST)
        with self._connections.reading() as connection:
            return list(connection.execute(query).scalars())
