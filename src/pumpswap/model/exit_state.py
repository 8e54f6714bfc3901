"""ExitState: what the exits of one round remember between two looks, and over restarts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["ExitKind", "ExitState"]


class ExitKind(Enum):
    """Why a position is sold."""

    STOP_LOSS = "stop-loss"
    TAKE_PROFIT = "take-profit"
    LADDER = "ladder"
    TRAILING_STOP = "trailing stop"
    TIME_OUT = "time-out"
    SIGNAL = "signal"
    LIQUIDITY_FLIGHT = "liquidity flight"
    RUG = "rug"
    PANIC = "panic"
    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class ExitState:
    """``peak_lamports`` is the highest executable value of ``peak_units`` since the entry (what is compared later is
    value per unit); ``rungs`` how many steps of the ladder are done, of the ``bought_units`` of the round.

    ``entry_*`` describe the pool right after the first buy; what our own trades have moved since is taken out of
    ``entry_quote_lamports``. ``wanted`` is an exit that has begun and is not finished: it goes on until everything it
    wants is sold; ``wanted_units`` is how much of it is left. ``failures`` counts sales that failed in a row,
    ``refusals`` those that the gate refused, and ``retry_ns`` is when the next one may be tried. ``blocked_ns`` is
    since when nothing can be sold at all (0: it can), ``blocked_told`` whether somebody was told.

    ``is_over``: the round is closed, and nothing of it need be remembered.
    """

    pool: str
    round: int
    entry_quote_lamports: int = 0
    entry_product: int = 0
    entry_supply: int = 0
    bought_units: int = 0
    peak_lamports: int = 0
    peak_units: int = 0
    rungs: int = 0
    wanted: ExitKind | None = None
    wanted_units: int = 0
    wanted_reason: str = ""
    failures: int = 0
    refusals: int = 0
    retry_ns: int = 0
    blocked_ns: int = 0
    blocked_told: bool = False
    is_over: bool = False
