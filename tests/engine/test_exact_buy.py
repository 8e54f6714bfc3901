"""A buy of an exact amount through the whole engine: gate, order, paper venue, books."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pumpswap.amm import buy_exact_base, current_schedule
from pumpswap.engine.engine import Engine
from pumpswap.model import Decision, Intent, TradeSide, Verdict
from tests.support.market import SOL, START_NS, at, engine, graduate, seen

STATE = graduate()
UNITS = 2 * 10**12 + 7


def exact() -> Intent:
    return Intent(TradeSide.BUY, str(STATE.address), str(STATE.pool.base_mint), at(1), "exactly", base_units=UNITS)


def funded() -> Engine:
    made = engine()
    made.parts = replace(made.parts, signaller=None)
    made.clock.advance_to(START_NS)
    made.deposit(50 * SOL)
    made.step(seen(STATE, 1))
    return made


def test_it_is_held_to_the_unit_and_paid_what_it_cost() -> None:
    made = funded()
    decision, order = made.desk.decide(exact())
    assert decision
    assert order is not None
    assert made.desk.book_view(exact()).balance < 50 * SOL - order.limit  # on its way it counts at its most
    made.step(seen(STATE, 3))
    position = made.portfolio.positions.open_round(str(STATE.address))
    assert position is not None
    assert position.base_units == UNITS
    cost = buy_exact_base(STATE, current_schedule(), UNITS).total_quote
    assert order.limit > cost
    assert cost <= position.cost_lamports < cost + 100_000  # and the network's fees
    assert made.parts.venue.wallet.balances()[str(STATE.pool.base_mint)] == UNITS
    assert made.desk.book_view(exact()).balance > 50 * SOL - order.limit - 4_000_000  # what was not spent is free again


def test_what_another_check_refuses_has_neither_budget_nor_amount() -> None:
    made = funded()

    def no(_decision: Decision) -> tuple[Verdict, ...]:
        return (Verdict("wallet", False, "not today"),)

    made.desk.parts = replace(made.desk.parts, checks=no)
    decision, order = made.desk.decide(exact())
    assert order is None
    assert (decision.accepted, decision.quote_lamports, decision.base_units) == (False, 0, 0)


@pytest.mark.parametrize("amount", [{"base_units": UNITS}, {"base_units": None, "quote_lamports": SOL // 10}])
def test_a_program_that_names_an_amount_is_asked_about_too_where_a_person_approves(amount: dict[str, Any]) -> None:
    """Who types an amount has agreed to it; a strategy of NautilusTrader has not."""
    made = funded()
    made.desk.parts = replace(made.desk.parts, mode="approve")
    wish = replace(exact(), client_order_id="O-1", **amount)
    decision, order = made.desk.decide(wish)
    assert (decision.accepted, order) == (True, None)
    assert list(made.desk.proposals) == [decision.decision_id]
    made.desk.approve(decision.decision_id, "a person")
    (ordered,) = made.desk.orders
    assert (ordered.client_order_id, ordered.base_units) == ("O-1", amount["base_units"] or 0)
    by_hand = funded()
    by_hand.desk.parts = replace(by_hand.desk.parts, mode="approve")
    assert by_hand.desk.decide(replace(exact(), **amount))[1] is not None
