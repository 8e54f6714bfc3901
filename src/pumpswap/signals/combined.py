"""CombinedSignaller: the quantile model says where to and how much, the score whether this pool is worth it now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from pumpswap.model import PoolSnapshot, Side, Signal
from pumpswap.signals.enhanced_result import EnhancedResult
from pumpswap.signals.enhanced_signaller import EnhancedScoreSignaller

__all__ = ["CombinedSignaller", "SnapshotSignaller"]

SnapshotSignaller = Callable[[PoolSnapshot, Sequence[PoolSnapshot]], Signal]


class CombinedSignaller:
    """Direction, strength and all that sizes a trade are the model's; the score is the pool's.

    LONG only when the model says long, the pool's own figures do too, the score reaches the threshold of ``scores``,
    and PumpSwap data are there and say that it can be bought. SHORT when the model says short: selling what is held
    needs no second opinion. Otherwise HOLD. Both look at the past only.
    """

    source = "q50+score"

    def __init__(
        self,
        q50: SnapshotSignaller,
        scores: EnhancedScoreSignaller,
        score: Literal["base", "enhanced"] = "enhanced",
    ) -> None:
        """``score`` says which of both scores of the pool counts."""
        self._q50, self._scores, self._score = q50, scores, score

    def signal(self, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot] = ()) -> Signal:
        """Signal of ``snapshot``, given what was seen of the pool before."""
        model = self._q50(snapshot, history)
        result = self._scores.result(snapshot, history)
        score = result.base.signal_score if self._score == "base" else result.enhanced_score
        side, verdict = self._agreed(model, result, score)
        return replace(
            model,
            side=side,
            score=score,
            source=self.source,
            feasibility=result.feasibility_score if result.is_available else None,
            base_score=result.base.signal_score,
            reasons=(
                *(f"model: {reason}" for reason in model.reasons),
                *(f"pool: {reason}" for reason in self._scores.told(result, snapshot, history)),
                verdict,
            ),
        )

    __call__ = signal

    def _agreed(self, model: Signal, result: EnhancedResult, score: float) -> tuple[Side, str]:
        """The side, and the sentence that says why."""
        text = f"{self._score} score {score:.1f} of 100, threshold {self._scores.threshold:g}"
        if model.side is not Side.LONG:
            return model.side, f"{text}; the model says {model.side.value}"
        objections = result.objections(Side.LONG)
        if objections:
            return Side.HOLD, f"{text}; the model says long, but it could not be bought: {objections[0]}"
        if result.side is not Side.LONG:
            return Side.HOLD, f"{text}; the model says long, the pool's own figures {result.side.value}"
        if not score >= self._scores.threshold:
            return Side.HOLD, f"{text}; the model says long, the score is too low"
        return Side.LONG, f"{text}; model and pool agree: long"
