"""What the data client and the instrument provider need of a session: see ``session.PumpSwapSession``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pumpswap.amm import FeeSchedule
from pumpswap.clock import Clock
from pumpswap.market.book import PoolBook
from pumpswap.model import RiskState, RunObserver
from pumpswap.sdk.connection import ChainConnection
from pumpswap.settings import Settings

__all__ = ["MarketSession"]


class MarketSession(Protocol):
    """One engine on the node's loop, shared by the clients of a node.

    ``open`` returns when the engine runs and the books are resolved; it is counted, and the last ``aclose`` ends it.
    Everything else but ``settings`` and ``clock`` may be asked only in between.
    """

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def connection(self) -> ChainConnection:
        """The open way to the chain."""
        ...

    @property
    def book(self) -> PoolBook: ...

    @property
    def risk(self) -> RiskState:
        """What risk remembers now."""
        ...

    def schedule(self) -> FeeSchedule:
        """The fees in force."""
        ...

    def held_pools(self) -> Iterable[str]:
        """Pools of open positions and of orders whose fate is not known."""
        ...

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    def listen(self, observer: RunObserver) -> None:
        """Tell this observer too what the engine tells, from now on."""
        ...

    def watch(self, pool: str, *, trades: bool) -> None:
        """Read the state of this pool in every round from now on; with ``trades`` also hear its swaps. Counted."""
        ...

    def unwatch(self, pool: str, *, trades: bool) -> None:
        """Undo one ``watch`` of the same kind."""
        ...

    def on_end(self, told: Callable[[str], None]) -> None:
        """Call this with the reason when the engine has ended without being asked to."""
        ...
