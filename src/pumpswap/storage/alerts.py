"""Alerts: stored first, whatever else is done with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, insert, select, update

from pumpswap.errors import NotFound
from pumpswap.model import Alert, AlertLevel
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import ALERTS, RUNS, StoredRow

__all__ = ["Alerts"]


_STORED = select(ALERTS, RUNS.c.kind.label("run_kind")).outerjoin(RUNS, RUNS.c.run_id == ALERTS.c.run_id)


class Alerts:
    """All alerts of a database; those of a run carry its number."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, alert: Alert, run_id: int | None = None) -> int:
        """Store an alert and return its number."""
        check_integers({"at_ns": alert.at_ns}, "the alert")
        values = {
            "run_id": run_id,
            "at_ns": alert.at_ns,
            "level": alert.level.value,
            "topic": alert.topic,
            "subject": clean_text(alert.subject),
            "text": clean_text(alert.text),
        }
        with self._connections.writing("the alert") as connection:
            key = connection.execute(insert(ALERTS).values(values)).inserted_primary_key
        return int(key[0]) if key else 0

    def acknowledge(self, number: int, at_ns: int, origin: str = "") -> None:
        """Somebody has seen it; the first time counts. Raises NotFound."""
        check_integers({"number": number, "at_ns": at_ns}, "the alert")
        with self._connections.writing(f"alert {number}") as connection:
            if connection.execute(select(ALERTS.c.id).where(ALERTS.c.id == number)).scalar() is None:
                raise NotFound(f"there is no alert {number}", hint="list the alerts to find its number")
            unseen = (ALERTS.c.id == number, ALERTS.c.acknowledged_ns.is_(None))
            connection.execute(
                update(ALERTS).where(*unseen).values(acknowledged_ns=at_ns, acknowledged_by=clean_text(origin))
            )

    def acknowledge_all(self, up_to: int, at_ns: int, origin: str = "") -> int:
        """Somebody has seen all with a number up to this one; returns how many nobody had seen before."""
        check_integers({"number": up_to, "at_ns": at_ns}, "the alerts")
        unseen = (ALERTS.c.id <= up_to, ALERTS.c.acknowledged_ns.is_(None))
        with self._connections.writing("the alerts") as connection:
            seen = {"acknowledged_ns": at_ns, "acknowledged_by": clean_text(origin)}
            return int(connection.execute(update(ALERTS).where(*unseen).values(seen)).rowcount)

    def after(self, number: int, most: int) -> Sequence[Alert]:
        """Those that were stored after the alert ``number``, oldest first."""
        query = _STORED.where(ALERTS.c.id > number).order_by(ALERTS.c.id).limit(most)
        return self._connections.all_rows(query, _alert_of)

    def newest(
        self,
        most: int,
        *,
        unseen: bool = False,
        before: int | None = None,
        levels: Collection[AlertLevel] = (),
        topic: str = "",
    ) -> Sequence[Alert]:
        """The newest first; ``before``: those with a smaller number, for the next page of a list; ``levels`` and
        ``topic``: only of these.
        """
        query = _STORED.order_by(ALERTS.c.id.desc()).limit(most)
        if unseen:
            query = query.where(ALERTS.c.acknowledged_ns.is_(None))
        if before is not None:
            query = query.where(ALERTS.c.id < before)
        if levels:
            query = query.where(ALERTS.c.level.in_([level.value for level in levels]))
        if topic:
            query = query.where(ALERTS.c.topic == topic)
        return self._connections.all_rows(query, _alert_of)

    def counted(self, since_ns: int, until_ns: int) -> dict[AlertLevel, int]:
        """How many of each level were given in a time, the end not included."""
        query = select(ALERTS.c.level, func.count()).where(ALERTS.c.at_ns >= since_ns, ALERTS.c.at_ns < until_ns)
        with self._connections.reading() as connection:
            found = connection.execute(query.group_by(ALERTS.c.level))
            return {AlertLevel(level): int(count) for level, count in found}

    def newest_number(self) -> int:
        """Of the alert that was stored last; 0 when there is none."""
        with self._connections.reading() as connection:
            return int(connection.execute(select(func.max(ALERTS.c.id))).scalar() or 0)

    def all(self, *, unseen: bool = False) -> Sequence[Alert]:
        """Oldest first; ``unseen``: only those that nobody has acknowledged."""
        query = _STORED.order_by(ALERTS.c.id)
        if unseen:
            query = query.where(ALERTS.c.acknowledged_ns.is_(None))
        return tuple(self._connections.rows(query, _alert_of))


def _alert_of(row: StoredRow) -> Alert:
    about = (row.topic, row.subject, row.text, row.id)
    seen = (row.acknowledged_ns, row.acknowledged_by or "")
    return Alert(row.at_ns, AlertLevel(row.level), *about, *seen, row.run_id, row.run_kind or "")
