"""How much to buy: ``risk.sizing`` for a signal at full strength without odds, as machine code, to the lamport."""

from __future__ import annotations

from typing import Any

import numpy as np

from pumpswap.research.kernel.acting import P_BASE, P_RESERVE, P_SUPPLY, real_of, terms_of
from pumpswap.research.kernel.quotes import BPS64, quote_buy_quote, quote_sell
from pumpswap.research.kernel.rates import (
    COUNTS,
    FAMILY,
    LADDERS,
    SOL,
    market_cap_reaches,
    rates_of,
    supply_of_tiers,
)
from pumpswap.research.kernel.trial.terms import (
    BALANCE,
    BASE_PART,
    BASE_WHOLE,
    COST_ALLOWANCE,
    EQUITY,
    EXPOSURE,
    EXPOSURE_PART,
    EXPOSURE_WHOLE,
    FRACTION_PART,
    FRACTION_WHOLE,
    MAX_COST_BPS,
    MAX_IMPACT_BPS,
    MAX_LOSS_BPS,
    MAX_POSITION,
    MAX_TOKEN,
    MIN_POSITION,
    MONEY,
    NATIVE_RESERVE,
    POOL_SHARE_BPS,
    TERMS,
    TOKEN_EXPOSURE,
    TOKEN_PART,
    TOKEN_WHOLE,
)
from pumpswap.research.kernel.u128 import ONE, ZERO, inlined, inner, mul64, mul_div

__all__ = ["part_of", "product_reaches", "size_buy", "wide_product"]

TOO_MANY_STEPS = 1  # why a trial is handed over: a size that would take too long to find here
_MOST_STEPS = 4_096
_ROUNDINGS = 2
_BPS = np.int64(10_000)


@inlined
def part_of(whole: Any, part: Any, of: Any) -> Any:
    """``Share.part``: so much of an amount, rounded down; of a debt nothing."""
    return np.int64(mul_div(np.uint64(max(whole, 0)), np.uint64(part), np.uint64(of)))


@inlined
def product_reaches(left: Any, right: Any, other_left: Any, other_right: Any) -> Any:
    """Whether left · right ≥ other_left · other_right, of figures that are not below 0."""
    high, low = mul64(np.uint64(left), np.uint64(right))
    other_high, other_low = mul64(np.uint64(other_left), np.uint64(other_right))
    return high > other_high or (high == other_high and low >= other_low)


@inlined
def wide_product(high: Any, low: Any, factor: Any) -> Any:
    """A number of 128 bits times one of 64, as three words."""
    carried, lowest = mul64(low, factor)
    highest, middle = mul64(high, factor)
    middle += carried
    return highest + (ONE if middle < carried else ZERO), middle, lowest


@inlined
def _is_at_most(left: Any, right: Any) -> Any:
    """Whether one number of three words is not above another."""
    if left[0] != right[0]:
        return left[0] < right[0]
    if left[1] != right[1]:
        return left[1] < right[1]
    return left[2] <= right[2]


@inlined
def _is_within(paid: Any, out: Any, curve: Any, most_bps: Any) -> Any:
    """Whether ``paid`` for ``out`` units is at most so far over the spot price: paid · B / (out · E) − 1 ≤ limit."""
    base, reserve, _ = curve
    high, low = mul64(paid, base)
    spot_high, spot_low = mul64(out, reserve)
    return _is_at_most(wide_product(high, low, BPS64), wide_product(spot_high, spot_low, BPS64 + np.uint64(most_bps)))


@inlined
def _passes_price(budget: Any, curve: Any, rates: Any, limits: Any) -> Any:
    """Whether a budget is quoted within the limits of impact and of cost."""
    status, gross, lp, protocol, creator, out = quote_buy_quote(curve[0], curve[1], np.uint64(budget), rates)
    if status != 0 or not _is_within(gross, out, curve, limits[0]):
        return False
    return _is_within(gross + lp + protocol + creator, out, curve, limits[1])


@inner
def largest_within_price(most: Any, curve: Any, rates: Any, limits: Any) -> Any:
    """``amm.largest_buy`` up to ``most``: (budget, reason to hand over).

    The largest gross that can pass has a closed form; a float gives it but for a few units, and from a bound above it
    the first budget that passes is the largest.
    """
    if _passes_price(most, curve, rates, limits):
        return most, 0
    total = np.int64(rates[1] + rates[2] + rates[3])
    over, scale = limits[0], np.int64(_BPS)
    left, whole = (limits[1] + _BPS) * _BPS - _BPS * (_BPS + total), _BPS * (_BPS + total)
    if left * scale < over * whole:
        over, scale = left, whole
    if over <= 0:
        return 0, 0
    limit, reserve = float(over) / float(scale), float(curve[1])
    middle = 1.0 + limit * reserve
    square = middle * middle - 4.0 * reserve * (limit + 1.0)
    if abs(square) < 1e-9 * middle * middle:
        return 0, TOO_MANY_STEPS
    if square < 0.0:
        return 0, 0
    bound = np.int64((middle + np.sqrt(square)) / 2.0 * (1.0 + 1e-12)) + 2 + _ROUNDINGS
    budget = np.int64(most)
    if bound < (1 << 62) // (_BPS + total):
        budget = np.int64(min(most, ((bound + 1) * (_BPS + total) - 1) // _BPS))
    for _ in range(_MOST_STEPS):
        if budget <= 0:
            return 0, 0
        if _passes_price(budget, curve, rates, limits):
            return budget, 0
        budget -= 1
    return 0, TOO_MANY_STEPS


@inlined
def _after_buy(budget: Any, curve: Any, rates: Any) -> Any:
    """(bought, (B, E, supply) after it, base, cost, what came into the pool): 0 where it is refused."""
    status, gross, lp, protocol, creator, out = quote_buy_quote(curve[0], curve[1], np.uint64(budget), rates)
    if status != 0:
        return 0, curve, ZERO, ZERO, ZERO
    after = curve[0] - out, curve[1] + gross + lp, curve[2]
    return 1, after, out, gross + lp + protocol + creator, gross + lp


@inner
def _has_way_out(budget: Any, words: Any, schedule: Any, kind: Any, pool: Any, most_bps: Any) -> Any:
    """Whether buying and selling again at once loses at most so much. ``pool`` is (curve, rates, real, is_short)."""
    curve, rates, real, is_short = pool
    done, after, out, paid, came = _after_buy(budget, curve, rates)
    if done == 0:
        return False
    if is_short != 0:
        return False  # what came in is less than what is owed, or the pool would not be traded
    sold_at = rates_of(words, schedule, (kind[0], kind[1]), after)
    status, _, _, _, _, got = quote_sell(after[0], after[1], real + came, np.int64(0), out, sold_at)
    if status != 0:
        return False
    return got >= paid or product_reaches(most_bps, np.int64(paid), np.int64(paid - got), _BPS)


@inner
def _largest_with_way_out(most: Any, words: Any, schedule: Any, kind: Any, pool: Any, most_bps: Any) -> Any:
    """``risk.way_out``: the best budget of each tier that the sale may pay is its largest."""
    if _has_way_out(most, words, schedule, kind, pool, most_bps):
        return most
    curve, rates = pool[0], pool[1]
    done, reached, _, _, _ = _after_buy(most, curve, rates)
    if done == 0 or kind[0] & FAMILY != SOL:
        return 0
    supply = supply_of_tiers(kind[0], curve[2])
    for at in range(np.int64(words[schedule, COUNTS]) - 1, -1, -1):
        threshold = words[schedule, LADDERS + at]
        is_between = market_cap_reaches(reached[0], reached[1], supply, threshold)
        if not is_between or market_cap_reaches(curve[0], curve[1], supply, threshold):
            continue
        fits, reaches = 0, most
        while reaches - fits > 1:
            middle = (fits + reaches) // 2
            _, after, _, _, _ = _after_buy(middle, curve, rates)
            if market_cap_reaches(after[0], after[1], supply, threshold):
                reaches = middle
            else:
                fits = middle
        if fits > 0 and _has_way_out(fits, words, schedule, kind, pool, most_bps):
            return fits
    return 0


@inner
def size_buy(words: Any, books: Any, world: Any, pool: Any, schedule: Any, kind: Any) -> Any:
    """(budget, reason to hand over). What the gate sees of the books is in the money row."""
    balance, equity = books[MONEY, BALANCE], books[MONEY, EQUITY]
    token, taken, costs = books[MONEY, TOKEN_EXPOSURE], books[MONEY, EXPOSURE], books[TERMS, COST_ALLOWANCE]
    if balance <= 0 or equity < 0 or token < 0 or taken < 0:
        return 0, 0
    size = part_of(balance, books[TERMS, BASE_PART], books[TERMS, BASE_WHOLE])
    size = min(size, part_of(balance, books[TERMS, FRACTION_PART], books[TERMS, FRACTION_WHOLE]))
    size = min(size, books[TERMS, MAX_POSITION], balance - books[TERMS, NATIVE_RESERVE] - costs)
    size = min(size, books[TERMS, MAX_TOKEN] - token - costs)
    size = min(size, part_of(equity, books[TERMS, TOKEN_PART], books[TERMS, TOKEN_WHOLE]) - token - costs)
    size = min(size, part_of(equity, books[TERMS, EXPOSURE_PART], books[TERMS, EXPOSURE_WHOLE]) - taken - costs)
    real, is_short = real_of(world, pool)
    size = min(size, part_of(np.int64(real), books[TERMS, POOL_SHARE_BPS], _BPS))
    if size <= 0 or world[pool, P_BASE] == ZERO or world[pool, P_RESERVE] == ZERO:
        return 0, 0
    rates, _ = terms_of(words, schedule, kind, world, pool)
    if rates[0] == ZERO:
        return 0, 0
    curve = world[pool, P_BASE], world[pool, P_RESERVE], world[pool, P_SUPPLY]
    limits = books[TERMS, MAX_IMPACT_BPS], books[TERMS, MAX_COST_BPS]
    size, reason = largest_within_price(size, curve, rates, limits)
    if size <= 0:
        return 0, reason
    loss = books[TERMS, MAX_LOSS_BPS]
    size = _largest_with_way_out(size, words, schedule, kind, (curve, rates, real, is_short), loss)
    return (0 if size < books[TERMS, MIN_POSITION] else size), 0
