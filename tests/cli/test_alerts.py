"""``pumpswap alerts``: what there was, who has seen it, what is muted, and whether messages arrive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumpswap.alerts.topics import TOPICS
from pumpswap.clock import SystemClock
from pumpswap.model import Alert, AlertLevel, Delivery, DeliveryStatus
from pumpswap.storage import Database, open_database
from tests.alerts.delivery.service import Service, served
from tests.cli.running import answer, refusal, run
from tests.support.host_tables import create_shape

AT = 1_790_000_000 * 10**9
MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    """With four alerts."""
    with open_database(folder / "data" / "pumpswap.sqlite") as opened:
        opened.alerts.add(Alert(AT, AlertLevel.INFO, "entry", MINT, "bought \x1b[31mred\u202e <b>"))
        opened.alerts.add(Alert(AT + 1, AlertLevel.WARNING, "feed stale", "helius", "silent for 61 s"))
        opened.alerts.add(Alert(AT + 2, AlertLevel.CRITICAL, "rug", MINT, "everything is sold"))
        opened.alerts.add(Alert(AT + 3, AlertLevel.INFO, "exit", MINT, f"sold {MINT}"))
        yield opened


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    """A channel ``phone`` in the settings."""
    with served() as one:
        configure(folder, one)
        yield one


def configure(folder: Path, service: Service) -> None:
    url = f"json://{service.address}/S3CR3T-T0K3N"
    (folder / "pumpswap.yaml").write_text(f"alerts:\n  channels:\n    - {{name: phone, url: '{url}'}}\n")


def numbers(found: dict[str, Any]) -> list[str]:
    return [one["number"] for one in found["alerts"]]


# ------------------------------------------------------------------------------------------------ list and ack


def test_without_books_there_is_nothing_and_none_are_made(folder: Path) -> None:
    assert answer("alerts", "list")["alerts"] == []
    assert answer("alerts", "ack", "--all")["acknowledged"] == 0
    assert answer("alerts", "deliveries")["deliveries"] == []
    assert run("alerts", "list").stdout == "No alerts.\n"
    refusal(3, "alerts", "ack", "1")
    assert not (folder / "data").exists()


def test_the_newest_come_first_and_nothing_in_them_steers_a_terminal(database: Database) -> None:
    shown = run("alerts", "list").stdout
    assert "bought \\x1b[31mred\\u202e <b>" in " ".join(shown.split())
    assert "\x1b" not in shown and "\u202e" not in shown
    assert numbers(answer("alerts", "list")) == ["4", "3", "2", "1"]


def test_a_list_is_chosen_and_paged(database: Database) -> None:
    assert numbers(answer("alerts", "list", "--level", "warning")) == ["3", "2"]
    assert numbers(answer("alerts", "list", "--topic", "exit")) == ["4"]
    page = answer("alerts", "list", "--most", "3")
    assert numbers(page) == ["4", "3", "2"] and page["older_before"] == "2"
    rest = answer("alerts", "list", "--most", "3", "--before", "2")
    assert numbers(rest) == ["1"] and rest["older_before"] is None
    refusal(3, "alerts", "list", "--topic", "entries")


def test_what_is_acknowledged_is_seen_and_says_by_whom(database: Database) -> None:
    assert answer("alerts", "ack", "1", "3", "1")["acknowledged"] == 2
    assert numbers(answer("alerts", "list", "--unseen")) == ["4", "2"]
    seen = answer("alerts", "list", "--topic", "rug")["alerts"][0]
    assert seen["acknowledged_at"] and "process" in seen["acknowledged_by"]
    assert answer("alerts", "ack", "--all")["acknowledged"] == 2
    assert answer("alerts", "ack", "--all")["acknowledged"] == 0


def test_of_several_numbers_all_are_acknowledged_or_none(database: Database) -> None:
    refusal(3, "alerts", "ack", "1", "99")
    assert database.alerts.newest(9, unseen=True)[-1].number == 1
    refusal(2, "alerts", "ack")
    refusal(2, "alerts", "ack", "1", "--all")


def test_the_host_hears_that_it_was_seen(folder: Path) -> None:
    (folder / "data").mkdir()
    path = folder / "data" / "pumpswap.sqlite"
    create_shape(f"sqlite:///{path}", "alembic")
    with open_database(path) as database:
        for n in range(1, 4):
            database.alerts.add(Alert(AT, AlertLevel.INFO, "entry", "", f"text {n}"))
        database.host_alerts.add(database.alerts.all(), AT)
        answer("alerts", "ack", "2")
        with database._connections.reading() as connection:
            rows = connection.exec_driver_sql("SELECT alert_id FROM system_alerts WHERE acknowledged").all()
            assert [tuple(row) for row in rows] == [("pumpswap-2",)]
        answer("alerts", "ack", "--all")
        with database._connections.reading() as connection:
            (count,) = connection.exec_driver_sql("SELECT count(*) FROM system_alerts WHERE acknowledged").one()
            assert count == 3


# ------------------------------------------------------------------------------------------------ mute


def test_a_mute_is_stored_also_before_the_first_run_and_the_last_one_counts(folder: Path) -> None:
    (first,) = answer("alerts", "mute", "entry", "--for", "2h")["mutes"]
    (second,) = answer("alerts", "mute", "entry", "--for", "30m")["mutes"]
    assert second["until"] < first["until"]
    answer("alerts", "mute", "feed stale", "--subject", "helius")
    held = answer("alerts", "mute")["mutes"]
    assert [(one["topic"], one["subject"]) for one in held] == [("entry", None), ("feed stale", "helius")]
    assert held[0]["until"] == second["until"]
    with open_database(folder / "data" / "pumpswap.sqlite") as database:
        assert len(database.mutes.holding(SystemClock().now_ns())) == 2
    assert "feed stale about helius: muted until" in run("alerts", "mute").stdout


def test_what_is_unmuted_is_heard_again(folder: Path) -> None:
    for line in (["entry"], ["entry", "--subject", "a"], ["exit"]):
        answer("alerts", "mute", *line)
    assert answer("alerts", "unmute", "entry", "--subject", "a")["ended"] == 1
    assert answer("alerts", "unmute", "entry")["ended"] == 1
    assert answer("alerts", "unmute", "entry")["ended"] == 0
    assert answer("alerts", "unmute", "--all")["ended"] == 1
    assert answer("alerts", "mute")["mutes"] == []


def test_only_what_there_is_is_muted(folder: Path) -> None:
    assert "entry, exit" in refusal(3, "alerts", "mute", "entries")["hint"]
    refusal(3, "alerts", "unmute", "entries")
    refusal(2, "alerts", "mute", "--subject", "helius")
    refusal(2, "alerts", "unmute")
    refusal(2, "alerts", "unmute", "entry", "--all")
    refusal(2, "alerts", "mute", "entry", "--for", "0s")
    assert not (folder / "data").exists() or answer("alerts", "mute")["mutes"] == []


# ------------------------------------------------------------------------------------------------ test and deliveries


def test_a_test_reaches_the_channel(service: Service) -> None:
    told = answer("alerts", "test")
    assert told["channels"] == [{"channel": "phone", "is_taken": True, "reason": None}]
    (body,) = service.bodies
    assert body["title"] == told["message"]["title"] == "[info] test"
    assert body["message"].startswith("this channel works")
    assert run("alerts", "test", "phone").stdout == "phone: sent\n"


def test_a_test_of_a_topic_is_its_newest_alert_as_it_is_sent(service: Service, database: Database) -> None:
    answer("alerts", "test", "--topic", "exit")
    assert service.bodies[-1]["message"].startswith("sold 7xKX…gAsU\nalert 4, 7xKX…gAsU, 2026-")
    answer("alerts", "test", "--topic", "daily loss")
    assert "there was no such alert yet" in service.bodies[-1]["message"]


def test_why_a_test_failed_is_said_without_the_secret(service: Service) -> None:
    service.status = 401
    result = run("alerts", "test")
    assert result.exit_code == 11
    assert result.stdout.startswith("phone: not sent: ") and "401" in result.stdout
    assert "T0K3N" not in result.output
    result = run("alerts", "test", "--json")
    assert result.exit_code == 11 and '"is_taken": false' in result.stdout


def test_a_test_needs_a_channel(folder: Path, service: Service) -> None:
    assert refusal(3, "alerts", "test", "mail")["hint"] == "one of: phone"
    (folder / "pumpswap.yaml").write_text("alerts: {channels: [{name: phone, url: 'nowhere://S3CR3T'}]}\n")
    assert "S3CR3T" not in str(refusal(4, "alerts", "test"))
    (folder / "pumpswap.yaml").write_text("{}\n")
    assert "no channel is configured" in refusal(4, "alerts", "test")["what"]


def test_deliveries_say_what_became_of_each_message(database: Database) -> None:
    about = ("phone", AlertLevel.INFO, "[info] entry", "body")
    database.deliveries.add(
        [
            Delivery(*about, created_ns=AT, due_ns=AT, alerts=3, status=DeliveryStatus.SENT, tries=1, sent_ns=AT),
            Delivery(*about, created_ns=AT, due_ns=AT, status=DeliveryStatus.FAILED, tries=9, error="gone \x1b[1m"),
        ]
    )
    found = answer("alerts", "deliveries", "--status", "failed")
    assert [(one["number"], one["tries"], one["alerts"]) for one in found["deliveries"]] == [("2", 9, 1)]
    assert found["counts"] == {"waiting": 0, "sent": 1, "failed": 1}
    shown = run("alerts", "deliveries").stdout
    assert "gone \\x1b[1m" in shown and "\x1b" not in shown
    assert "2 messages: 1 sent, 1 failed." in shown
    assert answer("alerts", "deliveries", "--most", "1")["older_before"] == "2"


def test_topics_are_those_of_the_table() -> None:
    told = answer("alerts", "topics")["topics"]
    assert [one["topic"] for one in told] == list(TOPICS)
    assert {one["setting"] for one in told if one["topic"] == "drawdown"} == {"alert_rules.drawdown_bps"}


# ------------------------------------------------------------------------------------------------ beside an engine


def test_an_engine_has_its_alerts_delivered_and_the_last_ones_at_its_end(folder: Path, service: Service) -> None:
    assert run("run", "--market", "simulated:9", "--fast", "--duration", "12m").exit_code == 0
    with open_database(folder / "data" / "pumpswap.sqlite") as database:
        alerts, deliveries = database.alerts.all(), database.deliveries.newest(1_000)
    assert alerts
    assert {one.status for one in deliveries} == {DeliveryStatus.SENT}
    assert sum(one.alerts for one in deliveries) == len(alerts)
    assert len(service.bodies) == len(deliveries)


def test_a_channel_that_cannot_be_used_is_said_before_an_engine_runs(folder: Path) -> None:
    (folder / "pumpswap.yaml").write_text("alerts: {channels: [{name: phone, url: 'nowhere://S3CR3T'}]}\n")
    refused = refusal(4, "run", "--market", "simulated:9", "--fast", "--duration", "1m")
    assert "the channel phone" in refused["what"] and "S3CR3T" not in str(refused)
