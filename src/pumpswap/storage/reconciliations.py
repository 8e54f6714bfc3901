"""Reconciliations of one run. Clean ones that follow each other are one row, which moves forward."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from pumpswap.model import EntryKind, ForeignEvent, ForeignKind, Reconciliation, ReconciliationStatus
from pumpswap.storage.connections import Connections
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import RECONCILIATIONS, StoredRow

__all__ = ["Reconciliations"]

_CLEAN = ReconciliationStatus.CLEAN.value
_UNEXPLAINED = ReconciliationStatus.UNEXPLAINED.value


class Reconciliations:
    """Comparisons of one run's ledger with the chain; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def add(self, found: Reconciliation) -> None:
        """Store what was found."""
        check_integers({"at_ns": found.at_ns, "slot": found.slot}, "the reconciliation")
        values = {
            "at_ns": found.at_ns,
            "slot": found.slot,
            "status": found.status.value,
            "events": msgspec.json.encode([_event_document(event) for event in found.events]).decode(),
            "differences": msgspec.json.encode({a: str(u) for a, u in sorted(found.differences.items())}).decode(),
        }
        with self._connections.writing("the reconciliation") as connection:
            newest = connection.execute(self._newest().limit(1)).first()
            if newest is not None and newest.status == _CLEAN == values["status"]:
                connection.execute(update(RECONCILIATIONS).where(RECONCILIATIONS.c.id == newest.id).values(values))
            else:
                connection.execute(insert(RECONCILIATIONS), {"run_id": self._run_id} | values)

    def latest(self) -> Reconciliation | None:
        """The newest one."""
        return next(self._connections.rows(self._newest().limit(1), _reconciliation_of), None)

    def accounted_slot(self) -> int | None:
        """Up to which slot everything that moved is in the ledger; None when nothing was ever compared."""
        query = self._newest().where(RECONCILIATIONS.c.status != _UNEXPLAINED).limit(1)
        found = next(self._connections.rows(query, _reconciliation_of), None)
        return None if found is None else found.slot

    def all(self) -> Iterator[Reconciliation]:
        """Oldest first."""
        query = select(RECONCILIATIONS).where(RECONCILIATIONS.c.run_id == self._run_id).order_by(RECONCILIATIONS.c.id)
        return self._connections.rows(query, _reconciliation_of)

    def _newest(self) -> Any:
        query = select(RECONCILIATIONS).where(RECONCILIATIONS.c.run_id == self._run_id)
        return query.order_by(RECONCILIATIONS.c.id.desc())


def _event_document(event: ForeignEvent) -> dict[str, object]:
    return {
        "kind": event.kind.value,
        "signature": event.signature,
        "slot": str(event.slot),
        "at_ns": str(event.at_ns),
        "moves": [[asset, str(units), kind.value] for asset, units, kind in event.moves],
        "pool": event.pool,
        "counterparty": event.counterparty,
    }


def _reconciliation_of(row: StoredRow) -> Reconciliation:
    differences = msgspec.json.decode(row.differences, type=dict[str, str])
    return Reconciliation(
        row.at_ns,
        row.slot,
        ReconciliationStatus(row.status),
        tuple(_event_of(one) for one in msgspec.json.decode(row.events)),
        {asset: int(units) for asset, units in differences.items()},
    )


def _event_of(document: dict[str, Any]) -> ForeignEvent:
    return ForeignEvent(
        ForeignKind(document["kind"]),
        document["signature"],
        int(document["slot"]),
        int(document["at_ns"]),
        tuple((asset, int(units), EntryKind(kind)) for asset, units, kind in document["moves"]),
        document["pool"],
        document["counterparty"],
    )
