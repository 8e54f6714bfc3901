"""`run` on paper over a practice chain: rows of a collector, states and trades as the chain has them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pumpswap.app.run import RunResult, run_paper
from pumpswap.app.run_order import RunOrder
from pumpswap.clock import SystemClock
from pumpswap.engine.supervisor import Ending
from pumpswap.errors import ConfigError, StorageError
from pumpswap.model import Decision, MarketUpdate
from pumpswap.settings import Settings
from tests.app.watching import FillsWatcher, until
from tests.sdk.world import World, world
from tests.support.material import requires_material
from tests.support.snapshot_rows import CollectorFile

pytestmark = requires_material("chain", "programs")


@dataclass
class Watcher(FillsWatcher):
    """Remembers decisions, and of which pools it has heard a state."""

    decisions: list[Decision] = field(default_factory=list)
    states: set[str] = field(default_factory=set)

    def on_update(self, update: MarketUpdate) -> None:
        if update.state is not None:
            self.states.add(update.pool)

    def on_decision(self, decision: Decision) -> None:
        self.decisions.append(decision)


def settings_of(chain: World, file: CollectorFile | None = None, **sections: Any) -> Settings:
    run = {
        "snapshot_poll_seconds": 1,
        "state_poll_ms": 100,
        "control_ms": 50,
        "heartbeat_seconds": 1,
        "shutdown_seconds": 5,
    }
    if file is not None:
        run["collector"] = str(file.path)  # type: ignore[assignment]
    paper = {"latency_ms": 100, "failed_bps": 0}
    return Settings(
        data_dir=chain.settings.data_dir,
        chain=chain.settings.chain,
        run=run | sections.pop("run", {}),
        paper=paper | sections.pop("paper", {}),
        **sections,
    )


async def ran(settings: Settings, watcher: Watcher, order: RunOrder | None = None) -> RunResult:
    async with asyncio.timeout(60):
        return await run_paper(settings, order or RunOrder(), watcher.options(), watcher.begun.append)


def test_a_row_that_scores_well_is_bought_at_the_chains_state_and_sold_by_time(tmp_path: Path) -> None:
    async def go() -> None:
        async with world(tmp_path) as chain:
            file = CollectorFile.made(tmp_path / "rows.sqlite")
            settings = settings_of(chain, file, exits={"max_hold_seconds": 1})
            first = Watcher(1)
            work = asyncio.ensure_future(ran(settings, first))
            await until(lambda: first.is_able)
            file.add_state(chain.pools[0], SystemClock().now_ns())
            result = await work
            assert (result.ending, result.is_finished, result.open_positions) == (Ending.STOPPED, False, 1)
            ((bought, fill),) = first.filled
            assert bought.pool == str(chain.pools[0].address)
            assert fill.slot >= chain.pools[0].slot
            # The next process holds it, and does not buy the row again; its time is over, so it sells.
            second = Watcher(1)
            result = await ran(settings, second)
            assert (second.begun[0].is_new, second.begun[0].open_positions) == (False, 1)
            ((sold, _),) = second.filled
            assert sold.reason.startswith("time-out")
            assert (result.open_positions, result.tally.buys) == (0, 0)
            # Nothing happened on the chain: what our purchase had moved, the sale moved back; fees are gone.
            assert -30_000_000 < result.tally.last_equity - 50 * 10**9 < 0

    asyncio.run(go())


def test_a_followed_wallets_trade_on_the_chain_is_a_signal(tmp_path: Path) -> None:
    async def go() -> None:
        async with world(tmp_path) as chain:
            follow: dict[str, Any] = {
                "wallets": [{"address": str(chain.key.pubkey())}],
                "neutral_score": 90.0,
                "min_rounds": 0,
            }
            settings = settings_of(chain, run={"signals": ["follow"]}, follow=follow)
            watcher = Watcher(1)
            work = asyncio.ensure_future(ran(settings, watcher))
            await until(lambda: watcher.begun)
            async with chain.sdk() as sdk:
                while not watcher.filled and not work.done():
                    await sdk.buy(chain.mint(), Decimal("0.1"))
                    await asyncio.sleep(1)
            await work
            ((bought, _),) = watcher.filled
            assert bought.reason.startswith("wallet-follow")

    asyncio.run(go())


def test_a_strategy_on_trades_begins_without_rows_and_sees_the_pools_that_are_traded(tmp_path: Path) -> None:
    async def go() -> None:
        async with world(tmp_path) as chain:
            watcher = Watcher(1)
            work = asyncio.ensure_future(ran(settings_of(chain, run={"strategy": "momentum"}), watcher))
            await until(lambda: watcher.begun)
            assert "waits for bursts" in " ".join(watcher.begun[0].notes)
            async with chain.sdk() as sdk:
                await sdk.buy(chain.mint(), Decimal("0.1"))
            await until(lambda: watcher.states)
            watcher.stop()
            await work
            assert watcher.states == {str(chain.pools[0].address)}

    asyncio.run(go())


def test_where_screens_are_required_nothing_is_bought_before_one(tmp_path: Path) -> None:
    async def go() -> None:
        async with world(tmp_path) as chain:
            file = CollectorFile.made(tmp_path / "rows.sqlite")
            watcher = Watcher(1)
            work = asyncio.ensure_future(ran(settings_of(chain, file, risk={"require_screen": True}), watcher))
            await until(lambda: watcher.begun)
            verdicts: list[str] = []
            while len(verdicts) < 2:
                file.add_state(chain.pools[0], SystemClock().now_ns())
                await asyncio.sleep(0.5)
                told = [verdict for decision in watcher.decisions for verdict in decision.verdicts]
                verdicts = list(dict.fromkeys(verdict.text for verdict in told if verdict.policy == "screen"))
            watcher.stop()
            await work
            assert verdicts[0] == "nobody has screened this token"
            assert verdicts[1] != verdicts[0]

    asyncio.run(go())


def test_books_that_another_process_keeps_are_left_alone(tmp_path: Path) -> None:
    async def go() -> None:
        async with world(tmp_path) as chain:
            file = CollectorFile.made(tmp_path / "rows.sqlite")
            watcher = Watcher(1)
            work = asyncio.ensure_future(ran(settings_of(chain, file), watcher))
            await until(lambda: watcher.begun)
            with pytest.raises(StorageError, match="another process"):
                await ran(settings_of(chain, file), Watcher(1))
            await watcher.more_beats(1)
            watcher.stop()
            assert (await work).ending is Ending.STOPPED

    asyncio.run(go())


def test_who_follows_must_say_whom(tmp_path: Path) -> None:
    run: Any = {"signals": ["follow"]}
    settings = Settings(data_dir=tmp_path, run=run)
    with pytest.raises(ConfigError, match="nobody"):
        asyncio.run(ran(settings, Watcher(1)))
