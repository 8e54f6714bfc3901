"""The largest buy within limits: the very last unit, on pools of every kind."""

from __future__ import annotations

import random
from fractions import Fraction

import msgspec
import pytest

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote
from pumpswap.amm.addresses import USDC_MINT
from pumpswap.amm.largest import cost_over_spot, largest_buy
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.localnet.pool_kinds import PoolKind
from pumpswap.units import U64_MAX
from tests.support.largest_sizes import check_largest, passes
from tests.support.market import graduate
from tests.support.random_pools import EVERY_KIND, random_sol_state, random_state
from tests.support.vectors import schedule

LIMITS = [Fraction(0), Fraction(1, 20), Fraction(1, 10), Fraction(3, 7), Fraction(2)]
COSTS = [None, Fraction(1, 10), Fraction(1, 4), Fraction(1)]


@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.name)
def test_the_largest_passes_and_one_unit_more_does_not(kind: PoolKind) -> None:
    rng = random.Random(EVERY_KIND.index(kind))
    takes_something = 0
    for _ in range(40):
        largest, wrong = check_largest(random_state(rng, kind), schedule(), rng)
        assert wrong == []
        takes_something += largest > 0
    assert takes_something > 15


def test_on_tiny_pools_it_is_the_largest_of_all_budgets_that_pass() -> None:
    """Whole units of base make passing come and go from budget to budget: here every budget is tried."""
    rng = random.Random(7)
    found = came_back = 0
    for _ in range(250):
        state = msgspec.structs.replace(
            random_state(rng), base_reserve=rng.randint(1, 3_000), quote_vault=rng.randint(20, 2_000)
        )
        most = rng.randint(1, 1_500)
        impact, cost = rng.choice(LIMITS), rng.choice(COSTS)
        passing = [budget for budget in range(1, most + 1) if passes(state, schedule(), budget, impact, cost)]
        assert largest_buy(state, schedule(), most=most, max_impact=impact, max_cost_over_spot=cost) == max(
            passing, default=0
        )
        found += bool(passing)
        came_back += len(passing) not in (0, max(passing, default=0) - min(passing, default=0) + 1)
    assert found > 40
    assert came_back > 10


def test_a_smaller_budget_that_prices_higher_is_not_skipped() -> None:
    """Fees are rounded up one by one, so one lamport less can leave more for the swap, and one unit of base more."""
    changes = {"base_reserve": 585, "quote_vault": 2_055, "base_supply": 10**9}
    state = graduate(creator=USDC_MINT, creator_fee_bps=2_500, **changes)
    impact, cost = Fraction(223, 1_000), Fraction(49, 97)
    passing = [budget for budget in range(1, 2_455) if passes(state, schedule(), budget, impact, cost)]
    assert passing[-1] == 502
    assert largest_buy(state, schedule(), most=2_454, max_impact=impact, max_cost_over_spot=cost) == 502


def test_a_coarse_token_takes_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """One unit of base is worth a million lamports: the search goes over units of base, not over lamports."""
    state = msgspec.structs.replace(random_sol_state(random.Random(1)), base_reserve=85_000)
    quotes = counted_quotes(monkeypatch)
    budget = largest_buy(state, schedule(), most=U64_MAX, max_impact=Fraction(1, 100))
    assert passes(state, schedule(), budget, Fraction(1, 100), None)
    assert not passes(state, schedule(), budget + 1, Fraction(1, 100), None)
    assert len(quotes) <= 110


def test_fees_that_are_rounded_up_take_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    quotes = counted_quotes(monkeypatch)
    rng = random.Random(3)
    for _ in range(50):
        state = random_sol_state(rng)
        assert largest_buy(
            state, schedule(), most=U64_MAX, max_impact=Fraction(1, 10), max_cost_over_spot=Fraction(1, 20)
        )
    assert len(quotes) <= 50 * 6


def counted_quotes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    budgets: list[int] = []

    def counting(state: PoolState, fees: FeeSchedule, budget: int) -> object:
        budgets.append(budget)
        return buy_exact_quote(state, fees, budget)

    monkeypatch.setattr("pumpswap.amm.largest.buy_exact_quote", counting)
    return budgets


def test_what_is_asked_for_at_most_is_the_answer_when_it_passes() -> None:
    state = random_sol_state(random.Random(2))
    assert largest_buy(state, schedule(), most=1_000_000, max_impact=Fraction(1, 10)) == 1_000_000
    assert largest_buy(state, schedule(), most=0, max_impact=Fraction(1, 10)) == 0
    assert largest_buy(state, schedule(), most=-5, max_impact=Fraction(1, 10)) == 0


def test_an_empty_pool_takes_nothing() -> None:
    state = random_sol_state(random.Random(2))
    for empty in ({"base_reserve": 0}, {"quote_vault": 0}):
        pool = msgspec.structs.replace(state, **empty)
        assert largest_buy(pool, schedule(), most=U64_MAX, max_impact=Fraction(1)) == 0


def test_a_limit_of_cost_below_the_fees_lets_nothing_pass() -> None:
    state = random_sol_state(random.Random(2))
    fees = Fraction(sum(schedule().rates(state)), 10_000)
    asked = {"most": U64_MAX, "max_impact": Fraction(1)}
    assert largest_buy(state, schedule(), max_cost_over_spot=fees, **asked) == 0  # type: ignore[arg-type]
    assert largest_buy(state, schedule(), max_cost_over_spot=2 * fees, **asked) > 0  # type: ignore[arg-type]


@pytest.mark.parametrize("limits", [{"max_impact": Fraction(-1, 9)}, {"max_cost_over_spot": Fraction(-1, 9)}])
def test_a_negative_limit_is_refused(limits: dict[str, Fraction]) -> None:
    state = random_sol_state(random.Random(2))
    with pytest.raises(UsageError, match="negative"):
        largest_buy(state, schedule(), **{"most": 1, "max_impact": Fraction(1), **limits})  # type: ignore[arg-type]


def test_cost_over_spot_is_the_average_price_after_all_fees_against_spot() -> None:
    rng = random.Random(5)
    for _ in range(100):
        state = random_state(rng)
        try:
            quote = buy_exact_quote(state, schedule(), rng.randint(1, 2 * state.quote_vault))
        except TradeRefused:
            continue
        price = Fraction(quote.total_quote, quote.base_out)
        assert cost_over_spot(quote) == price / state.spot_price - 1 >= quote.impact
