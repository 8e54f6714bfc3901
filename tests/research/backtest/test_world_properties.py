"""Whatever happens and whatever we do: nothing is made or lost, nobody sells what he has not, nothing is below zero."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pumpswap.amm import PoolState, current_schedule, execute_buy_exact_quote_in, execute_sell, preferred_generation
from pumpswap.amm.acting import at_rates
from pumpswap.amm.acts import (
    BoostBurn,
    BuyBase,
    BuyQuote,
    HopBuy,
    HopSell,
    PoolChange,
    Rates,
    Sell,
    SweepFees,
    VaultGift,
)
from pumpswap.amm.events import BuyEvent
from pumpswap.errors import TradeRefused
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate
from pumpswap.research.backtest.market import ReplayMarket
from pumpswap.research.backtest.world import Impact
from pumpswap.research.chronicle.step import Step
from pumpswap.research.chronicle.verify import verify
from tests.research.backtest.histories import TRADERS, History, hop, random_history
from tests.support.market import SOL, graduate

SEEDS = st.integers(0, 2**32)


@dataclass
class Us:
    """We trade by chance, in the book, as a venue does."""

    rng: Random
    book: PoolBook
    pool: str
    share: float = 0.3
    units: int = 0
    trades: int = 0

    def settle(self, at_ns: int) -> None:
        state = self.book.state(self.pool)
        if state is None or self.rng.random() > self.share:
            return
        generation = preferred_generation(state)
        try:
            if self.units and self.rng.random() < 0.5:
                units = self.units if self.rng.random() < 0.5 else self.rng.randrange(1, self.units + 1)
                done = execute_sell(state, current_schedule(), units, 0, generation=generation)
            else:
                spent = self.rng.randrange(10**6, 3 * SOL)
                done = execute_buy_exact_quote_in(state, current_schedule(), spent, 1, generation=generation)
        except TradeRefused:
            return
        self.units += done.transfers.user_base_change
        self.trades += 1
        self.book.put(self.pool, done.state)


@dataclass
class Played:
    """A history that was played: each step with the state that it found, and what was told of it."""

    market: ReplayMarket
    book: PoolBook
    us: Us
    steps: list[tuple[Step, PoolState | None, MarketUpdate]]


def play(history: History, rng: Random | None, impact: Impact = Impact.COUNTERFACTUAL) -> Played:
    """``rng`` None: we do nothing."""
    book = PoolBook()
    market, name = ReplayMarket(book, history.chronicle(), impact), next(iter(history.states))
    us, steps = Us(rng or Random(0), book, name, 0.3 if rng else -1.0), []
    found: list[PoolState | None] = []

    def before(at_ns: int) -> None:
        us.settle(at_ns)
        found.append(book.state(name))

    for step, update in zip(history.steps, market.updates(before), strict=True):
        book.apply(update)
        steps.append((step, found[-1], update))
    return Played(market, book, us, steps)


def pool_of(kind: str) -> PoolState:
    if kind == "boosted":
        return graduate(virtual_quote_reserves=17_000_000_000, quote_vault=67_990_359_057)
    return graduate(is_cashback_coin=kind == "cashback")


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from(["plain", "cashback", "boosted"]))
def test_nothing_is_made_or_lost_and_nobody_sells_what_he_has_not(seed: int, kind: str) -> None:
    rng, pool = Random(seed), pool_of(kind)
    history, mint = random_history(rng, pool), str(pool.pool.base_mint)
    played = play(history, rng)
    others = elsewhere = 0
    for _, found, update in played.steps[1:]:
        state, swap = update.state, update.swap
        assert state is not None and found is not None
        if swap is not None:
            others += swap.base_units if swap.is_buy else -swap.base_units
        else:
            elsewhere += state.base_reserve - found.base_reserve  # liquidity, burns, gifts
        assert min(state.base_reserve, state.quote_vault, state.effective_quote_reserve) > 0
        assert min(state.pool.protocol_fees, state.pool.creator_fees, state.pool.lp_supply, state.base_supply) >= 0
        assert state.pool.boost_reserves == pool.pool.boost_reserves
    end = played.book.state(str(pool.address))
    assert end is not None
    assert end.base_reserve == pool.base_reserve - played.us.units - others + elsewhere
    # What others hold now is what they held in the record and the difference that is remembered of them.
    more = {trader: played.market.holders.difference(mint, trader) for trader in TRADERS}
    assert all(history.held[trader] + more[trader] >= 0 for trader in TRADERS)
    recorded = sum(history.held.values()) - sum(history.opening_held.values())
    assert others == recorded + sum(more.values())
    if not played.us.trades:
        assert end == history.states[str(pool.address)] and not played.market.tally.reapplied


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from(["plain", "cashback", "boosted"]))
def test_every_unit_that_moves_is_in_the_event_that_is_told(seed: int, kind: str) -> None:
    rng = Random(seed)
    for step, found, update in play(random_history(rng, pool_of(kind)), rng).steps[1:]:
        state, swap = update.state, update.swap
        assert state is not None and found is not None
        base, effective = state.base_reserve - found.base_reserve, _e(state) - _e(found)
        if swap is not None and swap.event is not None:
            event = swap.event
            assert base == (-swap.base_units if swap.is_buy else swap.base_units)
            if isinstance(event, BuyEvent):
                assert (effective, swap.quote_units) == (event.quote_amount_in_with_lp_fee, event.total_quote)
            else:
                assert effective == -event.quote_amount_out_without_lp_fee
                assert swap.quote_units == event.user_quote_amount_out
            assert (event.pool_base_token_reserves, event.effective_quote_reserve) == (found.base_reserve, _e(found))
        elif isinstance(step.act, BuyQuote | BuyBase | Sell | HopBuy | HopSell):
            assert (base, effective) == (0, 0)  # refused now
        elif isinstance(step.act, BoostBurn):
            assert (base, effective) == (state.base_supply - found.base_supply, step.act.quote_amount_in)
        elif isinstance(step.act, VaultGift):
            assert (base, effective) == (step.act.base, step.act.quote)
        elif isinstance(step.act, SweepFees | PoolChange):
            assert (base, effective) == (0, 0)


def _routes(rng: Random, steps: int = 40) -> History:
    """One coin in three pools: bought and sold, with tight limits, also in one to sell in another one at once."""
    first = graduate(1)
    mint = first.pool.base_mint
    others = [replace(one, pool=one.pool.with_changes(base_mint=mint)) for one in (graduate(2), graduate(3))]
    history = History(first, *others)
    history.held |= {trader: rng.randrange(10**12, 10**13) for trader in TRADERS[:3]}
    history.opening_held = dict(history.held)
    while len(history.steps) < steps:
        trader, (one, other), quote = (
            rng.choice(TRADERS),
            rng.sample(list(history.states), 2),
            rng.randrange(10**7, SOL),
        )
        kind, held, is_tight = rng.randrange(3), history.held[trader], rng.random() < 0.5
        if kind == 0:
            got = history.trades(BuyQuote(quote, 1, 2), trader, pool=one).base_units
            tight: BuyQuote | Sell = BuyQuote(quote, got, 2)
        elif kind == 1 and held:
            units = held if rng.random() < 0.5 else rng.randrange(1, held + 1)
            tight = Sell(units, history.trades(Sell(units, 0, 2), trader, pool=one).quote_units, 2)
        else:
            got = history.trades(hop(quote, f"r{len(history.steps)}", 0, 2), trader, pool=one).base_units
            history.does(hop(got, f"r{len(history.steps) - 1}", 1, 2, is_buy=False), trader, pool=other)
            continue
        if is_tight:
            history.steps[-1] = replace(history.steps[-1], act=tight)
    return history


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_routes_between_pools_of_a_coin_make_and_lose_nothing(seed: int) -> None:
    rng = Random(seed)
    history = _routes(rng)
    names, book = list(history.states), PoolBook()
    market, us = ReplayMarket(book, history.chronicle()), [Us(rng, book, name, 0.1) for name in names]

    def before(at_ns: int) -> None:
        for one in us:
            one.settle(at_ns)

    for update in market.updates(before):
        book.apply(update)
    mint = str(graduate(1).pool.base_mint)
    held = sum(units + market.holders.difference(mint, trader) for trader, units in history.held.items())
    pools = sum(state.base_reserve for name in names if (state := book.state(name)) is not None)
    began = sum(step.after.base_reserve for step in history.steps[:3] if step.after is not None)
    assert pools + held + sum(one.units for one in us) == began + sum(history.opening_held.values())
    assert market.tally.reapplied or not any(one.trades for one in us)


def _e(state: PoolState) -> int:
    return state.effective_quote_reserve


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_without_trades_of_ours_the_record_itself_is_told(seed: int) -> None:
    history = random_history(Random(seed))
    assert verify(history.chronicle()).is_good
    played = play(history, None)
    for step, _, update in played.steps:
        assert update.state is step.after and update.swap is step.swap
    tally = played.market.tally
    assert (tally.reapplied, tally.diverged_pools, len(played.market.holders)) == (0, 0, 0)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_the_naive_market_does_not_feel_us(seed: int) -> None:
    rng = Random(seed)
    history = random_history(rng)
    played = play(history, rng, Impact.NAIVE)
    for step, _, update in played.steps:
        assert update.state is step.after and update.swap is step.swap
    assert played.market.tally.reapplied == 0 and played.market.tally.overwritten <= played.us.trades


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(10**6, 2 * SOL))
def test_who_buys_and_sells_again_without_fees_leaves_the_pool_as_it_was(seed: int, spent: int) -> None:
    """But for the rounding of each trade, which is for the pool."""
    free = at_rates(current_schedule(), Rates(0, 0, 0))
    history = History(graduate(), schedule_for=lambda _: free)
    rng = Random(seed)
    for _ in range(8):
        history.does(BuyQuote(rng.randrange(10**7, SOL), 1, 2), TRADERS[0])
    book = PoolBook()
    market, name = ReplayMarket(book, history.chronicle()), next(iter(history.states))
    for number, update in enumerate(market.updates()):
        book.apply(update)
        if number == 3:
            state = book.state(name)
            assert state is not None
            bought = execute_buy_exact_quote_in(state, free, spent, 1, generation=2)
            units = bought.transfers.user_base_change
            book.put(name, execute_sell(bought.state, free, units, 0, generation=2).state)
    end, recorded = book.state(name), history.states[name]
    assert end is not None and market.tally.reapplied == 5
    assert abs(end.base_reserve - recorded.base_reserve) * 10**7 <= recorded.base_reserve
    assert 0 <= end.effective_quote_reserve - recorded.effective_quote_reserve <= 20


@pytest.mark.parametrize("impact", [*Impact])
def test_the_same_history_gives_the_same_market_twice(impact: Impact) -> None:
    def once() -> list[str]:
        rng = Random(5)
        played = play(random_history(rng, acts=60), rng, impact)
        return [repr(update) for _, _, update in played.steps] + [str(played.market.tally.to_json())]

    assert once() == once()
