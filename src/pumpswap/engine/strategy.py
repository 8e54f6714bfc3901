"""Strategy: what to do about what is heard. A small class with handlers; it wishes, the gate decides.

class BuyStrong(Strategy):
    def on_signal(self, signal, desk):
        if signal.side is Side.LONG and signal.score > 90:
            yield desk.buy(signal)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from pumpswap.amm import PoolState
from pumpswap.model import ExitKind, Intent, Mark, Position, Signal, Swap

__all__ = ["STRATEGY_FAULT", "Strategy", "Wishes"]

STRATEGY_FAULT = "strategy "  # and its name: the fault of one that has failed, until a person resumes


class Wishes(Protocol):
    """What a strategy may see, and how it words its wishes. Nothing here orders anything."""

    @property
    def now_ns(self) -> int:
        """The engine's time."""
        ...

    def buy(self, signal: Signal, reason: str = "") -> Intent:
        """The wish to buy what a signal is about; risk finds the size."""
        ...

    def sell(
        self, position: Position, reason: str, *, share_bps: int = 10_000, kind: ExitKind = ExitKind.SIGNAL
    ) -> Intent:
        """The wish to sell a share of a position."""
        ...

    def position(self, pool: str) -> Position | None:
        """What is held in a pool."""
        ...

    def positions(self) -> list[Position]:
        """Everything that is held, in order of opening."""
        ...

    def state(self, pool: str) -> PoolState | None:
        """The newest known state of a pool."""
        ...


class Strategy:
    """Base of all strategies; each overrides what it wants to hear. Handlers are synchronous and quick: they run
    between two events of the market. An error in one stops entries (a fault with the strategy's name), not the engine.
    """

    name = "strategy"
    every_seconds = 0  # how often ``on_time`` is called; 0: never

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        """A signal source has spoken, for whatever side."""
        return ()

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        """Somebody has traded; the pool's state is as the trade left it, where it is known."""
        return ()

    def on_position(self, position: Position, mark: Mark, desk: Wishes) -> Iterable[Intent]:
        """An open position was valued; no order on it is on its way. The exit rules have seen it first."""
        return ()

    def on_state(self, pool: str, desk: Wishes) -> Iterable[Intent]:
        """A new state of a pool is known, whatever brought it; only of pools that are priced in SOL. Told last: exits,
        signals and the time of this moment have been dealt with.
        """
        return ()

    def on_time(self, at_ns: int, desk: Wishes) -> Iterable[Intent]:
        """``every_seconds`` have passed."""
        return ()
