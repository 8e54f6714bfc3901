"""Our alerts in the host's own table ``system_alerts``, where there is one that has the columns we know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    MetaData,
    String,
    Table,
    Text,
    case,
    cast,
    func,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Alert
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text, dump_mapping

__all__ = ["HostAlerts"]

# The table is the host's: outside of our metadata, so that it is never created or migrated by us.
_TABLE = Table(
    "system_alerts",
    MetaData(),
    Column("alert_id", String),
    Column("level", String),
    Column("collector_type", String),
    Column("message", Text),
    Column("timestamp", DateTime),
    Column("acknowledged", Boolean),
    Column("resolved", Boolean),
    Column("alert_metadata", Text),
    Column("created_at", DateTime),
    Column("updated_at", DateTime),
)
_NEW = {
    "sqlite": sqlite.insert(_TABLE).on_conflict_do_nothing(index_elements=("alert_id",)),
    "postgresql": postgresql.insert(_TABLE).on_conflict_do_nothing(index_elements=("alert_id",)),
}
_OURS = "pumpswap"


class HostAlerts:
    """Of one database; errors as of ``Run``. Inside of ``Database.batch`` they are stored with the rest of it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def is_there(self) -> bool:
        """Whether the host has such a table, with every column of it."""
        with self._connections.reading() as connection:
            inspector = inspect(connection)
            if not inspector.has_table(_TABLE.name):
                return False
            found = {column["name"] for column in inspector.get_columns(_TABLE.name)}
        return found >= set(_TABLE.c.keys())

    def add(self, alerts: Iterable[Alert], at_ns: int) -> None:
        """Tell the host of alerts that are stored with us. What it knows already is left as it is."""
        values = [_values(alert, at_ns) for alert in alerts]
        if values:
            with self._connections.writing("the host's alerts") as connection:
                connection.execute(_NEW[connection.dialect.name], values)

    def acknowledge(self, number: int, at_ns: int) -> None:
        """Somebody has seen it: the host need not show it any more."""
        seen = {"acknowledged": True, "updated_at": _moment(at_ns)}
        with self._connections.writing("the host's alert") as connection:
            connection.execute(update(_TABLE).where(_TABLE.c.alert_id == _name(number)).values(seen))

    def acknowledge_all(self, up_to: int, at_ns: int) -> None:
        """As ``acknowledge``, of all of ours up to this number that the host still shows."""
        number = cast(func.substr(_TABLE.c.alert_id, len(_OURS) + 2), BigInteger)
        # The number is read of our names only: the host gives its alerts any name.
        of_ours = case((_TABLE.c.alert_id.regexp_match(f"^{_OURS}-[0-9]+$"), number <= up_to), else_=False)
        seen = {"acknowledged": True, "updated_at": _moment(at_ns)}
        with self._connections.writing("the host's alerts") as connection:
            connection.execute(update(_TABLE).where(of_ours, _TABLE.c.acknowledged.is_not(True)).values(seen))

    def count(self) -> int:
        """How many of ours it has."""
        query = select(func.count()).select_from(_TABLE).where(_TABLE.c.alert_id.like(f"{_OURS}-%"))
        with self._connections.reading() as connection:
            return int(connection.execute(query).scalar() or 0)


def _values(alert: Alert, at_ns: int) -> dict[str, object]:
    about = {"number": str(alert.number), "topic": alert.topic, "subject": alert.subject, "at_ns": str(alert.at_ns)}
    subject = "" if not alert.subject or alert.subject in alert.text else f"{alert.subject}: "
    now = _moment(at_ns)
    return {
        "alert_id": _name(alert.number),
        "level": alert.level.value,
        "collector_type": _OURS,
        "message": clean_text(f"{alert.topic}: {subject}{alert.text}"),
        "timestamp": _moment(alert.at_ns),
        "acknowledged": alert.acknowledged_ns is not None,
        "resolved": False,
        "alert_metadata": dump_mapping(about, "the alert"),
        "created_at": now,
        "updated_at": now,
    }


def _name(number: int) -> str:
    return f"{_OURS}-{number}"


def _moment(at_ns: int) -> datetime:
    """UTC without a zone, as the host writes it; a time of no calendar is its first or last one."""
    least, most = -62_135_596_800, 253_402_300_799  # the years 1 and 9999
    seconds = min(max(at_ns // NS_PER_SECOND, least), most)
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
