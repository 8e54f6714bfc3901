"""The one gate: every intent is sized, put to every policy, and comes out as a Decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.errors import PumpSwapError
from pumpswap.model import Decision, Intent, SizingStep, TradeSide, Verdict
from pumpswap.risk.caps import Caps
from pumpswap.risk.policies import BUY_POLICIES, SELL_POLICIES, BookView, Candidate, Policy
from pumpswap.risk.policies.reason import signal
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.risk.sizing import Funds, Size, size_buy
from pumpswap.settings import RiskLimits, SignalSettings
from pumpswap.units import format_sol

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
            asked, why_not = _asked_for(ask)
            size = _no_size(why_not) if why_not else self._sized(ask, asked)
            limited_by = f"the exact amount: {why_not}" if why_not else size.limited_by
            ask = replace(ask, budget=size.lamports, limited_by=limited_by, is_sized=True, asked=asked)
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
            base_units=(intent.base_units or 0) if accepted else 0,
        )

    def size(self, intent: Intent, pool: PoolView, book: BookView, schedule: FeeSchedule) -> Size:
        """The size that this buy would get, whatever the policies say of it; 0 with the reason."""
        ask = self._candidate(intent, pool, book, schedule)
        asked, why_not = _asked_for(ask)
        return _no_size(why_not) if why_not else self._sized(ask, asked)

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

    def _sized(self, ask: Candidate, asked: int | None) -> Size:
        """What breaks in here sizes to nothing, and so refuses."""
        if ask.quotes is None:
            return Size(0, (SizingStep("input", 0, ask.obstacle or "no state of this pool is known"),))
        book, most = ask.book, ask.intent.most_lamports
        try:
            return size_buy(
                ask.quotes,
                self._limits,
                Funds(book.balance, book.equity, book.exposure, book.token_exposure, book.approved_lamports, most),
                signal=ask.intent.signal,
                asked_lamports=asked,
                caps=self._caps,
            )
        except Exception as broken:  # fail closed, as for the policies
            return Size(0, (SizingStep("error", 0, f"{type(broken).__name__}: {broken}"),))


def _is_wanted(ask: Candidate) -> bool:
    """Whether sizing is worth its quotes: a signal that is refused needs no size."""
    verdict = _asked(signal, ask)
    return verdict is not None and verdict.passed


def _asked_for(ask: Candidate) -> tuple[int | None, str]:
    """What a person asked for in lamports, and why it cannot be had. An exact amount is taken at the most that it may
    cost, its slippage in: all limits hold for that.
    """
    intent = ask.intent
    if not intent.is_exact_buy or intent.base_units is None or ask.quotes is None:
        return intent.quote_lamports, ""
    if intent.quote_lamports is not None:
        return None, "a buy names its budget or its amount, not both"
    slippage_bps = ask.limits.slippage_bps if intent.slippage_bps is None else intent.slippage_bps
    try:
        quote = ask.quotes.buy_units(intent.base_units)
        most = quote.limit(slippage_bps)
    except PumpSwapError as refused:
        return None, refused.what
    if intent.most_lamports is None:
        return most, ""
    if quote.total_quote > intent.most_lamports:
        named = format_sol(intent.most_lamports)
        return None, f"it costs {format_sol(quote.total_quote)} SOL, the wish allows {named}"
    return min(most, intent.most_lamports), ""


def _no_size(why: str) -> Size:
    return Size(0, (SizingStep("exact amount", 0, why),))


def _asked(policy: Policy, ask: Candidate) -> Verdict | None:
    try:
        return policy(ask)
    except Exception as broken:  # fail closed: a bug in a gate must stop the trade, not the engine
        return Verdict(policy.__name__, False, f"the policy failed: {type(broken).__name__}: {broken}")
