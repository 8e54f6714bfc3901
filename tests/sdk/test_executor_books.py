"""The executor and its books: limits, refusals, faults and secrets, over restarts and bugs."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pumpswap.engine.trading_switch import turn
from pumpswap.errors import StorageError
from pumpswap.model import CommandVerb
from pumpswap.portfolio.audit import audit_run
from pumpswap.sdk.executor import ExecutionResult, PumpSwapTradingExecutor
from tests.sdk.executor_world import Market, fills, signal, slow, told
from tests.support.market import SOL, START_NS, graduate


def test_calls_at_the_same_time_never_exceed_the_limits_together(tmp_path: Path) -> None:
    states = [graduate(number) for number in range(1, 9)]
    market = Market(tmp_path, *states, paper={"start_sol": "3"}, risk={"max_open_positions": 5})

    async def story(executor: PumpSwapTradingExecutor) -> tuple[list[ExecutionResult], int, int]:
        calls = (executor.execute_q50_signal(signal(state, q50=0.02)) for state in states)
        results = list(await asyncio.gather(*calls))
        room = await executor.room()
        portfolio = room.desk.parts.keeper.portfolio
        return results, portfolio.exposure, portfolio.cash

    results, exposure, cash = told(market, story, wait=slow(market))
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
    assert [(alert.topic, alert.subject) for alert in market.alerts()] == [("executor", broken["mint_address"])]
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
    assert [alert.text.split(":")[0] for alert in market.alerts()] == ["invalid_mint_address"]


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


def test_an_open_circuit_breaker_is_open_in_the_next_process_too(tmp_path: Path) -> None:
    market = Market(tmp_path, paper={"latency_ms": 120_000}, risk={"breaker_failures": 2})

    async def fail(executor: PumpSwapTradingExecutor) -> str | None:
        market.pass_seconds(61)
        return (await executor.execute_q50_signal(signal()))["error"]

    assert [told(market, fail) for _ in range(2)] == ["not_sent"] * 2
    result = told(market, lambda executor: executor.execute_q50_signal(signal()))
    assert (result["status"], result["reason"]) == ("rejected", "risk_limits_exceeded")
    assert any(text.startswith("circuit breaker") for text in result["refusals"])


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
    assert secret not in "".join(alert.text for alert in market.alerts())
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
