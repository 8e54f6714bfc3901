"""The executor over a chain that does not know its paper trades: our share of each pool outlives the process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.clock import ManualClock
from pumpswap.engine.outbox import SHADOW
from pumpswap.market.shadow_book import ShadowBook
from pumpswap.sdk.executor import PumpSwapTradingExecutor
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.sdk.executor_world import signal
from tests.support.market import START_NS, graduate

POOL = str(graduate().address)


class Chain:
    """One pool, as somebody else's node tells it."""

    def __init__(self) -> None:
        self.told, self.clock = graduate(), ManualClock(START_NS)

    async def state(self, pool_or_mint: str) -> tuple[PoolState, int]:
        return self.told, self.clock.now_ns()

    async def schedule(self) -> FeeSchedule:
        return current_schedule()

    async def aclose(self) -> None:
        """Nothing is open."""


def test_liquidity_that_is_pulled_between_two_processes_takes_its_share(tmp_path: Path) -> None:
    chain, settings = Chain(), Settings(data_dir=tmp_path)

    async def wait(at_ns: int) -> None:
        chain.clock.advance_to(at_ns)

    def executor() -> PumpSwapTradingExecutor:
        return PumpSwapTradingExecutor(settings, states=chain, clock=chain.clock, wait=wait)

    async def bought() -> ShadowBook:
        async with executor() as one:
            assert (await one.execute_q50_signal(signal(signal_score=100.0)))["status"] == "executed"
            book = (await one.room()).desk.parts.book
            assert isinstance(book, ShadowBook)
            return book

    async def again() -> PoolState:
        async with executor() as one:
            return await (await one.room()).refresh(POOL)

    book = asyncio.run(bought())
    with open_database(settings.database_target) as database:
        run = database.open_paper()
        assert run is not None
        assert run.states.load(SHADOW) == book.memory() != {}
    whole, account = chain.told, chain.told.pool
    chain.told = msgspec.structs.replace(
        whole,
        base_reserve=whole.base_reserve // 10,
        quote_vault=whole.quote_vault // 10,
        pool=account.with_changes(lp_supply=account.lp_supply // 10),
    )
    seen = asyncio.run(again())
    missing = chain.told.base_reserve - seen.base_reserve
    assert abs(missing - book.held(POOL) // 10) < 10_000  # of 2.4e11: shares of the pool are whole
