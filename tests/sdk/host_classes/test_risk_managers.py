"""The plan's risk manager: falsy refusals with every reason, and reservations that hold under threads."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pumpswap.clock import ManualClock
from pumpswap.errors import UsageError
from pumpswap.sdk.host_classes import (
    KellyPositionSizer,
    PumpSwapRiskManager,
    RiskManager,
    TradeValidation,
    TradingRiskManager,
)
from pumpswap.sdk.host_classes.pool_rows import state_of
from pumpswap.sdk.results import pool_data_of
from pumpswap.settings import RiskLimits, Settings
from tests.sdk.executor_world import Market, signal
from tests.support.market import SOL, START_NS, graduate, mint

USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


def with_pool(number: int = 1, **changes: Any) -> dict[str, Any]:
    state = graduate(number)
    return signal(state, pool_data={**pool_data_of(state), "base_token_address": str(state.pool.base_mint)}, **changes)


def manager(balance: float = 50, **limits: Any) -> PumpSwapRiskManager:
    settings = Settings(risk=RiskLimits(**limits))
    return PumpSwapRiskManager(settings, balance_sol=balance, clock=ManualClock(START_NS))


def test_an_approval_is_truthy_and_carries_its_numbers() -> None:
    result = manager().validate_trade(with_pool(), 0.5)
    assert isinstance(result, TradeValidation)
    assert (bool(result), result.approved, result.is_valid, result["approved"]) == (True, True, True, True)
    assert (result.reasons, result.reason, result.risk_level, result.recommended_action) == ([], "", "LOW", "proceed")
    assert result.max_position_size == 1.0
    assert result.numbers["exits"] == {
        "stop_loss_bps": "2000", "take_profit_bps": "10000", "max_hold_seconds": "86400",
    }  # fmt: skip
    assert set(result.numbers["price impact"]) == {"impact", "max_impact_bps"}


@pytest.mark.parametrize(
    ("data", "size", "policy"),
    [
        (with_pool(), 1.01, "size"),
        (with_pool(), 0.001, "size"),
        (with_pool(), 2.5, "per token"),
        (with_pool(signal_score=10), 0.1, "executor"),
        (with_pool(tradeable=False), 0.1, "executor"),
        (with_pool(side="sideways"), 0.1, "executor"),
        (signal(), 0.1, "venue"),
        (signal(pool_data={**pool_data_of(graduate(quote_vault=5 * SOL))}), 0.1, "liquidity"),
        (with_pool(side=0, q50=-0.001), 0.1, "holding"),
        (None, 0.1, "executor"),
    ],
)
def test_a_refusal_is_falsy_and_names_its_policies(data: Any, size: float, policy: str) -> None:
    found = manager()
    result = found.validate_trade(data, size)
    assert (bool(result), result.approved, result.is_valid) == (False, False, False)
    assert any(reason.startswith(f"{policy}:") for reason in result.reasons), result.reasons
    assert result.reason == "; ".join(result.reasons)
    assert found.reservations == {}


def test_all_failed_policies_are_told_not_only_the_first() -> None:
    found = manager(balance=0.2).validate_trade(with_pool(), 40)
    policies = {reason.split(":")[0] for reason in found.reasons}
    assert {"size", "balance", "native reserve", "total exposure", "price impact", "liquidity"} <= policies
    assert found.risk_level == "CRITICAL"


def test_an_approved_trade_counts_until_it_is_reported_and_a_success_becomes_a_position() -> None:
    found = manager()
    first = found.validate_trade(with_pool(), 1)
    assert found.reservations == {first.reservation: SOL}
    again = found.validate_trade(with_pool(), 0.1)
    assert (bool(again), again.recommended_action) == (False, "wait")
    assert found.record_trade_success(first) is True
    held = found.validate_trade(with_pool(), 0.1)
    assert [reason.split(":")[0] for reason in held.reasons] == ["one position"]
    assert found.validate_trade(with_pool(side=0, q50=-0.001), 0)
    assert found.record_trade_success(None) is True
    assert found.record_trade_success(None) is False


def test_a_failure_and_a_release_free_what_was_reserved() -> None:
    found = manager()
    assert found.record_trade_failure(found.validate_trade(with_pool(), 1).reservation) is True
    answer = found.validate_trade(with_pool(), 1)
    assert found.release(answer) is True
    assert found.release(answer) is False
    assert found.reservations == {}
    third = found.validate_trade(with_pool(), 1)
    assert found.record_trade_failure({"mint_address": str(graduate().pool.base_mint)}) is True
    assert third
    assert found.reservations == {}


def test_concurrent_validations_never_exceed_a_limit_together() -> None:
    found = manager(balance=20, max_open_positions=12, max_trades_per_minute=1_000)
    wishes = [(number, size) for number in range(1, 41) for size in (0.9, 0.5, 0.2)]
    random.Random(7).shuffle(wishes)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda wish: found.validate_trade(with_pool(wish[0]), wish[1]), wishes))
    approved = [(wish, result) for wish, result in zip(wishes, results, strict=True) if result]
    total = sum(found.reservations.values())
    assert len(approved) == len(found.reservations) <= 12
    assert total <= 20 * SOL * 0.8
    assert total + len(approved) * SOL // 100 + SOL // 20 <= 20 * SOL
    assert len({wish[0] for wish, _ in approved}) == len(approved)  # one of a token at a time
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda one: found.record_trade_success(one[1]), approved))
    assert found.reservations == {}
    refused = found.validate_trade(with_pool(99), 0.9)
    assert "open positions" in {reason.split(":")[0] for reason in refused.reasons}


def test_more_than_the_rate_is_refused_also_while_nothing_is_reported() -> None:
    found = manager(max_trades_per_minute=3)
    assert [bool(found.validate_trade(with_pool(number), 0.1)) for number in range(1, 6)] == [True] * 3 + [False] * 2


def test_with_an_executor_its_books_count(tmp_path: Path) -> None:
    market = Market(tmp_path, graduate(1), graduate(2))

    async def story() -> None:
        executor = market.executor()
        found = PumpSwapRiskManager(executor=executor)
        closed = found.validate_trade(signal(), 0.1)
        assert "not open" in closed.reason
        async with executor:
            answer = found.validate_trade(signal(), 0.5)
            assert answer, answer.reasons
            result = await executor.execute_q50_signal(signal())
            assert result["status"] == "executed"
            assert found.record_trade_success(result) is True
            held = found.validate_trade(signal(), 0.1)
            assert held.reasons == ["one position: this pool is held already"]
            assert found.validate_trade(signal(graduate(2)), 0.5)
            assert found.validate_trade(signal(side=0, q50=-0.001), 0)

    asyncio.run(story())


def test_with_an_executor_the_lower_one_of_its_books_and_the_passed_balance_counts(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story() -> None:
        async with market.executor() as executor:
            found = RiskManager(executor=executor)
            data = signal(mint_address=str(mint(1)))
            poor = found.validate_trade(0.5, data, 0.06)
            assert not poor
            assert any(reason.startswith("native reserve: ") for reason in poor.reasons), poor.reasons
            assert not found.validate_trade_full(0.5, signal(), 0.06)
            rich = found.validate_trade(0.5, data, 1_000_000)  # the books know better
            assert rich, rich.reasons
            assert rich.max_position_size < 50
            assert found.release(rich)
            assert found.validate_trade(0.5, data)  # what was passed counts for its own question only

    asyncio.run(story())


@pytest.mark.parametrize(
    "more",
    [
        {"quote_mint": USDC},
        {"quote_token_id": f"solana_{USDC}"},
        {"quote_token_address": USDC},
        {"quote_token_symbol": "USDC"},
        {"quote_decimals": 6},
    ],
)
def test_a_pool_in_dollars_is_none_in_sol(more: dict[str, Any]) -> None:
    for pool in (dict(pool_data_of(graduate())), {"reserve_sol": 500}):
        assert not isinstance(state_of(pool), str)
        assert state_of({**pool, **more}) == "the pool is not priced in SOL"
    data = with_pool()
    refused = manager().validate_trade({**data, "pool_data": {**data["pool_data"], **more}}, 0.1)
    assert refused.reasons == ["venue: the pool is not priced in SOL"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"side": "short"}, "short"),
        ({"side": 0}, "short"),
        ({"side": -1}, "hold"),
        ({"q50": -0.01}, "q50"),
        ({"q50": 0}, "q50"),
        ({"tradeable": False}, "tradeable"),
        ({"economically_significant": False}, "economically_significant"),
        ({"side": "up"}, "side"),
    ],
)
def test_what_buys_nothing_has_no_size(more: dict[str, Any], why: str) -> None:
    sizer, row = KellyPositionSizer(Settings()), {"q50": 0.01, "vol_regime": "low"}
    assert sizer.calculate_position_size(row, graduate(), 10.0)
    size = sizer.calculate_position_size({**row, **more}, graduate(), 10.0)
    assert (size.final_size, why in size.reasoning) == (0, True), size.reasoning


def test_the_argument_orders_are_those_of_the_plan_and_of_the_proof_of_concept() -> None:
    poc = RiskManager(Settings(), clock=ManualClock(START_NS))
    assert poc.validate_trade(0.1, {"tradeable": True}, 10)
    assert not poc.validate_trade({"tradeable": True}, 0.1, 10)  # type: ignore[arg-type]
    assert poc.validate_trade_full(0.1, with_pool(), 10)
    assert not poc.validate_trade_full(0.1, {"tradeable": True}, 10)
    assert TradingRiskManager(Settings(), balance_sol=10).validate_trade(with_pool(), 0.1)


def test_the_wallet_must_pay_for_the_trade_and_keep_its_reserve() -> None:
    poc = RiskManager(Settings())
    cases = ((1, 0.9, True), (1, 0.95, False), (0.05, None, True), (0.04, None, False), ("x", 1, False))
    assert [poc.validate_wallet_balance(balance, required) for balance, required, _ in cases] == [
        expected for _, _, expected in cases
    ]


def test_a_position_that_cannot_be_read_is_critical_and_says_why() -> None:
    found = RiskManager(Settings()).assess_position_risk({"entry_price": None})
    assert (found.risk_level, found.close, bool(found.reasons)) == ("CRITICAL", False, True)


def test_a_balance_that_is_none_is_an_error_of_the_caller() -> None:
    with pytest.raises(UsageError):
        manager(balance=-1)
