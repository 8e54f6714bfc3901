"""RefusedBurstRule: one policy refuses unusually often."""

from __future__ import annotations

from collections import deque

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.texts import one_line, span_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import AlertLevel, Decision, Verdict
from pumpswap.risk.policies import TRADED

__all__ = ["LOCKS", "Burst", "RefusedBurstRule"]


LOCKS = {"trading state", "mode", "circuit breaker", "daily loss", "drawdown", "loss streak"}
_EXPECTED = frozenset(TRADED | LOCKS)


class Burst:
    """``count`` events within ``window_ns`` are a burst. It is told once, and lasts until fewer than half as many come
    in such a time.
    """

    def __init__(self, count: int, window_ns: int) -> None:
        self._count, self._window_ns = count, window_ns
        self._times: deque[int] = deque(maxlen=count + 1)
        self._is_told = False

    def add(self, at_ns: int) -> int | None:
        """An event; how long a burst has taken to become one, None when this event does not make one."""
        times = self._times
        times.append(at_ns)
        half = -(-self._count // 2) + 1
        if self._is_told and at_ns - times[-half] > self._window_ns:
            self._is_told = False
        if self._is_told or len(times) < self._count or at_ns - times[-self._count] > self._window_ns:
            return None
        self._is_told = True
        return at_ns - times[-self._count]


class RefusedBurstRule(Rule):
    """Counts refusals by policy, repeated ones too. What is held, or was just now, is refused with every signal: that
    is no burst; nor is what refuses everything, and was told when it began.
    """

    def __init__(self, context: RuleContext) -> None:
        self._context = context
        self._bursts: dict[str, Burst] = {}

    def on_decision(self, decision: Decision) -> None:
        rules = self._context.rules
        if decision.accepted or not rules.refused_burst:
            return
        for verdict in decision.refusals:
            if verdict.policy in _EXPECTED:
                continue
            burst = self._bursts.get(verdict.policy)
            if burst is None:
                burst = Burst(rules.refused_burst, rules.refused_burst_seconds * NS_PER_SECOND)
                self._bursts[verdict.policy] = burst
            took = burst.add(decision.intent.at_ns)
            if took is not None:
                self._tell(decision, verdict, took)

    def _tell(self, decision: Decision, verdict: Verdict, took_ns: int) -> None:
        intent = decision.intent
        coin = self._context.coin(intent.pool, intent.mint)
        text = (
            f"{self._context.rules.refused_burst} refusals by {verdict.policy} within {span_text(took_ns)}; the last: "
            f"{coin}: {one_line(verdict.text, 200)}; `pumpswap status` counts them, "
            f"`pumpswap why {decision.decision_id}` has the numbers"
        )
        self._context.tell(AlertLevel.WARNING, "refused burst", verdict.policy, text)
