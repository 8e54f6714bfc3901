"""An executor on paper over a small exact market, with a clock that waiting moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pumpswap.amm import PoolState
from pumpswap.clock import ManualClock
from pumpswap.errors import ChainError
from pumpswap.market.book import PoolBook
from pumpswap.model import Alert, Filled, MarketUpdate
from pumpswap.sdk.executor import BookStates, PumpSwapTradingExecutor
from pumpswap.sdk.executor.paper_room import OF_A_BOOK
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from pumpswap.storage.run import Run
from tests.support.market import START_NS, graduate

__all__ = ["Market", "fills", "signal", "slow", "told"]

Story = Callable[[PumpSwapTradingExecutor], Awaitable[Any]]


class Market(BookStates):
    """Pools whose states a test sets; ``is_down`` makes every question fail as a network does."""

    def __init__(self, folder: Path, *states: PoolState, **sections: Any) -> None:
        self.clock = ManualClock(START_NS)
        super().__init__(PoolBook(), self.clock)
        self.is_down = False
        self.folder = folder
        self.settings = Settings(data_dir=folder, **sections)
        for state in states or (graduate(),):
            self.show(state)

    def show(self, state: PoolState) -> None:
        """The market tells a state, now."""
        self.book.apply(MarketUpdate(self.clock.now_ns(), str(state.address), state))

    def pass_seconds(self, seconds: float) -> None:
        """Time goes by, and every pool is told anew as it is."""
        self.clock.advance_to(self.clock.now_ns() + int(seconds * 10**9))
        for pool in list(self.book):
            state = self.book.state(pool)
            assert state is not None
            self.show(state)

    async def state(self, pool_or_mint: str) -> tuple[PoolState, int]:
        if self.is_down:
            raise ChainError("the endpoint does not answer", hint="try again")
        return await super().state(pool_or_mint)

    def executor(self, **changes: Any) -> PumpSwapTradingExecutor:
        """A fresh process on the same books."""
        return PumpSwapTradingExecutor(changes.pop("config", self.settings), states=self, clock=self.clock, **changes)

    def run(self) -> Run:
        """The stored books."""
        run = open_database(self.settings.database_target).open_paper(OF_A_BOOK)
        assert run is not None
        return run

    def alerts(self) -> list[Alert]:
        """The stored ones."""
        with open_database(self.settings.database_target) as database:
            return list(database.alerts.all())


def signal(state: PoolState | None = None, **changes: Any) -> dict[str, Any]:
    """A design signal that buys; ``changes`` may also take keys away, with None."""
    data = {
        "pool_data": {"base_token_address": str((state or graduate()).pool.base_mint)},
        "signal_score": 90.0,
        "side": 1,
        "q50": 0.0008,
        "vol_regime": "medium",
        "tradeable": True,
        "economically_significant": True,
        "high_quality": False,
        "pumpswap_available": True,
    }
    return {**data, **changes}


def told(market: Market, story: Story, **changes: Any) -> Any:
    """What a story in one process brings."""

    async def run() -> Any:
        async with market.executor(**changes) as executor:
            return await story(executor)

    return asyncio.run(run())


def fills(market: Market) -> list[tuple[str, str]]:
    """(order, side) of every stored fill."""
    run = market.run()
    sides = {order.order_id: order.side.value for order in run.orders()}
    return [(one.order_id, sides[one.order_id]) for one in run.outcomes() if isinstance(one, Filled)]


def slow(market: Market) -> Callable[[int], Awaitable[None]]:
    """Lets every other call run before time goes on."""

    async def wait(until_ns: int) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        market.clock.advance_to(until_ns)

    return wait
