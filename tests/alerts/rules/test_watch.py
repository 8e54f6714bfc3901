"""All rules as one observer: who hears what, and what becomes of a rule that breaks."""

from __future__ import annotations

from pumpswap.alerts.rules.rule import Rule
from pumpswap.alerts.rules.watch import RuleWatch
from pumpswap.model import (
    Alert,
    AlertLevel,
    Decision,
    Heartbeat,
    Intent,
    MarketUpdate,
    RiskState,
    RunObserver,
    TradeSide,
)
from tests.alerts.rules.heard import POOL, STATE, Heard, beat


class Broken(Rule):
    heard = 0

    def on_risk(self, state: RiskState) -> None:
        self.heard += 1
        raise ValueError("a <b>bug</b>")


class Counts(Rule):
    def __init__(self) -> None:
        self.events: list[str] = []

    def on_risk(self, state: RiskState) -> None:
        self.events.append("risk")

    def on_update(self, update: MarketUpdate) -> None:
        self.events.append("update")

    def on_decision(self, decision: Decision) -> None:
        self.events.append("decision")

    def on_beat(self, beat: Heartbeat) -> None:
        self.events.append("beat")

    def on_alert(self, alert: Alert) -> None:
        self.events.append("alert")

    def on_stop(self) -> None:
        self.events.append("stop")


def test_a_rule_that_breaks_is_told_once_and_left_out_and_the_others_go_on() -> None:
    heard, broken, counts = Heard(), Broken(), Counts()
    watch = RuleWatch([broken, counts], heard.context.tell)
    for _ in range(3):
        watch.on_risk(RiskState())
    assert (broken.heard, counts.events) == (1, ["risk"] * 3)
    assert heard.told == [("error", "fault", "alert rule Broken")]
    assert heard.text() == "this rule tells nothing until the next start: ValueError: a <b>bug</b>"


def test_each_event_gets_to_those_who_listen_to_it() -> None:
    counts = Counts()
    watch = RuleWatch([counts, Rule()], Heard().context.tell)
    refused = Decision("d1", Intent(TradeSide.BUY, POOL, "mint", 1, ""), False, ())
    watch.on_update(MarketUpdate(1, POOL, STATE))
    watch.on_update(MarketUpdate(1, POOL))  # nothing is known of its pool
    watch.on_decision(refused)
    watch.on_repeat(refused, "d1", 5)
    watch.on_beat(beat(1))
    watch.on_alert(Alert(1, AlertLevel.INFO, "test", "", ""))
    watch.on_stop()
    assert counts.events == ["update", "decision", "decision", "beat", "alert", "stop"]


def test_every_event_of_observers_is_handed_on() -> None:
    events = {name for name in dir(RunObserver) if name.startswith("on_")} - {"on_repeat"}
    handed_on = {name for name in events if name in vars(RuleWatch)}
    assert events - handed_on == {"on_entries"}  # no rule reads the ledger
