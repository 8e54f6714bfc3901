"""What rates a pool pays, for compiled code: the tiers of every schedule as tables of u64.

Market cap ⌊E·S/B⌋ reaches a threshold T exactly when E·S ≥ T·B, two products of 128 bits. A float says the same unless
it comes very near to T.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pumpswap.amm import FeeSchedule
from pumpswap.amm.fees import FeeTier
from pumpswap.amm.pool import FeeFamily, Pool
from pumpswap.amm.schedules import DatedSchedule
from pumpswap.errors import UsageError
from pumpswap.research.kernel.u128 import ONE, ZERO, float_of, inlined, inner, is_less, mul64
from pumpswap.units import BPS, U64_MAX

__all__ = [
    "FAMILIES",
    "RateTables",
    "market_cap_reaches",
    "pool_flags",
    "rate_tables",
    "rates_of",
    "schedule_at_second",
]

FAMILIES = {FeeFamily.FLAT: 0, FeeFamily.SOL: 1, FeeFamily.STABLE: 2, FeeFamily.EXOTIC: 3}
FAMILY, MAYHEM, CASHBACK, CREATOR = np.uint64(3), np.uint64(4), np.uint64(8), np.uint64(16)
SOL, STABLE, EXOTIC = np.uint64(1), np.uint64(2), np.uint64(3)
# Columns of a row of words: the rules, flat and exotic rates, the lengths of the ladders, then the ladders themselves.
BUYBACK, CONFIGURABLE, BUYS_DISABLED, SELLS_DISABLED, LACKS_STABLE, FLAT_RATES, EXOTIC_RATES, COUNTS = range(8)
WIDTH, LADDERS = 9, 10
_PARTS = 3  # of a ladder: thresholds, rates, and the thresholds once more as floats
SIXTEEN, SIXTEEN_BITS = np.uint64(16), np.uint64(0xFFFF)
_MAYHEM_SUPPLY = np.uint64(1_000_000_000_000_000)
_EARLIEST = -(1 << 62)
_ABOVE, _BELOW = 1 + 2.0**-49, 1 - 2.0**-49
_VECTOR = 8  # doubles of the widest registers


class RateTables(NamedTuple):
    """Schedules in order of time. ``since`` are Unix seconds, ``words`` a row of u64 for each schedule, rates packed as
    lp | protocol << 16 | creator << 32.

    Compiled loops get ``words`` alone: each look into a tuple of arrays counts references.
    """

    since: NDArray[np.int64]
    words: NDArray[np.uint64]


def rate_tables(schedules: Sequence[FeeSchedule | DatedSchedule]) -> RateTables:
    """Tables of one schedule that always holds, or of dated ones, oldest first; before the first that one holds too.

    Raises UsageError for what the kernel cannot hold: no schedule, a rate above 10,000 bps, a threshold above 64 bits.
    """
    if not schedules:
        raise UsageError("no fee schedule", hint="pass at least one, such as amm.current_schedule()")
    dated = [(_EARLIEST, one) if isinstance(one, FeeSchedule) else (one.since, one.schedule) for one in schedules]
    ladders: list[tuple[FeeTier, ...]] = []
    for _, one in dated:
        config = one.fee_config
        for tiers in (config.fee_tiers, config.stable_fee_tiers or config.fee_tiers):
            ladders.append(tuple(sorted(tiers, key=lambda tier: tier.market_cap_lamports_threshold)))
    widest = max(_VECTOR, -(-max(map(len, ladders)) // _VECTOR) * _VECTOR)
    words = np.zeros((len(dated), LADDERS + 2 * _PARTS * widest), np.uint64)
    for row, (_, one) in enumerate(dated):
        world = one.global_config
        words[row, :LADDERS] = (
            _packed((0, 0, one.buyback_bps)) >> 32,
            world.creator_fee_configurable,
            world.buys_disabled,
            world.sells_disabled,
            not one.fee_config.stable_fee_tiers,
            # The schedule's own reading: what was never set falls back to the flat fees.
            _packed(one.listed_rates(FeeFamily.FLAT, 0)),
            _packed(one.listed_rates(FeeFamily.EXOTIC, 0)),
            len(ladders[2 * row]),
            len(ladders[2 * row + 1]),
            widest,
        )
    for row, tiers in enumerate(ladders):
        begin = LADDERS + row % 2 * _PARTS * widest
        for at, tier in enumerate(tiers):
            threshold = tier.market_cap_lamports_threshold
            if threshold > U64_MAX:
                raise UsageError(f"a fee tier from {threshold} lamports", hint="the kernel takes thresholds of 64 bits")
            fees = tier.fees
            triple = _packed((fees.lp_fee_bps, fees.protocol_fee_bps, fees.creator_fee_bps))
            words[row // 2, begin + at], words[row // 2, begin + widest + at] = threshold, triple
        words[row // 2, begin + len(tiers) : begin + widest] = U64_MAX
        as_floats = words[row // 2, begin + 2 * widest : begin + _PARTS * widest].view(np.float64)
        as_floats[:] = np.inf
        as_floats[: len(tiers)] = words[row // 2, begin : begin + len(tiers)]
    return RateTables(np.array([when for when, _ in dated], np.int64), words)


def pool_flags(pool: Pool) -> int:
    """Family and kind of a pool in one number, as ``rates_of`` reads it. Raises UsageError for a creator rate above
    10,000 bps.
    """
    _checked((pool.creator_fee_bps,))
    kind = int(MAYHEM) * pool.is_mayhem_mode | int(CASHBACK) * pool.is_cashback_coin
    return FAMILIES[pool.fee_family] | kind | int(CREATOR) * pool.has_coin_creator


def _checked(rates: tuple[int, ...]) -> tuple[int, ...]:
    if max(rates) > BPS:
        raise UsageError(f"a rate of {max(rates)} bps", hint=f"the kernel takes rates up to {BPS} bps")
    return rates


def _packed(rates: tuple[int, int, int]) -> int:
    lp, protocol, creator = _checked(rates)
    return lp | protocol << 16 | creator << 32


@inner
def schedule_at_second(since: Any, second: Any) -> Any:
    """Row of the schedule in force at a Unix second."""
    row = 0
    for at in range(1, since.shape[0]):
        if since[at] <= second:
            row = at
    return row


@inlined
def market_cap_reaches(base: Any, reserve: Any, supply: Any, threshold: Any) -> Any:
    """Whether ⌊reserve · supply / base⌋ ≥ threshold, exactly."""
    high, low = mul64(reserve, supply)
    least_high, least_low = mul64(threshold, base)
    return not is_less(high, low, least_high, least_low)


@inlined
def supply_of_tiers(flags: Any, supply: Any) -> Any:
    """The supply that decides the tier."""
    return _MAYHEM_SUPPLY if flags & MAYHEM != ZERO else supply


@inlined
def tier_of(words: Any, schedule: Any, which: Any, curve: Any) -> Any:
    """Place of the tier in the SOL (``which`` 0) or stable ladder (1) of a schedule; ``curve`` as for ``rates_of``."""
    base, reserve, supply = curve
    width = np.int64(words[schedule, WIDTH])
    begin = LADDERS + which * _PARTS * width
    last = np.int64(words[schedule, COUNTS + which]) - 1
    floats = words[schedule][begin + 2 * width : begin + _PARTS * width]
    cap = float(reserve) * float(supply) / float(base)
    reached = np.int64(0)
    for at in range(width):  # no branch that the processor could guess wrong
        reached += 1 if float_of(floats[at]) <= cap else 0
    tier = max(min(reached - 1, last), np.int64(0))
    # Five roundings, each of 2^-53 at most, and the threshold's: only next to a threshold they can matter.
    if tier < last and float_of(floats[tier + 1]) <= cap * _ABOVE:
        while tier < last and market_cap_reaches(base, reserve, supply, words[schedule, begin + tier + 1]):
            tier += 1
    if tier > 0 and float_of(floats[tier]) >= cap * _BELOW:
        while tier > 0 and not market_cap_reaches(base, reserve, supply, words[schedule, begin + tier]):
            tier -= 1
    return tier


@inlined
def rates_of(words: Any, schedule: Any, kind: Any, curve: Any) -> Any:
    """(known, lp, protocol, creator) bps of a trade, as ``FeeSchedule.rates``: ``known`` is 0 where the tiers are
    missing (6082). ``kind`` is (flags, the pool's own creator rate), ``curve`` (B, E, supply), both reserves above 0.
    """
    flags, creator_bps = kind
    family = flags & FAMILY
    if family in (SOL, STABLE):
        which = 1 if family == STABLE else 0
        if words[schedule, COUNTS + which] == ZERO:
            return ZERO, ZERO, ZERO, ZERO
        tier = tier_of(words, schedule, which, (curve[0], curve[1], supply_of_tiers(flags, curve[2])))
        packed = words[schedule, LADDERS + (which * _PARTS + 1) * np.int64(words[schedule, WIDTH]) + tier]
    else:
        packed = words[schedule, EXOTIC_RATES if family == EXOTIC else FLAT_RATES]
    creator = packed >> (SIXTEEN + SIXTEEN)
    if flags & CREATOR == ZERO:
        creator = ZERO
    elif creator_bps != ZERO and words[schedule, CONFIGURABLE] != ZERO:
        creator = creator_bps
    return ONE, packed & SIXTEEN_BITS, (packed >> SIXTEEN) & SIXTEEN_BITS, creator
