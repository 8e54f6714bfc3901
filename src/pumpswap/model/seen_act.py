"""SeenAct: what happened to a pool besides trades, as the program reported it."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.amm.events import Event

__all__ = ["SeenAct"]


@dataclass(frozen=True, slots=True)
class SeenAct:
    """An event of a pool that is no swap (liquidity, fees paid out, boosts, settings), and where it stood.

    ``index`` counts those of its transaction; ``trades_before`` the trades of its transaction before it, as
    ``Swap.index`` does.
    """

    pool: str
    at_ns: int
    slot: int
    signature: str
    index: int
    trades_before: int
    event: Event
