"""New pools: what a transaction shows of them, and what their accounts prove."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import Pool
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    PUMP_GLOBAL,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    USDC_MINT,
    WSOL_MINT,
    bonding_curve,
    canonical_pool,
    lp_mint,
    pool_address,
    pool_authority,
)
from pumpswap.amm.events import (
    CompletePumpAmmMigrationEvent,
    CreatePoolEvent,
    Event,
    encode_event,
    events_from_logs,
)
from pumpswap.chain.node import ChainAccount
from pumpswap.errors import EndpointDown, MalformedAccount, NotFound, StaleNode
from pumpswap.localnet import token_bytes
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.market.new_pool_feed import latest_pools
from pumpswap.market.new_pools import NewPool, PoolOrigin, judge, migration_authority, pools_of, pools_reported, unread
from tests.market.graduating import CURVE_TOKENS, MIGRATED_LAMPORTS, Founders, migration_account
from tests.market.recorded import load, transaction_of
from tests.market.test_discovery import write_curve
from tests.support.material import material, requires_material

COIN, WALLET = (Pubkey.from_bytes(bytes([number]) * 32) for number in (41, 42))


def creation(**changes: Any) -> CreatePoolEvent:
    """The event of a graduate's pool."""
    pool = canonical_pool(COIN)
    event = CreatePoolEvent(
        timestamp=1_790_000_000,
        index=0,
        creator=pool_authority(COIN),
        base_mint=COIN,
        quote_mint=WSOL_MINT,
        base_mint_decimals=6,
        quote_mint_decimals=9,
        pool_base_amount=206_900_000_000_000,
        pool_quote_amount=84_990_359_056,
        initial_liquidity=4_193_388_282_604,
        pool=pool,
        lp_mint=lp_mint(pool),
    )
    return msgspec.structs.replace(event, **changes)


def migration(**changes: Any) -> CompletePumpAmmMigrationEvent:
    event = CompletePumpAmmMigrationEvent(mint=COIN, bonding_curve=bonding_curve(COIN), pool=canonical_pool(COIN))
    return msgspec.structs.replace(event, **changes)


def from_wallet(index: int = 3) -> CreatePoolEvent:
    pool = pool_address(index, WALLET, COIN, WSOL_MINT)
    return creation(index=index, creator=WALLET, pool=pool, lp_mint=lp_mint(pool))


def logs_of(*events: Event) -> tuple[str, ...]:
    """Log lines of a transaction in which these events were emitted by their own programs."""
    lines: list[str] = []
    for event in events:
        data = base64.b64encode(encode_event(event)).decode()
        lines += [f"Program {event.PROGRAM} invoke [1]", f"Program data: {data}", f"Program {event.PROGRAM} success"]
    return tuple(lines)


def reported(*events: Event) -> NewPool:
    (pool,) = pools_reported(events_from_logs(logs_of(*events)), "signature", 77)
    return pool


def test_a_migration_is_a_claim_until_the_curve_was_read() -> None:
    pool = reported(creation(), migration())
    assert pool.is_migration and pool.origin is PoolOrigin.UNVERIFIED
    assert pool.reason == "its bonding curve was not read"
    assert (pool.address, pool.base_mint, pool.quote_mint) == (canonical_pool(COIN), COIN, WSOL_MINT)
    assert (pool.slot, pool.signature, pool.at_ns) == (77, "signature", 1_790_000_000 * 10**9)
    assert (pool.base_units, pool.quote_units, pool.lp_units) == (
        206_900_000_000_000,
        84_990_359_056,
        4_193_388_282_604,
    )


def test_a_wallet_s_pool_is_permissionless_whatever_else_is_reported() -> None:
    pool = reported(from_wallet(), migration(pool=from_wallet().pool))
    assert pool.origin is PoolOrigin.PERMISSIONLESS and not pool.is_migration
    assert pool.reason == "made from a wallet, which can take its liquidity out" and pool.creator == WALLET


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((creation(),), "the Pump program made it and reported no migration"),
        ((creation(), migration(pool=WALLET)), "the Pump program made it and reported no migration"),
        ((creation(), migration(mint=WALLET)), "the migration that was reported is another coin's"),
        ((creation(), migration(bonding_curve=WALLET)), "the migration that was reported is another coin's"),
        (
            (creation(), migration(quote_mint=USDC_MINT)),
            "it is not the canonical pool of the migration that was reported",
        ),
        ((creation(pool=WALLET), migration(pool=WALLET)), "its address is not that of its creator and mints"),
    ],
)
def test_what_does_not_fit_is_unverified_and_says_why(events: tuple[Event, ...], reason: str) -> None:
    pool = reported(*events)
    assert (pool.origin, pool.is_migration, pool.reason) == (PoolOrigin.UNVERIFIED, False, reason)


def test_an_index_other_than_zero_is_not_canonical() -> None:
    pool = pool_address(1, pool_authority(COIN), COIN, WSOL_MINT)
    told = reported(creation(index=1, pool=pool), migration(pool=pool))
    assert told.origin is PoolOrigin.UNVERIFIED and "not the canonical pool" in told.reason


def test_an_event_that_another_program_printed_makes_no_pool() -> None:
    forged = [line.replace(str(AMM_PROGRAM), str(PUMP_PROGRAM)) for line in logs_of(creation())]
    assert pools_reported(events_from_logs(forged), "s", 1) == ()


def chain_with(event: CreatePoolEvent, *, lp_supply: int = 1_000, minted: int = 0) -> LocalChain:
    """A chain on which this pool and its LP mint exist."""
    chain = LocalChain(seed=1)
    account = Pool(
        pool_bump=255,
        index=event.index,
        creator=event.creator,
        base_mint=event.base_mint,
        quote_mint=event.quote_mint,
        lp_mint=event.lp_mint,
        pool_base_token_account=WALLET,
        pool_quote_token_account=WALLET,
        lp_supply=lp_supply,
    )
    chain.set_account(ChainAccount(event.pool, AMM_PROGRAM, 10**9, account.encode()))
    chain.set_account(ChainAccount(event.lp_mint, TOKEN_2022_PROGRAM, 10**9, token_bytes.mint(minted, 9)))
    return chain


async def looked_at(chain: LocalChain, *events: Event) -> NewPool:
    chain.advance(200)
    return await judge(LocalNode(chain), reported(*events))


@pytest.mark.asyncio
async def test_a_complete_curve_proves_the_graduation() -> None:
    chain = chain_with(creation(), minted=0)
    write_curve(chain, COIN, complete=True)
    pool = await looked_at(chain, creation(), migration())
    assert pool.origin is PoolOrigin.GRADUATED and pool.lp_burned == 1
    assert pool.reason == "migrated from its finished bonding curve into the canonical pool"


@pytest.mark.asyncio
async def test_a_curve_that_does_not_fit_proves_nothing() -> None:
    chain = chain_with(creation(), minted=250)
    told = await looked_at(chain, creation(), migration())
    assert (told.origin, told.reason) == (PoolOrigin.UNVERIFIED, "its coin has no bonding curve")
    assert told.lp_burned == Fraction(3, 4)
    for complete, quote, reason in (
        (False, SYSTEM_PROGRAM, "its coin's bonding curve is not complete"),
        (True, USDC_MINT, "its coin's bonding curve names another quote token"),
    ):
        write_curve(chain, COIN, complete=complete, quote=quote)
        told = await looked_at(chain, creation(), migration())
        assert (told.origin, told.reason) == (PoolOrigin.UNVERIFIED, reason)
    chain.set_account(ChainAccount(bonding_curve(COIN), PUMP_PROGRAM, 10**9, b"short"))
    told = await looked_at(chain, creation(), migration())
    assert told.origin is PoolOrigin.UNVERIFIED and "accounts cannot be read" in told.reason


@pytest.mark.asyncio
async def test_a_complete_curve_without_a_migration_proves_nothing_either() -> None:
    chain = chain_with(creation())
    write_curve(chain, COIN, complete=True)
    told = await looked_at(chain, creation())
    assert (told.origin, told.reason) == (PoolOrigin.UNVERIFIED, "the Pump program made it and reported no migration")


@pytest.mark.asyncio
async def test_a_pool_account_that_says_something_else_is_believed_before_the_report() -> None:
    chain = chain_with(creation(quote_mint=USDC_MINT))
    write_curve(chain, COIN, complete=True)
    told = await looked_at(chain, creation(), migration())
    assert told.origin is PoolOrigin.UNVERIFIED and "names other mints" in told.reason
    nothing = await looked_at(LocalChain(seed=2), from_wallet())
    assert (nothing.origin, nothing.reason) == (PoolOrigin.UNVERIFIED, "there is no pool at its address")


def test_unread_accounts_leave_what_the_transaction_showed() -> None:
    down = EndpointDown("the node is down")
    claimed = unread(reported(creation(), migration()), down)
    assert (claimed.origin, claimed.reason) == (PoolOrigin.UNVERIFIED, "its accounts cannot be read: the node is down")
    own = unread(reported(from_wallet()), down)
    assert own == reported(from_wallet()) and own.origin is PoolOrigin.PERMISSIONLESS


@pytest.mark.asyncio
async def test_a_node_that_is_behind_the_creation_is_no_witness() -> None:
    chain = chain_with(creation())
    chain.advance(3)
    late = replace(reported(creation(), migration()), slot=chain.slot + 50)
    with pytest.raises(StaleNode):
        await judge(LocalNode(chain), late)


@pytest.mark.asyncio
async def test_without_an_lp_mint_nobody_knows_who_has_it() -> None:
    chain = chain_with(from_wallet(), lp_supply=0)
    assert (await looked_at(chain, from_wallet())).lp_burned is None
    chain = chain_with(from_wallet())
    chain.set_account(ChainAccount(from_wallet().lp_mint, TOKEN_2022_PROGRAM, 10**9, b""))
    assert (await looked_at(chain, from_wallet())).lp_burned is None


@pytest.mark.asyncio
async def test_the_account_of_migrations_is_read_from_the_settings_of_the_pump_program() -> None:
    chain = LocalChain(seed=4)
    chain.advance(3)
    with pytest.raises(NotFound, match="no settings of the Pump program"):
        await migration_authority(LocalNode(chain))
    head = bytes.fromhex("a7e8e8b1c86c727f")
    for data, is_good in ((head + bytes(105) + bytes(WALLET), True), (head + bytes(136), False), (bytes(500), False)):
        chain.set_account(ChainAccount(PUMP_GLOBAL, PUMP_PROGRAM, 10**9, data))
        chain.advance(3)
        if is_good:
            assert await migration_authority(LocalNode(chain)) == WALLET
        else:
            with pytest.raises(MalformedAccount):
                await migration_authority(LocalNode(chain))


@requires_material("chain", "transactions")
@pytest.mark.parametrize(
    ("name", "pool", "quote_units"),
    [
        (
            "2026-04-30_migrate_create_pool_first_buy",
            "7ugTEN5mq5kGURByfXrK1AqTAJ76wQMauggskosVzEoK",
            84_990_359_062,
        ),
        ("2026-08-08_migrate_v2_create_pool", "HqDQGEqujcpYiGvdK6h6wydcWov8wam8ATayLtS5yPnv", 84_990_359_156),
    ],
)
def test_recorded_migrations(name: str, pool: str, quote_units: int) -> None:
    path = material("chain", "transactions", "full", f"{name}.json")
    assert path is not None
    transaction = transaction_of(load(path))
    (found,) = pools_of(transaction)
    assert (str(found.address), found.quote_units, found.base_units) == (pool, quote_units, CURVE_TOKENS)
    assert found.is_migration and found.slot == transaction.slot
    assert canonical_pool(found.base_mint) == found.address


@requires_material("chain", "events.jsonl")
def test_recorded_creations_without_their_migration_are_claims_at_most() -> None:
    path = material("chain", "events.jsonl")
    assert path is not None
    origins = {}
    for line in path.read_text().splitlines():
        told = msgspec.json.decode(line)
        if told["event"] == "CreatePoolEvent":
            lines = [
                f"Program {AMM_PROGRAM} invoke [1]",
                f"Program data: {told['raw_b64']}",
                f"Program {AMM_PROGRAM} success",
            ]
            (pool,) = pools_reported(events_from_logs(lines), told["signature"] or "", told["slot"] or 0)
            origins[told["id"]] = pool.origin, pool.is_migration
            assert str(pool.address) == told["decoded"]["pool"]
    canonical, anybody = (PoolOrigin.UNVERIFIED, False), (PoolOrigin.PERMISSIONLESS, False)
    assert origins == {2: canonical, 5: canonical, 18: anybody, 29: canonical, 34: canonical}


@requires_material("chain", "programs")
@pytest.mark.parametrize("program", [TOKEN_PROGRAM, TOKEN_2022_PROGRAM])
@pytest.mark.asyncio
async def test_the_real_programs_make_a_graduate_and_a_pool_of_anybody(program: Pubkey) -> None:
    founders = Founders.on_new_chain()
    graduate, own = founders.graduate(program), founders.anybody(index=9)
    founders.chain.advance(3)
    node = LocalNode(founders.chain)
    first, second = await latest_pools(node, AMM_PROGRAM, lines=100)
    assert (first.address, first.origin) == (graduate, PoolOrigin.GRADUATED)
    assert (first.base_units, first.quote_units) == (CURVE_TOKENS, MIGRATED_LAMPORTS)
    assert first.lp_burned == 1
    assert (second.address, second.origin, second.index) == (own, PoolOrigin.PERMISSIONLESS, 9)
    assert second.lp_burned is not None and 0 < second.lp_burned < Fraction(1, 10**6)  # the locked minimum
    authority = await migration_authority(node)
    assert authority == migration_account(founders.chain)
    assert await latest_pools(node, authority, lines=100) == (first,)
    assert await latest_pools(node, AMM_PROGRAM, lines=1) == (second,)


RIGHT: dict[str, Any] = {
    "creator": pool_authority(COIN),
    "index": 0,
    "pool": canonical_pool(COIN),
    "migrated": canonical_pool(COIN),
    "mint": COIN,
    "curve": bonding_curve(COIN),
    "quote": SYSTEM_PROGRAM,
    "complete": True,
    "curve_quote": SYSTEM_PROGRAM,
    "reported": True,
}
WRONG: dict[str, Any] = {
    "creator": WALLET,
    "index": 1,
    "pool": WALLET,
    "migrated": WALLET,
    "mint": WALLET,
    "curve": WALLET,
    "quote": USDC_MINT,
    "complete": False,
    "curve_quote": USDC_MINT,
    "reported": False,
}


@settings(max_examples=120, deadline=None)
@given(st.sets(st.sampled_from(sorted(RIGHT)), max_size=3))
def test_one_thing_that_does_not_fit_is_enough_to_be_no_graduate(wrong: set[str]) -> None:
    told = {name: WRONG[name] if name in wrong else RIGHT[name] for name in RIGHT}
    event = creation(creator=told["creator"], index=told["index"], pool=told["pool"])
    events: list[Event] = [event]
    if told["reported"]:
        events.append(
            migration(mint=told["mint"], bonding_curve=told["curve"], pool=told["migrated"], quote_mint=told["quote"])
        )
    chain = chain_with(event)
    write_curve(chain, COIN, complete=bool(told["complete"]), quote=told["curve_quote"])
    pool = asyncio.run(looked_at(chain, *events))
    assert (pool.origin is PoolOrigin.GRADUATED) == (not wrong), (wrong, pool.reason)
    if pool.origin is PoolOrigin.PERMISSIONLESS:
        assert "creator" in wrong
