"""Chores of the wallet: stored before anything is signed for them, like orders."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import insert, select, update

from pumpswap.errors import StorageError
from pumpswap.model import Chore, ChoreResult, PlanKind
from pumpswap.storage.connections import Connections
from pumpswap.storage.outcomes import UNRESOLVED
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import CHORES, StoredRow

__all__ = ["Chores"]


class Chores:
    """Chores of one run."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def add(self, chore: Chore) -> None:
        """Store a new chore. Raises StorageError when its id is stored already."""
        what = f"chore {chore.order_id}"
        check_integers({"created_ns": chore.created_ns, "lamports": chore.lamports}, what)
        values = {
            "run_id": self._run_id,
            "order_id": chore.order_id,
            "kind": chore.kind.value,
            "created_ns": chore.created_ns,
            "lamports": chore.lamports,
            "accounts": msgspec.json.encode(chore.accounts).decode(),
            "status": "pending",
        }
        with self._connections.writing(what) as connection:
            connection.execute(insert(CHORES), values)

    def end(self, order_id: str, result: ChoreResult) -> None:
        """Store what became of a chore. Unknown may be followed by another result, the others are final."""
        this = (CHORES.c.run_id == self._run_id, CHORES.c.order_id == order_id)
        values = {
            "status": result.status,
            "outcome_ns": result.at_ns,
            "signature": result.signature or None,
            "text": result.text or None,
        }
        with self._connections.writing(f"the end of chore {order_id}") as connection:
            statement = update(CHORES).where(*this, CHORES.c.status.in_(UNRESOLVED)).values(values)
            if connection.execute(statement).rowcount == 0:
                raise StorageError(f"chore {order_id} has ended already, or is not stored", hint="this is a bug")

    def unresolved(self) -> Sequence[Chore]:
        """Chores whose fate is not known, oldest first."""
        return self._chores(CHORES.c.status.in_(UNRESOLVED))

    def all(self) -> Sequence[Chore]:
        """Every chore, oldest first."""
        return self._chores(CHORES.c.run_id == self._run_id)

    def _chores(self, condition: object) -> Sequence[Chore]:
        query = select(CHORES).where(CHORES.c.run_id == self._run_id, condition)  # type: ignore[arg-type]
        return tuple(self._connections.rows(query.order_by(CHORES.c.id), _chore_of))


def _chore_of(row: StoredRow) -> Chore:
    accounts = msgspec.json.decode(row.accounts, type=tuple[str, ...])
    return Chore(row.order_id, PlanKind(row.kind), row.created_ns, row.lamports, accounts)
