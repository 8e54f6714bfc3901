"""Orders of a trial: how they are sent, land, and are booked: ``PaperVenue``, ``Portfolio`` and ``RiskTracker`` as
machine code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pumpswap.research.kernel.acting import last_step, load, state_step, traded
from pumpswap.research.kernel.layout import BUY_QUOTE, SELL
from pumpswap.research.kernel.rates import CASHBACK, schedule_at_second
from pumpswap.research.kernel.trial.exits import begin_round, mark, put_off, sale_slippage
from pumpswap.research.kernel.trial.sizing import product_reaches
from pumpswap.research.kernel.trial.terms import (
    BREAKER_FAILURES,
    CASH,
    CLOCK,
    CLOSED_NS,
    COST,
    COSTS_HELD,
    DAILY_PART,
    DAILY_WHOLE,
    DAY,
    DAY_IS_LOST,
    DAY_START,
    DRAWDOWN_PART,
    DRAWDOWN_WHOLE,
    EQUITY,
    FAIL_DRAWS,
    FAILURES,
    FILLS,
    FIRST,
    HAS_ACCUMULATOR,
    HELD,
    IS_DIVERGED,
    IS_DRAWN_DOWN,
    IS_HELD,
    IS_NAIVE,
    IS_PUT,
    LAST,
    LOSSES,
    LOSSES_PAUSE_NS,
    LOSSES_UNTIL,
    LOWER_RENT_SINCE,
    MARK,
    MARKED,
    MAX_LOSSES,
    MAX_STATE_AGE_NS,
    MINT_RENT,
    MINT_TOKENS,
    MONEY,
    NETWORK_FEE,
    NEXT_EQUITY,
    OPENED_NS,
    ORDERS,
    PEAK,
    PERIOD_NS,
    POINTS,
    PRIORITY,
    PRIORITY_DRAWS,
    RENT,
    ROUND_BOUGHT,
    SUBMITTED,
    TERMS,
    TIP,
    UNITS,
    UNTIL_NS,
    V2_SINCE_S,
    WATCH,
)
from pumpswap.research.kernel.u128 import ZERO, inlined, inner, mul_div

__all__ = ["FILL_NAMES", "finish", "measure", "settle", "submit", "tell_equity"]

BREAKER, NO_ROOM, DRAWS_OUT_OF_STEP = 3, 4, 5  # why a trial is handed over, or needs more room
(O_LANDING, O_NUMBER, O_IS_BUY, O_POOL, O_AMOUNT, O_LIMIT) = range(6)
FILL_NAMES = (
    "at_ns", "pool", "is_buy", "status", "base", "quote", "gross", "lp", "protocol", "creator", "network", "priority",
    "tip", "rent_paid", "rent_returned", "opened_ns", "bought", "realised",
)  # fmt: skip
(F_AT, F_POOL, F_IS_BUY, F_STATUS, F_BASE, F_QUOTE, F_GROSS, F_LP, F_PROTOCOL, F_CREATOR, F_NETWORK, F_PRIORITY, F_TIP,
 F_RENT_PAID, F_RENT_RETURNED, F_OPENED, F_BOUGHT, F_REALISED) = range(len(FILL_NAMES))  # fmt: skip
STALE, NO_FUNDS, NETWORK_FAILURE = -3, -2, -1  # statuses of a fill's row that are no refusal of the program
_BPS, _NS, _DAY_NS = np.int64(10_000), 1_000_000_000, 86_400_000_000_000
# Rents of a token account, of one of Token-2022, of a volume accumulator; the second row since they were lowered.


@inlined
def submit(books: Any, orders: Any, landing_ns: Any, order: Any) -> Any:
    """Send an order (is_buy, pool, amount, limit): 0, or why the trial is handed over."""
    place = books[MONEY, ORDERS]
    if place == orders.shape[0]:
        return NO_ROOM
    books[MONEY, SUBMITTED] += 1
    orders[place, O_LANDING], orders[place, O_NUMBER] = landing_ns, books[MONEY, SUBMITTED]
    orders[place, O_IS_BUY], orders[place, O_POOL], orders[place, O_AMOUNT], orders[place, O_LIMIT] = order
    books[MONEY, ORDERS] = place + 1
    return 0


@inner
def measure(books: Any, now: Any) -> None:
    """Equity by the latest marks; the locks of the day and of the drawdown follow it."""
    equity = books[MONEY, CASH] + books[MONEY, MARKED] + books[MONEY, RENT]
    books[MONEY, EQUITY] = equity
    day = now // _DAY_NS
    if day > books[MONEY, DAY]:
        books[MONEY, DAY], books[MONEY, DAY_START], books[MONEY, DAY_IS_LOST] = day, equity, 0
    else:
        loss = books[MONEY, DAY_START] - equity
        if loss > 0 and product_reaches(
            loss, books[TERMS, DAILY_WHOLE], books[MONEY, DAY_START], books[TERMS, DAILY_PART]
        ):
            books[MONEY, DAY_IS_LOST] = 1
    if equity > books[MONEY, PEAK]:
        books[MONEY, PEAK] = equity
    else:
        fallen, peak = books[MONEY, PEAK] - equity, books[MONEY, PEAK]
        if fallen > 0 and product_reaches(fallen, books[TERMS, DRAWDOWN_WHOLE], peak, books[TERMS, DRAWDOWN_PART]):
            books[MONEY, IS_DRAWN_DOWN] = 1


@inner
def tell_equity(books: Any, now: Any, points: Any) -> Any:
    """Measure, and write it down: 0, or that there is no room."""
    measure(books, now)
    books[MONEY, NEXT_EQUITY] = now + books[TERMS, PERIOD_NS]
    place = books[MONEY, POINTS]
    if place == points.shape[0]:
        return NO_ROOM
    points[place, 0], points[place, 1] = now, books[MONEY, EQUITY]
    books[MONEY, POINTS] = place + 1
    return 0


@inlined
def _next_order(books: Any, orders: Any, until_ns: Any) -> Any:
    """The order that lands next by ``until_ns``; -1 for none."""
    found = -1
    for place in range(books[MONEY, ORDERS]):
        if orders[place, O_LANDING] > until_ns:
            continue
        if found < 0 or (orders[place, O_LANDING], orders[place, O_NUMBER]) < (
            orders[found, O_LANDING],
            orders[found, O_NUMBER],
        ):
            found = place
    return found


@inlined
def _failed_order(books: Any) -> Any:
    """``RiskTracker`` counts a failure: whether the breaker opens, which is the engine's to play."""
    books[MONEY, FAILURES] += 1
    return BREAKER if books[MONEY, FAILURES] >= books[TERMS, BREAKER_FAILURES] else 0


@inlined
def _rents(books: Any, mints: Any, facts: Any, pool: Any, at_ns: Any) -> Any:
    """(rent of a token account, of the volume accumulator) that a buy has to create."""
    pool_mint, is_2022, rents = facts
    era = 1 if at_ns // _NS >= books[TERMS, LOWER_RENT_SINCE] else 0
    account = 0 if mints[pool_mint[pool], MINT_RENT] != 0 else rents[era, 1 if is_2022[pool] != 0 else 0]
    return account, 0 if books[MONEY, HAS_ACCUMULATOR] != 0 else rents[era, 2]


@inlined
def _round_closed(books: Any, realised: Any, at_ns: Any) -> None:
    """``RiskTracker._round_closed``."""
    if realised >= 0:
        books[MONEY, LOSSES] = 0
        return
    books[MONEY, LOSSES] += 1
    if books[MONEY, LOSSES] >= books[TERMS, MAX_LOSSES]:
        books[MONEY, LOSSES] = 0
        books[MONEY, LOSSES_UNTIL] = at_ns + books[TERMS, LOSSES_PAUSE_NS]


@inlined
def _bought(books: Any, mints: Any, mint: Any, pool: Any, fill: Any) -> None:
    """Book a buy: ``fill`` is (at, base, paid with costs, rent of the account, rent of the accumulator)."""
    at_ns, base, paid, account, accumulator = fill
    row = pool + FIRST
    books[row, UNITS], books[row, COST], books[row, OPENED_NS], books[row, MARK] = base, paid, at_ns, 0
    books[row, ROUND_BOUGHT] = paid
    books[row, WATCH] |= IS_HELD
    books[MONEY, HELD] += 1
    books[MONEY, COSTS_HELD] += paid
    books[MONEY, CASH] -= paid + account + accumulator
    books[MONEY, RENT] += account + accumulator
    books[MONEY, HAS_ACCUMULATOR] = 1
    mints[mint, MINT_TOKENS] += base
    if account != 0:
        mints[mint, MINT_RENT] = account


@inlined
def _sold(books: Any, mints: Any, mint: Any, pool: Any, fill: Any) -> Any:
    """Book the sale of all that is held: ``fill`` is (at, base, received after costs). Gives the rent that returns."""
    at_ns, base, received = fill
    row = pool + FIRST
    mints[mint, MINT_TOKENS] -= base
    returned = 0
    if mints[mint, MINT_TOKENS] == 0:
        returned, mints[mint, MINT_RENT] = mints[mint, MINT_RENT], 0
    books[MONEY, CASH] += received + returned
    books[MONEY, RENT] -= returned
    books[MONEY, MARKED] -= books[row, MARK]
    books[MONEY, HELD] -= 1
    books[MONEY, COSTS_HELD] -= books[row, COST]
    books[row, CLOSED_NS], books[row, UNITS], books[row, MARK] = at_ns, 0, 0
    books[row, WATCH] &= ~IS_HELD
    return returned


@inner
def _execute(words: Any, books: Any, world: Any, order: Any, venue: Any, draws: Any) -> Any:
    """What comes of an order that lands: its row of fills, but for what booking adds; status 0 is a fill.

    ``order`` is (is_buy, pool, amount, limit, at_ns, age_ns, rents); ``venue`` (schedule, kind); gives (status, row)
    with -10 − reason in place of a status when the trial is handed over.
    """
    is_buy, pool, amount, limit, at_ns, age_ns, rents = order
    schedule, kind = venue
    priorities, fails = draws
    nothing = (0, 0, 0, 0, 0, 0, 0, 0)
    if age_ns > books[TERMS, MAX_STATE_AGE_NS]:
        return STALE, nothing
    priority = books[TERMS, PRIORITY]
    if priorities.shape[0] > 0:
        if books[MONEY, PRIORITY_DRAWS] == priorities.shape[0]:
            return -10 - NO_ROOM, nothing
        priority = priorities[books[MONEY, PRIORITY_DRAWS]]
        books[MONEY, PRIORITY_DRAWS] += 1
    network, tip = books[TERMS, NETWORK_FEE], books[TERMS, TIP]
    needed = network + priority + tip + rents + (amount if is_buy != 0 else 0)
    if needed > books[MONEY, CASH]:
        # Both kinds of chance come from one sequence: a draw that is left out would shift the others.
        has_both = priorities.shape[0] > 0 and fails.shape[0] > 0
        return (-10 - DRAWS_OUT_OF_STEP if has_both else NO_FUNDS), nothing
    if fails.shape[0] > 0:
        if books[MONEY, FAIL_DRAWS] == fails.shape[0]:
            return -10 - NO_ROOM, nothing
        has_failed = fails[books[MONEY, FAIL_DRAWS]]
        books[MONEY, FAIL_DRAWS] += 1
        if has_failed != 0:
            return NETWORK_FAILURE, (0, 0, 0, 0, 0, 0, network, priority)
    generation = 1 if at_ns // _NS < books[TERMS, V2_SINCE_S] or kind[0] & CASHBACK != ZERO else 2
    what = BUY_QUOTE if is_buy != 0 else SELL
    done = traded(words, schedule, kind, world, pool, (what, generation, np.uint64(amount), np.uint64(limit)))
    status, gross, lp, protocol, creator, base, quote = done
    return status, (
        np.int64(base), np.int64(quote), np.int64(gross), np.int64(lp), np.int64(protocol), np.int64(creator), network,
        priority,
    )  # fmt: skip


@inner
def _land(words: Any, since: Any, tape: Any, memory: Any, chance: Any, moment: Any) -> Any:
    """Execute and book the order at a place: (whether money moved, why the trial is handed over)."""
    books, world, mints, orders, fills, _ = memory
    places, starts, has_state, until, at, flags, creator_bps, after, facts = tape
    place, step = moment
    landing, is_buy, pool = orders[place, O_LANDING], orders[place, O_IS_BUY], orders[place, O_POOL]
    amount, limit, row = orders[place, O_AMOUNT], orders[place, O_LIMIT], pool + FIRST
    last = books[MONEY, ORDERS] - 1
    for column in range(orders.shape[1]):
        orders[place, column] = orders[last, column]
    books[MONEY, ORDERS] = last
    told = state_step(places, starts, has_state, pool, step)
    known = max(at[told], min(books[MONEY, CLOCK], min(until[told], books[TERMS, UNTIL_NS])))
    newest = last_step(places, starts, pool, step)
    if books[row, WATCH] & (IS_DIVERGED | IS_PUT) == 0:
        load(world, pool, after, newest)
    schedule = schedule_at_second(since, landing // _NS)
    kind = np.uint64(flags[newest]), np.uint64(creator_bps[newest]), ZERO
    account, accumulator = _rents(books, mints, facts, pool, landing) if is_buy != 0 else (0, 0)
    order = is_buy, pool, amount, limit, landing, landing - known, account + accumulator
    status, found = _execute(words, books, world, order, (schedule, kind), chance)
    if status <= -10:
        return False, -10 - status
    books[MONEY, CLOCK] = max(books[MONEY, CLOCK], landing)
    number = books[MONEY, FILLS]
    if number == fills.shape[0]:
        return False, NO_ROOM
    fills[number, F_AT], fills[number, F_POOL], fills[number, F_IS_BUY] = landing, pool, is_buy
    fills[number, F_STATUS], books[MONEY, FILLS] = status, number + 1
    if status in (STALE, NO_FUNDS):
        if is_buy == 0:
            put_off(books, row, landing, False)
        return False, _failed_order(books)
    network, priority = found[6], found[7]
    if status != 0:
        network, priority = (
            books[TERMS, NETWORK_FEE],
            (found[7] if status == NETWORK_FAILURE else _priority(books, chance)),
        )
        fills[number, F_NETWORK], fills[number, F_PRIORITY] = network, priority
        books[MONEY, CASH] -= network + priority
        if is_buy == 0:
            put_off(books, row, landing, status == 6004)
        return True, _failed_order(books)
    fills[number, F_BASE], fills[number, F_QUOTE], fills[number, F_GROSS], fills[number, F_LP] = found[:4]
    fills[number, F_PROTOCOL], fills[number, F_CREATOR] = found[4], found[5]
    fills[number, F_NETWORK], fills[number, F_PRIORITY] = network, priority
    tip = books[TERMS, TIP]
    fills[number, F_TIP] = tip
    spent, mint = network + priority + tip, facts[0][pool]
    books[MONEY, FAILURES] = 0
    books[row, LAST] = newest
    books[row, WATCH] |= IS_PUT if books[TERMS, IS_NAIVE] != 0 else IS_DIVERGED
    if is_buy != 0:
        fills[number, F_RENT_PAID] = account + accumulator
        _bought(books, mints, mint, pool, (landing, found[0], found[1] + spent, account, accumulator))
        begin_round(books, world, pool)
        return True, mark(words, books, world, pool, schedule, kind)
    received, cost = found[1] - spent, books[row, COST]
    fills[number, F_OPENED], fills[number, F_BOUGHT] = books[row, OPENED_NS], books[row, ROUND_BOUGHT]
    fills[number, F_REALISED] = received - cost
    fills[number, F_RENT_RETURNED] = _sold(books, mints, mint, pool, (landing, found[0], received))
    _round_closed(books, received - cost, landing)
    return True, 0


@inlined
def _priority(books: Any, chance: Any) -> Any:
    """The priority fee of the transaction that was drawn last."""
    drawn = chance[0]
    return drawn[books[MONEY, PRIORITY_DRAWS] - 1] if drawn.shape[0] > 0 else books[TERMS, PRIORITY]


@inner
def settle(words: Any, since: Any, tape: Any, memory: Any, chance: Any, moment: Any) -> Any:
    """Execute and book all that has landed by a time, before a step; then measure equity once: 0, or why the trial is
    handed over. ``moment`` is (until_ns, step).
    """
    books, orders, points = memory[0], memory[3], memory[5]
    until_ns, step = moment
    has_moved = False
    place = _next_order(books, orders, until_ns)
    while place >= 0:
        moved, reason = _land(words, since, tape, memory, chance, (place, step))
        if reason != 0:
            return reason
        has_moved = has_moved or moved
        place = _next_order(books, orders, until_ns)
    return tell_equity(books, books[MONEY, CLOCK], points) if has_moved else 0


@inner
def finish(words: Any, since: Any, tape: Any, memory: Any, chance: Any, step: Any) -> Any:
    """Let what is on its way land, then value what is held once more."""
    books, world, orders, points = memory[0], memory[1], memory[3], memory[5]
    places, starts, _, _, _, flags, creator_bps, after, _ = tape
    while books[MONEY, ORDERS] > 0:
        landing = orders[0, O_LANDING]
        for place in range(1, books[MONEY, ORDERS]):
            landing = min(landing, orders[place, O_LANDING])
        reason = settle(words, since, tape, memory, chance, (landing, step))
        if reason != 0:
            return reason
    schedule = schedule_at_second(since, books[MONEY, CLOCK] // _NS)
    for pool in range(world.shape[0]):
        if books[pool + FIRST, WATCH] & IS_HELD != 0:
            newest = last_step(places, starts, pool, step)
            if books[pool + FIRST, WATCH] & (IS_DIVERGED | IS_PUT) == 0:
                load(world, pool, after, newest)
            kind = np.uint64(flags[newest]), np.uint64(creator_bps[newest]), ZERO
            reason = mark(words, books, world, pool, schedule, kind)
            if reason != 0:
                return reason
    return tell_equity(books, books[MONEY, CLOCK], points)


@inner
def sell_all(words: Any, books: Any, world: Any, pool: Any, orders: Any, moment: Any) -> Any:
    """Send the sale that an exit wants: 0, or why the trial is handed over. ``moment`` is (schedule, kind, landing)."""
    _, _, landing_ns = moment
    row = pool + FIRST
    units, value = books[row, UNITS], books[row, MARK]
    least = np.int64(mul_div(np.uint64(value), np.uint64(_BPS - sale_slippage(books, row)), np.uint64(_BPS)))
    return submit(books, orders, landing_ns, (np.int64(0), pool, units, max(least, 1)))
