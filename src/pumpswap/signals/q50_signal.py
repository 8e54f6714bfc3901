"""Q50Signaller: a quantile model's rows as signals for pools.

The published model is one of BTC against USD. Its direction and its turbulence then stand for the market as a whole,
and every pool gets them; where the frame has an instrument of the pool's own, that one speaks. The reasons say which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.errors import ConfigError
from pumpswap.model import PoolSnapshot, Q50Frame, Q50Row, Q50Series, Side, Signal
from pumpswap.settings import Q50Settings, RegimeSettings
from pumpswap.signals.q50_calibration import Q50Calibration, RowScale, calibrate
from pumpswap.signals.q50_rules import directional_expected_value, directional_odds
from pumpswap.signals.regimes import Regime

__all__ = ["Q50Decision", "Q50Signaller"]


@dataclass(frozen=True, slots=True)
class Q50Decision:
    """What the frame says at a moment, and why. Without an applicable row only ``side`` (HOLD) and ``reasons`` say it.

    ``regime_multiplier`` is a factor of the size of a trade, 0 without a regime. ``expected_value`` is what following
    the sign of q50 is worth, as a relative price change.
    """

    at_ns: int
    side: Side
    reasons: tuple[str, ...]
    row: Q50Row | None = None
    age_ns: int | None = None
    threshold: float | None = None
    rank: float | None = None
    regime: Regime | None = None
    regime_multiplier: float = 0.0
    expected_value: float | None = None


class Q50Signaller:
    """Decides from past rows only: the newest at or before a moment, no older than the tolerance, on a scale that was
    calibrated on the rows up to it.

    LONG: |q50| reaches the calibrated threshold, q50 is positive, the row is tradeable and economically significant,
    its own side agrees, and it promises enough. SHORT (sell what is held): the same for a negative q50, but without the
    model's own flags, which can hardly ever call a short so. ``require_high_quality`` asks for that flag too.
    Raises ConfigError for instruments that the frame does not have.
    """

    source = "q50"

    def __init__(self, frame: Q50Frame, q50: Q50Settings | None = None, regimes: RegimeSettings | None = None) -> None:
        self.frame = frame
        self.settings = q50 or Q50Settings()
        self._regimes = regimes or RegimeSettings()
        self._calibrated: dict[str | None, Q50Calibration] = {}
        self._sides: dict[str | None, tuple[int, Side]] = {}  # of the row that was asked last, by instrument
        self._market: Q50Series | None = None
        if self.settings.market_wide or self.settings.instrument is not None:
            self._market = frame.chosen(self.settings.instrument)
            self.calibration(self._market)
        for key, instrument in self.settings.instruments.items():
            if frame.find(instrument) is None:
                have = ", ".join(frame.instruments[:10]) or "one without a name"
                raise ConfigError(f"q50.instruments gives {key} to {instrument!r}", hint=f"the frame has {have}")

    def calibration(self, series: Q50Series) -> Q50Calibration:
        """The scale of a series, computed when it is first needed."""
        found = self._calibrated.get(series.instrument)
        if found is None:
            # Two threads may both compute it: the result is the same, and either may stay.
            found = self._calibrated[series.instrument] = calibrate(series, self.settings, self._regimes)
        return found

    def signal(self, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot] = ()) -> Signal:
        """The signal of a pool at the moment of its snapshot. The pool's own figures and history play no part.

        ``score`` is 0 to 100: the share of past |q50| up to the row's own; ``strength`` is the same as 0 to 1. What
        sizes a trade comes with it; without a regime the multiplier is 0, so that nothing is bought on it.
        """
        keys = (snapshot.base_mint or "", snapshot.pool, snapshot.pool_id)
        return self._signal(snapshot.pool, snapshot.base_mint, snapshot.at_ns, snapshot.name, keys)

    __call__ = signal

    def signal_of(self, pool: str, mint: str, at_ns: int, name: str = "") -> Signal:
        """The same for a pool of which no snapshot is there: of a swap, or of a tick."""
        return self._signal(pool, mint, at_ns, name, (mint, pool))

    def _signal(self, pool: str, mint: str | None, at_ns: int, name: str, keys: Sequence[str]) -> Signal:
        series, scope = self.series_for(*keys)
        decision = Q50Decision(at_ns, Side.HOLD, ()) if series is None else self.decide(at_ns, series)
        rank, row = decision.rank or 0.0, decision.row
        odds = None if row is None else directional_odds(row.q10, row.q50, row.q90, row.prob_up)
        return Signal(
            pool=pool,
            at_ns=at_ns,
            side=decision.side,
            score=100 * rank,
            strength=rank,
            source=self.source,
            reasons=(scope, *decision.reasons),
            mint=mint,
            name=name,
            q50=None if row is None else row.q50,
            regime="" if decision.regime is None else decision.regime.value,
            size_multiplier=decision.regime_multiplier,
            win_probability=None if odds is None else odds[0],
            win_loss_ratio=None if odds is None else odds[1],
            vol_risk=None if row is None else row.vol_risk,
        )

    def series_for(self, *keys: str) -> tuple[Q50Series | None, str]:
        """Which series speaks for a pool, and how that is said. ``keys`` are its names, the coin's first: what the
        settings give to one of them, else an instrument of that name, else the market's.
        """
        names = [key for key in keys if key]
        given = [self.settings.instruments[key] for key in names if key in self.settings.instruments]
        for name in (*given, *names):
            own = self.frame.find(name)
            if own is not None:
                return own, f"{name} in the frame is the coin's own"
        if self._market is None or not self.settings.market_wide:
            return None, "the frame has no instrument of this coin, and none speaks for the market"
        return self._market, f"{self._market.instrument or 'the frame'} speaks for the market"

    def side_at(self, at_ns: int, series: Q50Series) -> tuple[int | None, Side]:
        """The stamp of the row that applies at a moment, None where none does, and the side that ``decide`` gives for
        it. Of one row it is found out once: who asks with every tick asks this.
        """
        visible_ns = at_ns - self.settings.visible_after_seconds * NS_PER_SECOND
        place = series.newest(visible_ns)
        if place is None:
            return None, Side.HOLD
        tolerance = series.spacing_at(place) if self.settings.tolerance_ns is None else self.settings.tolerance_ns
        stamp = series.times_ns[place]
        if visible_ns - stamp > tolerance:
            return None, Side.HOLD
        known = self._sides.get(series.instrument)
        if known is None or known[0] != stamp:
            known = self._sides[series.instrument] = stamp, self.decide(at_ns, series).side
        return known

    def decide(self, at_ns: int, series: Q50Series | None = None) -> Q50Decision:
        """What the series (default: the one that speaks for the market) says at a moment."""
        speaker = series or self._market
        if speaker is None:
            return Q50Decision(at_ns, Side.HOLD, ("no instrument speaks for the market",))
        visible_ns = at_ns - self.settings.visible_after_seconds * NS_PER_SECOND
        row = speaker.at(visible_ns, self.settings.tolerance_ns)
        if row is None:
            return Q50Decision(at_ns, Side.HOLD, (self._why_none(speaker, visible_ns),))
        calibration = self.calibration(speaker)
        scale = calibration.scales[row.index]
        if scale is None:
            reason = f"warm-up: row {row.index + 1} of {calibration.warm_up} that a threshold and a regime need"
            return Q50Decision(at_ns, Side.HOLD, (reason,), row, visible_ns - row.at_ns)
        return self._judged(at_ns, visible_ns - row.at_ns, row, scale, calibration.rules.multipliers[scale.regime])

    def _why_none(self, series: Q50Series, visible_ns: int) -> str:
        place = series.newest(visible_ns)
        if place is None:
            first = format_utc(series.times_ns[0]) if len(series) else "never"
            return f"no row yet: the first is of {first}"
        tolerance = series.spacing_at(place) if self.settings.tolerance_ns is None else self.settings.tolerance_ns
        stamp = series.times_ns[place]
        return (
            f"the newest row is of {format_utc(stamp)}, {_duration(visible_ns - stamp)} old: "
            f"the tolerance is {_duration(tolerance)}"
        )

    def _judged(self, at_ns: int, age_ns: int, row: Q50Row, scale: RowScale, multiplier: float) -> Q50Decision:
        worth = directional_expected_value(row.q10, row.q50, row.q90, row.prob_up)
        against = list(self._objections(row, scale, worth))
        side = Side.HOLD if against else Side.LONG if row.q50 > 0 else Side.SHORT
        stamp = f"row of {format_utc(row.at_ns)}, {_duration(age_ns)} old"
        strength = f"q50 {row.q50:+.4g}, |q50| at or above {100 * scale.rank:.0f} % of the past"
        turbulence = f"vol_risk {row.vol_risk:.3g} above {100 * scale.vol_rank:.0f} % of the past"
        facts = (f"{stamp}: {strength}", f"regime {scale.regime.value}: {turbulence}, size × {multiplier:g}")
        reached = f"|q50| {abs(row.q50):.4g} reaches {scale.threshold:.4g}"
        verdict = (f"{reached}, expected value {worth:+.4g}: {side.value}",)
        return Q50Decision(
            at_ns=at_ns,
            side=side,
            reasons=facts + (tuple(against) or verdict),
            row=row,
            age_ns=age_ns,
            threshold=scale.threshold,
            rank=scale.rank,
            regime=scale.regime,
            regime_multiplier=multiplier,
            expected_value=worth,
        )

    def _objections(self, row: Q50Row, scale: RowScale, worth: float) -> Iterator[str]:
        """What speaks against following the row; nothing: follow it."""
        least = float(self.settings.min_expected_value)
        if row.q50 == 0:
            yield "q50 is 0: no direction"
        if abs(row.q50) < scale.threshold:
            yield f"|q50| {abs(row.q50):.4g} is below the calibrated threshold {scale.threshold:.4g}"
        if worth <= least:
            yield f"expected value {worth:+.4g} is not above {least:g}"
        if self.settings.require_high_quality and not row.high_quality:
            yield "the row is not of high quality, which require_high_quality asks for"
        if row.q50 > 0:
            if not (row.tradeable and row.economically_significant):
                yield "the model's rules do not call the row tradeable and economically significant"
            elif row.side is not Side.LONG:
                yield f"the row's own side is {row.side.value}"
        elif row.side is Side.LONG:
            yield "the row's own side is long although q50 is negative"


def _duration(nanoseconds: int) -> str:
    seconds = nanoseconds // NS_PER_SECOND
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}" if seconds < 1_000 * unit else f"{seconds // unit} {name}"
    return f"{seconds} s"
