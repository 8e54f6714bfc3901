"""When a position is sold: marks, ``execution.exits`` and what ``ExitManager`` remembers, as machine code.

Without a ladder every exit is for all that is held, and what is held never shrinks: so the highest value per unit is
the highest value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pumpswap.research.kernel.acting import P_BASE, P_LP, P_RESERVE, P_SUPPLY, real_of, terms_of
from pumpswap.research.kernel.quotes import BPS64, quote_sell, share
from pumpswap.research.kernel.trial.sizing import product_reaches, wide_product
from pumpswap.research.kernel.trial.terms import (
    COST,
    ENTRY_QUOTE,
    ENTRY_SUPPLY,
    EXIT_SLIPPAGE_BPS,
    FIRST,
    FLIGHT_BPS,
    HAS_PEAK,
    IS_BLOCKED,
    IS_BLOCKED_MARK,
    MARK,
    MARKED,
    MAX_HOLD_SECONDS,
    MAX_SLIPPAGE_BPS,
    MONEY,
    NEW_SUPPLY,
    OPENED_NS,
    PEAK_VALUE,
    PRODUCT_HIGH,
    PRODUCT_LOW,
    REFUSALS,
    RETRY_NS,
    RETRY_SECONDS,
    RUG_BPS,
    SALE_FAILURES,
    SLIPPAGE_STEP_BPS,
    STOP_LOSS_BPS,
    TAKE_PROFIT_BPS,
    TERMS,
    TRAILING_AFTER_BPS,
    TRAILING_BPS,
    UNITS,
    WANTED,
)
from pumpswap.research.kernel.u128 import ONE, ZERO, inlined, inner, mul64, mul_div

__all__ = ["begin_round", "look", "mark", "put_off", "sale_slippage"]

PARTIAL_SALE = 2  # why a trial is handed over: a pool can pay only a part
SIGNAL, TIME_OUT, TRAILING_STOP, TAKE_PROFIT, STOP_LOSS, LIQUIDITY_FLIGHT, RUG = 1, 2, 3, 4, 5, 6, 7
_BPS, _NS = np.int64(10_000), 1_000_000_000
_MOST_REFUSED_SECONDS = 30


@inlined
def _urgency(kind: Any) -> Any:
    return kind - STOP_LOSS if kind > STOP_LOSS else 0


@inner
def _pays_a_part(base: Any, reserve: Any, real: Any, units: Any, rates: Any) -> Any:
    """Whether ``amm.largest_sale`` finds anything that the pool can pay."""
    if base == ZERO or reserve == ZERO or rates[1] + rates[2] + rates[3] >= BPS64:
        return False
    gross = mul_div(real + ONE, BPS64, BPS64 - rates[1])
    # ⌊((real + 1) · BPS − 1) / (BPS − lp)⌋: one less where the division has no remainder.
    high, low = mul64(real + ONE, BPS64)
    back_high, back_low = mul64(gross, BPS64 - rates[1])
    if high == back_high and low == back_low:
        gross -= ONE
    while gross > ZERO:
        if reserve > gross + ONE:
            top_high, top_low = mul64(gross + ONE, base)
            divisor = reserve - gross - ONE
            if top_high < divisor:
                most = mul_div(gross + ONE, base, divisor)
                check_high, check_low = mul64(most, divisor)
                units = min(units, most - ONE if check_high == top_high and check_low == top_low else most)
        found = quote_sell(base, reserve, real, np.int64(0), units, rates)
        if found[0] == 0 and found[5] > ZERO:
            return True
        worth = share(units, reserve, base) if units > ZERO else ZERO
        if worth <= ONE:
            return False
        gross = worth - ONE
    return False


@inner
def mark(words: Any, books: Any, world: Any, pool: Any, schedule: Any, kind: Any) -> Any:
    """``mark_position`` of what is held: 0, or why the trial is handed over."""
    row = pool + FIRST
    rates, _ = terms_of(words, schedule, kind, world, pool)
    real, is_short = real_of(world, pool)
    units = np.uint64(books[row, UNITS])
    base, reserve = world[pool, P_BASE], world[pool, P_RESERVE]
    status, _, _, _, _, value = quote_sell(base, reserve, real, is_short, units, rates)
    if status != 0 and is_short == 0 and _pays_a_part(base, reserve, real, units, rates):
        return PARTIAL_SALE
    worth = np.int64(value) if status == 0 else 0
    books[MONEY, MARKED] += worth - books[row, MARK]
    books[row, MARK], books[row, IS_BLOCKED_MARK] = worth, 0 if status == 0 else 1
    return 0


@inlined
def begin_round(books: Any, world: Any, pool: Any) -> None:
    """``begun``: what is remembered of a pool as our buy has left it."""
    row = pool + FIRST
    real, is_short = real_of(world, pool)
    high, low = mul64(world[pool, P_BASE], world[pool, P_RESERVE])
    is_known = world[pool, P_LP] != ZERO
    books[row, ENTRY_QUOTE] = 0 if is_short != 0 else np.int64(real)
    books[row, PRODUCT_HIGH] = np.int64(high) if is_known else 0
    books[row, PRODUCT_LOW] = np.int64(low) if is_known else 0
    books[row, ENTRY_SUPPLY] = np.int64(world[pool, P_SUPPLY]) if is_known else 0
    for place in (WANTED, SALE_FAILURES, REFUSALS, RETRY_NS, IS_BLOCKED, PEAK_VALUE, HAS_PEAK):
        books[row, place] = 0


@inlined
def _watch(books: Any, world: Any, pool: Any) -> None:
    """``watched``: the least supply so far, and a pool that was not known at the entry."""
    row = pool + FIRST
    is_known = world[pool, P_LP] != ZERO
    supply = np.int64(world[pool, P_SUPPLY]) if is_known else 0
    if books[row, ENTRY_QUOTE] == 0 and books[row, PRODUCT_HIGH] == 0 and books[row, PRODUCT_LOW] == 0:
        real = np.int64(world[pool, P_RESERVE]) - np.int64(world[pool, 2])
        high, low = mul64(world[pool, P_BASE], world[pool, P_RESERVE])
        books[row, ENTRY_QUOTE] = real
        books[row, PRODUCT_HIGH] = np.int64(high) if is_known else 0
        books[row, PRODUCT_LOW] = np.int64(low) if is_known else 0
    if supply != 0:
        before = books[row, ENTRY_SUPPLY]
        books[row, ENTRY_SUPPLY] = supply if before == 0 else min(before, supply)


@inlined
def _is_rug(books: Any, world: Any, pool: Any) -> Any:
    row = pool + FIRST
    base, reserve, is_known = world[pool, P_BASE], world[pool, P_RESERVE], world[pool, P_LP] != ZERO
    high, low = np.uint64(books[row, PRODUCT_HIGH]), np.uint64(books[row, PRODUCT_LOW])
    if books[TERMS, RUG_BPS] != 0 and (high != ZERO or low != ZERO):
        now_high, now_low = mul64(base, reserve)
        if not is_known:
            now_high = now_low = ZERO
        if (now_high != ZERO or now_low != ZERO) or base == ZERO or reserve == ZERO:
            # ⌊(entry − now) · BPS / entry⌋ ≥ limit ⇔ now · BPS ≤ entry · (BPS − limit)
            left = wide_product(now_high, now_low, BPS64)
            right = wide_product(high, low, BPS64 - np.uint64(books[TERMS, RUG_BPS]))
            if left[0] != right[0]:
                is_less = left[0] < right[0]
            elif left[1] != right[1]:
                is_less = left[1] < right[1]
            else:
                is_less = left[2] <= right[2]
            if is_less:
                return True
    supply = np.int64(world[pool, P_SUPPLY]) if is_known else 0
    return books[TERMS, NEW_SUPPLY] != 0 and books[row, ENTRY_SUPPLY] != 0 and supply > books[row, ENTRY_SUPPLY]


@inlined
def _has_fled(books: Any, world: Any, pool: Any) -> Any:
    entry, limit = books[pool + FIRST, ENTRY_QUOTE], books[TERMS, FLIGHT_BPS]
    if limit == 0 or entry <= 0:
        return False
    real = np.int64(world[pool, P_RESERVE]) - np.int64(world[pool, 2])
    fallen = entry - real
    return fallen > 0 and product_reaches(fallen, _BPS, entry, limit)


@inlined
def _due_by_value(books: Any, row: Any) -> Any:
    """Stop-loss, take-profit or the trailing stop; 0 for none."""
    cost, value = books[row, COST], books[row, MARK]
    stop, target, trail = books[TERMS, STOP_LOSS_BPS], books[TERMS, TAKE_PROFIT_BPS], books[TERMS, TRAILING_BPS]
    if cost != 0 and stop != 0 and cost > value and product_reaches(cost - value, _BPS, stop, cost):
        return STOP_LOSS
    if cost != 0 and target != 0 and value > cost and product_reaches(value - cost, _BPS, target, cost):
        return TAKE_PROFIT
    if trail != 0 and books[row, HAS_PEAK] != 0:
        peak, after = books[row, PEAK_VALUE], books[TERMS, TRAILING_AFTER_BPS]
        if after == 0 or product_reaches(peak, _BPS, cost, _BPS + after):
            line = np.int64(mul_div(np.uint64(peak), np.uint64(_BPS - trail), BPS64))
            if value <= line:
                return TRAILING_STOP
    return 0


@inlined
def _due(books: Any, world: Any, pool: Any, now: Any) -> Any:
    """``due_exit``: the first rule that applies, 0 for none."""
    row = pool + FIRST
    if _is_rug(books, world, pool):
        return RUG
    if _has_fled(books, world, pool):
        return LIQUIDITY_FLIGHT
    if books[row, IS_BLOCKED_MARK] == 0:
        kind = _due_by_value(books, row)
        if kind != 0:
            return kind
    longest = books[TERMS, MAX_HOLD_SECONDS]
    return TIME_OUT if longest != 0 and (now - books[row, OPENED_NS]) // _NS > longest else 0


@inner
def look(books: Any, world: Any, pool: Any, now: Any) -> Any:
    """``ExitManager.look`` at a position that was just marked: whether a sale is wanted now."""
    row = pool + FIRST
    _watch(books, world, pool)
    is_blocked, value = books[row, IS_BLOCKED_MARK] != 0, books[row, MARK]
    if (
        books[TERMS, TRAILING_BPS] != 0
        and not is_blocked
        and (books[row, HAS_PEAK] == 0 or value > books[row, PEAK_VALUE])
    ):
        books[row, PEAK_VALUE], books[row, HAS_PEAK] = value, 1
    kind, wanted = _due(books, world, pool, now), books[row, WANTED]
    if kind != 0:
        if wanted == 0:
            books[row, WANTED] = kind
            if _urgency(kind) > 0:
                books[row, RETRY_NS] = 0
        elif _urgency(kind) > _urgency(wanted):
            books[row, WANTED], books[row, RETRY_NS] = kind, 0
    if books[row, WANTED] == 0:
        is_in_the_way = is_blocked
    else:
        is_in_the_way = is_blocked or value == 0
    if is_in_the_way:
        books[row, IS_BLOCKED] = 1
        return False
    if books[row, IS_BLOCKED] != 0:
        books[row, IS_BLOCKED] = 0
        if books[row, REFUSALS] != 0:
            books[row, REFUSALS] = books[row, RETRY_NS] = 0
    return books[row, WANTED] != 0 and now >= books[row, RETRY_NS]


@inlined
def sale_slippage(books: Any, row: Any) -> Any:
    """What the next sale accepts, in bps."""
    most = books[TERMS, MAX_SLIPPAGE_BPS]
    if books[row, WANTED] == RUG:
        return most
    return min(books[TERMS, EXIT_SLIPPAGE_BPS] + books[row, SALE_FAILURES] * books[TERMS, SLIPPAGE_STEP_BPS], most)


@inlined
def put_off(books: Any, row: Any, at_ns: Any, is_of_price: Any) -> None:
    """A sale has failed: what failed by its price accepts more the next time, anything else waits longer."""
    if is_of_price:
        books[row, SALE_FAILURES] += 1
        books[row, REFUSALS] = 0
        books[row, RETRY_NS] = at_ns + books[TERMS, RETRY_SECONDS] * _NS
        return
    books[row, REFUSALS] += 1
    first = max(books[TERMS, RETRY_SECONDS], 1)
    wait = min(first << min(books[row, REFUSALS] - 1, 16), max(_MOST_REFUSED_SECONDS, first))
    books[row, RETRY_NS] = at_ns + wait * _NS
