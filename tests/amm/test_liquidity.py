"""Liquidity, routes and incentives against their vectors."""

from __future__ import annotations

import base64
import math
from typing import Any

import pytest

from pumpswap.amm import (
    GlobalVolumeAccumulator,
    PoolState,
    UserVolumeAccumulator,
    check_route,
    deposit_lp,
    initial_liquidity,
    quote_route,
    withdraw_lp,
)
from pumpswap.amm.codec import ZERO_KEY
from pumpswap.amm.incentives import current_day_tokens, total_unclaimed_tokens
from pumpswap.amm.liquidity import deposit_by_base, deposit_by_quote
from pumpswap.errors import TradeRefused, UsageError
from tests.support.by_design import ByDesign
from tests.support.vectors import load, pool, schedule, vector_state


def _state(case: dict[str, Any]) -> PoolState:
    return PoolState(
        pool(lp_supply=int(case["lp_supply"])),
        ZERO_KEY,
        base_reserve=int(case["base_reserve"]),
        quote_vault=int(case["quote_reserve"]),
        base_supply=0,
    )


def _liquidity(name: str) -> list[Any]:
    return [case for case in load("liquidity")["vectors"] if case["fn"] == name]


def _factors(case: dict[str, Any]) -> tuple[int, int]:
    share = case["slippage"] / 100
    return math.floor((1 + share) * 10**9), math.floor((1 - share) * 10**9)


@pytest.mark.parametrize("case", _liquidity("depositLpToken"))
def test_a_deposit_costs_what_the_program_takes(case: dict[str, Any]) -> None:
    cost, (factor, _) = deposit_lp(_state(case), int(case["lp_token"])), _factors(case)
    limits = cost.base_in * factor // 10**9, cost.quote_in * factor // 10**9
    assert limits == (int(case["output"]["max_base"]), int(case["output"]["max_quote"]))


@pytest.mark.parametrize("case", _liquidity("withdraw"))
def test_a_withdrawal_pays_what_the_program_gives(case: dict[str, Any], by_design: ByDesign) -> None:
    if int(case["lp_token"]) > int(case["lp_supply"]):
        by_design("a withdrawal of more LP than there is: the SDK computes it, the program cannot pay it")
        with pytest.raises(TradeRefused):
            withdraw_lp(_state(case), int(case["lp_token"]))
        return
    worth, (_, factor) = withdraw_lp(_state(case), int(case["lp_token"])), _factors(case)
    found = worth.base_out, worth.quote_out, worth.base_out * factor // 10**9, worth.quote_out * factor // 10**9
    assert found == tuple(int(case["output"][name]) for name in ("base", "quote", "min_base", "min_quote"))


@pytest.mark.parametrize("case", _liquidity("depositBaseInput") + _liquidity("depositQuoteInput"))
def test_a_deposit_by_one_side_yields_the_sdks_lp_and_its_true_cost(case: dict[str, Any], by_design: ByDesign) -> None:
    by_base = case["fn"] == "depositBaseInput"
    call, amount = (deposit_by_base, case["base"]) if by_base else (deposit_by_quote, case["quote"])
    wanted = int(case["output"]["lp_token"])
    if wanted == 0:
        by_design("a deposit too small for one LP unit: the SDK would send a deposit of nothing")
        with pytest.raises(TradeRefused):
            call(_state(case), int(amount))
        return
    cost = call(_state(case), int(amount))
    assert cost.lp_out == wanted
    assert (cost.base_in if by_base else cost.quote_in) <= int(amount)


@pytest.mark.parametrize("case", _liquidity("createPool"))
def test_a_new_pool_locks_its_minimum(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(TradeRefused) as refused:
            initial_liquidity(int(case["base"]), int(case["quote"]))
        assert refused.value.code == case["error"]["code"]
        return
    made = initial_liquidity(int(case["base"]), int(case["quote"]))
    assert {name: str(getattr(made, name)) for name in case["output"]} == case["output"]


def test_boosted_pools_take_no_liquidity() -> None:
    state = PoolState(pool(virtual_quote_reserves=1, lp_supply=100), ZERO_KEY, 10, 10, 10)
    for call in (deposit_lp, withdraw_lp):
        with pytest.raises(TradeRefused) as refused:
            call(state, 1)
        assert refused.value.code == 6064


def test_limits_of_liquidity_are_rounded_in_the_providers_favour() -> None:
    state = PoolState(pool(lp_supply=1000), ZERO_KEY, 1001, 1001, 10)
    assert deposit_lp(state, 1).limits(0) == (2, 2)
    assert deposit_lp(state, 1).limits(1) == (3, 3)
    assert withdraw_lp(state, 999).limits(1) == (998, 998)
    with pytest.raises(UsageError):
        deposit_lp(state, 1).limits(10_001)


@pytest.mark.parametrize("case", load("multi_hop_quotes")["vectors"])
def test_a_route_charges_each_fee_once_on_its_leg(case: dict[str, Any]) -> None:
    states = [vector_state(hop["pool"], hop["state"]) for hop in case["hops"]]
    fees = [schedule(hop["pool"]["global_config"], hop["pool"]["fee_config"]) for hop in case["hops"]]
    if "error" in case:
        with pytest.raises(TradeRefused) as refused:
            quote_route(states, fees, int(case["amount_in"]), is_buy=case["is_buy"])
        assert refused.value.code == case["error"]["code"]
        return
    route = quote_route(states, fees, int(case["amount_in"]), is_buy=case["is_buy"])
    assert route.amount_out == int(case["amount_out"])
    for hop, want in zip(route.hops, case["result"], strict=True):
        fees_charged = {"lp": hop.lp_fee, "protocol": hop.protocol_fee, "creator": hop.creator_fee}
        assert (hop.priced_quote, hop.amount_out) == (int(want["priced_quote"]), int(want["out"]))
        assert fees_charged == {name: int(value) for name, value in want["fees"].items()}
    assert 1 <= route.limit(100) <= route.amount_out


@pytest.mark.parametrize("case", [one for one in load("errors")["cases"] if one["kind"] == "route"])
def test_a_route_that_breaks_a_static_rule_gets_the_programs_code(case: dict[str, Any]) -> None:
    figures = {"base_vault": 10**15, "quote_vault": 10**11, "base_supply": 10**15, "virtual_quote_reserves": 0}
    blank = {"coin_creator": "C4V9UuEit4Er2TJ1NjSb4UxEMkKaLtGaVqoTeDPXyW1D", "creator_fee_bps": 0}
    states = [vector_state({**blank, **hop}, figures) for hop in case["hops"]]
    with pytest.raises(TradeRefused) as refused:
        check_route(states, schedule(), is_buy=case["is_buy"])
    assert refused.value.code == case["error"]["code"]


@pytest.mark.parametrize("case", load("incentives")["vectors"])
def test_volume_accumulators_count_as_the_sdk_does(case: dict[str, Any]) -> None:
    world = GlobalVolumeAccumulator.decode(base64.b64decode(case["gva_b64"]))
    user = UserVolumeAccumulator.decode(base64.b64decode(case["uva_b64"]))
    assert total_unclaimed_tokens(world, user, case["now"]) == int(case["total_unclaimed_tokens"])
    assert current_day_tokens(world, user, case["now"]) == int(case["current_day_tokens"])
