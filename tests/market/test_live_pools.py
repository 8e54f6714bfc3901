"""LivePools: a state is served only when all its parts belong together."""

from __future__ import annotations

import random

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet.pools import PoolSpec, make_state, token_account
from pumpswap.market.live_pools import LivePools

STATE = make_state(PoolSpec(), random.Random(1), slot=100)


def vault(units: int, *, is_base: bool) -> ChainAccount:
    pool = STATE.pool
    address = pool.pool_base_token_account if is_base else pool.pool_quote_token_account
    mint = pool.base_mint if is_base else pool.quote_mint
    return token_account(address, (mint, TOKEN_PROGRAM), STATE.address, units, lambda size: 1)


def live() -> LivePools:
    pools = LivePools()
    pools.put(STATE)
    pools.advance(100)
    return pools


def expected(base: int, quote: int, slot: int) -> PoolState:
    return msgspec.structs.replace(STATE, base_reserve=base, quote_vault=quote, slot=slot)


def test_half_a_trade_is_never_served() -> None:
    pools = live()
    assert pools.apply(vault(5, is_base=True), 101) == ()
    assert pools.state(STATE.address) == STATE
    assert pools.apply(vault(6, is_base=False), 101) == ()
    assert pools.state(STATE.address) == STATE
    assert pools.advance(102) == (STATE.address,)
    assert pools.state(STATE.address) == expected(5, 6, 101)


def test_one_vault_without_the_other_is_a_doubt_until_it_is_read_again() -> None:
    pools = live()
    pools.apply(vault(5, is_base=True), 101)
    pools.advance(102)
    assert pools.state(STATE.address) is None and STATE.address in pools.in_doubt()
    pools.put(expected(5, 6, 100))
    assert pools.state(STATE.address) is None  # a reading from before the doubt settles nothing
    pools.put(expected(5, 6, 103))
    assert pools.state(STATE.address) == expected(5, 6, 103) and pools.in_doubt() == {}


def test_duplicates_and_history_change_nothing() -> None:
    pools = live()
    for _ in range(2):
        pools.apply(vault(5, is_base=True), 101)
        pools.apply(vault(6, is_base=False), 101)
    pools.advance(105)
    pools.apply(vault(5, is_base=True), 101)
    pools.apply(vault(77, is_base=True), 99)
    assert pools.state(STATE.address) == expected(5, 6, 101)


def test_news_that_come_after_their_slot_was_settled_are_a_doubt() -> None:
    pools = live()
    pools.apply(vault(5, is_base=True), 105)
    pools.apply(vault(6, is_base=False), 105)
    pools.advance(106)
    later = STATE.pool.with_changes(virtual_quote_reserves=-9, protocol_fees=9)
    pools.apply(ChainAccount(STATE.address, AMM_PROGRAM, 1, later.encode()), 103)
    assert pools.state(STATE.address) is None


def test_two_contents_of_one_slot_are_a_doubt() -> None:
    pools = live()
    pools.apply(vault(5, is_base=True), 101)
    pools.apply(vault(7, is_base=True), 101)
    assert pools.state(STATE.address) is None


def test_age_counts_the_slots_that_an_update_waits_and_silence_is_fresh() -> None:
    pools = live()
    pools.advance(140)
    age = pools.age(STATE.address)
    assert age is not None and age.slots == 0 and not age.is_in_doubt
    pools.doubt_all("the stream was away")
    age = pools.age(STATE.address)
    assert age is not None and (age.slots, age.is_in_doubt, age.reason) == (40, True, "the stream was away")
    assert pools.age(Pubkey.default()) is None


def test_a_dropped_pool_leaves_nothing_to_watch() -> None:
    pools = live()
    assert len(pools.watched()) == 4
    pools.drop(STATE.address)
    assert pools.watched() == () and len(pools) == 0
