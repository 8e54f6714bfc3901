"""RuleWatch: all rules as one observer. A rule that breaks is told of once and left out; trading goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from pumpswap.alerts.rules.rule import Rule, Tell
from pumpswap.model import (
    Alert,
    AlertLevel,
    Decision,
    EquityPoint,
    ExitState,
    Heartbeat,
    Mark,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Proposal,
    RiskState,
)

__all__ = ["RuleWatch"]

_log = logging.getLogger(__name__)


class RuleWatch(Rule):
    """Hands each event to the rules that listen to it: updates come by the thousand, and few rules want them."""

    def __init__(self, rules: Sequence[Rule], tell: Tell) -> None:
        self._tell = tell
        self._rules = list(rules)
        self._listeners: dict[str, list[Rule]] = {}
        self._sort()

    def _sort(self) -> None:
        names = [name for name in dir(Rule) if name.startswith("on_")]
        self._listeners = {
            name: [rule for rule in self._rules if getattr(type(rule), name) is not getattr(Rule, name)]
            for name in names
        }

    def _each(self, event: str, hear: Callable[[Rule], None]) -> None:
        for rule in tuple(self._listeners[event]):
            try:
                hear(rule)
            except Exception as broken:  # whatever is wrong with it, the engine must not end of an alert
                self._leave_out(rule, broken)

    def _leave_out(self, rule: Rule, broken: Exception) -> None:
        if rule not in self._rules:
            return
        self._rules.remove(rule)
        self._sort()
        name = type(rule).__name__
        _log.exception("alert-rule-failed", extra={"rule": name})
        text = f"this rule tells nothing until the next start: {type(broken).__name__}: {broken}"
        self._tell(AlertLevel.ERROR, "fault", f"alert rule {name}", text)

    # ------------------------------------------------------------------------------------------ events

    def on_update(self, update: MarketUpdate) -> None:
        if update.state is not None and self._listeners["on_update"]:
            self._each("on_update", lambda rule: rule.on_update(update))

    def on_decision(self, decision: Decision) -> None:
        self._each("on_decision", lambda rule: rule.on_decision(decision))

    def on_order(self, order: Order) -> None:
        self._each("on_order", lambda rule: rule.on_order(order))

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self._each("on_outcome", lambda rule: rule.on_outcome(order, outcome, position))

    def on_mark(self, mark: Mark) -> None:
        self._each("on_mark", lambda rule: rule.on_mark(mark))

    def on_equity(self, point: EquityPoint) -> None:
        self._each("on_equity", lambda rule: rule.on_equity(point))

    def on_risk(self, state: RiskState) -> None:
        self._each("on_risk", lambda rule: rule.on_risk(state))

    def on_exits(self, state: ExitState) -> None:
        self._each("on_exits", lambda rule: rule.on_exits(state))

    def on_proposal(self, proposal: Proposal) -> None:
        self._each("on_proposal", lambda rule: rule.on_proposal(proposal))

    def on_alert(self, alert: Alert) -> None:
        self._each("on_alert", lambda rule: rule.on_alert(alert))

    def on_beat(self, beat: Heartbeat) -> None:
        self._each("on_beat", lambda rule: rule.on_beat(beat))

    def on_stop(self) -> None:
        self._each("on_stop", lambda rule: rule.on_stop())
