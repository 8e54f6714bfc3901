"""Feeds that are silent for long and come back; a program that has changed."""

from __future__ import annotations

from pumpswap.alerts.rules.health import DriftRule, FeedRule
from pumpswap.model import Denied, RiskState
from tests.alerts.rules.heard import POOL, Heard, beat, bought
from tests.support.market import at

SILENT = RiskState(faults=(("database", "locked"), ("feed states", "no sign of life for more than 10 s")))
WELL = RiskState()


def test_a_feed_is_told_when_it_is_at_fault_for_long_and_when_it_is_back() -> None:
    heard = Heard({"stale_seconds": 60})
    rule = FeedRule(heard.context)
    rule.on_risk(SILENT)
    for seconds in range(0, 100, 5):
        rule.on_beat(beat(at(seconds)))
    rule.on_risk(WELL)
    rule.on_beat(beat(at(100)))
    rule.on_beat(beat(at(105)))
    assert heard.told == [("warning", "feed stale", "states"), ("info", "feed stale", "states")]
    assert heard.alerts[0][3] == (
        "the feed is at fault for 1 min: no sign of life for more than 10 s. Nothing is bought meanwhile; what is held "
        "is valued by the last that was heard. `pumpswap doctor` looks at the endpoints"
    )
    assert heard.alerts[1][3] == "recovered: the feed works again after 1 min 40 s"


def test_a_short_silence_is_not_told_and_each_one_counts_anew() -> None:
    heard = Heard({"stale_seconds": 60})
    rule = FeedRule(heard.context)
    for began in range(0, 600, 60):
        rule.on_risk(SILENT)
        for seconds in range(began, began + 55, 5):
            rule.on_beat(beat(at(seconds)))
        rule.on_risk(WELL)
        rule.on_beat(beat(at(began + 55)))
    assert heard.alerts == []


def test_a_feed_that_ends_with_the_engine_and_a_rule_that_is_off_tell_nothing() -> None:
    heard, off = Heard({"stale_seconds": 60}), Heard({"stale_seconds": 0})
    for one in (heard, off):
        rule = FeedRule(one.context)
        rule.on_risk(SILENT)
        rule.on_beat(beat(at(0)))
        rule.on_beat(beat(at(100), stopping=one is heard))
    assert (heard.alerts, off.alerts) == ([], [])


def test_drift_is_critical_says_what_still_works_and_is_told_once_for_each_change() -> None:
    heard = Heard()
    rule = DriftRule(heard.context)
    drifted = RiskState(faults=(("program", "GlobalConfig has 1234 bytes"),))
    for state in (WELL, drifted, drifted, RiskState(faults=(("program", "FeeConfig has 9 bytes"),)), WELL):
        rule.on_risk(state)
    assert [level for level, _, _ in heard.told] == ["critical", "critical", "info"]
    assert {told[1:] for told in heard.told} == {("protocol drift", "program")}
    assert heard.alerts[0][3] == (
        "GlobalConfig has 1234 bytes. Nothing is bought until this version understands it; status, positions, ledger, "
        "why and reconcile still work. `pumpswap protocol check` says what is different; then upgrade pumpswap"
    )


def test_an_order_that_meets_drift_tells_it_and_other_refusals_do_not() -> None:
    heard = Heard()
    rule = DriftRule(heard.context)
    order, filled, position = bought()
    rule.on_outcome(order, filled, position)
    rule.on_outcome(order, Denied("o1", at(1), "guard", "no"), None)
    rule.on_outcome(order, Denied("o1", at(1), "drift", "an unknown recipient"), None)
    assert heard.told == [("critical", "protocol drift", POOL)]
    assert heard.text().startswith("order o1 was not sent: an unknown recipient. ")
