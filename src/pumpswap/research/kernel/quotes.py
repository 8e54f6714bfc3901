"""The quotes of ``amm.quotes`` as machine code, on the whole u64 domain: same numbers, same refusals, same order.

Each core gives (status, gross, lp, protocol, creator, result): status 0 is a quote, else the program's code, or 1 for a
pool without reserves. ``result`` is what follows from the trade: the total cost of an exact-base buy, the base of an
exact-quote buy, the payout of a sale. The creator's fee includes what a cashback coin gives back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumpswap.amm import PoolState
from pumpswap.errors import UsageError
from pumpswap.research.kernel.rates import RateTables, pool_flags, rates_of
from pumpswap.research.kernel.u128 import MOST, ONE, ZERO, compiled, div128_by_64, div128_by_128, frozen, inlined, mul64
from pumpswap.units import U64_MAX

__all__ = [
    "BUY_BASE", "BUY_QUOTE", "EMPTY_POOL", "SELL", "QuoteCases", "Quotes", "evaluate", "quote_buy_base",
    "quote_buy_quote", "quote_sell",
]  # fmt: skip

BUY_BASE, BUY_QUOTE, SELL = 0, 1, 2
EMPTY_POOL = 1
BPS64, BPS_LESS_ONE = np.uint64(10_000), np.uint64(9_999)
_MOST_AT_ONCE = np.uint64((U64_MAX - 9_999) // 10_000)
_SHIFTS = np.uint64(16), np.uint64(32)


@inlined
def fee(whole: Any, rest: Any, bps: Any) -> Any:
    """⌈amount · bps / 10,000⌉ of an amount of ``whole`` times 10,000 and ``rest``: never beyond 64 bits on the way."""
    return whole * bps + (rest * bps + BPS_LESS_ONE) // BPS64


@inlined
def fees(gross: Any, lp_bps: Any, protocol_bps: Any, creator_bps: Any) -> Any:
    """The three fees of an amount, each rounded up."""
    if gross <= _MOST_AT_ONCE:
        return (
            (gross * lp_bps + BPS_LESS_ONE) // BPS64,
            (gross * protocol_bps + BPS_LESS_ONE) // BPS64,
            (gross * creator_bps + BPS_LESS_ONE) // BPS64,
        )
    whole = gross // BPS64  # larger ones in two parts
    rest = gross - whole * BPS64
    return fee(whole, rest, lp_bps), fee(whole, rest, protocol_bps), fee(whole, rest, creator_bps)


@inlined
def share(amount: Any, of: Any, plus: Any) -> Any:
    """⌊of · amount / (plus + amount)⌋, where the sum may need 65 bits. It is below ``of``."""
    divisor = plus + amount
    high, low = mul64(of, amount)
    if divisor < amount:
        return div128_by_128(high, low, ONE, divisor)[1]
    return div128_by_64(high, low, divisor)[0]


@inlined
def quote_buy_base(base: Any, reserve: Any, wanted: Any, rates: Any) -> Any:
    """``buy_exact_base``; ``rates`` as ``rates_of`` gives them, ``result`` the total cost."""
    if wanted == ZERO:
        return 6001, ZERO, ZERO, ZERO, ZERO, ZERO
    if base == ZERO or reserve == ZERO:
        return 1, ZERO, ZERO, ZERO, ZERO, ZERO
    if wanted > base:
        return 6016, ZERO, ZERO, ZERO, ZERO, ZERO
    if wanted == base:
        return 6025, ZERO, ZERO, ZERO, ZERO, ZERO
    high, low = mul64(reserve, wanted)
    left = base - wanted
    if high >= left:
        return 6024, ZERO, ZERO, ZERO, ZERO, ZERO
    gross, remainder = div128_by_64(high, low, left)
    if remainder != ZERO:
        if gross == MOST:
            return 6024, ZERO, ZERO, ZERO, ZERO, ZERO
        gross += ONE
    known, lp_bps, protocol_bps, creator_bps = rates
    if known == ZERO:
        return 6082, ZERO, ZERO, ZERO, ZERO, ZERO
    lp, protocol, creator = fees(gross, lp_bps, protocol_bps, creator_bps)
    with_lp = gross + lp
    with_protocol = with_lp + protocol
    total = with_protocol + creator
    if with_lp < gross or with_protocol < with_lp or total < with_protocol:
        return 6023, ZERO, ZERO, ZERO, ZERO, ZERO
    return 0, gross, lp, protocol, creator, total


@inlined
def quote_buy_quote(base: Any, reserve: Any, budget: Any, rates: Any) -> Any:
    """``buy_exact_quote``; ``result`` is the base that comes out."""
    if budget == ZERO:
        return 6002, ZERO, ZERO, ZERO, ZERO, ZERO
    if base == ZERO or reserve == ZERO:
        return 1, ZERO, ZERO, ZERO, ZERO, ZERO
    known, lp_bps, protocol_bps, creator_bps = rates
    if known == ZERO:
        return 6082, ZERO, ZERO, ZERO, ZERO, ZERO
    parts = BPS64 + lp_bps + protocol_bps + creator_bps
    if budget <= _MOST_AT_ONCE:  # one division instead of two
        net = div128_by_64(ZERO, budget * BPS64, parts)[0]
    else:
        whole = budget // parts
        net = whole * BPS64 + (budget - whole * parts) * BPS64 // parts
    if net == ZERO:
        return 6039, ZERO, ZERO, ZERO, ZERO, ZERO
    lp, protocol, creator = fees(net, lp_bps, protocol_bps, creator_bps)
    # What is left for fees; they may be three units more, and then the program shaves the amount that prices the swap.
    room, owed = budget - net, lp + protocol + creator
    excess = owed - room if owed > room else ZERO
    if excess > net:
        return 6039, ZERO, ZERO, ZERO, ZERO, ZERO
    net -= excess
    out = share(net - ONE, base, reserve) if net > ONE else ZERO
    if out == ZERO:
        return 6040, ZERO, ZERO, ZERO, ZERO, ZERO
    return 0, net, lp, protocol, creator, out


@inlined
def quote_sell(base: Any, reserve: Any, real: Any, is_short: Any, sold: Any, rates: Any) -> Any:
    """``sell_exact_base``; ``result`` is the payout. ``real`` is what the pool can pay; ``is_short`` not 0: it owes
    more than it has.
    """
    if sold == ZERO:
        return 6001, ZERO, ZERO, ZERO, ZERO, ZERO
    if base == ZERO or reserve == ZERO:
        return 1, ZERO, ZERO, ZERO, ZERO, ZERO
    known, lp_bps, protocol_bps, creator_bps = rates
    if known == ZERO:
        return 6082, ZERO, ZERO, ZERO, ZERO, ZERO
    gross = share(sold, reserve, base)
    lp, protocol, creator = fees(gross, lp_bps, protocol_bps, creator_bps)
    left = gross - lp
    if is_short != 0 or real < left:
        return 6063, ZERO, ZERO, ZERO, ZERO, ZERO
    if protocol > left:
        return 6023, ZERO, ZERO, ZERO, ZERO, ZERO
    left -= protocol
    if creator > left:
        return 6023, ZERO, ZERO, ZERO, ZERO, ZERO
    return 0, gross, lp, protocol, creator, left - creator


@dataclass(frozen=True, slots=True)
class QuoteCases:
    """Columns of questions. ``side`` BUY_BASE, BUY_QUOTE or SELL; ``reserve`` the effective quote reserve E, 0 when it
    is not above 0; ``real`` what can be paid out, with ``is_short`` where that is negative; ``flags`` of
    ``pool_flags``; ``schedule`` rows of the tables.
    """

    side: NDArray[np.uint8]
    base: NDArray[np.uint64]
    reserve: NDArray[np.uint64]
    real: NDArray[np.uint64]
    is_short: NDArray[np.uint8]
    amount: NDArray[np.uint64]
    supply: NDArray[np.uint64]
    flags: NDArray[np.uint8]
    creator_bps: NDArray[np.uint16]
    schedule: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.side)

    @classmethod
    def of(cls, questions: Sequence[tuple[int, PoolState, int]], schedule: int = 0) -> QuoteCases:
        """Of (side, state, amount). Raises UsageError for what does not fit 64 bits."""
        rows = [(side, *_figures(state), amount, state) for side, state, amount in questions]

        def column(values: list[int], kind: type[Any]) -> NDArray[Any]:
            try:
                return np.array(values, kind)
            except OverflowError:
                raise UsageError("an amount or a reserve beyond 64 bits", hint="the kernel computes with u64") from None

        return cls(
            side=column([row[0] for row in rows], np.uint8),
            base=column([row[1] for row in rows], np.uint64),
            reserve=column([row[2] for row in rows], np.uint64),
            real=column([max(row[3], 0) for row in rows], np.uint64),
            is_short=column([row[3] < 0 for row in rows], np.uint8),
            amount=column([row[4] for row in rows], np.uint64),
            supply=column([row[5].base_supply for row in rows], np.uint64),
            flags=column([pool_flags(row[5].pool) for row in rows], np.uint8),
            creator_bps=column([row[5].pool.creator_fee_bps for row in rows], np.uint16),
            schedule=np.full(len(rows), schedule, np.uint16),
        )


@dataclass(frozen=True, slots=True)
class Quotes:
    """Columns of answers, as the cores give them; ``rates`` is lp | protocol << 16 | creator << 32 in bps, all of it 0
    where the pool has no price.
    """

    status: NDArray[np.int16]
    gross: NDArray[np.uint64]
    lp_fee: NDArray[np.uint64]
    protocol_fee: NDArray[np.uint64]
    creator_fee: NDArray[np.uint64]
    result: NDArray[np.uint64]
    rates: NDArray[np.uint64]

    @classmethod
    def room(cls, count: int) -> Quotes:
        """Columns to be written."""
        return cls(np.empty(count, np.int16), *(np.empty(count, np.uint64) for _ in range(6)))


def evaluate(cases: QuoteCases, tables: RateTables, into: Quotes | None = None) -> Quotes:
    """Answer every question. ``into``: columns of an earlier call, of the same length, to be written over.

    Raises UsageError for columns of another length or a schedule that the tables do not have.
    """
    answers = Quotes.room(len(cases)) if into is None else into
    if len(answers.status) != len(cases):
        raise UsageError(f"{len(answers.status)} answers for {len(cases)} questions", hint="Quotes.room(len(cases))")
    if len(cases) and not 0 <= int(cases.schedule.min()) <= int(cases.schedule.max()) < len(tables.since):
        raise UsageError("a schedule that the tables do not have", hint=f"rows 0 to {len(tables.since) - 1}")
    _evaluate(
        frozen(tables.words), cases.side,
        (cases.base, cases.reserve, cases.real, cases.is_short), cases.amount,
        (cases.supply, cases.flags, cases.creator_bps, cases.schedule),
        (answers.status, answers.gross, answers.lp_fee, answers.protocol_fee, answers.creator_fee, answers.result,
         answers.rates),
    )  # fmt: skip
    return answers


def _figures(state: PoolState) -> tuple[int, int, int]:
    reserve = max(state.effective_quote_reserve, 0)
    if reserve > U64_MAX:
        raise UsageError(f"an effective quote reserve of {reserve}", hint="the kernel computes with u64")
    return state.base_reserve, reserve, state.real_quote_reserve


@compiled
def _evaluate(words: Any, side: Any, reserves: Any, amount: Any, kinds: Any, answers: Any) -> None:
    bases, effective, reals, shorts = reserves
    supplies, flags, creators, schedules = kinds
    statuses, grosses, lps, protocols, creator_fees, results, all_rates = answers
    for at in range(side.shape[0]):
        base, reserve, asked = bases[at], effective[at], amount[at]
        rates = ONE, ZERO, ZERO, ZERO
        if base != ZERO and reserve != ZERO:
            kind, schedule = (np.uint64(flags[at]), np.uint64(creators[at])), np.int64(schedules[at])
            rates = rates_of(words, schedule, kind, (base, reserve, supplies[at]))
        if side[at] == BUY_BASE:
            found = quote_buy_base(base, reserve, asked, rates)
        elif side[at] == BUY_QUOTE:
            found = quote_buy_quote(base, reserve, asked, rates)
        else:
            found = quote_sell(base, reserve, reals[at], np.int64(shorts[at]), asked, rates)
        statuses[at], grosses[at], lps[at], protocols[at], creator_fees[at], results[at] = found
        all_rates[at] = rates[1] | (rates[2] << _SHIFTS[0]) | (rates[3] << _SHIFTS[1])
