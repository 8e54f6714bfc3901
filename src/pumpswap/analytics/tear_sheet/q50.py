"""Q50Figures: what became of the signals of a Q50 frame, by regime; and what strategies in NautilusTrader counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pumpswap.storage.q50_history import STATUSES

__all__ = ["Q50Figures", "q50_figures"]

REGIMES = ("low", "medium", "high", "extreme")
_COUNTS = ("ticks", "buys", "sales", "analysed", "expired")
_REASONS = ("denied", "rejected", "not_ordered")


@dataclass(frozen=True, slots=True)
class Q50Figures:
    """``by_regime``: signals of the time by what became of them; a regime without any is not there. ``counted``: of the
    whole run, by strategy; ``reasons`` of one are (kind, reason, how often), the most frequent first.
    """

    by_regime: Mapping[str, Mapping[str, int]]
    counted: Mapping[str, Mapping[str, Any]]

    @property
    def statuses(self) -> Sequence[str]:
        """What became of them, as far as it occurs."""
        return [one for one in STATUSES if any(counts.get(one) for counts in self.by_regime.values())]

    @property
    def signals(self) -> int:
        """How many there were."""
        return sum(sum(counts.values()) for counts in self.by_regime.values())

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {"by_regime": {name: dict(counts) for name, counts in self.by_regime.items()}, "nautilus": self.counted}


def q50_figures(
    counted: Sequence[tuple[str, str, int]], strategies: Mapping[str, Mapping[str, object]]
) -> Q50Figures | None:
    """Of (regime, status, how many) and what strategies have left with the run; None where there is nothing of it."""
    by_regime: dict[str, dict[str, int]] = {}
    for regime, status, count in counted:
        by_regime.setdefault(regime or "none", {})[status] = count
    if not by_regime and not strategies:
        return None
    ordered = {
        name: by_regime[name] for name in (*REGIMES, *sorted(set(by_regime) - set(REGIMES))) if name in by_regime
    }
    return Q50Figures(ordered, {name: _counted(document) for name, document in sorted(strategies.items())})


def _counted(document: Mapping[str, object]) -> dict[str, Any]:
    """One strategy's counts, as far as they are what they should be: whoever wrote them may be of another version."""
    found: dict[str, Any] = {name: _whole(document.get(name)) for name in _COUNTS}
    filled = document.get("filled")
    found["fills"] = sum(map(_whole, filled.values())) if isinstance(filled, Mapping) else 0
    reasons: list[tuple[str, str, int]] = []
    for kind in _REASONS:
        told = document.get(kind)
        if isinstance(told, Mapping):
            reasons += [(kind, str(reason), _whole(count)) for reason, count in told.items()]
    found["reasons"] = sorted(reasons, key=lambda one: (-one[2], one[0], one[1]))
    return found


def _whole(value: object) -> int:
    return value if type(value) is int else 0
