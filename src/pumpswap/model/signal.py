"""Signal: what market data say about a pool, before anybody thinks of money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Side", "Signal"]


class Side(Enum):
    """Direction of a signal. Short on PumpSwap means: sell what is held."""

    LONG = "long"
    SHORT = "short"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Signal:
    """``score`` is 0 to 100, ``strength`` 0 to 1; ``reasons`` are short sentences with their numbers.

    What follows the name is told by models that know it, and sizes the trade: ``win_probability`` and
    ``win_loss_ratio`` (gain over loss) for Kelly, ``vol_risk`` (variance of an hour) for volatility,
    ``size_multiplier`` of the regime. ``feasibility`` (0 to 1) is how well it can be traded, for those who must choose.
    ``base_score`` is what the score was before it was enhanced by that, for those who compare.
    """

    pool: str
    at_ns: int
    side: Side
    score: float
    strength: float
    source: str
    reasons: tuple[str, ...] = ()
    mint: str | None = None
    name: str = ""
    q50: float | None = None
    regime: str = ""
    size_multiplier: float = 1.0
    win_probability: float | None = None
    win_loss_ratio: float | None = None
    vol_risk: float | None = None
    feasibility: float | None = None
    base_score: float | None = None
