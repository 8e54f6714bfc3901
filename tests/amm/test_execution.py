"""State transitions, limits and error codes against the simulator vectors and the rejected-trade cases."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import (
    Execution,
    FeeSchedule,
    PoolState,
    execute_buy,
    execute_buy_exact_quote_in,
    execute_deposit,
    execute_sell,
    execute_withdraw,
)
from pumpswap.errors import TradeRefused, UsageError
from tests.amm.test_quotes import states
from tests.support.vectors import load, schedule, vector_state


def run(state: PoolState, fees: FeeSchedule, op: dict[str, str]) -> tuple[PoolState, Execution | None]:
    """One vector step through the function of its instruction."""
    name, figures = op["ix"], {field: int(value) for field, value in op.items() if field != "ix"}
    generation = 2 if name.endswith("_v2") else 1
    trades = {"buy": execute_buy, "buy_exact_quote_in": execute_buy_exact_quote_in, "sell": execute_sell}
    if name.removesuffix("_v2") in trades:
        done = trades[name.removesuffix("_v2")](state, fees, *figures.values(), generation=generation)
        return done.state, done
    if name == "boost_buy_and_burn":
        return state.after_boost(figures["quote_amount_in"])[0], None
    if name in ("deposit", "withdraw"):
        return (execute_deposit if name == "deposit" else execute_withdraw)(state, *figures.values()), None
    return (state.after_protocol_sweep() if name == "sweep_protocol_fee" else state.after_creator_sweep()), None


def figures_of(state: PoolState) -> dict[str, str]:
    found = {
        "base_vault": state.base_reserve,
        "quote_vault": state.quote_vault,
        "virtual_quote_reserves": state.pool.virtual_quote_reserves,
        "protocol_fees": state.pool.protocol_fees,
        "creator_fees": state.pool.creator_fees,
        "base_supply": state.base_supply,
        "lp_supply": state.pool.lp_supply,
    }
    return {name: str(value) for name, value in found.items()}


def moved(done: Execution) -> dict[str, int]:
    """Transfers under the vectors' names."""
    moves = done.transfers
    return {
        "user_quote_paid": -moves.user_quote_change,
        "user_base_received": moves.user_base_change,
        "user_base_paid": -moves.user_base_change,
        "user_quote_received": moves.user_quote_change,
        "to_pool": moves.to_pool,
        "buyback": moves.buyback,
        "protocol_recipient": moves.protocol_recipient,
        "creator_vault": moves.creator_vault,
        "user_cashback_ata": moves.user_cashback,
    }


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case["id"]) for case in load("simulator")["vectors"] + load("worked_examples")["simulator"]],
)
def test_a_sequence_of_instructions_leaves_exactly_the_recorded_state(case: dict[str, Any]) -> None:
    fees = schedule(case["global_config"], case["fee_config"], int(case["buyback_basis_points"]))
    state = vector_state(case["pool"], case["initial_state"])
    for step in case["steps"]:
        if "error" in step:
            with pytest.raises(TradeRefused) as refused:
                run(state, fees, step["op"])
            assert refused.value.code == step["error"]["code"]
            continue
        boost = state.pool.boost_reserves
        state, done = run(state, fees, step["op"])
        assert figures_of(state) == step["after"]
        assert state.pool.boost_reserves == boost
        if done:
            found = moved(done)
            assert {name: found[name] for name in step["transfers"]} == {
                name: int(value) for name, value in step["transfers"].items()
            }


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["id"]) for case in load("errors")["cases"] if case["kind"] == "trade"]
)
def test_a_trade_that_breaks_one_rule_gets_the_programs_code(case: dict[str, Any]) -> None:
    fees = schedule(case["global_config"], case["fee_config"], None, case.get("disable_flags", 0))
    with pytest.raises(TradeRefused) as refused:
        run(vector_state(case["pool"], case["state"]), fees, case["op"])
    assert (refused.value.code, refused.value.name) == (case["error"]["code"], case["error"]["name"])
    assert refused.value.hint


@given(states(), st.integers(1, 2**63), st.booleans())
def test_both_generations_move_the_price_identically(state: PoolState, amount: int, is_buy: bool) -> None:
    call = execute_buy_exact_quote_in if is_buy else execute_sell
    try:
        first = call(state, schedule(), amount, 1, generation=1)
        second = call(state, schedule(), amount, 1, generation=2)
    except TradeRefused:
        return
    assert first.state.effective_quote_reserve == second.state.effective_quote_reserve
    assert first.state.base_reserve == second.state.base_reserve
    assert first.transfers.user_quote_change == second.transfers.user_quote_change
    assert second.state.pool.boost_reserves == state.pool.boost_reserves
    # Sweeping what v2 kept leads to exactly the state of v1 (but for the grown account).
    swept = second.state.after_protocol_sweep().after_creator_sweep()
    plain = first.state.after_protocol_sweep().after_creator_sweep()
    assert (swept.quote_vault, swept.pool.virtual_quote_reserves) == (
        plain.quote_vault,
        plain.pool.virtual_quote_reserves,
    )


@given(states())
def test_a_sweep_leaves_the_price_alone(state: PoolState) -> None:
    for swept in (state.after_protocol_sweep(), state.after_creator_sweep()):
        assert swept.effective_quote_reserve == state.effective_quote_reserve
        assert swept.pool.boost_reserves == state.pool.boost_reserves


def test_there_are_two_generations() -> None:
    case = load("simulator")["vectors"][0]
    state = vector_state(case["pool"], case["initial_state"])
    done = execute_sell(state, schedule(), 10**9, 1, generation=1)
    with pytest.raises(UsageError, match="generation"):
        state.after(done.quote, 3)
