"""Bots that trade: real transactions, the same for the same seed, and the pools stay exactly where the quotes say."""

from __future__ import annotations

import random

import pytest

from pumpswap.amm import BuyQuote, SellQuote
from pumpswap.errors import NotFound, UsageError
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.market import MARKET_POOLS, BotTrade, MarketBots
from pumpswap.localnet.pools import PoolSpec, pool_state
from pumpswap.localnet.programs import load_programs
from tests.localnet.practice import program_folder
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")
TOO_DEAR, TOO_LITTLE = 6004, 6040


def market(seed: int = 1, **more: object) -> MarketBots:
    chain = LocalChain(seed=2)
    load_programs(chain, program_folder())
    return MarketBots(chain, random.Random(seed), **more)  # type: ignore[arg-type]


def run(bots: MarketBots, slots: int) -> list[BotTrade]:
    return bots.run(slots)


def test_bots_trade_each_slot_both_ways_and_some_trades_fail_on_their_limit() -> None:
    bots = market(specs=MARKET_POOLS, trades_per_slot=2.5)
    trades = run(bots, 60)
    assert 120 <= len(trades) <= 180
    assert all(trade.receipt.has_landed for trade in trades)
    failed = [trade for trade in trades if trade.receipt.err is not None]
    assert 0 < len(failed) < len(trades) // 4
    for trade in failed:
        assert isinstance(trade.receipt.err, dict)
        assert trade.receipt.err["InstructionError"][1]["Custom"] in (TOO_DEAR, TOO_LITTLE)
    assert {trade.pool for trade in trades} == {state.address for state in bots.pools}
    assert {type(trade.quote) for trade in trades} == {BuyQuote, SellQuote}
    assert len({trade.receipt.signature for trade in trades}) == len(trades)


def test_each_successful_trade_moves_its_pool_exactly_as_quoted() -> None:
    bots = market(specs=MARKET_POOLS, trades_per_slot=1)
    moved = 0
    for _ in range(60):
        before = {state.address: pool_state(bots.chain, state) for state in bots.pools}
        for trade in bots.step():
            old = before[trade.pool]
            new = pool_state(bots.chain, old)
            expected = old.after(trade.quote) if trade.receipt.err is None else old
            assert (new.base_reserve, new.quote_vault) == (expected.base_reserve, expected.quote_vault)
            moved += trade.receipt.err is None
        bots.chain.advance()
    assert moved > 40


def test_the_same_seed_trades_the_same() -> None:
    first, again, other = (run(market(seed), 25) for seed in (1, 1, 2))
    assert [trade.receipt for trade in first] == [trade.receipt for trade in again]
    assert {trade.receipt.signature for trade in first}.isdisjoint(trade.receipt.signature for trade in other)


def test_a_trade_can_be_ordered_to_move_a_pool() -> None:
    bots = market(specs=[PoolSpec()])
    state = bots.pools[0]
    trade = bots.trade(state.address, is_buy=True, parts=50)
    assert trade is not None
    assert trade.receipt.err is None
    assert pool_state(bots.chain, state).spot_price > state.spot_price
    with pytest.raises(UsageError, match="no pool of this market"):
        bots.trade(bots.wallets[0], is_buy=True, parts=50)


def test_a_market_needs_programs_pools_and_bots() -> None:
    with pytest.raises(NotFound):
        MarketBots(LocalChain(), random.Random(1))
    with pytest.raises(UsageError):
        market(specs=())
    with pytest.raises(UsageError):
        market(bots=0)
