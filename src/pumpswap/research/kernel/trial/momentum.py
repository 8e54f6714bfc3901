"""A whole trial of Momentum at full size, as machine code: what the engine would do, to the lamport.

Steps are taken in the order of the record. Pools that we have not touched cost a comparison each; those that we have,
or hold, are played: what others signed is done again to the pool as it is now.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pumpswap.research.kernel.acting import P_BASE, P_BOOST, P_RESERVE, act_on, load, terms_of
from pumpswap.research.kernel.layout import (
    GIFT,
    HOP_BUY,
    HOP_SELL,
    IS_HOLDERS,
    IS_ROUTE,
    NOTHING,
    SELL,
    TOLD,
)
from pumpswap.research.kernel.quotes import quote_buy_quote
from pumpswap.research.kernel.trial.exits import SIGNAL, look, mark
from pumpswap.research.kernel.trial.flows import begin_flow, burst_bps, buyers_of, forget
from pumpswap.research.kernel.trial.holders import capped, differs, payable
from pumpswap.research.kernel.trial.sizing import part_of, product_reaches, size_buy
from pumpswap.research.kernel.trial.terms import (
    BALANCE,
    BURST_BPS,
    CASH,
    CLOCK,
    CLOSED_NS,
    COOLDOWN_NS,
    COST,
    COST_ALLOWANCE,
    COSTS_HELD,
    DAILY_PART,
    DAILY_WHOLE,
    DAY_IS_LOST,
    DAY_START,
    DRAWDOWN_PART,
    DRAWDOWN_WHOLE,
    ENTRIES,
    EQUITY,
    EXPOSURE,
    FILLS,
    FIRST,
    HEAD,
    HELD,
    IS_DIVERGED,
    IS_DRAWN_DOWN,
    IS_HELD,
    IS_NAIVE,
    IS_PUT,
    LAST,
    LOSSES_UNTIL,
    MAX_OPEN,
    MAX_SIGNAL_AGE_NS,
    MIN_BUYERS,
    MIN_LIQUIDITY,
    MONEY,
    NET,
    NEXT_EQUITY,
    ORDERS,
    PEAK,
    PER_DAY,
    PER_HOUR,
    PER_MINUTE,
    SINCE,
    SINCE_NS,
    SLIPPAGE_BPS,
    START_LAMPORTS,
    START_NS,
    TERMS,
    TOKEN_EXPOSURE,
    TURN_BPS,
    WANTED,
    WATCH,
    WINDOW_NS,
    WISHED_NS,
)
from pumpswap.research.kernel.trial.venue import (
    F_IS_BUY,
    F_POOL,
    F_STATUS,
    NO_ROOM,
    O_AMOUNT,
    O_IS_BUY,
    O_LANDING,
    O_POOL,
    finish,
    measure,
    sell_all,
    settle,
    submit,
    tell_equity,
)
from pumpswap.research.kernel.u128 import ZERO, compiled, inlined, inner, soon

__all__ = ["REASONS", "play"]

A_TOLD, A_ROUTE, A_CHANGE, TOO_MUCH = 6, 7, 8, 9
REASONS = (
    "", "a size that takes too long to find", "a pool that can pay only a part of a sale", "the circuit breaker",
    "no room", "an order without funds under drawn fees and failures", "a pool of ours that was only told",
    "a route through a pool of ours", "a change of a pool of ours that is refused", "a pool beyond 63 bits",
)  # fmt: skip
_MINUTE, _HOUR, _DAY, _BPS = 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000, np.int64(10_000)
_AHEAD = 16  # steps: about as long as memory takes
_MOST_SIGNED = np.uint64((1 << 63) - 1)


@inlined
def _entries_since(entries: Any, count: Any, since_ns: Any) -> Any:
    """How many entries were at that time or later; they are in order of time."""
    found = 0
    while found < count and entries[count - 1 - found] >= since_ns:
        found += 1
    return found


@inner
def _may_enter(books: Any, orders: Any, entries: Any, pool: Any, now: Any, pool_mint: Any) -> Any:
    """What the gate asks of the books, not of the pool. Leaves what sizing needs in the money row."""
    measure(books, now)
    promised, waiting = 0, 0
    for place in range(books[MONEY, ORDERS]):
        is_same = pool_mint[orders[place, O_POOL]] == pool_mint[pool]
        if is_same:
            return False  # an order on the token is on its way
        if orders[place, O_IS_BUY] != 0:
            promised += orders[place, O_AMOUNT] + books[TERMS, COST_ALLOWANCE]
            waiting += 1
    books[MONEY, BALANCE] = books[MONEY, CASH] - promised
    books[MONEY, EXPOSURE] = books[MONEY, COSTS_HELD] + promised
    if books[MONEY, HELD] + waiting >= books[TERMS, MAX_OPEN]:
        return False
    closed = books[pool + FIRST, CLOSED_NS]
    if closed >= 0 and now - closed < books[TERMS, COOLDOWN_NS]:
        return False
    count, start, equity = books[MONEY, ENTRIES], books[MONEY, DAY_START], books[MONEY, EQUITY]
    if (
        _entries_since(entries, count, now - _MINUTE + 1) >= books[TERMS, PER_MINUTE]
        or _entries_since(entries, count, now - _HOUR + 1) >= books[TERMS, PER_HOUR]
        or _entries_since(entries, count, now - _DAY + 1) >= books[TERMS, PER_DAY]
    ):
        return False
    if books[MONEY, DAY_IS_LOST] != 0 or books[MONEY, IS_DRAWN_DOWN] != 0 or books[MONEY, LOSSES_UNTIL] > now:
        return False
    lost, fallen = start - equity, books[MONEY, PEAK] - equity
    if lost > 0 and product_reaches(lost, books[TERMS, DAILY_WHOLE], start, books[TERMS, DAILY_PART]):
        return False
    if fallen > 0 and product_reaches(
        fallen, books[TERMS, DRAWDOWN_WHOLE], books[MONEY, PEAK], books[TERMS, DRAWDOWN_PART]
    ):
        return False
    of_token = 0  # last, since it looks at every pool
    for other in range(pool_mint.shape[0]):
        if pool_mint[other] == pool_mint[pool] and books[other + FIRST, WATCH] & IS_HELD != 0:
            of_token += books[other + FIRST, COST]
    books[MONEY, TOKEN_EXPOSURE] = of_token
    return True


@inner
def _decide(words: Any, books: Any, world: Any, pool: Any, memory: Any, moment: Any) -> Any:
    """Put the wish to buy through the gate, and order what it accepts: 0, or why the trial is handed over.

    ``moment`` is (now, schedule, kind, landing, age of the signal).
    """
    orders, entries, pool_mint, tradeable = memory
    now, schedule, kind, landing_ns, age_ns = moment
    if not _may_enter(books, orders, entries, pool, now, pool_mint):
        return 0
    real = np.int64(world[pool, P_RESERVE]) - np.int64(world[pool, P_BOOST])
    is_old = abs(age_ns) > books[TERMS, MAX_SIGNAL_AGE_NS]
    if tradeable[pool] == 0 or is_old or real < books[TERMS, MIN_LIQUIDITY]:
        return 0
    budget, reason = size_buy(words, books, world, pool, schedule, kind)
    if budget <= 0:
        return reason
    rates, _ = terms_of(words, schedule, kind, world, pool)
    found = quote_buy_quote(world[pool, P_BASE], world[pool, P_RESERVE], np.uint64(budget), rates)
    least = max(part_of(np.int64(found[5]), _BPS - books[TERMS, SLIPPAGE_BPS], _BPS), 1)
    reason = submit(books, orders, landing_ns, (np.int64(1), pool, budget, least))
    count = books[MONEY, ENTRIES]
    if reason != 0 or count == entries.shape[0]:
        return NO_ROOM
    entries[count], books[MONEY, ENTRIES] = now, count + 1
    return 0


@inner
def _look_after(words: Any, books: Any, world: Any, pool: Any, memory: Any, moment: Any) -> Any:
    """Value a position, sell it when an exit or the strategy says so: 0, or why the trial is handed over.

    ``moment`` is (now, schedule, kind, landing); ``memory`` (orders, mints of pools, the trades of ``_forget``).
    """
    orders, pool_mint, trades = memory
    now, schedule, kind, landing_ns = moment
    row = pool + FIRST
    reason = mark(words, books, world, pool, schedule, kind)
    if reason != 0:
        return reason
    for place in range(books[MONEY, ORDERS]):
        if pool_mint[orders[place, O_POOL]] == pool_mint[pool]:
            return 0
    if look(books, world, pool, now):
        return sell_all(words, books, world, pool, orders, (schedule, kind, landing_ns))
    forget(books, row, now - books[TERMS, WINDOW_NS], trades)
    real = np.int64(world[pool, P_RESERVE]) - np.int64(world[pool, P_BOOST])
    sold = -books[row, NET]
    if real <= 0 or sold <= 0 or not product_reaches(sold, _BPS, books[TERMS, TURN_BPS], real):
        return 0
    if books[row, WANTED] == 0:
        books[row, WANTED] = SIGNAL
    if look(books, world, pool, now):
        return sell_all(words, books, world, pool, orders, (schedule, kind, landing_ns))
    return 0


@compiled
def play(words: Any, since: Any, tape: Any, plan: Any, memory: Any, out: Any) -> Any:  # noqa: C901 - see below
    """Play a trial from ``plan``'s first step to before its last. Gives 0, or the place in ``REASONS`` of why the
    engine has to: nothing that was written then counts.
    """
    # One loop over all steps, in one function: what it called with its forty columns would cost more than a step does.
    (at_ns, pools, acts, swapped, people, known, after, groups, facts) = tape
    (first, last, landing, burst, buyers, priorities, fails) = plan
    (books, world, mints, orders, entries, changed, stamps, differences) = memory
    fills, points = out
    what, generation, amount, limit, second, charged, told_rates = acts
    swap, swap_at_ns, swap_base, _, signed = swapped
    trader, holder, trader_base, has_base = people
    has_state, until_ns, schedules, flags, creator_bps = known
    places, starts, swaps, swap_starts, rank = groups
    pool_mint, is_2022, rents, tradeable, is_heard = facts
    venue_tape = (
        places, starts, has_state, until_ns, at_ns, flags, creator_bps, after, (pool_mint, is_2022, rents),
    )  # fmt: skip
    venue_memory = books, world, mints, orders, fills, points
    chance, trades = (priorities, fails), (swaps, swap_at_ns, signed, changed)
    base, reserve, boost, protocol, creator, supply, lp = after
    is_naive, window_ns = books[TERMS, IS_NAIVE] != 0, books[TERMS, WINDOW_NS]
    least_burst, least_buyers, since_ns = books[TERMS, BURST_BPS], books[TERMS, MIN_BUYERS], books[TERMS, SINCE_NS]
    books[MONEY, CASH], books[MONEY, CLOCK] = books[TERMS, START_LAMPORTS], books[TERMS, START_NS]
    if tell_equity(books, books[TERMS, START_NS], points) != 0:
        return NO_ROOM
    next_landing = np.int64(1) << 62
    for step in range(first, last):
        now, pool = at_ns[step], np.int64(pools[step])
        row = pool + FIRST
        if next_landing <= now:
            books[MONEY, CLOCK] = max(books[MONEY, CLOCK], at_ns[step - 1])
            before = books[MONEY, FILLS]
            reason = settle(words, since, venue_tape, venue_memory, chance, (now, step))
            if reason != 0:
                return reason
            for fill in range(before, books[MONEY, FILLS]):
                bought = fills[fill, F_POOL]
                is_new = is_naive or books[bought + FIRST, HEAD] < 0
                if fills[fill, F_STATUS] == 0 and fills[fill, F_IS_BUY] != 0 and is_new:
                    books[bought + FIRST, SINCE] = last if is_naive else step
                    begin_flow(books, bought, step, first, trades, swap_starts)
            next_landing = _next_landing(books, orders)
        ahead = min(step + _AHEAD, last - 1)
        if books[np.int64(pools[ahead]) + FIRST, WATCH] != 0:
            soon(differences, np.int64(holder[ahead]))
        watch = books[row, WATCH]
        trade = swap[step]
        if watch == 0:
            if burst[step] >= least_burst and buyers[step] >= least_buyers and is_heard[pool] != 0:
                wished = books[row, WISHED_NS]
                if wished < 0 or now - wished >= window_ns:
                    books[row, WISHED_NS] = now
                    if now >= since_ns:
                        load(world, pool, (base, reserve, boost, protocol, creator, supply, lp), step)
                        kind = np.uint64(flags[step]), np.uint64(creator_bps[step]), ZERO
                        moment = now, np.int64(schedules[step]), kind, landing[step], now - swap_at_ns[step]
                        reason = _decide(words, books, world, pool, (orders, entries, pool_mint, tradeable), moment)
                        if reason != 0:
                            return reason
                        next_landing = _next_landing(books, orders)
            if now >= books[MONEY, NEXT_EQUITY] and tell_equity(books, now, points) != 0:
                return NO_ROOM
            continue
        # A pool that we have touched, or hold.
        act, flow = np.int64(what[step]), np.int64(signed[step])
        if watch & IS_DIVERGED == 0:
            if watch & IS_PUT == 0 or act != NOTHING:
                load(world, pool, (base, reserve, boost, protocol, creator, supply, lp), step)
                books[row, WATCH] = watch & IS_HELD
        elif act == TOLD:
            return A_TOLD
        elif act != NOTHING:
            if act in (HOP_BUY, HOP_SELL) and charged[step] & IS_ROUTE != 0:
                return A_ROUTE
            before_step = books[row, LAST]
            asked, least = amount[step], limit[step]
            status = 0
            if act in (SELL, HOP_SELL) and holder[step] != 0:
                sale = asked, least, trader_base[step], has_base[step]
                asked, least = capped(differences, holder[step], sale)
                status = -1 if asked == ZERO and amount[step] != ZERO else 0
            elif act == GIFT:
                asked, least = payable(world, pool, asked, least)
            moved, paid = ZERO, ZERO
            if status == 0:
                kind = np.uint64(flags[before_step]), np.uint64(creator_bps[before_step]), told_rates[step]
                done = act, np.int64(generation[step]), asked, least, second[step], np.uint64(charged[step])
                status, moved, paid = act_on(words, np.int64(schedules[step]), kind, world, pool, done)
            if world[pool, P_BASE] > _MOST_SIGNED or world[pool, P_RESERVE] > _MOST_SIGNED:
                return TOO_MUCH
            is_signed_trade = act <= HOP_SELL
            if status != 0:
                is_changed = flags[step] != flags[before_step] or creator_bps[step] != creator_bps[before_step]
                if not is_signed_trade and is_changed:
                    return A_CHANGE
                if trade != 0 and charged[step] & IS_HOLDERS != 0:
                    got = np.int64(swap_base[step]) if trade == 1 else -np.int64(swap_base[step])
                    differs(differences, holder[step], -got)
                trade, flow = 0, np.int64(0)
            elif trade != 0 and is_signed_trade:
                more = np.int64(moved) - np.int64(swap_base[step])
                if charged[step] & IS_HOLDERS != 0:
                    differs(differences, holder[step], more if trade == 1 else -more)
                flow = np.int64(paid) if trade == 1 else -np.int64(paid)
        if act != NOTHING:
            books[row, LAST] = step
        kind = np.uint64(flags[step]), np.uint64(creator_bps[step]), ZERO
        schedule = np.int64(schedules[step])
        if watch & IS_HELD != 0 and has_state[step] != 0:
            held = now, schedule, kind, landing[step]
            reason = _look_after(words, books, world, pool, (orders, pool_mint, trades), held)
            if reason != 0:
                return reason
            next_landing = _next_landing(books, orders)
        if rank[step] >= 0:
            changed[step] = flow
            books[row, HEAD] = rank[step] + 1
            books[row, NET] += flow if step >= books[row, SINCE] else signed[step]
        if trade != 0 and is_heard[pool] != 0:
            forget(books, row, now - window_ns, trades)
            real = np.int64(world[pool, P_RESERVE]) - np.int64(world[pool, P_BOOST])
            wished = books[row, WISHED_NS]
            if (
                books[row, WATCH] & IS_HELD == 0
                and burst_bps(books[row, NET], real) >= least_burst
                and (wished < 0 or now - wished >= window_ns)
                and buyers_of(books, row, stamps, trader, trades) >= least_buyers
            ):
                books[row, WISHED_NS] = now
                if now >= since_ns:
                    moment = now, schedule, kind, landing[step], now - swap_at_ns[step]
                    reason = _decide(words, books, world, pool, (orders, entries, pool_mint, tradeable), moment)
                    if reason != 0:
                        return reason
                    next_landing = _next_landing(books, orders)
        if now >= books[MONEY, NEXT_EQUITY] and tell_equity(books, now, points) != 0:
            return NO_ROOM
    books[MONEY, CLOCK] = max(books[MONEY, CLOCK], at_ns[last - 1])
    return finish(words, since, venue_tape, venue_memory, chance, last)


@inlined
def _next_landing(books: Any, orders: Any) -> Any:
    found = np.int64(1) << 62
    for place in range(books[MONEY, ORDERS]):
        found = min(found, orders[place, O_LANDING])
    return found
