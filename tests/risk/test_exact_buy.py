"""Buys of an exact amount: taken whole at the most that they may cost, or refused; a wish's own maximum cuts a size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import buy_exact_base, current_schedule
from pumpswap.engine.wish_check import wishes_of
from pumpswap.execution.planner import OrderPlanner
from pumpswap.model import Decision, Intent, TradeSide
from pumpswap.settings import RiskLimits
from tests.risk.asking import EMPTY, HELD, by_hand, decide, failed, verdict
from tests.risk.asking import buy as by_signal
from tests.support.market import SOL, START_NS, graduate

STATE, SCHEDULE = graduate(), current_schedule()


def exact(units: int, **told: Any) -> Intent:
    return Intent(
        TradeSide.BUY, str(STATE.address), str(STATE.pool.base_mint), START_NS, "test", base_units=units, **told
    )


def ordered(decision: Decision) -> Any:
    slippage = decision.intent.slippage_bps
    return OrderPlanner().plan(decision, STATE, SCHEDULE, RiskLimits().slippage_bps if slippage is None else slippage)


@given(st.integers(10**11, 2 * 10**12), st.integers(0, 500))
def test_an_accepted_exact_buy_is_ordered_for_its_amount_and_its_cost_with_slippage(units: int, bps: int) -> None:
    decision = decide(exact(units, slippage_bps=bps), limits=RiskLimits(min_position_sol="0.000001"))  # type: ignore[arg-type]
    assert decision, decision.refusals
    quote = buy_exact_base(STATE, SCHEDULE, units)
    order = ordered(decision)
    assert (decision.base_units, decision.quote_lamports) == (units, quote.limit(bps))
    assert (order.base_units, order.limit, order.quote_lamports) == (units, quote.limit(bps), quote.limit(bps))
    assert (order.quote, order.is_exact_buy, order.least_received) == (quote, True, units)
    assert next((step.rule, step.lamports) for step in decision.sizing) == ("asked", quote.limit(bps))


def test_what_the_limits_do_not_allow_is_refused_not_cut() -> None:
    units = 4 * 10**13
    cost = buy_exact_base(STATE, SCHEDULE, units).limit(RiskLimits().slippage_bps)
    decision = decide(exact(units), limits=RiskLimits(max_position_sol="0.5"))  # type: ignore[arg-type]
    assert cost > SOL // 2
    assert "size" in failed(decision)
    assert verdict(decision, "size").numbers["asked_lamports"] == str(cost)


def test_the_slippage_counts_against_every_limit() -> None:
    units = 2 * 10**12
    cost = buy_exact_base(STATE, SCHEDULE, units).total_quote
    most = f"{(cost + 1) / SOL:.9f}"
    assert decide(exact(units, slippage_bps=0), limits=RiskLimits(max_position_sol=most))  # type: ignore[arg-type]
    assert not decide(exact(units, slippage_bps=100), limits=RiskLimits(max_position_sol=most))  # type: ignore[arg-type]


def test_a_maximum_of_the_wish_lowers_the_limit_of_an_exact_buy_and_refuses_below_its_cost() -> None:
    units = 2 * 10**12
    cost = buy_exact_base(STATE, SCHEDULE, units).total_quote
    at_cost = decide(exact(units, most_lamports=cost, slippage_bps=300))
    assert (at_cost.quote_lamports, ordered(at_cost).limit) == (cost, cost)
    below = decide(exact(units, most_lamports=cost - 1))
    assert "size" in failed(below)
    assert "the wish allows" in verdict(below, "size").text
    assert below.sizing[-1].rule == "exact amount"


@pytest.mark.parametrize("units", [0, -1, STATE.base_reserve, STATE.base_reserve + 1, 2**64])
def test_an_amount_that_the_pool_cannot_give_is_refused_with_the_programs_words(units: int) -> None:
    decision = decide(exact(units))
    assert "size" in failed(decision)
    assert decision.sizing[-1].note in verdict(decision, "size").text


def test_budget_and_amount_together_are_refused() -> None:
    assert "not both" in verdict(decide(exact(10**12, quote_lamports=SOL)), "size").text


def test_an_exact_buy_is_by_hand_it_adds_to_what_is_held_and_no_strategy_may_wish_it() -> None:
    assert exact(10**12).is_by_hand
    assert not by_signal().is_by_hand
    assert not replace(by_hand(SOL), side=TradeSide.SELL, quote_lamports=None, base_units=1).is_exact_buy
    position = replace(HELD, pool=str(STATE.address))
    assert verdict(decide(exact(10**12), book=replace(EMPTY, position=position)), "one position").passed
    with pytest.raises(TypeError, match="named the amount"):
        wishes_of([exact(10**12)])


@given(st.integers(1, 3 * SOL))
def test_a_maximum_cuts_the_size_of_a_signal_and_is_told_as_a_step(most: int) -> None:
    free = decide(by_signal())
    cut = decide(replace(by_signal(), most_lamports=most))
    if cut:
        assert cut.quote_lamports == min(free.quote_lamports, most)
        assert "named maximum" in [step.rule for step in cut.sizing]
        assert (cut.base_units, ordered(cut).is_exact_buy) == (0, False)
    else:
        assert most < RiskLimits().lamports("min_position_sol")


def test_a_wish_with_a_maximum_that_is_no_amount_is_refused_at_the_door() -> None:
    with pytest.raises(ValueError, match="most_lamports"):
        wishes_of([replace(by_signal(), most_lamports=-1)])
    assert wishes_of([replace(by_signal(), most_lamports=SOL)])[0].most_lamports == SOL
