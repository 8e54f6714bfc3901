"""What the kernel plays, and what only the engine can: said before a sweep begins, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumpswap.errors import ConfigError
from pumpswap.settings import Settings

__all__ = ["MOMENTUM_DEFAULTS", "momentum_arguments", "require_numba", "unsupported"]

MOMENTUM_DEFAULTS = {"window_seconds": 60, "burst_bps": 300, "turn_bps": 100, "min_buyers": 5, "full_size": False}
_TRUE = {"true", "1", "yes"}
_LEAST_SCORE = 75.0  # what a burst at the threshold has: any lower limit is always reached


def require_numba() -> None:
    """Raises ConfigError where numba is not installed."""
    try:
        import numba  # noqa: F401
    except ImportError:
        raise ConfigError(
            "the kernel needs numba, which is not installed",
            hint="pip install 'pumpswap[research]', or use the engine (--engine)",
        ) from None


def unsupported(
    settings: Settings, strategy: str, arguments: Mapping[str, Any] | None = None, *, landing: str = "last"
) -> tuple[str, ...]:
    """Why the kernel cannot play a strategy under these settings, each reason a few words; empty: it can.

    ``arguments`` are those of the strategy, as numbers or as texts. Trials in which something rare happens (a pool that
    can pay only a part, the circuit breaker) are handed over one by one; that is no reason here.
    """
    told = dict(arguments or {})
    found = []
    if strategy != "momentum":
        return (f"the strategy {strategy}: the kernel plays momentum",)
    unknown = sorted(told.keys() - MOMENTUM_DEFAULTS.keys())
    if unknown:
        found.append(f"momentum has no {', '.join(unknown)}")
        return tuple(found)
    given = momentum_arguments(told)
    if not given["full_size"]:
        found.append("a size that follows the score: set full_size=True")
    if given["turn_bps"] < 1 or given["burst_bps"] < 1 or given["window_seconds"] < 1:
        found.append("a window, burst or turn of 0")
    if settings.signals.min_score > _LEAST_SCORE:
        found.append(f"signals.min_score above {_LEAST_SCORE:g}")
    if settings.exits.take_profit_ladder:
        found.append("exits.take_profit_ladder")
    if settings.risk.require_screen:
        found.append("risk.require_screen")
    if settings.run.mode not in ("paper", "auto"):
        found.append(f"run.mode {settings.run.mode}")
    if landing not in ("first", "last"):
        found.append(f"the landing {landing}")
    return tuple(found)


def momentum_arguments(arguments: Mapping[str, Any]) -> dict[str, int]:
    """Arguments of Momentum as whole numbers, with its defaults. Raises ConfigError for what is none."""
    found: dict[str, int] = {}
    for name, default in MOMENTUM_DEFAULTS.items():
        value = arguments.get(name, default)
        if name == "full_size":
            found[name] = int(str(value).lower() in _TRUE)
            continue
        try:
            found[name] = int(value)
        except (TypeError, ValueError):
            raise ConfigError(f"momentum's {name} is {value!r}", hint="a whole number") from None
    return found
