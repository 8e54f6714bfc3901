"""The policy of a channel: nothing is told twice, nothing that is wanted is lost, and what is critical never waits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.alerts.delivery.message import line_of
from pumpswap.alerts.delivery.policy import is_muted
from pumpswap.alerts.delivery.state import MOST_LINES, DeliveryState
from pumpswap.clock import parse_utc
from pumpswap.errors import StorageError
from pumpswap.model import Alert, AlertLevel, Mute
from tests.alerts.delivery.samples import CRITICAL, ERROR, INFO, SECOND, START, WARNING, Desk, alert
from tests.support.examples import examples

ALWAYS_QUIET = {"quiet_from": "14:00", "quiet_until": "13:59"}  # but for a minute a day


def test_one_alert_is_one_message_at_once() -> None:
    desk = Desk()
    (message,) = desk.after(0, [alert(7, CRITICAL, "unknown outcome", "mint", "order o1 may still land")])
    assert message.title == "[critical] unknown outcome"
    assert message.body == "mint: order o1 may still land\nalert 7, 2026-09-21 14:13:20 UTC"
    assert (message.level, message.alerts, message.first, message.last) == (CRITICAL, 1, 7, 7)
    assert desk.state.cursor == 7


def test_what_is_too_quiet_or_of_another_topic_is_not_sent() -> None:
    desk = Desk(channel={"least": "warning", "topics": ("feed",)})
    sent = desk.after(0, [alert(1, INFO, "feed"), alert(2, WARNING, "entry"), alert(3, WARNING, "feed")])
    assert [message.first for message in sent] == [3]
    assert desk.waiting == 0 and desk.state.cursor == 3


def test_that_a_channel_does_not_work_is_not_told_through_it() -> None:
    desk = Desk()
    assert [
        one.first for one in desk.after(0, [alert(1, ERROR, "delivery", "phone"), alert(2, ERROR, "delivery", "x")])
    ] == [2]


def test_the_same_again_is_counted_and_told_once_more_when_its_time_is_over() -> None:
    desk = Desk(repeat_seconds=900, digest_seconds=60)
    says = [alert(n, WARNING, "feed stale", "helius", f"silent for {60 + n} s") for n in range(1, 40)]
    assert len(desk.after(0, says[:1])) == 1
    for one in says[1:]:
        assert desk.after(10, [one]) == []
    desk.at(START + 901 * SECOND)
    (message,) = desk.after(60)
    assert (message.alerts, message.first, message.last) == (38, 2, 39)
    assert "(×38, the last 2026-09-21 14:13:20 UTC)" in message.body and "silent for 99 s" in message.body
    # It was told just now: what comes next is counted again.
    assert desk.after(10, [alert(40, WARNING, "feed stale", "helius", "silent for 5 s")]) == []


def test_practice_is_told_from_what_money_is_at_stake_in() -> None:
    desk = Desk(burst=1)
    live, paper = ({"run_id": 2, "run_kind": "live"}, {"run_id": 1, "run_kind": "paper"})
    (one,) = desk.after(0, [replace(alert(1), **paper)])
    assert one.title == "[info] entry (paper)"
    assert one.body.endswith("\nalert 1, paper run 1, 2026-09-21 14:13:20 UTC")
    desk.after(1, [replace(alert(2), **live), replace(alert(3), **paper)])
    (mixed,) = desk.after(60)
    assert mixed.title == "[info] 2 alerts: 2 entry"
    assert mixed.body.startswith("• entry: pool 2: text of 2\n• paper, entry: pool 3: text of 3\n")
    other = Desk()
    (one,) = other.after(0, [replace(alert(4), **live)])
    assert one.title == "[info] entry" and "live run 2" in one.body
    # The same words about other books are something else.
    assert len(other.after(0, [replace(alert(4), **paper)])) == 1


def test_news_and_critical_alerts_are_the_same_word_for_word_only() -> None:
    for level in AlertLevel:
        is_blurred = level in (WARNING, ERROR)
        first, second = (alert(n, level, "feed stale", "run", f"silent for {n}0 s") for n in (1, 2))
        assert (said(first) == said(second)) is is_blurred
        assert said(first) == said(replace(first, number=9, at_ns=5))
        assert said(first) != said(replace(first, subject="other"))


def said(one: Alert) -> str:
    return line_of(one).said


def test_a_louder_alert_about_the_same_is_told_at_once() -> None:
    desk = Desk()
    levels = [INFO, WARNING, ERROR, CRITICAL]
    sent = desk.after(0, [alert(n, level, "feed", "helius", "silent") for n, level in enumerate(levels, 1)])
    assert [message.level for message in sent] == levels


def test_more_than_a_burst_is_gathered_into_a_digest() -> None:
    desk = Desk(burst=3, burst_seconds=300, digest_seconds=60)
    assert len(desk.after(0, [alert(n) for n in range(1, 21)])) == 3
    assert desk.after(59) == []
    (digest,) = desk.after(1)
    assert digest.title == "[info] 17 alerts: 17 entry"
    assert (digest.alerts, digest.first, digest.last) == (17, 4, 20)
    assert digest.body.startswith("• entry: pool 4: text of 4\n• entry: pool 5")
    assert desk.after(300, [alert(30)]) != []  # the burst is over


def test_digests_gather_longer_while_a_storm_goes_on_and_shortly_after_it() -> None:
    desk = Desk(burst=1, burst_seconds=3_600, digest_seconds=60, repeat_seconds=900)
    number, times = 0, []
    for second in range(4 * 3_600):
        number += 1
        if desk.at(START + second * SECOND, [alert(number)]):
            times.append(second)
    pauses = [late - early for early, late in pairwise(times[1:])]
    assert pauses[:4] == [121, 241, 481, 901]
    assert max(pauses) == 901 and len(times) < 25
    desk.until_quiet()
    assert desk.told == number
    desk.after(3_600)
    before = desk.now_ns
    desk.after(0, [alert(number + n) for n in range(1, 3)])
    desk.until_quiet()
    assert desk.now_ns - before <= 61 * SECOND


def test_critical_alerts_are_neither_muted_nor_kept_for_the_morning() -> None:
    desk = Desk(**ALWAYS_QUIET)
    mutes = [Mute("engine", "", START * 2, START, "me")]
    assert is_muted(alert(1, ERROR, "engine"), mutes) and not is_muted(alert(1, CRITICAL, "engine"), mutes)
    assert [one.first for one in desk.after(0, [alert(1, ERROR, "engine"), alert(2, CRITICAL, "engine")], mutes)] == [2]
    assert desk.waiting == 0  # what is muted is stored, and not told later


def test_a_mute_with_a_subject_holds_for_that_only() -> None:
    mutes = [Mute("entry", "pool 1", START * 2, START, "me")]
    assert is_muted(alert(1), mutes) and not is_muted(alert(2), mutes) and not is_muted(alert(1, topic="exit"), mutes)


def test_what_comes_at_night_is_one_message_in_the_morning() -> None:
    desk = Desk(quiet_from="22:00", quiet_until="07:00", timezone="Europe/Berlin", burst=3)
    evening = parse_utc("2026-06-10T20:30")
    for n in range(1, 100):
        assert desk.at(evening + n * SECOND, [alert(n, WARNING if n == 50 else INFO)]) == []
    assert desk.at(parse_utc("2026-06-11T04:59:59")) == []
    (message,) = desk.at(parse_utc("2026-06-11T05:00"))
    assert message.title == "[warning] while it was quiet: 99 alerts: 99 entry"
    assert message.body.startswith("• entry: pool 50: text of 50\n")
    assert message.alerts == 99


def test_a_digest_that_begins_before_the_night_waits_for_the_morning() -> None:
    desk = Desk(quiet_from="22:00", quiet_until="07:00", burst=1)
    assert len(desk.at(parse_utc("2026-06-10T21:59:30"), [alert(1), alert(2), alert(3, CRITICAL)])) == 2
    assert desk.at(parse_utc("2026-06-10T22:01")) == []
    assert [one.alerts for one in desk.at(parse_utc("2026-06-11T07:00"))] == [1]


def test_a_channel_may_have_no_night() -> None:
    desk = Desk(quiet_from="22:00", quiet_until="07:00", channel={"obeys_quiet_hours": False})
    assert len(desk.at(parse_utc("2026-06-10T23:00"), [alert(1)])) == 1


def test_at_the_end_what_was_gathered_is_sent_but_not_at_night() -> None:
    desk = Desk(burst=1)
    desk.after(0, [alert(1), alert(2), alert(3, CRITICAL), alert(4, CRITICAL)])
    assert [one.alerts for one in desk.policy.settle(desk.state, START, at_end=True)] == [1, 1]
    night = Desk(**ALWAYS_QUIET, burst=1)
    night.after(0, [alert(1), alert(2), alert(3, CRITICAL), alert(4, CRITICAL)])
    assert [one.level for one in night.policy.settle(night.state, START, at_end=True)] == [CRITICAL]
    assert night.waiting == 2


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    desk = Desk(burst=1, repeat_seconds=900)
    desk.after(0, [alert(1, text="x", subject="s"), alert(2)])
    day = 86_400 * SECOND
    desk.at(START - day)
    assert desk.told == 2 and desk.waiting == 0
    assert len(desk.at(START - day + 1, [alert(3, text="x", subject="s")])) == 1


def test_ten_thousand_alerts_are_few_messages_and_every_loud_one_is_named() -> None:
    desk = Desk()
    storm = [alert(n, INFO, ("entry", "exit")[n % 2]) for n in range(1, 10_001)]
    loud = {2_000: (ERROR, "database"), 5_000: (CRITICAL, "rug"), 9_999: (CRITICAL, "engine")}
    for number, (level, topic) in loud.items():
        storm[number - 1] = alert(number, level, topic)
    for start in range(0, 10_000, 50):
        desk.after(0.5, storm[start : start + 50])
    desk.until_quiet()
    assert desk.told == 10_000
    assert len(desk.sent) <= 30
    for number in loud:
        assert any(f"text of {number}\n" in message.body for message in desk.sent)
    assert max(len(message.title) + len(message.body) for message in desk.sent) <= 1_900


def test_ten_thousand_critical_alerts_are_few_messages_as_well() -> None:
    desk = Desk()
    first = desk.after(0, [alert(n, CRITICAL, "unknown outcome") for n in range(1, 10_001)])
    assert len(first) == 10
    (digest,) = desk.after(60)
    assert digest.alerts == 9_990 and digest.level is CRITICAL
    assert digest.body.splitlines()[-2].endswith("unknown outcome): `pumpswap alerts list` has them all")
    assert len(desk.state.told) <= 10 + MOST_LINES


def test_a_bag_is_bounded_and_a_loud_alert_takes_the_place_of_a_quiet_one() -> None:
    desk = Desk(burst=1, burst_seconds=9_999)
    quiet = [alert(n) for n in range(1, 1_000)]
    desk.after(0, [*quiet, alert(2_000, ERROR, "entry", text="the disk is full")])
    bag = desk.state.calm
    assert bag is not None and len(bag.lines) == MOST_LINES and bag.count == 999
    (digest,) = desk.after(60)
    assert digest.level is ERROR and digest.body.startswith("• error, entry: pool 2000: the disk is full\n")
    assert "more (" in digest.body


def test_what_is_remembered_survives_being_stored() -> None:
    desk = Desk(burst=2)
    desk.after(0, [alert(n, CRITICAL if n % 2 else INFO) for n in range(1, 20)])
    state = DeliveryState({"phone": desk.state})
    assert DeliveryState.of(state.document()) == state
    assert DeliveryState.of(None) == DeliveryState()
    with pytest.raises(StorageError, match="cannot be read"):
        DeliveryState.of({"channels": {"phone": {"cursor": "much"}}})


_alerts = st.builds(
    lambda level, topic, subject, text: (level, topic, subject, text),
    st.sampled_from(AlertLevel),
    st.sampled_from(["entry", "feed", "delivery"]),
    st.sampled_from(["a", "b", "phone"]),
    st.sampled_from(["silent for 1 s", "silent for 2 s", "bought", "sold"]),
)
_looks = st.lists(st.tuples(st.integers(0, 4_000), st.lists(_alerts, max_size=12), st.booleans()), max_size=30)


@settings(max_examples=examples(200))
@given(looks=_looks, quiet=st.booleans(), burst=st.integers(1, 4), repeat=st.sampled_from([0, 60, 900]))
def test_every_wanted_alert_is_in_one_message_and_critical_ones_soon(
    looks: list[tuple[int, list[tuple[AlertLevel, str, str, str]], bool]], quiet: bool, burst: int, repeat: int
) -> None:
    hours = {"quiet_from": "22:00", "quiet_until": "07:00", "timezone": "Europe/Berlin"} if quiet else {}
    desk = Desk(burst=burst, repeat_seconds=repeat, digest_seconds=60, **hours)
    number, wanted = 0, 0
    for seconds, drawn, is_muting in looks:
        mutes = [Mute("feed", "", 2**62, 0, "me")] if is_muting else []
        alerts = []
        for level, topic, subject, text in drawn:
            number += 1
            alerts.append(Alert(START, level, topic, subject, text, number))
        wanted += sum(
            not (one.topic == "delivery" and one.subject == "phone") and not is_muted(one, mutes) for one in alerts
        )
        desk.after(seconds, alerts, mutes)
        assert desk.told + desk.waiting == wanted
        bag = desk.state.urgent
        assert bag is None or bag.due_ns - bag.since_ns <= 300 * SECOND
        assert desk.state.cursor == number
        desk.state = DeliveryState.of(DeliveryState({"x": desk.state}).document()).channels["x"]
    desk.until_quiet()
    assert desk.told == wanted
