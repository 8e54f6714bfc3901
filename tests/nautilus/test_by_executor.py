"""The strategy's wishes through PumpSwapTradingExecutor, where a node has no execution client of ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pumpswap.engine.strategies.q50 import FrameSignaller, frame_loader, policy_of
from pumpswap.nautilus.by_executor import ByExecutor, signal_data_of
from pumpswap.signals.q50_policy import Q50Action
from tests.sdk.executor_world import Market, fills
from tests.support.market import START_NS, graduate
from tests.support.plan_workflow import GOOD, SHORT, q50_frame

POOL = graduate()
NAME, MINT = str(POOL.address), str(POOL.pool.base_mint)
HOUR = 3_600


def market(folder: Path) -> Market:
    path = q50_frame(folder, (GOOD, SHORT), start_ns=START_NS, step_seconds=HOUR)
    return Market(folder, POOL, q50={"path": path, "warm_up_quotes": 0})


async def settled(way: ByExecutor) -> None:
    while way._tasks:
        await asyncio.gather(*way._tasks)


def test_a_wish_is_bought_held_and_sold(tmp_path: Path) -> None:
    async def go() -> list[str]:
        here, told = market(tmp_path), list[str]()
        loader = frame_loader(here.settings)
        loader.load()
        frames, policy = FrameSignaller(loader, here.settings), policy_of(here.settings)
        way = ByExecutor(here.executor(), told.append)
        for seconds, action in ((1, Q50Action.BUY), (10, Q50Action.WAIT), (HOUR, Q50Action.SELL), (10, Q50Action.WAIT)):
            here.pass_seconds(seconds)
            now = here.clock.now_ns()
            verdict = policy.decide(frames(), now, NAME, MINT, way.held(NAME))
            assert verdict.action is action
            if action is Q50Action.WAIT:
                continue
            row = loader.row_at(now)
            assert row is not None
            if action is Q50Action.BUY:
                assert way.execute(verdict, row) == "the executor has not opened its books yet"
                way.begin()
                await settled(way)
            assert way.execute(verdict, row) == ""
            await settled(way)
            assert way.held(NAME) == (1 if action is Q50Action.BUY else None)
        way.end()
        await settled(way)
        assert way.execute(verdict, row) == "the executor has not opened its books yet"
        assert [side for _, side in fills(here)] == ["buy", "sell"]
        return told

    assert asyncio.run(go()) == [f"buy {NAME}: executed filled", f"sell {NAME}: executed filled"]


def test_what_breaks_is_told_and_breaks_nothing_else(tmp_path: Path) -> None:
    async def go() -> list[str]:
        here, told = market(tmp_path), list[str]()
        (tmp_path / "pumpswap.sqlite").write_text("no database")
        way = ByExecutor(here.executor(), told.append)
        way.begin()
        await asyncio.gather(*way._tasks, return_exceptions=True)
        await asyncio.sleep(0)
        assert way.held(NAME) is None
        return told

    (line,) = asyncio.run(go())
    assert line.startswith("StorageError: ")


def test_a_wish_is_a_dictionary_of_the_executor(tmp_path: Path) -> None:
    here = market(tmp_path)
    loader = frame_loader(here.settings)
    loader.load()
    signaller = FrameSignaller(loader, here.settings)()
    now = START_NS + 10**9
    verdict = policy_of(here.settings).decide(signaller, now, NAME, MINT, None)
    row = loader.row_at(now)
    assert row is not None
    assert verdict.signal is not None
    data = signal_data_of(verdict, verdict.signal, row)
    assert (data["side"], data["q50"], data["timestamp"], data["sell_fraction"]) == ("long", 0.0009, START_NS, None)
    assert data["vol_regime"] in ("low", "medium", "high", "extreme")
