"""The one gate: every intent is sized, put to every policy, and comes out as a Decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.model import Decision, Intent, SizingStep, TradeSide, Verdict
from pumpswap.risk.policies import BUY_POLICIES, SELL_POLICIES, BookView, Candidate, Policy
from pumpswap.risk.sizing import Size, size_buy
from pumpswap.settings import RiskLimits, SignalSettings

__all__ = ["PoolView", "RiskGate"]


@dataclass(frozen=True, slots=True)
class PoolView:
    """What is known of a pool when an intent comes up."""

    state: PoolState | None
    observed_ns: int | None
    obstacle: str = ""


class RiskGate:
    """Limits and policies. ``numbered`` gives each decision its id; without it they are numbered in order."""

    def __init__(self, limits: RiskLimits, signals: SignalSettings, numbered: Callable[[], str] | None = None) -> None:
        self._limits = limits
        self._signals = signals
        self._decided = 0
        self._numbered = numbered or self._next_number

    def decide(self, intent: Intent, pool: PoolView, book: BookView, schedule: FeeSchedule) -> Decision:
        """Size (buys), then ask every policy. An error inside a policy refuses: the gate fails closed."""
        ask = Candidate(
            intent, book, self._limits, self._signals, schedule, pool.state, pool.observed_ns, pool.obstacle
        )
        sized = self._sized(ask)
        if sized is not None:
            ask = replace(ask, budget=sized.lamports, is_sized=True)
        sized = sized or Size(0, ())
        policies = BUY_POLICIES if intent.side is TradeSide.BUY else SELL_POLICIES
        verdicts = tuple(verdict for policy in policies if (verdict := _asked(policy, ask)) is not None)
        accepted = all(verdict.passed for verdict in verdicts)
        return Decision(
            decision_id=self._numbered(),
            intent=intent,
            accepted=accepted,
            verdicts=verdicts,
            sizing=sized.steps,
            quote_lamports=sized.lamports if accepted and intent.side is TradeSide.BUY else 0,
            base_units=(intent.base_units or 0) if accepted and intent.side is TradeSide.SELL else 0,
        )

    def _next_number(self) -> str:
        self._decided += 1
        return f"d{self._decided:06d}"

    def _sized(self, ask: Candidate) -> Size | None:
        """Size of a buy; None when none is asked for. What breaks in here sizes to nothing, and so refuses."""
        if ask.intent.side is not TradeSide.BUY or ask.state is None:
            return None
        try:
            if not _is_wanted(ask):
                return None
            strength = ask.intent.signal.strength if ask.intent.signal else 0.0
            return size_buy(
                ask.state,
                ask.schedule,
                self._limits,
                balance=ask.book.balance,
                strength=strength,
                asked_lamports=ask.intent.quote_lamports,
            )
        except Exception as broken:  # fail closed, as for the policies
            return Size(0, (SizingStep("error", 0, f"{type(broken).__name__}: {broken}"),))


def _is_wanted(ask: Candidate) -> bool:
    """Whether sizing is worth its quotes: a signal that is refused needs no size."""
    verdict = BUY_POLICIES[0](ask)
    return verdict is not None and verdict.passed


def _asked(policy: Policy, ask: Candidate) -> Verdict | None:
    try:
        return policy(ask)
    except Exception as broken:  # fail closed: a bug in a gate must stop the trade, not the engine
        return Verdict(policy.__name__, False, f"the policy failed: {type(broken).__name__}: {broken}")
