"""Regimes: how turbulent the market is, told from past values of ``vol_risk`` only.

The percentiles are those of the values so far, up to and including the current one. As long as there are fewer than the
declared warm-up, there is no regime and therefore no entry: the proof of concept compared with 0.3, 0.7 and 0.9 as
absolute numbers then, and at real scale found every market calm.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from pumpswap.clock import datetime_ns
from pumpswap.errors import ConfigError
from pumpswap.settings import RegimeSettings, Settings
from pumpswap.signals.past_values import PastValues
from pumpswap.signals.q50_rules import COST, directional_expected_value

__all__ = ["Regime", "RegimeDetector", "RegimeRules"]

WARM_UP = 100
_RECENT = 50  # values whose regimes make the confidence
_FEW = 10  # below so many values a rank says nothing
_TRUSTED = 0.3  # confidence that an entry needs; twice that in extreme turbulence
_RATES = ("vol_raw", "q10", "q50", "q90", "prob_up")


class Regime(Enum):
    """Turbulence, calm first. The value is the plan's name; ``variance_name`` that of the proof of concept."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    EXTREME = "extreme"

    @property
    def variance_name(self) -> str:
        """``low_variance`` and so on."""
        return f"{self.value}_variance"

    @classmethod
    def named(cls, text: str) -> Regime:
        """By either name. Raises ConfigError."""
        try:
            return cls(text.strip().lower().removesuffix("_variance"))
        except ValueError:
            raise ConfigError(f"{text!r} is no regime", hint="low, medium, high or extreme") from None


_DEFAULTS = RegimeSettings()
_ADJUSTMENTS = {Regime.LOW: -0.3, Regime.MEDIUM: 0.0, Regime.HIGH: 0.4, Regime.EXTREME: 0.8}


@dataclass(frozen=True, slots=True)
class RegimeRules:
    """``shares``: up to which share of past values the regime is low, medium, high. ``multipliers`` are factors of the
    size of a trade, ``adjustments`` what is added to 1 for the threshold of significance.
    """

    shares: tuple[float, float, float] = _DEFAULTS.shares
    multipliers: Mapping[Regime, float] = field(default_factory=lambda: _multipliers(_DEFAULTS))
    adjustments: Mapping[Regime, float] = field(default_factory=lambda: dict(_ADJUSTMENTS))
    warm_up: int = WARM_UP
    history_size: int = _DEFAULTS.history_size

    def __post_init__(self) -> None:
        low, high, extreme = self.shares
        if not 0 <= low < high < extreme <= 1:
            raise ConfigError(f"percentiles {low}, {high}, {extreme} do not rise within 0 to 1", hint="0.3, 0.7, 0.9")
        if not 1 <= self.warm_up <= self.history_size:
            raise ConfigError(
                f"a warm-up of {self.warm_up} in a history of {self.history_size}", hint="the history must be longer"
            )
        for values, least in ((self.multipliers, 0.0), (self.adjustments, -1.0)):
            if set(values) != set(Regime) or not all(least <= value < math.inf for value in values.values()):
                raise ConfigError("each regime needs one factor", hint="low, medium, high, extreme; none negative")

    @classmethod
    def of_settings(cls, settings: RegimeSettings, *, warm_up: int = WARM_UP) -> RegimeRules:
        """The section ``regimes``; the warm-up is that of ``q50``."""
        return cls(
            shares=settings.shares,
            multipliers=_multipliers(settings),
            warm_up=warm_up,
            history_size=settings.history_size,
        )

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> RegimeRules:
        """The host's form: ``regime_detection`` with vol_risk_percentiles, regime_multipliers, threshold_adjustments.

        What is not named keeps its default. Raises ConfigError.
        """
        section = _section(config, "regime_detection") if "regime_detection" in config else config
        ours = cls()
        shares = dict(zip(("low", "high", "extreme"), ours.shares, strict=True))
        shares |= {name: _rate(value, name) for name, value in _section(section, "vol_risk_percentiles").items()}
        if len(shares) > 3:
            raise ConfigError("vol_risk_percentiles has unknown names", hint="low, high, extreme")
        return cls(
            shares=(shares["low"], shares["high"], shares["extreme"]),
            multipliers={**ours.multipliers, **_by_regime(section, "regime_multipliers")},
            adjustments={**ours.adjustments, **_by_regime(section, "threshold_adjustments")},
            warm_up=int(_rate(section.get("warm_up", ours.warm_up), "warm_up")),
            history_size=int(_rate(section.get("history_size", ours.history_size), "history_size")),
        )

    def regime(self, vol_risk: float, bounds: tuple[float, float, float]) -> Regime:
        """The regime of a value, given the values at ``shares``."""
        return next((regime for regime, most in zip(Regime, bounds, strict=False) if vol_risk <= most), Regime.EXTREME)

    def bounds(self, past: PastValues) -> tuple[float, float, float]:
        """The values at ``shares``."""
        low, high, extreme = self.shares
        return past.percentile(low), past.percentile(high), past.percentile(extreme)


def _multipliers(settings: RegimeSettings) -> dict[Regime, float]:
    return {regime: settings.multiplier(regime.value) for regime in Regime}


class RegimeDetector:
    """Tells the regime of one signal after the other, as the host's class of this name does. Safe to share by threads.

    ``config``: our settings, RegimeRules, the host's configuration, or nothing for the defaults. Signals must come in
    the order of their ``timestamp``: the same one again (every tick of an hour sees the same row) is counted once, an
    earlier one gets no regime, since the history already knows what came after it.
    """

    def __init__(self, config: Settings | RegimeRules | RegimeSettings | Mapping[str, Any] | None = None) -> None:
        if isinstance(config, Settings):
            self.rules = RegimeRules.of_settings(config.regimes, warm_up=config.q50.warm_up)
        elif isinstance(config, RegimeSettings):
            self.rules = RegimeRules.of_settings(config)
        elif isinstance(config, RegimeRules):
            self.rules = config
        else:
            self.rules = RegimeRules.of_config(config or {})
        self._past = PastValues(self.rules.history_size)
        self._newest_ns: int | None = None
        self._lock = threading.Lock()

    def classify_regime(self, signal: Mapping[str, Any]) -> dict[str, Any]:
        """The host's result for a signal with vol_risk (and vol_raw, q50 for the ratio).

        Without a regime (warm-up, bad figures, out of order) ``regime`` is None, ``regime_multiplier`` 0, and
        ``reason`` says why.
        """
        vol_risk = _figure(signal, "vol_risk")
        if vol_risk is None or vol_risk < 0:
            return _no_regime(f"vol_risk is {signal.get('vol_risk')!r}", None)
        with self._lock:
            reason = self._remember(vol_risk, _stamp(signal))
            if reason:
                return _no_regime(reason, vol_risk)
            held = len(self._past)
            if held < self.rules.warm_up:
                return _no_regime(f"warm-up: {held} of {self.rules.warm_up} values", vol_risk)
            return self._told(vol_risk, signal)

    def _remember(self, vol_risk: float, at_ns: int | None) -> str | None:
        """Add a value, unless this row is counted already; or say why it cannot be."""
        if at_ns is not None and self._newest_ns is not None and at_ns <= self._newest_ns:
            return None if at_ns == self._newest_ns else "the signal is older than the history"
        self._past.add(vol_risk)
        self._newest_ns = self._newest_ns if at_ns is None else at_ns
        return None

    def _told(self, vol_risk: float, signal: Mapping[str, Any]) -> dict[str, Any]:
        rules, held = self.rules, len(self._past)
        bounds = rules.bounds(self._past)
        regime = rules.regime(vol_risk, bounds)
        recent = self._past.last(_RECENT)
        alike = sum(rules.regime(value, bounds) is regime for value in recent)
        multiplier, adjustment = rules.multipliers[regime], rules.adjustments[regime]
        vol_raw, q50 = _figure(signal, "vol_raw"), _figure(signal, "q50")
        known, strength = None not in (vol_raw, q50), abs(q50 or 0.0)
        market, prediction = (vol_raw or 0.0) + multiplier * vol_risk, 0.1 * vol_risk
        total = market + prediction
        return {
            "regime": regime.variance_name,
            "vol_regime": regime.value,
            "vol_risk": vol_risk,
            "vol_risk_percentile": 50.0 if held < _FEW else 100 * self._past.below(vol_risk) / held,
            "threshold_adjustment": adjustment,
            "regime_multiplier": multiplier,
            "enhanced_info_ratio": strength / math.sqrt(total) if known and total > 0 else None,
            "market_variance": market,
            "prediction_variance": prediction,
            "regime_adjusted_threshold": COST * (1 + adjustment),
            "regime_adjusted_signal_strength": strength * multiplier,
            "regime_confidence": 0.5 if len(recent) < _RECENT else min(1.5 * alike / _RECENT, 1.0),
            "percentile_thresholds": dict(zip(("low", "high", "extreme"), bounds, strict=True)),
            "reason": None,
        }

    def apply_regime_adjustments(self, signal: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of ``signal`` with what the regime changes: regime_adjusted_economically_significant, _tradeable,
        _signal_strength, and ``regime_info``.

        Significant is what promises more, in its own direction, than the adjusted threshold. Tradeable needs that, the
        confidence of the regime, and for a long the signal's own ``tradeable``: its rules can hardly ever call a short
        so. Whatever is missing makes it False.
        """
        regime = info.get("regime")
        figures = {name: _figure(signal, name) for name in _RATES}
        significant = False
        if regime is not None and None not in (figures[name] for name in ("q10", "q50", "q90", "prob_up")):
            q10, q50, q90, chance = (float(figures[name] or 0.0) for name in ("q10", "q50", "q90", "prob_up"))
            significant = directional_expected_value(q10, q50, q90, chance) > info["regime_adjusted_threshold"]
        trusted = _TRUSTED * (2 if regime == Regime.EXTREME.variance_name else 1)
        agreed = signal.get("tradeable") is True or (figures["q50"] or 0.0) < 0
        return {
            **signal,
            "regime_info": dict(info),
            "regime_adjusted_economically_significant": significant,
            "regime_adjusted_signal_strength": info.get("regime_adjusted_signal_strength", 0.0),
            "regime_adjusted_tradeable": significant and agreed and info.get("regime_confidence", 0.0) >= trusted,
        }

    def get_regime_statistics(self) -> dict[str, Any]:
        """What the history holds. Shares and percentiles are None before the warm-up has passed."""
        with self._lock:
            held, rules = len(self._past), self.rules
            is_warm = held >= rules.warm_up
            found: dict[str, Any] = {
                "status": "ready" if is_warm else "warming_up" if held else "no_history",
                "total_observations": held,
                "warm_up": rules.warm_up,
                "history_size": rules.history_size,
                "current_percentiles": None,
                "regime_distribution": None,
                "vol_risk_stats": _spread(self._past) if held else None,
            }
            if is_warm:
                bounds = rules.bounds(self._past)
                reached = [self._past.up_to(bound) for bound in bounds] + [held]
                counts = [most - least for least, most in zip([0, *reached], reached, strict=False)]
                found["current_percentiles"] = dict(zip(("low", "high", "extreme"), bounds, strict=True))
                found["regime_distribution"] = {
                    regime.variance_name: count / held for regime, count in zip(Regime, counts, strict=True)
                }
            return found

    def reset_history(self) -> None:
        """Forget everything; the warm-up begins again."""
        with self._lock:
            self._past.clear()
            self._newest_ns = None

    def load_historical_data(self, values: Iterable[float | Mapping[str, Any]]) -> int:
        """Fill the history, oldest first, with values of vol_risk or with signals that have one.

        Only what was known before the first signal to be classified may be given. Returns how many were taken: what
        cannot be read is left out.
        """
        taken = 0
        with self._lock:
            for value in values:
                row = value if isinstance(value, Mapping) else {"vol_risk": value}
                vol_risk = _figure(row, "vol_risk")
                if vol_risk is not None and vol_risk >= 0 and self._remember(vol_risk, _stamp(row)) is None:
                    taken += 1
        return taken


def _no_regime(reason: str, vol_risk: float | None) -> dict[str, Any]:
    """Keys of a result that lets nothing through."""
    return {
        "regime": None,
        "vol_regime": None,
        "vol_risk": vol_risk,
        "vol_risk_percentile": None,
        "threshold_adjustment": None,
        "regime_multiplier": 0.0,
        "enhanced_info_ratio": None,
        "market_variance": None,
        "prediction_variance": None,
        "regime_adjusted_threshold": None,
        "regime_adjusted_signal_strength": 0.0,
        "regime_confidence": 0.0,
        "percentile_thresholds": None,
        "reason": reason,
    }


def _spread(past: PastValues) -> dict[str, float]:
    values = list(past)
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    least, middle, most = (past.percentile(share) for share in (0, 0.5, 1))
    return {"mean": mean, "std": deviation, "min": least, "max": most, "median": middle}


def _figure(signal: Mapping[str, Any], name: str) -> float | None:
    value = signal.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        found = float(value)
    except (OverflowError, ValueError):  # more digits than a float has; a Decimal that must not be looked at
        return None
    return found if math.isfinite(found) else None


def _stamp(signal: Mapping[str, Any]) -> int | None:
    """Nanoseconds of ``at_ns`` or ``timestamp``; None where there is no time to go by."""
    value = signal.get("at_ns", signal.get("timestamp"))
    if isinstance(value, datetime):
        return datetime_ns(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _section(section: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = section.get(name) or {}
    if not isinstance(found, Mapping):
        raise ConfigError(f"{name} is {found!r}", hint="it maps names to numbers")
    return found


def _by_regime(section: Mapping[str, Any], name: str) -> dict[Regime, float]:
    return {Regime.named(key): _rate(value, f"{name}.{key}") for key, value in _section(section, name).items()}


def _rate(value: Any, name: str) -> float:
    found = _figure({name: value}, name)
    if found is None:
        raise ConfigError(f"{name} is {value!r}, which is no number", hint="plain digits, for example 0.3")
    return found
