"""What must hold for the largest buy of one pool, whatever its kind: for hundreds of them in the tests, for ten
thousand in the acceptance check.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from pumpswap.amm import BuyQuote, FeeSchedule, PoolState, SellQuote, buy_exact_base, buy_exact_quote, sell_exact_base
from pumpswap.amm.largest import cost_over_spot, largest_buy
from pumpswap.errors import TradeRefused
from pumpswap.units import U64_MAX

__all__ = ["check_largest", "passes"]

Quoting = Callable[[PoolState, FeeSchedule, int], BuyQuote | SellQuote]

_IMPACTS = (Fraction(1, 1_000), Fraction(3, 200), Fraction(1, 10), Fraction(1, 2))
_COSTS = (None, Fraction(1, 50), Fraction(1, 20), Fraction(1, 3))


def passes(state: PoolState, schedule: FeeSchedule, budget: int, impact: Fraction, cost: Fraction | None) -> bool:
    """Whether a buy of ``budget`` exists and is within both limits."""
    try:
        quote = buy_exact_quote(state, schedule, budget)
    except TradeRefused:
        return False
    return quote.impact <= impact and (cost is None or cost_over_spot(quote) <= cost)


def check_largest(state: PoolState, schedule: FeeSchedule, rng: random.Random) -> tuple[int, list[str]]:
    """The largest buy of this pool within drawn limits, and what is wrong with it; nothing when all holds.

    The impact equals its definition, the largest size passes, one unit more does not, nor does any of a sample of
    larger ones.
    """
    impact, cost = rng.choice(_IMPACTS), rng.choice(_COSTS)
    most = rng.choice((U64_MAX, rng.randint(1, 2 * state.quote_vault)))
    asked = f"impact ≤ {impact}, cost ≤ {cost}, most {most}, reserves {state.base_reserve} and {state.quote_vault}"
    budget = largest_buy(state, schedule, most=most, max_impact=impact, max_cost_over_spot=cost)
    wrong = []
    if not 0 <= budget <= most:
        wrong.append(f"{budget} is not within 0 and {most}: {asked}")
    if budget and not passes(state, schedule, budget, impact, cost):
        wrong.append(f"{budget} does not pass: {asked}")
    beyond = most - budget
    larger = {budget + 1, *(budget + 1 + int(beyond * 10 ** rng.uniform(-18, 0)) for _ in range(20))}
    larger |= {budget + extra for extra in range(2, 12)}
    wrong += [
        f"{size} passes and is larger than {budget}: {asked}"
        for size in sorted(larger)
        if size <= most and passes(state, schedule, size, impact, cost)
    ]
    wrong += _impact_complaints(state, schedule, max(budget, 1 + int(state.quote_vault * rng.random())))
    return budget, wrong


def _impact_complaints(state: PoolState, schedule: FeeSchedule, amount: int) -> list[str]:
    """Average price before fees / pre-trade spot price − 1, mirrored for sales: from the amounts of each quote alone,
    of both sides.
    """
    spot = Fraction(state.quote_vault + state.pool.virtual_quote_reserves, state.base_reserve)
    units = 1 + amount * state.base_reserve // (2 * state.quote_vault)
    wrong = []
    calls: tuple[tuple[Quoting, int], ...] = (
        (buy_exact_quote, amount),
        (buy_exact_base, units),
        (sell_exact_base, units),
    )
    for call, size in calls:
        try:
            quote = call(state, schedule, size)
        except TradeRefused:
            continue
        if isinstance(quote, BuyQuote):
            before_fees = quote.total_quote - quote.lp_fee - quote.protocol_fee - quote.creator_fee - quote.cashback
            defined = Fraction(before_fees, quote.base_out) / spot - 1
        else:
            before_fees = quote.user_quote_out + quote.lp_fee + quote.protocol_fee + quote.creator_fee + quote.cashback
            defined = 1 - Fraction(before_fees, quote.base_in) / spot
        if quote.impact != defined:
            wrong.append(f"impact {quote.impact} of a trade is not {defined} for {size}")
    return wrong
