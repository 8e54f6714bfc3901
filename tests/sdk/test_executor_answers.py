"""Every documented answer of the executor: what leads to it, and that all of its keys are there."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.app.execute_signal import exit_code_of
from pumpswap.model import Costs, Denied, Filled, Order, Rejected, TradeSide, Unknown
from pumpswap.sdk.executor import ANSWERS, ExecutionResult, Status
from pumpswap.sdk.executor.answers import Context, code_of_outcome, order_result, told_result
from pumpswap.sdk.executor.answers_table import answer_of
from pumpswap.settings import Settings
from pumpswap.units import from_units
from tests.sdk.executor_world import Market, signal
from tests.support.market import SOL, START_NS, graduate, mint
from tests.support.material import ROOT

RECORD_KEYS = {
    "trade_id", "mint_address", "pair_address", "timestamp", "action", "sol_amount", "token_amount", "expected_price",
    "actual_price", "transaction_hash", "execution_status", "gas_used", "execution_latency_ms", "slippage_percent",
    "price_impact_percent", "pnl_sol", "signal_data", "regime_at_execution", "error_message", "retry_count",
}  # fmt: skip
HOST_KEYS = {
    "status", "action", "trade_id", "mint_address", "pair_address", "sol_amount", "token_amount", "transaction_hash",
    "execution_latency_ms", "pnl_sol", "reason", "error", "pool_data", "signal_data", "execution_record", "success",
    "price_per_token", "tx_id", "sol_received", "tokens_received", "price", "actual_price", "gas_used", "required",
    "mint", "quote_lamports", "base_units",
}  # fmt: skip


def ask(market: Market, *signals: object, **changes: Any) -> list[ExecutionResult]:
    """Answers of one process."""

    async def story() -> list[ExecutionResult]:
        async with market.executor(**changes) as executor:
            return [await executor.execute_q50_signal(one) for one in signals]  # type: ignore[arg-type]

    return asyncio.run(story())


def check(result: ExecutionResult) -> None:
    """What holds for every answer."""
    assert set(result) == set(ExecutionResult.__annotations__) >= HOST_KEYS
    code = result["error"] if result["status"] == "error" else result["reason"]
    assert answer_of(str(code or "filled")).status.value == result["status"]
    assert result["success"] is (result["status"] == "executed")
    assert (result["error"] is None) or (result["status"] == "error")
    assert result["message"]
    json.dumps({**result, "signal_data": None, "execution_record": None})
    record = result["execution_record"]
    if record is not None:
        assert set(record) == RECORD_KEYS


def test_a_buy_is_executed_with_both_vocabularies_and_exact_amounts(tmp_path: Path) -> None:
    data = signal()
    (result,) = ask(Market(tmp_path), data)
    check(result)
    assert (result["status"], result["action"], result["success"]) == ("executed", "buy", True)
    quote = buy_exact_quote(graduate(), current_schedule(), SOL)
    assert (result["quote_lamports"], result["base_units"]) == (quote.total_quote, quote.base_out)
    assert result["sol_amount"] == 1.0
    assert result["token_amount"] == result["tokens_received"] == float(from_units(quote.base_out, 6))
    assert result["price"] == result["actual_price"] == result["price_per_token"] == result["expected_price"]
    assert result["transaction_hash"] == result["tx_id"] == result["signature"] == "paper-o000001"
    assert (result["mint"], result["mint_address"]) == (str(mint(1)), str(mint(1)))
    assert result["pair_address"] == str(graduate().address)
    assert (result["execution_latency_ms"], result["pnl_sol"], result["is_paper"]) == (1_200, None, True)
    assert result["slippage_percent"] == 0.0
    assert result["price_impact_percent"] == pytest.approx(float(quote.impact * 100))
    assert result["signal_data"] == data
    assert result["signal_data"] is not data
    record = result["execution_record"]
    assert record is not None
    assert (record["execution_status"], record["regime_at_execution"], record["retry_count"]) == (
        "confirmed", "medium", 0,
    )  # fmt: skip
    assert result["position"] is not None
    assert result["position"]["base_units"] == quote.base_out
    assert next(step["rule"] for step in result["sizing"]) == "base fraction"


def test_a_sale_is_executed_and_its_gain_is_after_all_costs(tmp_path: Path) -> None:
    bought, sold = ask(Market(tmp_path), signal(), signal(side=0, q50=-0.0008))
    check(sold)
    assert (sold["status"], sold["action"]) == ("executed", "sell")
    bought_quote = buy_exact_quote(graduate(), current_schedule(), SOL)
    after = graduate().after(bought_quote)
    quote = sell_exact_base(after, current_schedule(), bought_quote.base_out)
    assert sold["base_units"] == bought["base_units"]
    assert sold["sol_received"] == sold["sol_amount"] == quote.user_quote_out / SOL
    cost = bought_quote.total_quote + 35_000
    assert sold["pnl_lamports"] == quote.user_quote_out - 35_000 - cost
    assert sold["pnl_sol"] == pytest.approx((sold["pnl_lamports"] or 0) / SOL)
    assert (sold["rent_returned_lamports"] or 0) > 0


OTHER = str(Pubkey.from_bytes(bytes([77]) * 32))
SHALLOW = graduate(quote_vault=9 * SOL)
FOREIGN = graduate(quote_mint=mint(9))
CASES: list[tuple[str, object, Callable[[], PoolState]]] = [
    ("side_is_hold", signal(side=-1), graduate),
    ("side_is_hold", signal(side="hold"), graduate),
    ("side_is_hold", signal(side=None, q50=0.0), graduate),
    ("side_contradicts_q50", signal(q50=-0.001), graduate),
    ("side_contradicts_q50", signal(side=0), graduate),
    ("score_below_threshold", signal(signal_score=74.9), graduate),
    ("score_below_threshold", signal(final_signal_score=10, signal_score=99), graduate),
    ("not_economically_significant", signal(economically_significant=False), graduate),
    ("no_regime", signal(vol_regime=None), graduate),
    ("not_tradeable", signal(tradeable=False), graduate),
    ("not_tradeable", signal(tradeable=None), graduate),
    ("pumpswap_unavailable", signal(pumpswap_available=False), graduate),
    ("stale_signal", signal(timestamp=START_NS - 3_601 * 10**9), graduate),
    ("stale_signal", signal(timestamp=START_NS + 60 * 10**9), graduate),
    ("no_position", signal(side=0, q50=-0.001), graduate),
    ("insufficient_liquidity", signal(), lambda: SHALLOW),
    ("risk_limits_exceeded", signal(), lambda: graduate(creator=mint(1))),
    ("risk_limits_exceeded", signal(source="analyser", q50=None, timestamp=START_NS - 61 * 10**9), graduate),
    ("invalid_signal_data", None, graduate),
    ("invalid_signal_data", [], graduate),
    ("invalid_signal_data", signal(side=2), graduate),
    ("invalid_signal_data", signal(side=True), graduate),
    ("invalid_signal_data", signal(side="up"), graduate),
    ("invalid_signal_data", signal(side=None, q50=None), graduate),
    ("invalid_signal_data", signal(q50="much"), graduate),
    ("invalid_signal_data", signal(q50=float("inf")), graduate),
    ("invalid_signal_data", signal(q50=float("nan")), graduate),
    ("invalid_signal_data", signal(signal_score=None), graduate),
    ("invalid_signal_data", signal(signal_score=101), graduate),
    ("invalid_signal_data", signal(vol_regime="wild"), graduate),
    ("invalid_signal_data", signal(timestamp="yesterday"), graduate),
    ("invalid_signal_data", signal(signal_id="x" * 201), graduate),
    ("invalid_signal_data", signal(prob_up=1.5), graduate),
    ("invalid_mint_address", {}, graduate),
    ("invalid_mint_address", signal(pool_data={}), graduate),
    ("invalid_mint_address", signal(pool_data=3), graduate),
    ("invalid_mint_address", signal(pool_data={"base_token_address": "no address"}), graduate),
    ("invalid_mint_address", signal(pool_data={"base_token_address": str(WSOL_MINT)}), graduate),
    ("invalid_mint_address", signal(pool_data={"base_token_id": f"solana_{WSOL_MINT}"}), graduate),
    ("pair_not_found", signal(pool_data={"base_token_address": OTHER}), graduate),
    ("pair_not_found", signal(pool_data={"pool_id": f"ethereum_{OTHER}"}), graduate),
    ("pair_not_found", signal(pool_data={"pair_address": str(FOREIGN.address)}), lambda: FOREIGN),
    ("invalid_sell_amount", signal(side=0, q50=-0.001, sell_fraction=2), graduate),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "data", "state"), CASES, ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)]
)
def test_every_case_without_an_order_has_its_answer(
    tmp_path: Path, code: str, data: object, state: Callable[[], PoolState]
) -> None:
    market = Market(tmp_path, state())
    asked = [data] if code != "invalid_sell_amount" else [signal(), data]
    result = ask(market, *asked)[-1]
    check(result)
    assert (result["error"] or result["reason"]) == code, result["message"]
    assert result["order_id"] is None
    if code != "invalid_sell_amount":
        assert list(market.run().orders()) == []
    if answer_of(code).status is Status.ERROR:
        assert result["action"] in ("hold", "sell")
    assert result["signal_data"] == data


def test_a_high_quality_row_is_asked_for_only_where_the_settings_do(tmp_path: Path) -> None:
    market = Market(tmp_path, q50={"require_high_quality": True})
    refused, taken = ask(market, signal(), signal(high_quality=True))
    assert (refused["reason"], taken["status"]) == ("not_high_quality", "executed")
    check(refused)


def test_a_pool_that_cannot_be_read_is_an_error_to_try_again(tmp_path: Path) -> None:
    market = Market(tmp_path)
    market.is_down = True
    (result,) = ask(market, signal())
    check(result)
    assert (result["error"], result["retry"]) == ("pool_data_unavailable", "later")
    assert "does not answer" in result["message"]
    market.is_down = False
    assert ask(market, signal())[0]["status"] == "executed"


def test_without_endpoints_the_answer_says_what_to_configure(tmp_path: Path) -> None:
    async def story() -> ExecutionResult:
        from pumpswap.sdk.executor import PumpSwapTradingExecutor

        async with PumpSwapTradingExecutor(Settings(data_dir=tmp_path)) as executor:
            return await executor.execute_q50_signal(signal())

    result = asyncio.run(story())
    check(result)
    assert (result["error"], "endpoint" in result["message"]) == ("settings_unusable", True)
    assert (result["retry"], exit_code_of(result)) == ("when the input has changed", 4)


def test_a_fill_beyond_the_limit_is_slippage_and_costs_its_fees(tmp_path: Path) -> None:
    market = Market(tmp_path)
    jumped = msgspec.structs.replace(graduate(), quote_vault=graduate().quote_vault * 2)

    async def story() -> ExecutionResult:
        async def wait(until_ns: int) -> None:
            market.clock.advance_to(until_ns)
            market.show(jumped)

        async with market.executor(wait=wait) as executor:
            return await executor.execute_q50_signal(signal())

    result = asyncio.run(story())
    check(result)
    assert (result["status"], result["error"], result["error_category"]) == (
        "error", "slippage_exceeded", "slippage_exceeded",
    )  # fmt: skip
    assert (result["gas_used"], result["quote_lamports"], result["sol_amount"]) == (35_000, None, None)
    record = result["execution_record"]
    assert record is not None
    assert record["execution_status"] == "failed"
    assert record["error_message"] == result["message"]


def test_a_state_that_grows_old_on_the_way_lets_nothing_trade(tmp_path: Path) -> None:
    market = Market(tmp_path, paper={"latency_ms": 120_000})
    (result,) = ask(market, signal())
    check(result)
    assert (result["error"], result["transaction_hash"]) == ("not_sent", None)


def test_a_wallet_that_cannot_pay_is_told_so(tmp_path: Path) -> None:
    risk = {"native_reserve_sol": "0", "cost_allowance_sol": "0", "max_position_fraction": "1",
            "base_position_fraction": "1", "max_exposure_fraction": "1", "max_token_fraction": "1"}  # fmt: skip
    market = Market(tmp_path, risk=risk, paper={"start_sol": "0.5"})
    (result,) = ask(market, signal(q50=0.02))
    check(result)
    assert result["error"] == "insufficient_balance", result["message"]


ORDER = Order(
    "o1", "d1", TradeSide.BUY, str(graduate().address), str(mint(1)), START_NS, 1,
    buy_exact_quote(graduate(), current_schedule(), SOL), SOL, 0, 300, "a test",
)  # fmt: skip
CONTEXT = Context({"side": 1}, START_NS, "live-7", is_paper=False, pool=ORDER.pool, mint=ORDER.mint, state=graduate())


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Filled("o1", START_NS, 5, ORDER.quote, Costs(5_000), "sig"), "filled"),
        (Unknown("o1", START_NS, "sig", 4711), "outcome_unknown"),
        (Rejected("o1", START_NS, 5, 6004, "ExceededSlippage", "moved", Costs(5_000), "sig"), "slippage_exceeded"),
        (Rejected("o1", START_NS, 5, 6040, "BuySlippageBelowMinBaseAmountOut", "", Costs(), "s"), "slippage_exceeded"),
        (Rejected("o1", START_NS, 5, 1, "Custom", "no", Costs(5_000), "sig"), "transaction_failed"),
        (Denied("o1", START_NS, "limit", "the budget buys less now"), "slippage_exceeded"),
        (Denied("o1", START_NS, "insufficient funds", "poor"), "insufficient_balance"),
        (Denied("o1", START_NS, "unresolved order", "wait"), "order_unresolved"),
        (Denied("o1", START_NS, "expired", "proven absent"), "not_sent"),
        (Denied("o1", START_NS, "lost", "the process ended"), "not_sent"),
    ],
)
def test_every_outcome_has_its_row(outcome: Any, code: str) -> None:
    assert code_of_outcome(outcome) == code


def test_an_unknown_outcome_is_a_status_of_its_own_with_signature_and_expiry() -> None:
    fate = (ORDER, Unknown("o1", START_NS, "sig", 4711))
    result = order_result("outcome_unknown", "may still land", fate, CONTEXT)
    check(result)
    assert (result["status"], result["success"], result["retry"]) == ("unknown", False, "never")
    assert (result["signature"], result["transaction_hash"], result["expiry_height"]) == ("sig", "sig", 4711)
    assert (result["trade_id"], result["is_paper"]) == ("live-7-o1", False)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.code)
def test_every_row_of_the_table_makes_a_whole_dictionary(answer: Any) -> None:
    check(told_result(answer.code, "in words", CONTEXT))


def test_the_page_shows_the_table_of_the_code() -> None:
    text = (ROOT / "docs" / "executor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", text, flags=re.MULTILINE)
    assert [(status, code, when.strip(), retry.strip()) for status, code, when, retry in rows] == [
        (answer.status.value, answer.code, answer.when, answer.retry.value) for answer in ANSWERS
    ]
