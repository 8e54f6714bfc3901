"""NewPoolsSignalAnalyzer: the host's analyser under its own names, so that its callers need no change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException

from pumpswap.errors import BadInput, ConfigError
from pumpswap.signals.host_formula import HostScore, host_score

__all__ = ["NewPoolsSignalAnalyzer", "SignalResult", "failed_result", "is_row"]

_DEFAULTS = {
    "volume_spike_threshold": "2.0",
    "liquidity_growth_threshold": "1.5",
    "momentum_lookback_hours": "6",
    "min_signal_score": "60",
    "auto_watchlist_threshold": "75",
}


@dataclass(frozen=True, slots=True)
class SignalResult:
    """What the host stores of an analysis. Figures are statistics, so they are floats; ``momentum_indicator`` is the
    only one that is not limited to 0…100.
    """

    signal_score: float
    volume_trend: str
    liquidity_trend: str
    momentum_indicator: float
    activity_score: float
    volatility_score: float
    signals: dict[str, object] = field(default_factory=dict)


def failed_result() -> SignalResult:
    """The host's result after an internal error."""
    return SignalResult(0.0, "stable", "stable", 0.0, 0.0, 0.0)


def is_row(value: object) -> bool:
    """Whether it can be asked by key, as a dictionary or a row of a frame."""
    return callable(getattr(value, "get", None))


def _are_rows(value: object) -> bool:
    return isinstance(value, Sequence) and all(map(is_row, value))


class NewPoolsSignalAnalyzer:
    """Scores a pool from 0 to 100 by its volume, liquidity, momentum, activity and volatility.

    ``config`` may carry the host's five thresholds; other keys are left to whoever they belong to.
    ``momentum_lookback_hours`` is accepted and, as in the host, used nowhere. Raises ConfigError for a threshold that
    is no number.
    """

    def __init__(self, config: Mapping[str, object] | None = None) -> None:
        read = {key: _threshold(config or {}, key) for key in _DEFAULTS}
        self.volume_spike_threshold = float(read["volume_spike_threshold"])
        self.liquidity_growth_threshold = float(read["liquidity_growth_threshold"])
        self.momentum_lookback_hours = float(read["momentum_lookback_hours"])
        self.min_signal_score = float(read["min_signal_score"])
        self.auto_watchlist_threshold = float(read["auto_watchlist_threshold"])
        self._spike_growth = read["volume_spike_threshold"] - 1
        self._liquidity_growth = read["liquidity_growth_threshold"] - 1

    def score(self, current: Mapping[str, object], history: Sequence[Mapping[str, object]] | None = None) -> HostScore:
        """All parts of the score, exactly. Raises BadInput for an amount that is no number and a row that is none."""
        past = () if history is None else history
        if not (is_row(current) and _are_rows(past)):
            raise BadInput("pool data and history are dictionaries", hint="convert a dataclass with asdict")
        return host_score(current, past, spike_growth=self._spike_growth, liquidity_growth=self._liquidity_growth)

    def analyze_pool_signals(
        self, current_data: Mapping[str, object], historical_data: Sequence[Mapping[str, object]] | None = None
    ) -> SignalResult:
        """The host's result. Figures that cannot be read give its error result (score 0, no signals), as there."""
        try:
            score = self.score(current_data, historical_data)
        except BadInput:
            return failed_result()
        return SignalResult(
            signal_score=float(score.total),
            volume_trend=score.volume.trend,
            liquidity_trend=score.liquidity.trend,
            momentum_indicator=float(score.momentum.indicator),
            activity_score=float(score.activity.score),
            volatility_score=float(score.volatility.score),
            signals={
                "volume_spike": score.volume.flag,
                "volume_growth_rate": float(score.volume.growth),
                "liquidity_growth": score.liquidity.flag,
                "liquidity_growth_rate": float(score.liquidity.growth),
                "price_momentum_strong": score.momentum.strong,
                "momentum_direction": score.momentum.direction,
                "high_activity": score.activity.high,
                "activity_increase": float(score.activity.increase),
                "high_volatility": score.volatility.high,
                "volatility_trend": score.volatility.trend,
            },
        )

    def should_add_to_watchlist(self, result: SignalResult, threshold: float | None = None) -> bool:
        """Whether the score reaches ``threshold`` (default: the configured one, 75)."""
        return result.signal_score >= (self.auto_watchlist_threshold if threshold is None else threshold)

    def generate_alert_message(self, pool_id: str, result: SignalResult) -> str:
        """A few lines for people about one pool."""
        found = [text for key, text in _ALERT_TEXTS.items() if result.signals.get(key)]
        direction = result.signals.get("momentum_direction", "neutral")
        lines = [
            f"Signal {result.signal_score:.1f} of 100 for {pool_id}",
            f"volume {result.volume_trend}, liquidity {result.liquidity_trend}",
            f"momentum {result.momentum_indicator:+.1f} % ({direction})",
            f"activity {result.activity_score:.1f}, volatility {result.volatility_score:.1f}",
        ]
        return "\n".join(lines + ([f"signs: {', '.join(found)}"] if found else []))


_ALERT_TEXTS = {
    "volume_spike": "volume spike",
    "liquidity_growth": "liquidity growth",
    "price_momentum_strong": "strong momentum",
    "high_activity": "high activity",
    "high_volatility": "high volatility",
}


def _threshold(config: Mapping[str, object], key: str) -> Decimal:
    value = config.get(key)
    if value is None:
        return Decimal(_DEFAULTS[key])
    try:
        number = Decimal(str(value))
    except DecimalException:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ConfigError(f"{key} is {value!r}, which is no number", hint=f"the default is {_DEFAULTS[key]}")
    return number
