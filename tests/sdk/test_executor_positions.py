"""What the executor does with what it holds: exits, values, parts that are sold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpswap.engine.trading_switch import turn
from pumpswap.model import CommandVerb, TradeSide
from pumpswap.portfolio.audit import audit_run
from pumpswap.sdk.executor import ExecutionResult, PumpSwapTradingExecutor
from tests.sdk.executor_world import Market, fills, signal, told
from tests.support.market import graduate, moved


@pytest.mark.parametrize(
    ("change", "reason"), [(-35, "stop-loss"), (120, "take-profit")], ids=["stop-loss", "take-profit"]
)
def test_exits_are_sold_by_the_same_rules_as_in_the_engine(tmp_path: Path, change: int, reason: str) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        await executor.execute_q50_signal(signal())
        assert await executor.check_exits() == []
        state = market.book.state(str(graduate().address))
        assert state is not None
        market.pass_seconds(10)
        market.show(moved(state, change))
        return await executor.check_exits()

    (result,) = told(market, story)
    assert (result["status"], result["action"]) == ("executed", "sell")
    orders = [order for order in market.run().orders() if order.side is TradeSide.SELL]
    assert [order.reason.startswith(reason) for order in orders] == [True]
    assert (result["pnl_sol"] or 0) * change > 0
    assert audit_run(market.run()).is_right


def test_the_highest_value_that_an_exit_remembers_survives_closing_and_opening(tmp_path: Path) -> None:
    market = Market(tmp_path, exits={"trailing_stop_bps": 2_000, "stop_loss_bps": 9_000, "take_profit_bps": 0})
    before = market.book.state(str(graduate().address))
    assert before is not None

    async def rise(executor: PumpSwapTradingExecutor) -> None:
        await executor.execute_q50_signal(signal())
        market.pass_seconds(10)
        market.show(moved(before, 60))
        assert await executor.check_exits() == []

    async def fall(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        market.pass_seconds(10)
        market.show(moved(before, 10))
        return await executor.check_exits()

    told(market, rise)
    (known,) = market.run().states.exits()
    assert [mark.value_lamports for mark in market.run().marks()][-1:] == [known.peak_lamports]
    (sold,) = told(market, fall)
    assert (sold["status"], sold["action"]) == ("executed", "sell")
    assert [order.reason.startswith("trailing") for order in market.run().orders()] == [False, True]


def test_while_trading_is_halted_exits_wait_without_asking_the_gate(tmp_path: Path) -> None:
    market = Market(tmp_path)
    before = market.book.state(str(graduate().address))
    assert before is not None

    async def story(executor: PumpSwapTradingExecutor) -> None:
        await executor.execute_q50_signal(signal())
        turn(market.run(), CommandVerb.HALT, "a person", market.clock.now_ns())
        market.pass_seconds(10)
        market.show(moved(before, -35))
        for _ in range(3):
            assert await executor.check_exits() == []
            market.pass_seconds(1)
        (known,) = market.run().states.exits()
        assert (known.refusals, known.wanted is not None, known.blocked_ns > 0) == (0, True, True)
        assert len(list(market.run().decisions())) == 1
        turn(market.run(), CommandVerb.RESUME, "a person", market.clock.now_ns())
        (sold,) = await executor.check_exits()
        assert sold["status"] == "executed", sold["message"]

    told(market, story)


def test_a_position_whose_pool_cannot_be_read_is_told(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> tuple[list[ExecutionResult], list[dict[str, object]]]:
        await executor.execute_q50_signal(signal())
        market.is_down = True
        return await executor.check_exits(), await executor.positions()

    (answer,), (held,) = told(market, story)
    assert answer["error"] == "pool_data_unavailable"
    assert "not watched" in answer["message"]
    assert held["obstacle"] == "the endpoint does not answer; try again"


def test_the_workflow_values_the_position_and_books_once(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> tuple[ExecutionResult, Any, Any, ExecutionResult]:
        bought = await executor.execute_trading_signal(signal())
        once = await executor.update_position_tracking(bought)
        twice = await executor.update_position_tracking(bought)
        nothing = await executor.update_position_tracking({"status": "error"})
        assert nothing is None
        return bought, once, twice, await executor.execute_trading_signal(signal(side=0, q50=-0.001))

    bought, once, twice, sold = told(market, story)
    assert bought["position"] == once == twice
    assert bought["position"]["current_value_sol"] == pytest.approx(0.9758, abs=1e-3)
    assert bought["position"]["stop_loss_price"] == pytest.approx(bought["position"]["entry_price"] * 0.8)
    assert sold["position"]["is_active"] is False
    assert len(fills(market)) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"tradeable": None}, "not_tradeable"), ({"pumpswap_available": None}, "pumpswap_unavailable")],
)
def test_the_workflow_needs_both_flags(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    result = told(Market(tmp_path), lambda executor: executor.execute_trading_signal(signal(**change)))
    assert (result["status"], result["reason"]) == ("skipped", reason)


def test_a_part_is_sold_where_the_signal_or_the_settings_say_so(tmp_path: Path) -> None:
    market = Market(tmp_path, exits={"short_signal_bps": 5_000})

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        short = signal(side=0, q50=-0.001)
        return [
            await executor.execute_q50_signal(signal()),
            await executor.execute_q50_signal(short),
            await executor.execute_q50_signal({**short, "sell_fraction": 1}),
            await executor.execute_q50_signal(short),
        ]

    bought, half, rest, nothing = told(market, story)
    assert half["base_units"] == (bought["base_units"] or 0) // 2
    assert (half["base_units"] or 0) + (rest["base_units"] or 0) == bought["base_units"]
    assert nothing["reason"] == "no_position"
