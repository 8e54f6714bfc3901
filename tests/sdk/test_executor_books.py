"""The executor and its books: a signal trades once, over restarts, faults and calls at the same time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pumpswap.engine.trading_switch import turn
from pumpswap.errors import StorageError
from pumpswap.model import CommandVerb, Denied, Filled, Intent, TradeSide
from pumpswap.portfolio.audit import audit_run
from pumpswap.sdk.executor import ExecutionResult, PumpSwapTradingExecutor
from pumpswap.storage.database import open_database
from tests.sdk.executor_world import Market, signal
from tests.support.market import SOL, START_NS, graduate, moved

Story = Callable[[PumpSwapTradingExecutor], Awaitable[Any]]


def told(market: Market, story: Story, **changes: Any) -> Any:
    """What a story in one process brings."""

    async def run() -> Any:
        async with market.executor(**changes) as executor:
            return await story(executor)

    return asyncio.run(run())


def fills(market: Market) -> list[tuple[str, str]]:
    run = market.run()
    sides = {order.order_id: order.side.value for order in run.orders()}
    return [(one.order_id, sides[one.order_id]) for one in run.outcomes() if isinstance(one, Filled)]


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

    results = told(market, story, wait=_slow(market))
    assert sorted(one["status"] for one in results) == ["executed", *["rejected"] * 4]
    assert {one["reason"] for one in results if one["status"] == "rejected"} == {"order_unresolved"}
    assert len(fills(market)) == 1


def test_another_signal_on_a_token_whose_order_is_open_is_refused(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        signals = (signal(timestamp=START_NS), signal(timestamp=START_NS - 10**9))
        return list(await asyncio.gather(*(executor.execute_q50_signal(data) for data in signals)))

    first, second = told(market, story, wait=_slow(market))
    assert (first["status"], second["status"], second["reason"]) == ("executed", "rejected", "order_unresolved")
    assert second["order_id"] == first["order_id"]


def test_calls_at_the_same_time_never_exceed_the_limits_together(tmp_path: Path) -> None:
    states = [graduate(number) for number in range(1, 9)]
    market = Market(tmp_path, *states, paper={"start_sol": "3"}, risk={"max_open_positions": 5})

    async def story(executor: PumpSwapTradingExecutor) -> tuple[list[ExecutionResult], int, int]:
        calls = (executor.execute_q50_signal(signal(state, q50=0.02)) for state in states)
        results = list(await asyncio.gather(*calls))
        room = await executor.room()
        portfolio = room.desk.parts.keeper.portfolio
        return results, portfolio.exposure, portfolio.cash

    results, exposure, cash = told(market, story, wait=_slow(market))
    executed = [one for one in results if one["status"] == "executed"]
    assert 0 < len(executed) <= 5
    assert {one["status"] for one in results} == {"executed", "rejected"}
    assert all(one["refusals"] for one in results if one["status"] == "rejected")
    assert exposure <= int(3 * SOL * 0.8)
    assert cash >= SOL // 20
    audit = audit_run(market.run())
    assert audit.is_right, audit


def test_books_and_wallet_agree_and_positions_go_on_after_a_restart(tmp_path: Path) -> None:
    market = Market(tmp_path)
    bought = told(market, lambda executor: executor.execute_q50_signal(signal()))
    (held,) = told(market, lambda executor: executor.positions())
    assert held["base_units"] == bought["base_units"]
    assert held["value_lamports"] < held["cost_lamports"]
    sold = told(market, lambda executor: executor.execute_q50_signal(signal(side=0, q50=-0.001)))
    assert (sold["status"], sold["order_id"]) == ("executed", "o000002")
    assert told(market, lambda executor: executor.positions()) == []
    assert audit_run(market.run()).is_right


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


def test_a_bug_on_the_way_is_an_error_with_an_alert_and_the_books_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    market, data = Market(tmp_path), signal(timestamp=START_NS)
    breaks = [True]

    async def wait(until_ns: int) -> None:
        market.clock.advance_to(until_ns)
        if breaks:
            breaks.clear()
            raise ZeroDivisionError("a bug of the caller's clock")

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        return [await executor.execute_q50_signal(data) for _ in range(2)]

    with caplog.at_level(logging.INFO, logger="pumpswap.sdk.executor"):
        broken, after = told(market, story, wait=wait)
    assert (broken["status"], broken["error"], broken["action"]) == ("error", "internal_error", "buy")
    assert after["status"] == "executed"
    assert [(alert.topic, alert.subject) for alert in _alerts(market)] == [("executor", broken["mint_address"])]
    assert [record.levelname for record in caplog.records if "executor-failed" in record.message] == ["ERROR"]
    assert len(fills(market)) == 1
    assert audit_run(market.run()).is_right


def test_an_answer_is_logged_without_the_data_of_the_caller(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    market = Market(tmp_path)
    with caplog.at_level(logging.DEBUG, logger="pumpswap"):
        told(market, lambda executor: executor.execute_q50_signal(signal(secret="hunter2", name="hunter2")))
    told_lines = [record for record in caplog.records if record.message == "executor-answer"]
    assert [(one.status, one.code, one.latency_ms) for one in told_lines] == [("executed", None, 1_200)]  # type: ignore[attr-defined]
    assert not any("hunter2" in str(record.__dict__) for record in caplog.records)


def test_every_refusal_is_stored_and_repeated_ones_once(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        for _ in range(20):
            await executor.execute_q50_signal(signal(side=-1))
        await executor.execute_q50_signal(signal(tradeable=False))
        await executor.execute_q50_signal({})

    told(market, story)
    decisions = list(market.run().decisions())
    codes = [decision.refusals[0].numbers["code"] for decision in decisions]
    assert codes == ["side_is_hold", "not_tradeable"]
    assert {(decision.intent.pool, decision.intent.mint) for decision in decisions} == {
        (str(graduate().address), str(graduate().pool.base_mint))
    }
    assert [alert.text.split(":")[0] for alert in _alerts(market)] == ["invalid_mint_address"]


def test_two_executors_on_the_same_books_are_refused(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> ExecutionResult:
        second = market.executor()
        with pytest.raises(StorageError, match="another process"):
            await second.open()
        result = await second.execute_q50_signal(signal())
        await second.close()
        assert (await executor.execute_q50_signal(signal()))["status"] == "executed"
        return result

    result = told(market, story)
    assert (result["status"], result["error"]) == ("error", "books_unavailable")


def test_stored_books_that_cannot_be_opened_are_an_error_and_nothing_is_traded(tmp_path: Path) -> None:
    market = Market(tmp_path)
    market.settings.data_dir.joinpath("pumpswap.sqlite").write_bytes(b"this is no database" * 100)

    async def story() -> ExecutionResult:
        executor = market.executor()
        result = await executor.execute_q50_signal(signal())
        await executor.close()
        return result

    result = asyncio.run(story())
    assert (result["error"], result["retry"]) == ("books_unavailable", "later")


def test_books_that_fail_in_the_middle_are_no_error_to_be_repeated(tmp_path: Path) -> None:
    market, data = Market(tmp_path), signal(timestamp=START_NS)
    file = tmp_path / "pumpswap.sqlite"

    def rename(old: str, new: str) -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(f"ALTER TABLE {old} RENAME TO {new}")
            connection.commit()

    async def wait(until_ns: int) -> None:
        market.clock.advance_to(until_ns)
        rename("pumpswap_orders", "away")

    result = told(market, lambda executor: executor.execute_q50_signal(data), wait=wait)
    assert (result["status"], result["retry"], result["success"]) == ("unknown", "never", False)
    assert "cannot tell" in result["message"]
    rename("away", "pumpswap_orders")
    after = told(market, lambda executor: executor.execute_q50_signal(data))
    assert after["status"] == "executed"  # the order of before has died with its process: nothing was bought
    assert len(fills(market)) == 1


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


def test_an_open_circuit_breaker_is_open_in_the_next_process_too(tmp_path: Path) -> None:
    market = Market(tmp_path, paper={"latency_ms": 120_000}, risk={"breaker_failures": 2})

    async def fail(executor: PumpSwapTradingExecutor) -> str | None:
        market.pass_seconds(61)
        return (await executor.execute_q50_signal(signal()))["error"]

    assert [told(market, fail) for _ in range(2)] == ["not_sent"] * 2
    result = told(market, lambda executor: executor.execute_q50_signal(signal()))
    assert (result["status"], result["reason"]) == ("rejected", "risk_limits_exceeded")
    assert any(text.startswith("circuit breaker") for text in result["refusals"])


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


def test_no_answer_no_log_and_no_alert_repeats_the_secrets_of_a_url(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "api-key-5f3a9c"
    endpoint = {"url": f"https://node.example/{secret}", "ws_url": f"wss://node.example/{secret}"}
    market = Market(tmp_path, chain={"network": "devnet", "endpoints": [endpoint]})

    async def wait(_until_ns: int) -> None:
        raise OSError(f"cannot reach https://node.example/{secret}?x={secret}")

    with caplog.at_level(logging.INFO, logger="pumpswap"):
        result = told(market, lambda executor: executor.execute_q50_signal(signal()), wait=wait)
    assert (result["error"], secret in result["message"]) == ("internal_error", False)
    assert "node.example" in result["message"]
    assert secret not in "".join(alert.text for alert in _alerts(market))
    lines = [logging.Formatter().format(record) for record in caplog.records]
    assert not any(secret in line for line in lines)
    assert any("in wait" in line for line in lines)  # where it happened is told


def test_a_coin_that_nobody_screens_is_refused_where_screens_are_required(tmp_path: Path) -> None:
    market = Market(tmp_path, risk={"require_screen": True})

    async def story(executor: PumpSwapTradingExecutor) -> tuple[ExecutionResult, float]:
        await executor.prepare(signal())
        return await executor.execute_q50_signal(signal()), executor.calculate_position_size(signal())

    result, size = told(market, story)
    assert (result["status"], size) == ("rejected", 0.0)
    assert result["refusals"] == ["screen: nobody has screened this token"]


def test_in_analysis_mode_nothing_is_ordered(tmp_path: Path) -> None:
    market = Market(tmp_path, run={"mode": "analysis"})
    result = told(market, lambda executor: executor.execute_q50_signal(signal()))
    assert (result["status"], result["reason"]) == ("rejected", "risk_limits_exceeded")
    assert any("analysis mode" in text for text in result["refusals"])


def _slow(market: Market) -> Callable[[int], Awaitable[None]]:
    """Lets every other call run before time goes on."""

    async def wait(until_ns: int) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        market.clock.advance_to(until_ns)

    return wait


def _alerts(market: Market) -> list[Any]:
    with open_database(market.settings.database_target) as database:
        return list(database.alerts.all())


def test_what_somebody_has_set_holds_for_the_next_call_of_an_executor_that_is_open(tmp_path: Path) -> None:
    first, second = graduate(1), graduate(2)
    market = Market(tmp_path, first, second)

    async def story(executor: PumpSwapTradingExecutor) -> list[ExecutionResult]:
        done = [await executor.execute_q50_signal(signal(first))]
        turn(market.run(), CommandVerb.HALT, "me", market.clock.now_ns())
        done.append(await executor.execute_q50_signal(signal(second)))
        turn(market.run(), CommandVerb.RESUME, "me", market.clock.now_ns())
        return [*done, await executor.execute_q50_signal(signal(second))]

    assert [one["status"] for one in told(market, story)] == ["executed", "rejected", "executed"]
    assert market.run().states.switch().number == 2
