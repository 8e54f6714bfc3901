"""What was signed, done to a pool that may be another one than in the record: ``amm.acting`` as machine code.

A pool is a row of u64: base, E, boost reserves (E less what can be paid out; as a signed number), both fee buckets,
supply, LP supply. Trades, sweeps and the boost authority's own buys leave the boost reserves as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pumpswap.research.kernel.layout import (
    BOOST,
    BUY_BASE,
    BUY_QUOTE,
    CHANGE,
    CREATOR,
    DEPOSIT,
    GIFT,
    HAS_RATES,
    HOP_BUY,
    HOP_SELL,
    LP,
    NOTHING,
    PROTOCOL,
    SELL,
    SWEEP_CREATOR,
    SWEEP_PROTOCOL,
    TOLD,
    WITHDRAW,
    Columns,
)
from pumpswap.research.kernel.quotes import BPS64, fees, quote_buy_base, quote_buy_quote, quote_sell, share
from pumpswap.research.kernel.rates import (
    BUYBACK,
    BUYS_DISABLED,
    CASHBACK,
    FAMILY,
    LACKS_STABLE,
    MAYHEM,
    SELLS_DISABLED,
    SIXTEEN,
    SIXTEEN_BITS,
    STABLE,
    rates_of,
)
from pumpswap.research.kernel.u128 import ONE, ZERO, compiled, div128_by_64, frozen, inlined, inner, mul64, mul_div

__all__ = ["Replayed", "act_on", "last_step", "load", "real_of", "replay", "state_step", "traded"]

(P_BASE, P_RESERVE, P_BOOST, P_PROTOCOL, P_CREATOR, P_SUPPLY, P_LP) = range(7)
FIELDS = 7
ZERO_OUTPUT, HOP_OUTPUT, BELOW_ZERO, INSUFFICIENT, NO_SUCH_ACT = 2, 3, 4, 5, 9  # refusals without a code
_RATES, _BUYBACK_BITS, _NO_RATES = np.uint64(HAS_RATES), np.uint64(0x3FFF), np.uint64(0)
_LP, _PROTOCOL, _CREATOR, _FORTY_EIGHT = np.uint64(LP), np.uint64(PROTOCOL), np.uint64(CREATOR), np.uint64(48)
_MOST_SIGNED = np.uint64((1 << 63) - 1)


@inlined
def load(world: Any, pool: Any, after: Any, step: Any) -> None:
    """Make a pool what it was after a step of the record."""
    world[pool, P_BASE], world[pool, P_RESERVE] = after[0][step], after[1][step]
    world[pool, P_BOOST] = np.uint64(after[2][step])
    world[pool, P_PROTOCOL], world[pool, P_CREATOR] = after[3][step], after[4][step]
    world[pool, P_SUPPLY], world[pool, P_LP] = after[5][step], after[6][step]


@inlined
def last_step(places: Any, starts: Any, pool: Any, before: Any) -> Any:
    """The last step of a pool before a step; -1 for none."""
    low, high = starts[pool], starts[pool + 1]
    while low < high:
        middle = (low + high) // 2
        if places[middle] < before:
            low = middle + 1
        else:
            high = middle
    return places[low - 1] if low > starts[pool] else -1


@inner
def state_step(places: Any, starts: Any, has_state: Any, pool: Any, before: Any) -> Any:
    """The last step of a pool before a step that tells its state."""
    step = last_step(places, starts, pool, before)
    while step >= 0 and has_state[step] == 0:
        step = last_step(places, starts, pool, step)
    return step


@inlined
def real_of(world: Any, pool: Any) -> Any:
    """(what can be paid out, whether that is less than nothing), of a pool."""
    real = np.int64(world[pool, P_RESERVE]) - np.int64(world[pool, P_BOOST])
    return np.uint64(real if real > 0 else np.int64(0)), np.int64(real < 0)


@inner
def terms_of(words: Any, schedule: Any, kind: Any, world: Any, pool: Any) -> Any:
    """(rates of a trade now, what is bought back of the protocol fee); ``kind`` (flags, creator rate, told rates)."""
    flags, creator_bps, told = kind
    if told != ZERO:
        rates = ONE, told & SIXTEEN_BITS, (told >> SIXTEEN) & SIXTEEN_BITS, (told >> (SIXTEEN + SIXTEEN)) & SIXTEEN_BITS
        buyback = (told >> _FORTY_EIGHT) & _BUYBACK_BITS
    else:
        rates, buyback = (ONE, ZERO, ZERO, ZERO), words[schedule, BUYBACK]
        if world[pool, P_BASE] != ZERO and world[pool, P_RESERVE] != ZERO:
            rates = rates_of(
                words,
                schedule,
                (flags, creator_bps),
                (world[pool, P_BASE], world[pool, P_RESERVE], world[pool, P_SUPPLY]),
            )
    return rates, ZERO if flags & MAYHEM != ZERO else buyback


@inlined
def settled(world: Any, pool: Any, is_buy: Any, base: Any, quote: Any, kept: Any) -> None:
    """A pool after a trade. ``quote`` is (gross, LP fee), ``kept`` (protocol fee less what is bought back, creator fee)
    where the fees stay in the vault.
    """
    gross, lp = quote
    if is_buy:
        world[pool, P_BASE] -= base
        world[pool, P_RESERVE] += gross + lp
    else:
        world[pool, P_BASE] += base
        world[pool, P_RESERVE] -= gross - lp
    world[pool, P_PROTOCOL] += kept[0]
    world[pool, P_CREATOR] += kept[1]


@inner
def traded(words: Any, schedule: Any, kind: Any, world: Any, pool: Any, order: Any) -> Any:  # noqa: C901 - the program's checks
    """One trade by the program's checks, in its order. ``order`` is (kind of act, generation, amount, limit). Gives
    (status, gross, lp, protocol, creator, base that moves, quote that the trader pays or gets); a status that is not 0
    leaves the pool as it was.
    """
    what, generation, amount, limit = order
    flags, told = kind[0], kind[2]
    is_buy = what != SELL
    if words[schedule, BUYS_DISABLED if is_buy else SELLS_DISABLED] != ZERO:
        return (6020 if is_buy else 6021), ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    if told == ZERO and flags & FAMILY == STABLE and words[schedule, LACKS_STABLE] != ZERO:
        return 6082, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    if generation == 2 and flags & CASHBACK != ZERO:
        return 6079, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    rates, buyback = terms_of(words, schedule, kind, world, pool)
    base, reserve = world[pool, P_BASE], world[pool, P_RESERVE]
    if what == BUY_BASE:
        if amount == ZERO:
            return 6001, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        if limit == ZERO:
            return 6002, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        status, gross, lp, protocol, creator, paid = quote_buy_base(base, reserve, amount, rates)
        moved = amount
        if status == 0 and paid > limit:
            status = 6004
    elif what == BUY_QUOTE:
        if limit == ZERO:
            return 6001, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        status, gross, lp, protocol, creator, moved = quote_buy_quote(base, reserve, amount, rates)
        paid = gross + lp + protocol + creator
        if status == 0 and moved < limit:
            status = 6040
    else:
        real, is_short = real_of(world, pool)
        status, gross, lp, protocol, creator, paid = quote_sell(base, reserve, real, is_short, amount, rates)
        moved = amount
        if status == 0 and paid < limit:
            status = 6004
        if status == 0 and generation == 2 and paid == ZERO:
            status = ZERO_OUTPUT
    if status != 0:
        return status, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    kept = ZERO, ZERO
    if generation == 2:
        kept = protocol - mul_div(protocol, buyback, BPS64), creator
    settled(world, pool, is_buy, moved, (gross, lp), kept)
    return 0, gross, lp, protocol, creator, moved, paid


@inner
def _hopped(words: Any, schedule: Any, kind: Any, world: Any, pool: Any, order: Any) -> Any:
    """One hop of a route: (status, base, quote). Its fees stay in the vault. ``order`` is (kind of act, amount, what is
    charged).
    """
    what, amount, charged = order
    (known, lp_bps, protocol_bps, creator_bps), buyback = terms_of(words, schedule, kind, world, pool)
    base, reserve = world[pool, P_BASE], world[pool, P_RESERVE]
    if known == ZERO:
        return 6082, ZERO, ZERO
    if base == ZERO or reserve == ZERO:
        return 1, ZERO, ZERO
    lp_bps = lp_bps if charged & _LP != ZERO else ZERO
    protocol_bps = protocol_bps if charged & _PROTOCOL != ZERO else ZERO
    creator_bps = creator_bps if charged & _CREATOR != ZERO else ZERO
    if what == HOP_BUY:
        parts = BPS64 + lp_bps + protocol_bps + creator_bps
        whole = amount // parts
        net = whole * BPS64 + (amount - whole * parts) * BPS64 // parts
        lp, protocol, creator = fees(net, lp_bps, protocol_bps, creator_bps)
        owed = lp + protocol + creator
        if net == ZERO or owed > amount:
            return 6039, ZERO, ZERO
        gross = amount - owed
        moved, paid = share(gross - ONE, base, reserve) if gross > ONE else ZERO, amount
        if moved == ZERO:
            return HOP_OUTPUT, ZERO, ZERO
    else:
        gross = share(amount, reserve, base)
        lp, protocol, creator = fees(gross, lp_bps, protocol_bps, creator_bps)
        real, is_short = real_of(world, pool)
        if is_short != 0 or real < gross - lp:
            return 6063, ZERO, ZERO
        if lp + protocol + creator >= gross:
            return HOP_OUTPUT, ZERO, ZERO
        moved, paid = amount, gross - lp - protocol - creator
    kept = protocol - mul_div(protocol, buyback, BPS64), creator
    settled(world, pool, what == HOP_BUY, moved, (gross, lp), kept)
    return 0, moved, paid


@inner
def _liquidity(world: Any, pool: Any, what: Any, amount: Any, limits: Any) -> Any:
    """A deposit or a withdrawal: its status."""
    if amount == ZERO:
        return 6001
    if world[pool, P_BOOST] != ZERO:
        return 6064
    base, lp = world[pool, P_BASE], world[pool, P_LP]
    real = world[pool, P_RESERVE]  # no boost: all of it can be paid out
    if base == ZERO or real == ZERO or lp == ZERO:
        return 1
    high, low = mul64(base, amount)
    other_high, other_low = mul64(real, amount)
    if what == WITHDRAW:
        if amount > lp:
            return INSUFFICIENT
        of_base, of_quote = div128_by_64(high, low, lp)[0], div128_by_64(other_high, other_low, lp)[0]
        if of_base < limits[0] or of_quote < limits[1]:
            return 6004
        world[pool, P_BASE], world[pool, P_RESERVE], world[pool, P_LP] = base - of_base, real - of_quote, lp - amount
        return 0
    if high >= lp or other_high >= lp:
        return 6024
    of_base, rest = div128_by_64(high, low, lp)
    of_quote, other_rest = div128_by_64(other_high, other_low, lp)
    # One unit more than 64 bits would be 6024 too; reserves of a world are of 63, and so their sum is refused below.
    of_base += ONE if rest != ZERO else ZERO
    of_quote += ONE if other_rest != ZERO else ZERO
    if of_base > limits[0] or of_quote > limits[1]:
        return 6004
    if of_base > _MOST_SIGNED or of_quote > _MOST_SIGNED:
        return 6024
    world[pool, P_BASE], world[pool, P_RESERVE], world[pool, P_LP] = base + of_base, real + of_quote, lp + amount
    return 0


@inner
def _administered(world: Any, pool: Any, what: Any, amount: Any, second: Any) -> Any:
    """Everything that is neither a trade nor liquidity: its status."""
    if what == SWEEP_PROTOCOL:
        world[pool, P_PROTOCOL] = ZERO
    elif what == SWEEP_CREATOR:
        world[pool, P_CREATOR] = ZERO
    elif what == BOOST:
        if amount == ZERO:
            return 6002
        if world[pool, P_BASE] == ZERO or world[pool, P_RESERVE] == ZERO:
            return 1
        burned = share(amount - ONE, world[pool, P_BASE], world[pool, P_RESERVE]) if amount > ONE else ZERO
        world[pool, P_BASE] -= burned
        world[pool, P_SUPPLY] -= burned
        world[pool, P_RESERVE] += amount
    elif what == CHANGE:
        supply = np.int64(world[pool, P_SUPPLY]) + np.int64(amount)
        owed = np.int64(world[pool, P_PROTOCOL]) + np.int64(world[pool, P_CREATOR])
        vault = np.int64(world[pool, P_RESERVE]) + owed - np.int64(world[pool, P_BOOST]) - np.int64(second)
        if supply < 0 or vault < 0:
            return BELOW_ZERO
        world[pool, P_SUPPLY] = np.uint64(supply)
        world[pool, P_BOOST] += second
    elif what == GIFT:
        base, reserve = (
            np.int64(world[pool, P_BASE]) + np.int64(amount),
            np.int64(world[pool, P_RESERVE]) + np.int64(second),
        )
        owed = np.int64(world[pool, P_PROTOCOL]) + np.int64(world[pool, P_CREATOR])
        if base < 0 or reserve + owed - np.int64(world[pool, P_BOOST]) < 0:
            return BELOW_ZERO
        world[pool, P_BASE], world[pool, P_RESERVE] = np.uint64(base), np.uint64(reserve)
    else:
        return NO_SUCH_ACT
    return 0


@inlined
def act_on(words: Any, schedule: Any, kind: Any, world: Any, pool: Any, act: Any) -> Any:
    """``amm.acting.act_on`` for every act but one that only tells a state: (status, base, quote) of what moved between
    the trader and the pool. ``act`` is (kind, generation, amount, limit, second, charged).
    """
    what, generation, amount, limit, second, charged = act
    if what in (BUY_BASE, BUY_QUOTE, SELL):
        done = traded(words, schedule, kind, world, pool, (what, generation, amount, limit))
        return done[0], done[5], done[6]
    if what in (HOP_BUY, HOP_SELL):
        return _hopped(words, schedule, kind, world, pool, (what, amount, charged))
    if what in (DEPOSIT, WITHDRAW):
        return _liquidity(world, pool, what, amount, (limit, second)), ZERO, ZERO
    if what == NOTHING:
        return 0, ZERO, ZERO
    return _administered(world, pool, what, amount, limit), ZERO, ZERO


@dataclass(frozen=True, slots=True)
class Replayed:
    """``acts`` that were applied again; ``differing`` of them left another pool than the record, the first of them at
    step ``first`` (-1: none).
    """

    acts: int
    differing: int
    first: int


def replay(columns: Columns) -> Replayed:
    """Apply every act of the record to the pool as the record has it before, one after the other."""
    acts, after, kinds = (tuple(map(frozen, part)) for part in (_acts(columns), _after(columns), _kinds(columns)))
    # A row for each pool: what it is, its flags and its own rate.
    worlds = np.zeros((len(columns.pools), FIELDS), np.uint64), np.zeros((len(columns.pools), 2), np.uint64)
    found = _replay(frozen(columns.tables.words), frozen(columns.pool), acts, after, kinds, worlds)
    return Replayed(*found)


def _kinds(columns: Columns) -> tuple[Any, ...]:
    return columns.flags, columns.creator_bps, columns.rates, columns.schedule


def _acts(columns: Columns) -> tuple[Any, ...]:
    return columns.kind, columns.generation, columns.amount, columns.limit, columns.second, columns.charged


def _after(columns: Columns) -> tuple[Any, ...]:
    return (
        columns.base, columns.reserve, columns.boost, columns.protocol, columns.creator, columns.supply, columns.lp,
    )  # fmt: skip


@compiled
def _replay(words: Any, pools: Any, acts: Any, after: Any, kinds: Any, worlds: Any) -> Any:
    what, generation, amount, limit, second, charged = acts
    flags, creator_bps, rates, schedules = kinds
    base, reserve, boost, protocol, creator, supply, lp = after
    world, known = worlds
    # Flags and the pool's own rate never change by a trade: those of the step before hold.
    applied, differing, first = 0, 0, -1
    for step in range(pools.shape[0]):
        pool = np.int64(pools[step])
        if what[step] != TOLD:
            act = (
                np.int64(what[step]),
                np.int64(generation[step]),
                amount[step],
                limit[step],
                second[step],
                np.uint64(charged[step]),
            )
            kind = known[pool, 0], known[pool, 1], rates[step]
            status = act_on(words, np.int64(schedules[step]), kind, world, pool, act)[0]
            applied += 1
            is_same = (
                world[pool, P_BASE] == base[step]
                and world[pool, P_RESERVE] == reserve[step]
                and np.int64(world[pool, P_BOOST]) == boost[step]
                and world[pool, P_PROTOCOL] == protocol[step]
                and world[pool, P_CREATOR] == creator[step]
                and world[pool, P_SUPPLY] == supply[step]
                and world[pool, P_LP] == lp[step]
            )
            if status != 0 or not is_same:
                differing += 1
                if first < 0:
                    first = step
        load(world, pool, (base, reserve, boost, protocol, creator, supply, lp), step)
        known[pool, 0], known[pool, 1] = np.uint64(flags[step]), np.uint64(creator_bps[step])
    return applied, differing, first
