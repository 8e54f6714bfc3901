"""Our alerts in the host's own table, in each of its shapes, and in databases that have none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from pumpswap.model import Alert, AlertLevel
from pumpswap.storage import Database, open_database
from tests.storage.conftest import POSTGRESQL, SQLITE
from tests.support.host_tables import create_shape, run_script
from tests.support.postgres import fresh_database

ALERT = Alert(1_790_000_000 * 10**9, AlertLevel.CRITICAL, "rug", "M", "sold: </b>\0\u202e", 7)
# The host's own: its names may be anything, also like ours.
OF_HOST = (
    "INSERT INTO system_alerts (alert_id, level, collector_type, message, timestamp, acknowledged, resolved) "
    "VALUES ('{}', 'info', 'ohlcv', 'theirs', '2026-01-01 00:00:00', {}, {})"
)


def url_of(target: str | Path) -> str:
    return f"sqlite:///{target}" if isinstance(target, Path) else target


# The start-up shape has no such table on PostgreSQL.
@pytest.fixture(params=[(SQLITE, "start-up"), (SQLITE, "alembic"), (POSTGRESQL, "alembic")], ids="-".join)
def hosted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Database, str]]:
    """Our tables among the host's, and the URL of both."""
    backend, shape = request.param
    target: str | Path = tmp_path / "host.sqlite" if backend == SQLITE else fresh_database()
    create_shape(url_of(target), shape)
    with open_database(target) as database:
        yield database, url_of(target)


def rows(url: str) -> list[dict[str, Any]]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM system_alerts ORDER BY alert_id")).mappings().all()
    engine.dispose()
    return [dict(row) for row in found]


def test_an_alert_is_told_the_host_once_in_its_words(hosted: tuple[Database, str]) -> None:
    database, url = hosted
    assert database.host_alerts.is_there()
    database.host_alerts.add([ALERT], 5)
    database.host_alerts.add([ALERT], 6)
    (row,) = rows(url)
    assert (row["alert_id"], row["level"], row["collector_type"]) == ("pumpswap-7", "critical", "pumpswap")
    assert row["message"] == "rug: M: sold: </b>\N{REPLACEMENT CHARACTER}\u202e"
    assert str(row["timestamp"]).startswith("2026-09-21 14:13:20")
    assert (bool(row["acknowledged"]), bool(row["resolved"])) == (False, False)
    assert json.loads(row["alert_metadata"]) == {
        "number": "7",
        "topic": "rug",
        "subject": "M",
        "at_ns": "1790000000000000000",
    }
    assert str(row["updated_at"]).startswith("1970-01-01 00:00:00")
    assert database.host_alerts.count() == 1


def test_what_is_seen_with_us_is_seen_there_and_nothing_else_is(hosted: tuple[Database, str]) -> None:
    database, url = hosted
    for name in ("theirs", "pumpswap-x", "pumpswap-"):
        run_script(url, OF_HOST.format(name, "FALSE", "FALSE"))
    database.host_alerts.add([Alert(5, AlertLevel.INFO, "entry", "", "text", n) for n in (1, 2, 3, 10)], 5)
    database.host_alerts.acknowledge(10, 6)
    assert [row["alert_id"] for row in rows(url) if row["acknowledged"]] == ["pumpswap-10"]
    database.host_alerts.acknowledge_all(2, 7)
    seen = [row["alert_id"] for row in rows(url) if row["acknowledged"]]
    assert seen == ["pumpswap-1", "pumpswap-10", "pumpswap-2"]


def test_no_table_or_another_one_is_left_alone(database: Database, target: str | Path) -> None:
    assert not database.host_alerts.is_there()
    run_script(url_of(target), "CREATE TABLE system_alerts (alert_id VARCHAR(100), level VARCHAR(20))")
    assert not database.host_alerts.is_there()


def test_a_time_of_no_calendar_is_still_told(hosted: tuple[Database, str]) -> None:
    database, url = hosted
    database.host_alerts.add([Alert(-(2**63), AlertLevel.INFO, "entry", "", "text", 1)], 5)
    assert str(rows(url)[0]["timestamp"]).startswith("1677-09-21")


def test_a_batch_that_fails_tells_the_host_nothing(hosted: tuple[Database, str]) -> None:
    database, url = hosted

    def half() -> None:
        with database.batch():
            database.host_alerts.add([ALERT], 5)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half()
    assert rows(url) == []
