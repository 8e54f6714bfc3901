"""BaseScoreSignaller: the host's base score as a signal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from pumpswap.errors import BadInput, ConfigError
from pumpswap.model import PoolSnapshot, Side, Signal
from pumpswap.signals.analyzer import NewPoolsSignalAnalyzer
from pumpswap.signals.host_formula import GrowthPart, HostScore

__all__ = ["BaseScoreSignaller"]


class BaseScoreSignaller:
    """Turns the snapshots of a pool into a signal with its reasons. The threshold is the host's watchlist bound.

    The score measures how much is happening, not in which direction. So it is LONG from the threshold on, unless the
    momentum is bearish (below −5 %): then all that volume is people leaving, and the signal is SHORT, which on PumpSwap
    means "sell what is held". Below the threshold, and for figures that cannot be read, it is HOLD.
    """

    source = "base-score"

    def __init__(self, threshold: float = 75.0, analyzer: NewPoolsSignalAnalyzer | None = None) -> None:
        if not 0 <= threshold <= 100:
            raise ConfigError(f"a score of {threshold} cannot be reached", hint="the threshold is 0 to 100")
        self.threshold = threshold
        self._analyzer = analyzer or NewPoolsSignalAnalyzer()

    def signal(self, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot] = ()) -> Signal:
        """Signal of ``snapshot``, given what was seen of the pool before (in any order)."""
        try:
            score = self._analyzer.score(snapshot.metrics, [earlier.metrics for earlier in history])
        except BadInput as error:
            return self._as_signal(snapshot, Side.HOLD, 0.0, (f"cannot be scored: {error.what}",))
        total = float(score.total)
        side = self._side(total, score)
        return self._as_signal(snapshot, side, total, (*_reasons(score), self._verdict(total, side)))

    def _side(self, total: float, score: HostScore) -> Side:
        if total < self.threshold:
            return Side.HOLD
        return Side.SHORT if score.momentum.direction == "bearish" else Side.LONG

    def _verdict(self, total: float, side: Side) -> str:
        text = f"score {total:.1f} of 100, threshold {self.threshold:g}"
        return f"{text}, but the price is falling: short" if side is Side.SHORT else f"{text}: {side.value}"

    def _as_signal(self, snapshot: PoolSnapshot, side: Side, score: float, reasons: tuple[str, ...]) -> Signal:
        return Signal(
            pool=snapshot.pool,
            at_ns=snapshot.at_ns,
            side=side,
            score=score,
            strength=min(max(score / 100, 0.0), 1.0),
            source=self.source,
            reasons=reasons,
            mint=snapshot.base_mint,
            name=snapshot.name,
        )


def _reasons(score: HostScore) -> Iterator[str]:
    """Each part with its figure and its points, then the bonuses; weights as in the formula."""
    momentum, activity, volatility = score.momentum, score.activity, score.volatility
    yield _growth_reason("volume", "in 24 h", score.volume, "0.3")
    yield _growth_reason("liquidity", "on both sides", score.liquidity, "0.2")
    yield f"momentum {momentum.indicator:+,.1f} % ({momentum.direction}): {_points(momentum.score, 100, '0.2')}"
    yield (
        f"activity {activity.buys_h1:,} buys and {activity.sells_h1:,} sells in 1 h, "
        f"{activity.transactions_h24:,} trades in 24 h{_growth(activity.increase)}: "
        f"{_points(activity.score, 100, '0.2')}"
    )
    yield f"volatility {volatility.swing:,.1f} % ({volatility.trend}): {_points(volatility.score, 100, '0.1')}"
    if score.volume.flag:
        yield "volume spike: bonus 10"
    if score.liquidity.flag:
        yield "liquidity growth: bonus 8"
    if momentum.strong:
        yield "strong momentum: bonus 5"
    if activity.high:
        yield "high activity: bonus 5"


def _growth_reason(name: str, where: str, part: GrowthPart, weight: str) -> str:
    grown = "" if part.trend == "unknown" else f"{_growth(part.growth)} ({part.trend})"
    return f"{name} {part.amount_usd:,.0f} USD {where}{grown}: {_points(part.score, part.ceiling, weight)}"


def _growth(rate: Decimal) -> str:
    return f", {100 * rate:+,.0f} % against the mean before" if rate else ""


def _points(score: Decimal, ceiling: int, weight: str) -> str:
    return f"{score:.1f} of {ceiling}, weight {weight}"
