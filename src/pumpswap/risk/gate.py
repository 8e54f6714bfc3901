"""The one gate: every intent is sized, put to every policy, and comes out as a Decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.model import Decision, Intent, SizingStep, TradeSide, Verdict
from pumpswap.risk.caps import Caps
from pumpswap.risk.policies import BUY_POLICIES, SELL_POLICIES, BookView, Candidate, Policy
from pumpswap.risk.policies.reason import signal
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.risk.sizing import Funds, Size, size_buy
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
        self._caps = Caps.of(limits)
        self._signals = signals
        self._decided = 0
        self._numbered = numbered or self._next_number

    def decide(self, intent: Intent, pool: PoolView, book: BookView, schedule: FeeSchedule) -> Decision:
        """Size (buys), then ask every policy. An error inside a policy refuses: the gate fails closed."""
        ask = self._candidate(intent, pool, book, schedule)
        is_buy = intent.side is TradeSide.BUY
        size = Size(0, ())
        if is_buy and ask.quotes is not None and _is_wanted(ask):
            size = self._sized(ask)
            ask = replace(ask, budget=size.lamports, limited_by=size.limited_by, is_sized=True)
        policies = BUY_POLICIES if is_buy else SELL_POLICIES
        verdicts = tuple(verdict for policy in policies if (verdict := _asked(policy, ask)) is not None)
        accepted = all(verdict.passed for verdict in verdicts)
        return Decision(
            decision_id=self._numbered(),
            intent=intent,
            accepted=accepted,
            verdicts=verdicts,
            sizing=size.steps,
            quote_lamports=size.lamports if accepted and is_buy else 0,
            base_units=(intent.base_units or 0) if accepted and not is_buy else 0,
        )

    def size(self, intent: Intent, pool: PoolView, book: BookView, schedule: FeeSchedule) -> Size:
        """The size that this buy would get, whatever the policies say of it; 0 with the reason."""
        return self._sized(self._candidate(intent, pool, book, schedule))

    def _candidate(self, intent: Intent, pool: PoolView, book: BookView, schedule: FeeSchedule) -> Candidate:
        return Candidate(
            intent=intent,
            book=book,
            limits=self._limits,
            caps=self._caps,
            signals=self._signals,
            quotes=None if pool.state is None else PoolQuotes(pool.state, schedule),
            observed_ns=pool.observed_ns,
            obstacle=pool.obstacle,
        )

    def _next_number(self) -> str:
        self._decided += 1
        return f"d{self._decided:06d}"

    def _sized(self, ask: Candidate) -> Size:
        """What breaks in here sizes to nothing, and so refuses."""
        if ask.quotes is None:
            return Size(0, (SizingStep("input", 0, ask.obstacle or "no state of this pool is known"),))
        book = ask.book
        try:
            return size_buy(
                ask.quotes,
                self._limits,
                Funds(book.balance, book.equity, book.exposure, book.token_exposure, book.approved_lamports),
                signal=ask.intent.signal,
                asked_lamports=ask.intent.quote_lamports,
                caps=self._caps,
            )
        except Exception as broken:  # fail closed, as for the policies
            return Size(0, (SizingStep("error", 0, f"{type(broken).__name__}: {broken}"),))


def _is_wanted(ask: Candidate) -> bool:
    """Whether sizing is worth its quotes: a signal that is refused needs no size."""
    verdict = _asked(signal, ask)
    return verdict is not None and verdict.passed


def _asked(policy: Policy, ask: Candidate) -> Verdict | None:
    try:
        return policy(ask)
    except Exception as broken:  # fail closed: a bug in a gate must stop the trade, not the engine
        return Verdict(policy.__name__, False, f"the policy failed: {type(broken).__name__}: {broken}")
