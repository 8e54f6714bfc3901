"""A signal trades once: over repeated calls, restarts, cancelled calls, and calls at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pumpswap.model import Denied, Filled, Intent, TradeSide
from pumpswap.sdk.executor import ExecutionResult, PumpSwapTradingExecutor
from tests.sdk.executor_world import Market, fills, signal, slow, told
from tests.support.market import START_NS, graduate, moved


def test_a_signal_trades_once_however_often_it_is_told(tmp_path: Path) -> None:
    market, data = Market(tmp_path), signal(timestamp=START_NS)

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        return [await executor.execute_q50_signal(data) for _ in range(3)]

    first, again, third = told(market, story)
    assert [one["status"] for one in (first, again, third)] == ["executed", "skipped", "skipped"]
    assert (again["reason"], again["retry"]) == ("already_executed", "never")
    for key in ("trade_id", "transaction_hash", "sol_amount", "base_units", "price", "pair_address"):
        assert again[key] == first[key], key
    assert fills(market) == [("o000001", "buy")]


def test_it_does_not_trade_again_after_a_restart_either(tmp_path: Path) -> None:
    market = Market(tmp_path)
    for data, expected in (
        (signal(timestamp=START_NS), "executed"),
        (signal(timestamp=START_NS), "skipped"),
        (signal(timestamp=START_NS, pool_data={"pool_id": f"solana_{graduate().address}"}), "skipped"),
        (signal(timestamp="2026-11-02T00:00:00Z", signal_score=99), "skipped"),
    ):
        result = told(market, lambda executor, data=data: executor.execute_q50_signal(data))
        assert result["status"] == expected
    assert len(fills(market)) == 1


def test_a_signal_without_a_time_and_without_an_id_is_a_new_one_each_time(tmp_path: Path) -> None:
    market = Market(tmp_path, risk={"cooldown_seconds": 0})

    async def story(executor: PumpSwapTradingExecutor) -> list[str]:
        calls = (signal(), signal(side=0, q50=-0.001), signal(), signal(side=0, q50=-0.001))
        return [(await executor.execute_q50_signal(data))["status"] for data in calls]

    assert told(market, story) == ["executed"] * 4


def test_an_id_of_the_caller_names_a_signal_of_one_pool(tmp_path: Path) -> None:
    market = Market(tmp_path, graduate(1), graduate(2))

    async def story(executor: PumpSwapTradingExecutor) -> list[str]:
        calls = (
            signal(signal_id="btc-1"), signal(graduate(2), signal_id="btc-1"), signal(graduate(2), signal_id="btc-1"),
        )  # fmt: skip
        return [(await executor.execute_q50_signal(data))["status"] for data in calls]

    assert told(market, story) == ["executed", "executed", "skipped"]


def test_what_has_failed_may_be_tried_again_and_buys_once(tmp_path: Path) -> None:
    market, data = Market(tmp_path), signal(timestamp=START_NS)
    jumps = [True]

    async def wait(until_ns: int) -> None:
        market.clock.advance_to(until_ns)
        if jumps:
            jumps.clear()
            market.show(moved(graduate(), 100))
        else:
            market.show(graduate())

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        first = await executor.execute_q50_signal(data)
        market.show(graduate())
        return [first, await executor.execute_q50_signal(data), await executor.execute_q50_signal(data)]

    failed, executed, skipped = told(market, story, wait=wait)
    assert (failed["error"], executed["status"], skipped["reason"]) == (
        "slippage_exceeded", "executed", "already_executed",
    )  # fmt: skip
    assert len(fills(market)) == 1


def test_the_same_signal_at_the_same_time_trades_once(tmp_path: Path) -> None:
    market, data = Market(tmp_path), signal(timestamp=START_NS)

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        return list(await asyncio.gather(*(executor.execute_q50_signal(data) for _ in range(5))))

    results = told(market, story, wait=slow(market))
    assert sorted(one["status"] for one in results) == ["executed", *["rejected"] * 4]
    assert {one["reason"] for one in results if one["status"] == "rejected"} == {"order_unresolved"}
    assert len(fills(market)) == 1


def test_another_signal_on_a_token_whose_order_is_open_is_refused(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        signals = (signal(timestamp=START_NS), signal(timestamp=START_NS - 10**9))
        return list(await asyncio.gather(*(executor.execute_q50_signal(data) for data in signals)))

    first, second = told(market, story, wait=slow(market))
    assert (first["status"], second["status"], second["reason"]) == ("executed", "rejected", "order_unresolved")
    assert second["order_id"] == first["order_id"]


def test_a_call_that_is_cancelled_leaves_its_order_to_the_next_one(tmp_path: Path) -> None:
    market, data = Market(tmp_path), signal(timestamp=START_NS)
    gate = [True]

    async def wait(until_ns: int) -> None:
        if gate:
            await asyncio.Event().wait()
        market.clock.advance_to(until_ns)

    async def story(executor: PumpSwapTradingExecutor) -> ExecutionResult:
        task = asyncio.create_task(executor.execute_q50_signal(data))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.clear()
        market.pass_seconds(5)
        return await executor.execute_q50_signal(data)

    result = told(market, story, wait=wait)
    assert (result["reason"], result["trade_id"]) == ("already_executed", "executor-1-o000001")
    assert len(fills(market)) == 1


def test_a_process_that_dies_with_an_order_on_its_way_has_not_traded(tmp_path: Path) -> None:
    market, data = Market(tmp_path), signal(timestamp=START_NS)

    async def wait(_until_ns: int) -> None:
        raise KeyboardInterrupt  # as the user's Ctrl-C

    with pytest.raises(KeyboardInterrupt):
        told(market, lambda executor: executor.execute_q50_signal(data), wait=wait)
    assert list(market.run().outcomes()) == []
    result = told(market, lambda executor: executor.execute_q50_signal(data))
    assert (result["status"], result["order_id"]) == ("executed", "o000002")
    first, second = market.run().outcomes()
    assert isinstance(first, Denied) and first.rule == "lost"
    assert isinstance(second, Filled)


def test_an_order_that_was_being_made_when_its_process_ended_counts_as_the_signals(tmp_path: Path) -> None:
    market, data = Market(tmp_path), signal(timestamp=START_NS)
    key = f"{graduate().address}/q50/{START_NS}"

    async def interrupted(executor: PumpSwapTradingExecutor) -> None:
        room = await executor.room()
        state = await room.refresh(str(graduate().address))
        wish = Intent(TradeSide.BUY, str(state.address), str(state.pool.base_mint), market.clock.now_ns(), "a test")
        room.executed.announce(key, wish)

    told(market, interrupted)
    bought = told(market, lambda executor: executor.execute_q50_signal(data))
    assert bought["status"] == "executed"  # nothing had been ordered: the trace is void

    async def forgotten(executor: PumpSwapTradingExecutor) -> ExecutionResult:
        room = await executor.room()
        (order,) = room.executed.run.orders()
        room.executed.announce(key, Intent(order.side, order.pool, order.mint, order.created_ns, "a test"))
        return await executor.execute_q50_signal(data)

    result = told(market, forgotten)
    assert (result["reason"], result["order_id"]) == ("already_executed", "o000001")
