"""Deliveries: messages about alerts, each stored before it is sent, so that a restart loses none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import case, delete, func, insert, or_, select, update

from pumpswap.errors import NotFound
from pumpswap.model import AlertLevel, Delivery, DeliveryStatus
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import DELIVERIES, StoredRow

__all__ = ["Deliveries"]

_INTEGERS = ("created_ns", "due_ns", "alerts", "first_alert", "last_alert", "tries", "sent_ns")
_WORDS = ("channel", "title", "body", "error")


class Deliveries:
    """All of a database; errors as of ``Run``. Inside of ``Database.batch`` they are stored with the rest of it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Store new ones, all or none."""
        values = [_values(delivery) for delivery in deliveries]
        if values:
            with self._connections.writing("the deliveries") as connection:
                connection.execute(insert(DELIVERIES), values)

    def change(self, delivery: Delivery) -> None:
        """Store what has become of one. Raises NotFound."""
        this = DELIVERIES.c.id == delivery.number
        with self._connections.writing(f"delivery {delivery.number}") as connection:
            if connection.execute(update(DELIVERIES).where(this).values(_values(delivery))).rowcount == 0:
                raise NotFound(f"there is no delivery {delivery.number}", hint="it was never stored")

    def take(self, delivery: Delivery, until_ns: int) -> Delivery | None:
        """Take one to send it: nobody else gets it before ``until_ns``, when it is due again unless it was stored that
        it is sent. One more try. None: somebody else was faster.
        """
        taken = replace(delivery, due_ns=until_ns, tries=delivery.tries + 1)
        check_integers({"due_ns": until_ns}, "the delivery")
        table = DELIVERIES.c
        as_seen = (table.id == delivery.number, table.due_ns == delivery.due_ns, table.tries == delivery.tries)
        is_waiting = table.status == DeliveryStatus.WAITING.value
        with self._connections.writing(f"delivery {delivery.number}") as connection:
            values = {"due_ns": taken.due_ns, "tries": taken.tries}
            found = connection.execute(update(DELIVERIES).where(*as_seen, is_waiting).values(values))
        return taken if found.rowcount else None

    def due(
        self,
        at_ns: int,
        most: int,
        channel: str | None = None,
        *,
        beyond_ns: int | None = None,
        least_tried: bool = False,
    ) -> Sequence[Delivery]:
        """Those that wait and may be tried now: what is critical first, then what was tried least, then the oldest;
        ``least_tried``: what was tried least before what is critical. ``channel``: only those to it. ``beyond_ns``:
        nobody puts one off for so long, so what is due later still was put off by a clock that was wrong, and is due
        now.
        """
        waiting = DELIVERIES.c.status == DeliveryStatus.WAITING.value
        is_due = DELIVERIES.c.due_ns <= at_ns
        if beyond_ns is not None:
            is_due = or_(is_due, DELIVERIES.c.due_ns > beyond_ns)
        query = select(DELIVERIES).where(waiting, is_due)
        if channel is not None:
            query = query.where(DELIVERIES.c.channel == channel)
        loudest = case((DELIVERIES.c.level == AlertLevel.CRITICAL.value, 0), else_=1)
        order = (DELIVERIES.c.tries, loudest) if least_tried else (loudest, DELIVERIES.c.tries)
        return self._connections.all_rows(query.order_by(*order, DELIVERIES.c.id).limit(most), _delivery_of)

    def forsaken(self, known: Collection[str], created_before_ns: int, most: int) -> Sequence[Delivery]:
        """Those that wait for other channels than the ``known`` ones, and have done so for long."""
        waiting = DELIVERIES.c.status == DeliveryStatus.WAITING.value
        query = select(DELIVERIES).where(waiting, DELIVERIES.c.created_ns < created_before_ns)
        query = query.where(DELIVERIES.c.channel.not_in(known)).order_by(DELIVERIES.c.id).limit(most)
        return self._connections.all_rows(query, _delivery_of)

    def remove(self, before_ns: int, most: int) -> int:
        """Remove some of those that were sent or given up before this; returns how many."""
        is_over = DELIVERIES.c.status.in_((DeliveryStatus.SENT.value, DeliveryStatus.FAILED.value))
        old = select(DELIVERIES.c.id).where(is_over, DELIVERIES.c.due_ns < before_ns).limit(most)
        with self._connections.reading() as connection:
            numbers = list(connection.execute(old).scalars())
        if not numbers:
            return 0  # asked first without a lock
        with self._connections.writing("the old deliveries") as connection:
            return int(connection.execute(delete(DELIVERIES).where(DELIVERIES.c.id.in_(numbers))).rowcount)

    def newest(
        self, most: int, *, status: DeliveryStatus | None = None, before: int | None = None
    ) -> Sequence[Delivery]:
        """The newest first; ``status``: only these; ``before``: those with a smaller number, for the next page."""
        query = select(DELIVERIES).order_by(DELIVERIES.c.id.desc()).limit(most)
        if status is not None:
            query = query.where(DELIVERIES.c.status == status.value)
        if before is not None:
            query = query.where(DELIVERIES.c.id < before)
        return self._connections.all_rows(query, _delivery_of)

    def counts(self) -> dict[DeliveryStatus, int]:
        """How many there are of each status."""
        query = select(DELIVERIES.c.status, func.count()).group_by(DELIVERIES.c.status)
        with self._connections.reading() as connection:
            found = {DeliveryStatus(status): int(count) for status, count in connection.execute(query)}
        return {status: found.get(status, 0) for status in DeliveryStatus}


def _values(delivery: Delivery) -> dict[str, object]:
    integers = {name: getattr(delivery, name) for name in _INTEGERS}
    check_integers(integers, "the delivery")
    words = {name: clean_text(getattr(delivery, name)) for name in _WORDS}
    return integers | words | {"level": delivery.level.value, "status": delivery.status.value}


def _delivery_of(row: StoredRow) -> Delivery:
    fields = {name: getattr(row, name) for name in (*_INTEGERS, *_WORDS)}
    return Delivery(level=AlertLevel(row.level), status=DeliveryStatus(row.status), number=row.id, **fields)
