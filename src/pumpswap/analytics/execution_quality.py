"""Execution quality: what became of the signals of a run, and how far fills were from their quotes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import fsum

from pumpswap.analytics.metrics import slippage_between
from pumpswap.model import Decision, Denied, Filled, Order, Outcome, Position, Rejected, RunObserver, TradeSide
from pumpswap.storage.wishes import WishRow

__all__ = ["ExecutionQuality", "Funnel", "SlippageFigures", "funnel_of", "slippage_figures"]

# What the gate asks before it thinks of limits: is there a reason to trade, and is there something to trade with.
_REASON = frozenset({"signal", "signal age"})
_AVAILABLE = frozenset({"venue", "fresh state"})
_SHOWN_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


@dataclass(frozen=True, slots=True)
class Funnel:
    """Signals that were put to the gate as buys, and how far each came. Every number is part of the one before.

    ``tradeable``: long, over the threshold, fresh; ``available``: of a pool that can be traded and was seen lately;
    ``accepted``: by every limit of risk; ``executed``: filled. ``open`` are on their way still.
    """

    signals: int
    tradeable: int
    available: int
    accepted: int
    executed: int
    open: int

    @property
    def executed_share(self) -> float | None:
        """Of the signals that were tradeable, available and accepted; None without one that has ended."""
        ended = self.accepted - self.open
        return self.executed / ended if ended else None

    @property
    def raw_share(self) -> float | None:
        """Of all signals, also of those that say to hold."""
        return self.executed / self.signals if self.signals else None


@dataclass(frozen=True, slots=True)
class SlippageFigures:
    """Shares of the quoted price; positive is worse than quoted. ``percentiles`` by their number."""

    fills: int
    mean: float
    worst: float
    percentiles: dict[int, float]


@dataclass(slots=True)
class ExecutionQuality(RunObserver):
    """Listens to a run. Memory grows with fills, not with signals.

    ``refusals`` counts every policy that refused, ``first_refusals`` only the first of each decision; ``failures`` says
    why an accepted buy was not filled. ``slippage`` is that of every fill, ``buys`` and ``sales`` apart.
    """

    signals: int = 0
    tradeable: int = 0
    available: int = 0
    accepted: int = 0
    executed: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    first_refusals: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    buys: list[Fraction] = field(default_factory=list)
    sales: list[Fraction] = field(default_factory=list)
    sale_failures: Counter[str] = field(default_factory=Counter)
    _open: set[str] = field(default_factory=set)

    def on_decision(self, decision: Decision) -> None:
        intent = decision.intent
        if intent.side is not TradeSide.BUY or intent.signal is None:
            return
        refused = {verdict.policy for verdict in decision.refusals}
        self.signals += 1
        self.refusals.update(refused)
        if decision.refusals:
            self.first_refusals[decision.refusals[0].policy] += 1
        if refused & _REASON:
            return
        self.tradeable += 1
        if refused & _AVAILABLE:
            return
        self.available += 1
        if decision.accepted:
            self.accepted += 1
            self._open.add(decision.decision_id)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self.on_decision(decision)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        is_buy = order.side is TradeSide.BUY
        if isinstance(outcome, Filled):
            slippage = slippage_between(order.quote, outcome.executed)
            (self.buys if is_buy else self.sales).append(slippage)
        elif not isinstance(outcome, Denied | Rejected):
            return  # unknown: it may still be filled
        if not is_buy:
            if not isinstance(outcome, Filled):
                self.sale_failures[_reason(outcome)] += 1
        elif order.decision_id in self._open:
            self._open.discard(order.decision_id)
            if isinstance(outcome, Filled):
                self.executed += 1
            else:
                self.failures[_reason(outcome)] += 1

    @property
    def funnel(self) -> Funnel:
        """How far the signals came. An accepted one whose order could not be made stays among the open ones."""
        return Funnel(self.signals, self.tradeable, self.available, self.accepted, self.executed, len(self._open))

    @property
    def slippage(self) -> SlippageFigures | None:
        """Of all fills; None without any."""
        return slippage_figures([*self.buys, *self.sales])

    def to_json(self) -> dict[str, object]:
        """Figures for reports; shares are rounded to millionths."""
        funnel = self.funnel
        return {
            "signals": funnel.signals,
            "tradeable": funnel.tradeable,
            "available": funnel.available,
            "accepted": funnel.accepted,
            "executed": funnel.executed,
            "open": funnel.open,
            "executed_share": _rounded(funnel.executed_share),
            "raw_share": _rounded(funnel.raw_share),
            "not_executed": dict(self.failures.most_common()),
            "sales_not_executed": dict(self.sale_failures.most_common()),
            "refusals": dict(self.refusals.most_common()),
            "first_refusals": dict(self.first_refusals.most_common()),
            "slippage": _shown(self.slippage),
            "slippage_of_buys": _shown(slippage_figures(self.buys)),
            "slippage_of_sales": _shown(slippage_figures(self.sales)),
        }


def funnel_of(wishes: Iterable[WishRow]) -> tuple[Funnel, Counter[str]]:
    """How far the signals of stored decisions came, and how often each policy was the first to refuse one of a signal
    that was tradeable and available. Where a person is asked, only what follows his answer counts.
    """
    signals = tradeable = available = accepted = executed = on_the_way = 0
    refusals: Counter[str] = Counter()
    for wish in wishes:
        if not wish.has_signal or wish.was_proposed:
            continue
        count, refused = 1 + wish.repeats, set(wish.refused_by)
        signals += count
        if refused & _REASON:
            continue
        tradeable += count
        if refused & _AVAILABLE:
            continue
        available += count
        if not wish.accepted:
            refusals[wish.refused_by[0] if wish.refused_by else "unknown"] += count
            continue
        accepted += count
        executed += wish.status == "filled"
        on_the_way += wish.status in ("pending", "unknown")
    return Funnel(signals, tradeable, available, accepted, executed, on_the_way), refusals


def slippage_figures(found: Sequence[Fraction]) -> SlippageFigures | None:
    """Mean, worst and percentiles (the value that so many of a hundred do not exceed); None without a fill."""
    if not found:
        return None
    ordered = sorted(found)
    return SlippageFigures(
        fills=len(ordered),
        mean=fsum(map(float, ordered)) / len(ordered),
        worst=float(ordered[-1]),
        percentiles={
            number: float(ordered[max(-(-len(ordered) * number // 100) - 1, 0)]) for number in _SHOWN_PERCENTILES
        },
    )


def _reason(outcome: Denied | Rejected) -> str:
    return f"rejected: {outcome.name}" if isinstance(outcome, Rejected) else f"denied: {outcome.rule}"


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)


def _shown(found: SlippageFigures | None) -> dict[str, object] | None:
    if found is None:
        return None
    percentiles = {f"p{number}": round(value, 6) for number, value in found.percentiles.items()}
    return {"fills": found.fills, "mean": round(found.mean, 6), "worst": round(found.worst, 6), **percentiles}
