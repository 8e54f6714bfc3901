"""The other classes that hosts know by name: positions, the proof of concept's executor, monitoring, the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import pumpswap
from pumpswap.errors import NotFound, UsageError
from pumpswap.sdk import host_classes
from pumpswap.sdk.executor import ExecutionResult, PumpSwapTradingExecutor
from pumpswap.sdk.host_classes import (
    LiquidityValidator,
    PositionManager,
    PumpSwapExecutor,
    Q50PumpSwapAutomatedStrategy,
    Q50PumpSwapSignalAnalyzer,
    TradingPerformanceMonitor,
)
from pumpswap.settings import Settings
from tests.sdk.executor_world import Market, signal
from tests.support.market import SOL, graduate, mint, moved

HOT = {
    "volume_usd_h24": 60_000, "reserve_in_usd": 90_000, "price_change_percentage_h1": 18,
    "price_change_percentage_h24": 20, "transactions_h1_buys": 90, "transactions_h1_sells": 20,
    "transactions_h24_buys": 700, "transactions_h24_sells": 200, "dex_id": "pumpswap",
}  # fmt: skip

QUIET = [key for key in HOT if key != "dex_id"]


def told(market: Market, story: Callable[[PumpSwapTradingExecutor], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with market.executor() as executor:
            return await story(executor)

    return asyncio.run(run())


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    state = graduate(number)
    names = {"id": f"solana_{state.address}", "address": str(state.address), "base_token_id": str(mint(number))}
    return {**HOT, **names, **changes}


@pytest.mark.parametrize("name", host_classes.__all__)
def test_every_class_is_importable_and_the_hosts_names_are_public(name: str) -> None:
    assert getattr(host_classes, name) is not None
    if not name.startswith(("Position", "TradeV", "LiquidityC")) or name == "PositionManager":
        assert getattr(pumpswap, name) is getattr(host_classes, name)


def test_classes_are_built_from_nothing_our_settings_or_the_plans_mapping(tmp_path: Path) -> None:
    for config in (None, Settings(data_dir=tmp_path), {"pumpswap": {"min_liquidity_sol": 3}}):
        for made in (
            PumpSwapTradingExecutor, PumpSwapExecutor, PositionManager, LiquidityValidator,
            Q50PumpSwapSignalAnalyzer, TradingPerformanceMonitor, host_classes.PumpSwapRiskManager,
            host_classes.KellyPositionSizer,
        ):  # fmt: skip
            assert made(config) is not None


def test_the_proof_of_concepts_executor_buys_sells_and_tells_what_became_of_it(tmp_path: Path) -> None:
    async def story(executor: PumpSwapTradingExecutor) -> None:
        host = PumpSwapExecutor(executor=executor)
        tick = {"instrument_id": "X", "bid_price": 1, "ask_price": 2}
        bought = await host.execute_buy_signal(signal(side=None), tick)  # the call says buy, the q50 agrees
        assert bought["status"] == "executed"
        assert bought["signal_data"]["tick_data"] == tick  # type: ignore[index]
        held = await host.execute_buy_signal(signal(q50=-0.001))
        assert held["reason"] == "side_contradicts_q50"
        sold = await host.execute_sell_signal(signal())
        assert sold["status"] == "executed"
        assert (await host.execute_sell_signal({}))["error"] == "invalid_mint_address"
        assert (await host.execute_buy_signal(None))["error"] == "invalid_signal_data"  # type: ignore[arg-type]
        found = await host.monitor_transaction(str(bought["transaction_hash"]))
        assert (found["status"], found["base_units"]) == ("confirmed", bought["base_units"])
        assert (await host.monitor_transaction("made up"))["status"] == "not_found"
        with pytest.raises(UsageError):
            await host.monitor_transaction("x", -1)
        newest, oldest = await host.get_execution_history(5)
        assert (newest["action"], oldest["action"]) == ("sell", "buy")
        assert (oldest["trade_id"], oldest["token_amount"]) == (bought["trade_id"], bought["token_amount"])
        assert oldest["actual_price"] == pytest.approx(bought["price"])
        assert host.get_execution_history(0) == []
        metrics = host.get_performance_metrics()
        assert await host.get_performance_metrics() == metrics
        assert (metrics["total_trades"], metrics["success_rate"], metrics["closed_rounds"]) == (2, 1.0, 1)
        assert metrics["realised_lamports"] == sold["pnl_lamports"]
        assert metrics["win_rate"] == 0.0

    told(Market(tmp_path), story)


def test_figures_of_no_trades_are_none_and_divide_by_nothing(tmp_path: Path) -> None:
    async def story(executor: PumpSwapTradingExecutor) -> dict[str, Any]:
        monitor = TradingPerformanceMonitor(executor=executor)
        monitor.record_trade(await executor.execute_q50_signal({}))
        return await monitor.get_performance_metrics(7)

    metrics = told(Market(tmp_path), story)
    assert (metrics["total_trades"], metrics["answers"]) == (0, {"error": 1})
    assert {metrics[key] for key in ("success_rate", "average_latency_ms", "average_slippage_percent", "win_rate")} == {
        None
    }


def test_positions_are_valued_by_what_a_sale_would_bring(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        manager = PositionManager(executor=executor)
        assert await manager.initialize()
        await executor.execute_q50_signal(signal())
        before = await manager.get_position(str(mint(1)))
        state = market.book.state(str(graduate().address))
        assert state is not None and before is not None
        market.show(moved(state, 50))
        assert await manager.update_position_prices({str(mint(1)): 1e9}) == 1
        after = await manager.get_position(str(mint(1)))
        assert after is not None
        assert float(str(after["current_value_sol"])) == pytest.approx(
            1.5 * float(str(before["current_value_sol"])), rel=0.01
        )
        assert await manager.get_position(str(mint(9))) is None
        summary = await manager.get_portfolio_summary()
        assert summary["total_positions"] == 1
        equity, start = int(str(summary["equity_lamports"])), 50 * SOL
        assert start < equity < start + SOL
        (sold,) = await manager.check_exits() or [await executor.execute_q50_signal(signal(side=0, q50=-0.001))]
        assert sold["status"] == "executed"
        assert await manager.get_all_positions() == []
        (closed,) = await manager.get_all_positions(active_only=False)
        assert (closed["is_active"], closed["trade_count"]) == (False, 2)
        await manager.close()  # somebody else's executor stays open
        assert executor.current_room is not None

    told(market, story)


def test_a_pool_is_analysed_for_trading_with_and_without_its_data(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        analyzer = Q50PumpSwapSignalAnalyzer(executor=executor)
        found = await analyzer.analyze_pool_for_trading(row())
        assert (found.pumpswap_available, found.tradeable, found.recommended_action) == (True, True, "strong_buy")
        assert found.pair_address == str(graduate().address)
        for missing in (row(2), {"volume_usd_h24": 1}, {}):
            nothing = await analyzer.analyze_pool_for_trading(missing)
            assert (nothing.pumpswap_available, nothing.tradeable) == (False, False)
            assert nothing.recommended_action == "monitor"

    told(market, story)


def test_what_the_analysers_return_can_be_executed_as_it_is(tmp_path: Path) -> None:
    market = Market(tmp_path, graduate(1), graduate(2))

    async def story(executor: PumpSwapTradingExecutor) -> None:
        analyzer = Q50PumpSwapSignalAnalyzer(executor=executor)
        merged = await analyzer.analyzer.analyze_pool_enhanced(row(1))
        bought = await executor.execute_trading_signal(merged)
        assert bought["status"] == "executed", bought["message"]
        (decision,) = (await executor.room()).executed.run.decisions(accepted=True)
        assert decision.intent.signal is not None
        assert (decision.intent.signal.source, decision.intent.signal.score) == ("analyser", merged["signal_score"])
        typed = (await analyzer.analyze_pool_for_trading(row(2))).as_dict()
        waiting = await executor.execute_trading_signal(typed)  # a model's form without its q50
        assert waiting["error"] == "invalid_signal_data"
        assert (await executor.execute_trading_signal({**typed, "source": "mine"}))["status"] == "executed"

    told(market, story)


def test_the_loop_buys_the_best_once_and_sells_by_the_rules(tmp_path: Path) -> None:
    market = Market(tmp_path, graduate(1), graduate(2), graduate(3), risk={"max_open_positions": 2})

    async def story(executor: PumpSwapTradingExecutor) -> None:
        strategy = Q50PumpSwapAutomatedStrategy(executor=executor)
        rows = [row(1), row(2, **dict.fromkeys(QUIET, 1)), row(3), {"nonsense": 1}]
        first = await strategy.run_once(rows)
        assert [(one["status"], one["action"]) for one in first] == [("executed", "buy")] * 2
        assert {one["mint_address"] for one in first} == {str(mint(1)), str(mint(3))}
        market.pass_seconds(10)
        assert [one["reason"] for one in await strategy.run_once(rows)] == []
        state = market.book.state(str(graduate(1).address))
        assert state is not None
        market.show(moved(state, -40))
        (stopped,) = await strategy.run_once([])
        assert (stopped["status"], stopped["action"], stopped["mint_address"]) == ("executed", "sell", str(mint(1)))
        assert (await strategy.performance_monitor.get_performance_metrics())["answers"] == {"executed": 3}

    told(market, story)


def test_the_loop_checks_until_it_is_stopped(tmp_path: Path) -> None:
    market = Market(tmp_path)
    checks: list[int] = []

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        async def pools() -> list[dict[str, Any]]:
            checks.append(market.clock.now_ns())
            market.pass_seconds(0)
            if len(checks) == 3:
                strategy.stop()
            return [row()]

        strategy = Q50PumpSwapAutomatedStrategy(executor=executor, pools=pools)
        await strategy.start()
        with pytest.raises(NotFound):
            await Q50PumpSwapAutomatedStrategy(executor=executor).start()
        return []

    told(market, story)
    steps = [later - earlier for earlier, later in pairwise(checks)]
    assert all(step >= 300 * 10**9 for step in steps)
    assert len(list(market.run().trades())) == 1


def test_liquidity_is_checked_for_both_directions_and_pairs_follow_from_the_coin(tmp_path: Path) -> None:
    validator = LiquidityValidator(Settings(data_dir=tmp_path))
    state = graduate()
    assert validator.validate_buy_liquidity(state, {"position_size": 1})
    assert not validator.validate_buy_liquidity(state, {"position_size": 20})
    assert validator.validate_sell_liquidity(state, {}, 1_000_000)
    assert not validator.validate_sell_liquidity(state, {}, 150_000_000)
    assert not validator.validate_sell_liquidity(state, {})
    assert not validator.validate_buy_liquidity(None)
    assert not validator.validate_buy_liquidity({"reserve_in_usd": 1e6})
    row_check = validator.validate_liquidity_detailed({"reserve_in_usd": 43_200, "quote_token_price_usd": 216})
    assert (row_check.pool_liquidity_sol, row_check.pool_liquidity_usd) == (100.0, 21_600.0)
    assert validator.check_pair_availability(str(mint(1)), str(state.address))
    assert validator.check_pair_availability(str(mint(1)))
    assert not validator.check_pair_availability(str(mint(2)), str(state.address))
    assert not validator.check_pair_availability("So11111111111111111111111111111111111111112")
    assert not validator.check_pair_availability("nothing", "x" * 40)


def test_no_source_ends_the_loop_and_no_row_stops_the_others(tmp_path: Path) -> None:
    market = Market(tmp_path)
    calls = 0

    async def story(executor: PumpSwapTradingExecutor) -> None:
        async def pools() -> list[Any]:
            nonlocal calls
            calls += 1
            market.pass_seconds(0)
            if calls == 1:
                raise OSError("the database is gone")
            strategy.stop()
            return [None, {"base_token_address": 5}, row()]

        strategy = Q50PumpSwapAutomatedStrategy(executor=executor, pools=pools)
        await asyncio.wait_for(strategy.start(), 120)

    told(market, story)
    assert calls == 2
    assert len(list(market.run().trades())) == 1


@pytest.mark.parametrize("side", [-1, 0, "hold", "short", "sell"])
def test_a_row_that_names_another_side_buys_nothing(tmp_path: Path, side: object) -> None:
    async def story(executor: PumpSwapTradingExecutor) -> None:
        host = PumpSwapExecutor(executor=executor)
        held = await host.execute_buy_signal(signal(side=side))
        assert (held["status"], held["reason"]) == ("hold", "side_is_hold")
        wrong = await host.execute_buy_signal(signal(side="up"))
        assert wrong["error"] == "invalid_signal_data"
        assert (await host.execute_buy_signal(signal(side="long")))["status"] == "executed"

    told(Market(tmp_path), story)


def test_the_row_that_has_bought_can_be_sold(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        host, data = PumpSwapExecutor(executor=executor), signal(timestamp=market.clock.now_ns())
        assert (await host.execute_buy_signal(data))["status"] == "executed"
        market.pass_seconds(600)
        assert (await host.execute_sell_signal(data))["status"] == "executed"

    told(market, story)


def test_the_monitor_begins_nothing_and_looks_beside_others(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "books")
    assert TradingPerformanceMonitor(settings).get_performance_metrics()["total_trades"] == 0
    assert PumpSwapExecutor(settings).get_execution_history() == []
    assert not settings.data_dir.exists()
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        bought = await executor.execute_q50_signal(signal())
        other = market.executor()  # not open: the books are somebody else's
        assert TradingPerformanceMonitor(executor=other).get_performance_metrics()["buys"] == 1
        (trade,) = PumpSwapExecutor(executor=other).get_execution_history()
        assert trade["trade_id"] == bought["trade_id"]
        assert other.current_room is None

    told(market, story)


def test_figures_have_partial_sales_and_the_fees_of_the_venue(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        monitor = TradingPerformanceMonitor(executor=executor)
        bought = await executor.execute_q50_signal(signal())
        sold = await executor.execute_q50_signal(signal(side="short", q50=-0.001, sell_fraction=0.9))
        found = monitor.get_performance_metrics()
        assert (found["closed_rounds"], found["realised_lamports"]) == (0, sold["pnl_lamports"])
        assert found["realised_lamports"] < 0
        run = market.run()
        fees = sum(trade.filled.executed.fees for trade in run.history.trades())
        network = (bought["gas_used"] or 0) + (sold["gas_used"] or 0)
        assert found["total_costs_sol"] * SOL == pytest.approx(fees + network)

    told(market, story)
