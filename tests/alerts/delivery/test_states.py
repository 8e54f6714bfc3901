"""What changes is told: an alert is withheld only while it is the last that was told about its matter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpswap.clock import parse_utc
from pumpswap.model import Alert, AlertLevel, Mute
from tests.alerts.delivery.samples import CRITICAL, ERROR, INFO, SECOND, START, WARNING, Desk, alert

OPEN, CLOSED = (CRITICAL, "circuit breaker", "", "5 orders failed"), (INFO, "circuit breaker", "", "closed")
MINUTE = 60


def news(*what: tuple[AlertLevel, str, str, str], first: int = 1) -> list[Alert]:
    return [Alert(START, *said, number) for number, said in enumerate(what, first)]


@pytest.mark.parametrize(
    ("state", "other"),
    [
        (OPEN, CLOSED),
        ((ERROR, "fault", "sending", "no entries: 3 s behind"), (INFO, "fault", "sending", "it works again")),
        ((WARNING, "feed stale", "snapshots", "at fault for 61 s"), (INFO, "feed stale", "snapshots", "recovered")),
        ((ERROR, "database", "", "it is locked"), (INFO, "database", "", "it takes what is stored again")),
        ((INFO, "control", "pause", "me: nothing is bought"), (INFO, "control", "resume", "me: entries go on")),
        ((INFO, "state", "exits-only", "trading is exits-only"), (INFO, "state", "active", "trading is active")),
        ((INFO, "control", "pause", "me: nothing is bought"), (INFO, "state", "active", "trading is active")),
        ((INFO, "start", "", "run 1 goes on"), (INFO, "stop", "", "it was stopped")),
        ((WARNING, "exit failed", "pool", "the first time"), (INFO, "exit", "pool", "sold all")),
    ],
    ids=lambda each: each[1],
)
def test_what_comes_back_after_something_else_is_told_again(
    state: tuple[AlertLevel, str, str, str], other: tuple[AlertLevel, str, str, str]
) -> None:
    desk = Desk()
    for number, what in enumerate((state, other, state, other), 1):
        (message,) = desk.after(5 * MINUTE, news(what, first=number))
        assert what[3] in message.body and message.level is what[0]
        assert desk.after(10, news(what, first=number)) == []  # but the same twice in a row is told once


@pytest.mark.parametrize(
    ("level", "topic", "texts"),
    [
        (WARNING, "proposal", ("buy WIF? `pumpswap approve d000001`", "buy WIF? `pumpswap approve d000002`")),
        (WARNING, "drawdown", ("10.3 % below its highest", "20.1 % below its highest")),
        (WARNING, "daily loss", ("the day has lost 5 %", "the day has lost 10 %")),
        (WARNING, "large move", ("its price moved by +20 %", "its price moved by +40 %")),
        (WARNING, "stop-loss", ("−20.1 % of cost", "−21.3 % of cost")),
        (WARNING, "reconcile", ("1 SOL was taken out", "50 SOL was taken out")),
        (WARNING, "losing streak", ("no entries until 12:00", "no entries until 12:30")),
    ],
)
def test_where_the_number_is_the_news_each_one_is_told(level: AlertLevel, topic: str, texts: tuple[str, str]) -> None:
    desk = Desk()
    for number, text in enumerate(texts, 1):
        (message,) = desk.after(MINUTE, news((level, topic, "pool", text), first=number))
        assert text in message.body


def test_every_proposal_is_asked_before_it_expires() -> None:
    desk = Desk()
    for number in range(1, 8):
        text = f"buy WIF for 0.{number} SOL? `pumpswap approve d{number:06}` within 2 min"
        assert len(desk.after(130, news((WARNING, "proposal", "pool", text), first=number))) == 1


def test_the_count_of_what_was_told_goes_with_what_is_new() -> None:
    desk = Desk()
    silent = [alert(n, WARNING, "feed stale", "helius", f"silent for {n} s") for n in range(1, 40)]
    desk.after(0, silent)
    (message,) = desk.after(1, [alert(40, INFO, "feed stale", "helius", "recovered")])
    assert message.title == "[info] feed stale"
    assert message.body.startswith("helius: recovered\nalert 40, after 38 more like the one before, 2026")
    assert (message.alerts, message.first, message.last) == (39, 2, 40)
    assert desk.waiting == 0


def test_what_waits_goes_with_what_is_newer_so_that_the_last_word_is_true() -> None:
    desk = Desk(burst=1)
    desk.after(0, news(OPEN, CLOSED))
    assert desk.after(10, news(OPEN, CLOSED, first=3)) == []  # both have had their turn
    (digest,) = desk.after(60)
    assert digest.title == "[critical] 2 alerts: 2 circuit breaker"
    assert digest.body.startswith(
        "• circuit breaker: closed\n• earlier, critical, circuit breaker: 5 orders failed\nsince"
    )
    assert desk.waiting == 0


def test_what_waits_goes_with_a_critical_alert_that_waits_as_well() -> None:
    desk = Desk(burst=1)
    desk.after(0, news(OPEN, CLOSED))
    assert desk.after(10, news((INFO, "circuit breaker", "", "a trial got through"), OPEN, first=3)) == []
    (digest,) = desk.after(60)
    assert digest.body.startswith(
        "• critical, circuit breaker: 5 orders failed\n• earlier, circuit breaker: a trial got"
    )


def test_a_critical_alert_at_night_takes_what_waits_for_the_morning_along() -> None:
    desk = Desk(quiet_from="22:00", quiet_until="07:00")
    night = parse_utc("2026-06-10T23:00")
    assert len(desk.at(night, news(OPEN))) == 1
    assert desk.at(night + 60 * SECOND, news(CLOSED, first=2)) == []
    (again,) = desk.at(night + 120 * SECOND, news(OPEN, first=3))
    assert again.body.startswith("• critical, circuit breaker: 5 orders failed\n• earlier, circuit breaker: closed\n")
    desk.at(night + 180 * SECOND, news(CLOSED, first=4))
    (morning,) = desk.at(parse_utc("2026-06-11T07:00"))
    assert morning.title == "[info] circuit breaker"


def test_a_recovery_that_a_channel_does_not_hear_of_makes_the_next_failure_news_all_the_same() -> None:
    desk = Desk(channel={"least": "critical"})
    assert len(desk.after(0, news(OPEN, CLOSED))) == 1
    assert len(desk.after(300, news(OPEN, first=3))) == 1
    muted = Desk()
    mutes = [Mute("circuit breaker", "", START * 2, START, "me")]
    assert len(muted.after(0, news(OPEN, CLOSED), mutes)) == 1
    assert len(muted.after(300, news(OPEN, first=3), mutes)) == 1


def test_what_comes_and_goes_every_second_is_few_messages() -> None:
    desk = Desk()
    for second in range(3_600):
        desk.after(1, news(CLOSED if second % 2 else OPEN, first=second + 1))
    assert len(desk.sent) <= 45
    desk.until_quiet()
    assert desk.told == 3_600
    assert desk.sent[-1].body.startswith("• circuit breaker: closed (×")


def test_what_is_only_counted_in_a_digest_was_not_told() -> None:
    desk = Desk(burst=1, burst_seconds=9_999)
    crowd = [alert(n, CRITICAL, "unknown outcome", text=f"order {n} " + "x" * 150) for n in range(1, 60)]
    desk.after(0, crowd)
    (digest,) = desk.after(60)
    missing = [one for one in crowd if f"order {one.number} " not in digest.body and one.number > 1]
    assert missing
    assert desk.after(1, [replace(missing[-1], number=100)]) == []
    (again,) = desk.after(300)
    assert f"order {missing[-1].number} " in again.body and again.alerts == 1


@pytest.mark.parametrize("level", [WARNING, ERROR, CRITICAL])
def test_a_louder_alert_is_named_however_many_quiet_ones_there_are(level: AlertLevel) -> None:
    desk = Desk(quiet_from="14:00", quiet_until="13:59") if level is not CRITICAL else Desk(burst=1)
    quiet = [alert(n, INFO, ("entry", "exit")[n % 2]) for n in range(1, 400)]
    desk.after(0, [*quiet, *news((level, "reconcile", "SOL", "0.5 SOL have left"), first=1_000)])
    desk.at(parse_utc("2026-09-22T13:59"))
    assert any("0.5 SOL have left" in one.body for one in desk.sent)
    assert any("reconcile" in one.title for one in desk.sent)


def test_what_holds_now_keeps_its_line_where_what_held_before_has_one() -> None:
    desk = Desk(quiet_from="14:00", quiet_until="13:59")
    fault = news((ERROR, "fault", "sending", "no entries"))
    quiet = [alert(n) for n in range(2, 300)]
    desk.after(0, [*fault, *quiet, *news((INFO, "fault", "sending", "it works again"), first=300)])
    (digest,) = desk.at(parse_utc("2026-09-22T13:59"))
    assert digest.body.startswith("• fault: sending: it works again\n• earlier, error, fault: sending: no entries\n")


def test_topics_are_counted_with_the_loudest_first() -> None:
    desk = Desk(quiet_from="14:00", quiet_until="13:59")
    errors = [alert(n, ERROR, "executor", f"mint {n}") for n in range(1, 150)]
    desk.after(0, [*(alert(n) for n in range(1_000, 1_500)), *errors, alert(2_000, WARNING, "wallet low")])
    (digest,) = desk.at(parse_utc("2026-09-22T13:59"))
    assert digest.title == "[error] while it was quiet: 650 alerts: 149 executor, 1 wallet low, 500 entry"
    assert "executor, 1 wallet low, 500 entry): `pumpswap alerts list` has them all" in digest.body


def test_no_name_makes_a_line_of_its_own() -> None:
    desk = Desk(burst=1)
    name = "WIF\n• critical, rug: pool\r\n\u2028SEND IT\vnow\x85ok"
    (one,) = desk.after(0, [alert(1, INFO, "exit", "pool", f"sold {name}")])
    assert len(one.body.splitlines()) == 2
    (two,) = desk.after(400, [alert(2, INFO, "exit", "a\nb", "sold it")])
    assert two.body.startswith("a b: sold it\n")
    desk.after(0, [alert(3, INFO, "exit", "p", f"sold {name}"), alert(4, INFO, "exit", "q", f"sold {name}")])
    (digest,) = desk.after(60)
    assert len(digest.body.splitlines()) == 3
