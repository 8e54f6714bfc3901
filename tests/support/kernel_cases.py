"""Random questions for the compiled quotes, drawn as columns: anywhere in u64, over its magnitudes, at its edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import msgspec
import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from pumpswap.amm import (
    FeeConfig,
    FeeSchedule,
    PoolState,
    Quote,
    SellQuote,
    buy_exact_base,
    buy_exact_quote,
    current_schedule,
    sell_exact_base,
)
from pumpswap.amm.addresses import SYSTEM_PROGRAM, USDC_MINT, WSOL_MINT, pool_authority
from pumpswap.amm.fees import Fees, FeeTier
from pumpswap.amm.schedules import dated_schedules
from pumpswap.errors import TradeRefused
from pumpswap.research.kernel.quotes import BUY_BASE, BUY_QUOTE, EMPTY_POOL, QuoteCases, Quotes, evaluate
from pumpswap.research.kernel.rates import RateTables, pool_flags, rate_tables
from pumpswap.units import U64_MAX
from tests.support.market import graduate

__all__ = ["Batch", "answers_of", "differences", "drawn", "schedules"]

_EDGES = np.array(
    [0, 1, 2, 3, 9_999, 10_000, 10_001, (1 << 32) - 1, 1 << 32, (1 << 32) + 1, (1 << 63) - 1, 1 << 63, (1 << 63) + 1,
     U64_MAX // 10_000, U64_MAX // 10_000 + 1, U64_MAX - 2, U64_MAX - 1, U64_MAX],
    np.uint64,
)  # fmt: skip
_ASK = {BUY_BASE: buy_exact_base, BUY_QUOTE: buy_exact_quote}


@dataclass(frozen=True, slots=True)
class Batch:
    """``vault`` and ``virtual`` make the effective reserve; ``fees`` are owed out of the vault, one bucket after the
    other; ``kind`` is a place in ``_pools()``. ``edges`` counts questions with a figure at an edge of its type.
    """

    cases: QuoteCases
    vault: NDArray[np.uint64]
    virtual: list[int]
    fees: tuple[NDArray[np.uint64], NDArray[np.uint64]]
    kind: NDArray[np.int64]
    edges: int

    def state(self, at: int) -> PoolState:
        """The pool of one question."""
        state: PoolState = _pools()[self.kind[at]]
        pool = state.pool.with_changes(
            virtual_quote_reserves=self.virtual[at],
            protocol_fees=int(self.fees[0][at]),
            creator_fees=int(self.fees[1][at]),
            creator_fee_bps=int(self.cases.creator_bps[at]),
        )
        cases = self.cases
        return msgspec.structs.replace(
            state,
            pool=pool,
            base_reserve=int(cases.base[at]),
            quote_vault=int(self.vault[at]),
            base_supply=int(cases.supply[at]),
        )


@cache
def schedules() -> tuple[FeeSchedule, ...]:
    """All dated ones, then odd ones: free of fees, as dear as can be, thresholds at the edges, no tiers at all."""
    world, tiers = current_schedule().global_config, current_schedule().fee_config.fee_tiers
    nothing, dear = Fees(0, 0, 0), Fees(10_000, 10_000, 10_000)
    edges = tuple(FeeTier(int(edge), Fees(at, 2 * at, 3 * at)) for at, edge in enumerate(_EDGES))
    odd = (
        FeeConfig(nothing, (FeeTier(0, nothing),), (FeeTier(0, nothing),), nothing),
        FeeConfig(dear, (FeeTier(0, dear),), (FeeTier(0, dear),), dear),
        FeeConfig(Fees(1, 0, 9_999), edges, edges[3:], Fees(3_333, 3_333, 3_333)),
        FeeConfig(Fees(20, 5, 5), (), ()),
        FeeConfig(Fees(20, 5, 5), tiers, ()),
    )
    fixed = msgspec.structs.replace(world, creator_fee_configurable=False)
    return (
        *(entry.schedule for entry in dated_schedules()),
        *(FeeSchedule(world, config) for config in odd),
        FeeSchedule(fixed, odd[2]),
    )


@cache
def _pools() -> tuple[PoolState, ...]:
    """Every family of fees, mayhem and not, cashback and not, with and without a coin creator."""
    plain, found = graduate(), []
    other = Pubkey.from_bytes(b"quote of another kind".ljust(32, b"\1"))
    for quote, canonical in ((WSOL_MINT, True), (USDC_MINT, True), (other, True), (WSOL_MINT, False)):
        for mayhem, cashback, creator in product((False, True), repeat=3):
            pool = plain.pool.with_changes(
                creator=pool_authority(plain.pool.base_mint) if canonical else plain.address,
                quote_mint=quote,
                is_mayhem_mode=mayhem,
                is_cashback_coin=cashback,
                coin_creator=plain.address if creator else SYSTEM_PROGRAM,
            )
            assert pool.is_canonical is canonical
            assert (pool.fee_family, pool.has_coin_creator) is not None  # derived here once, not in every question
            found.append(msgspec.structs.replace(plain, pool=pool))
    return tuple(found)


def drawn(rng: np.random.Generator, count: int) -> Batch:
    """``count`` questions."""
    side = rng.integers(0, 3, count).astype(np.uint8)
    base, reserve, amount, supply = (_figures(rng, count) for _ in range(4))
    style = rng.integers(0, 8, count)
    # Amounts where the reserve is nearly bought, of a few units, and of a usual share; small effective reserves.
    near = base - np.minimum(base, rng.integers(0, 4, count).astype(np.uint64))
    usual = np.where(side == BUY_QUOTE, reserve, base) // rng.integers(2, 100_000, count).astype(np.uint64)
    few = rng.integers(0, 9, count).astype(np.uint64)
    amount = np.select([style == 0, style == 1, style >= 6], [near, few, usual], amount)
    reserve = np.where(style == 2, rng.integers(0, 5, count).astype(np.uint64), reserve)
    negative = rng.random(count) < 0.02
    vault = np.where(rng.random(count) < 0.5, reserve, _figures(rng, count))
    owed = rng.random(count) < 0.6
    fees = tuple(np.where(owed, np.minimum(_figures(rng, count), vault), 0).astype(np.uint64) for _ in range(2))
    kind = rng.integers(0, len(_pools()), count)
    edges = np.isin(base, _EDGES) | np.isin(reserve, _EDGES) | np.isin(amount, _EDGES) | np.isin(supply, _EDGES)
    edges |= (style <= 2) | negative
    virtual = [
        -int(held) - int(more) if below else int(wanted) - int(held)
        for held, wanted, below, more in zip(vault, reserve, negative, amount, strict=True)
    ]
    reserve = np.where(negative, 0, reserve).astype(np.uint64)
    after_first = vault - np.minimum(vault, fees[0])
    is_short = fees[1] > after_first
    real = np.where(is_short, 0, after_first - np.minimum(after_first, fees[1])).astype(np.uint64)
    flags = np.array([pool_flags(state.pool) for state in _pools()], np.uint8)
    creator = np.where(rng.random(count) < 0.7, 0, rng.integers(0, 10_001, count)).astype(np.uint16)
    cases = QuoteCases(
        side, base, reserve, real, is_short.astype(np.uint8), amount.astype(np.uint64), supply, flags[kind], creator,
        rng.integers(0, len(schedules()), count).astype(np.uint16),
    )  # fmt: skip
    return Batch(cases, vault, virtual, (fees[0], fees[1]), kind, int(edges.sum()))


def answers_of(batch: Batch) -> Quotes:
    """What the compiled quotes say."""
    return evaluate(batch.cases, _tables())


@cache
def _tables() -> RateTables:
    return rate_tables(schedules())


def differences(batch: Batch, at_most: int = 5) -> list[str]:
    """Ask the compiled quotes and ``amm.quotes`` the same; what differs, in words."""
    answers, wrong = answers_of(batch), list[str]()
    found = zip(*(column.tolist() for column in _columns(answers)), strict=True)
    sides, amounts, which = batch.cases.side.tolist(), batch.cases.amount.tolist(), batch.cases.schedule.tolist()
    for at, answer in enumerate(found):
        state = batch.state(at)
        expected = _expected(sides[at], state, schedules()[which[at]], amounts[at])
        if answer[: len(expected)] != expected:
            wrong.append(f"side {sides[at]}, {amounts[at]} on {state}: {answer}, not {expected}")
            if len(wrong) == at_most:
                break
    return wrong


def _columns(answers: Quotes) -> tuple[NDArray[np.generic], ...]:
    return (
        answers.status, answers.gross, answers.lp_fee, answers.protocol_fee, answers.creator_fee, answers.result,
        answers.rates,
    )  # fmt: skip


def _expected(side: int, state: PoolState, schedule: FeeSchedule, amount: int) -> tuple[int, ...]:
    try:
        quote: Quote = _ASK.get(side, sell_exact_base)(state, schedule, amount)
    except TradeRefused as refused:
        return (EMPTY_POOL if refused.code is None else refused.code,)
    if isinstance(quote, SellQuote):
        result = quote.user_quote_out
    else:
        result = quote.total_quote if quote.spendable_quote is None else quote.base_out
    rates = quote.lp_bps | quote.protocol_bps << 16 | quote.creator_bps << 32
    creator = quote.creator_fee + quote.cashback
    return 0, quote.gross_quote, quote.lp_fee, quote.protocol_fee, creator, result, rates


def _figures(rng: np.random.Generator, count: int) -> NDArray[np.uint64]:
    """A quarter anywhere, two quarters over the magnitudes, a quarter at the edges."""
    anywhere = rng.integers(0, U64_MAX, count, dtype=np.uint64, endpoint=True)
    shifted = anywhere >> rng.integers(0, 64, count).astype(np.uint64)
    way = rng.integers(0, 4, count)
    return np.select([way == 0, way == 1], [anywhere, rng.choice(_EDGES, count)], shifted).astype(np.uint64)
