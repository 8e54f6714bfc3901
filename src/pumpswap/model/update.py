"""MarketUpdate: one step of a market, in time order. Every feed (chain, recording, export, simulator) yields these."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.amm import PoolState
from pumpswap.model.seen_act import SeenAct
from pumpswap.model.snapshot import PoolSnapshot
from pumpswap.model.swap import Swap

__all__ = ["MarketUpdate"]


@dataclass(frozen=True, slots=True)
class MarketUpdate:
    """What became known at ``at_ns`` about ``pool`` (its address).

    ``state`` is the pool's new state, or None when this update does not tell it; then ``obstacle`` may say why the pool
    cannot be traded (another exchange, no reserves). ``snapshot`` is there when the update carries figures to score,
    ``swap`` when it is a trade.

    ``state_ns`` is since when the state is known to be that of its slot, where that is earlier: a node that stands
    still tells the same again and again, and that is no news. None: ``at_ns``.

    ``act`` is what happened to the pool besides trades, from a feed that was asked to tell it; such an update has
    nothing else.
    """

    at_ns: int
    pool: str
    state: PoolState | None = None
    snapshot: PoolSnapshot | None = None
    swap: Swap | None = None
    obstacle: str = ""
    state_ns: int | None = None
    act: SeenAct | None = None
