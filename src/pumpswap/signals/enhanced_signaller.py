"""EnhancedScoreSignaller: the enhanced score as a signal, with the states that a run knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pumpswap.amm import FeeSchedule
from pumpswap.model import PoolSnapshot, Side, Signal
from pumpswap.signals.base_score import BaseScoreSignaller
from pumpswap.signals.enhanced_result import EnhancedResult
from pumpswap.signals.pool_facts import KnownStates, known_facts
from pumpswap.signals.pumpswap_analyzer import PumpSwapSignalAnalyzer
from pumpswap.units import format_units

__all__ = ["EnhancedScoreSignaller"]


class EnhancedScoreSignaller:
    """As BaseScoreSignaller, with the threshold on the enhanced score, and HOLD for whatever could not be traded.

    Without a state the score is the base score and the signal HOLD: nobody knows what a trade would cost.
    """

    source = "enhanced-score"

    def __init__(
        self,
        threshold: float,
        states: KnownStates,
        schedule_for: Callable[[int], FeeSchedule],
        analyzer: PumpSwapSignalAnalyzer | None = None,
    ) -> None:
        """``schedule_for`` takes Unix seconds. Raises ConfigError for a threshold outside 0 to 100."""
        self._analyzer = analyzer or PumpSwapSignalAnalyzer()
        self._base = BaseScoreSignaller(threshold, self._analyzer)
        self.threshold = threshold
        self._states, self._schedule_for = states, schedule_for

    def signal(self, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot] = ()) -> Signal:
        """Signal of ``snapshot``, given what was seen of the pool before (in any order)."""
        result = self.result(snapshot, history)
        side = self._side(result)
        return Signal(
            pool=snapshot.pool,
            at_ns=snapshot.at_ns,
            side=side,
            score=result.enhanced_score,
            strength=min(max(result.enhanced_score / 100, 0.0), 1.0),
            source=self.source,
            reasons=(*self.told(result, snapshot, history), self._verdict(result, side)),
            mint=snapshot.base_mint,
            name=snapshot.name,
            feasibility=result.feasibility_score if result.is_available else None,
            base_score=result.base.signal_score,
        )

    def result(self, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot] = ()) -> EnhancedResult:
        """Both scores of ``snapshot`` at the state that its pool has now."""
        base = self._analyzer.analyze_pool_signals(snapshot.metrics, [earlier.metrics for earlier in history])
        facts, why = known_facts(self._states, snapshot.pool, snapshot.at_ns, self._schedule_for, "book")
        return self._analyzer.enhance(base, facts, unavailable=why)

    def told(
        self, result: EnhancedResult, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot] = ()
    ) -> tuple[str, ...]:
        """What ``result`` is made of, in short sentences."""
        return (*self._parts(snapshot, history), *_reasons(result))

    def _parts(self, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot]) -> tuple[str, ...]:
        """What the base score is made of, without its own verdict; a model of the user's does not tell."""
        return () if self._analyzer.has_own_base else self._base.signal(snapshot, history).reasons[:-1]

    def _side(self, result: EnhancedResult) -> Side:
        if result.enhanced_score < self.threshold or not result.tradeable:
            return Side.HOLD
        return result.side

    def _verdict(self, result: EnhancedResult, side: Side) -> str:
        text = f"enhanced score {result.enhanced_score:.1f} of 100, threshold {self.threshold:g}"
        if side is Side.HOLD and result.enhanced_score >= self.threshold:
            return f"{text}, but it could not be traded: {result.reasons[0]}"
        return f"{text}, but the price is falling: short" if side is Side.SHORT else f"{text}: {side.value}"


def _reasons(result: EnhancedResult) -> Iterator[str]:
    found = result.feasibility
    yield f"base score {result.base.signal_score:.1f}"
    if found is None:
        yield f"not enhanced: {result.unavailable}"
        return
    impact = found.intended.impact
    moved = "cannot be bought" if impact is None else f"moves the price by {float(impact) * 100:.2f} %"
    size = format_units(found.intended.quote_lamports, 9)
    yield f"depth {format_units(found.depth_lamports, 9)} SOL: liquidity factor {float(found.score.depth):.3f}"
    yield f"{size} SOL {moved}; at most {format_units(found.max_buy_lamports, 9)} SOL within the limits"
    boost = f", boost {result.boost:g}" if result.boost != 1 else ""
    yield f"feasibility {result.feasibility_score:.3f}{boost}"
