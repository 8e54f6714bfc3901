"""What the engine needs: feeds that are silent or failing for long and come back; a program that has changed."""

from __future__ import annotations

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.texts import one_line, span_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import AlertLevel, Denied, Heartbeat, Order, Outcome, Position, RiskState

__all__ = ["DriftRule", "FeedRule"]

_FEED = "feed "  # what faults of feeds begin with
_PROGRAM = "program"  # the fault of a program, or of its settings, that is not the one that is known
_DRIFT = "drift"  # the rule of Denied that says the same of a single order


class FeedRule(Rule):
    """Ages are counted in the machine's time, from the first heartbeat that saw the feed at fault."""

    def __init__(self, context: RuleContext) -> None:
        self._context = context
        self._faults: dict[str, str] = {}
        self._since: dict[str, int] = {}
        self._told: set[str] = set()

    def on_risk(self, state: RiskState) -> None:
        self._faults = {name.removeprefix(_FEED): reason for name, reason in state.faults if name.startswith(_FEED)}

    def on_beat(self, beat: Heartbeat) -> None:
        stale_ns = self._context.rules.stale_seconds * NS_PER_SECOND
        for feed in [feed for feed in self._since if feed not in self._faults]:
            lasted = beat.at_ns - self._since.pop(feed)
            if feed in self._told:
                self._told.remove(feed)
                text = f"recovered: the feed works again after {span_text(lasted)}"
                self._context.tell(AlertLevel.INFO, "feed stale", feed, text)
        for feed, reason in self._faults.items():
            age = beat.at_ns - self._since.setdefault(feed, beat.at_ns)
            if stale_ns and age >= stale_ns and feed not in self._told and not beat.stopping:
                self._told.add(feed)
                text = (
                    f"the feed is at fault for {span_text(age)}: {one_line(reason, 300)}. Nothing is bought meanwhile; "
                    "what is held is valued by the last that was heard. `pumpswap doctor` looks at the endpoints"
                )
                self._context.tell(AlertLevel.WARNING, "feed stale", feed, text)


class DriftRule(Rule):
    """The program, or its settings, are not what this version knows: seen when they are read, or by an order."""

    def __init__(self, context: RuleContext) -> None:
        self._context = context
        self._seen = ""

    def on_risk(self, state: RiskState) -> None:
        reason = dict(state.faults).get(_PROGRAM, "")
        before, self._seen = self._seen, reason
        if reason and reason != before:
            self._tell("program", reason)
        elif before and not reason:
            text = "what had changed is understood again; entries go on when nothing else is in the way"
            self._context.tell(AlertLevel.INFO, "protocol drift", "program", text)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if isinstance(outcome, Denied) and outcome.rule == _DRIFT:
            self._tell(order.pool, f"order {order.order_id} was not sent: {outcome.text}")

    def _tell(self, subject: str, what: str) -> None:
        text = (
            f"{one_line(what, 400)}. Nothing is bought until this version understands it; status, positions, ledger, "
            "why and reconcile still work. `pumpswap protocol check` says what is different; then upgrade pumpswap"
        )
        self._context.tell(AlertLevel.CRITICAL, "protocol drift", subject, text)
