"""Discovery: canonical addresses first; what a search finds comes with a warning."""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import BondingCurve, PoolState
from pumpswap.amm.addresses import PUMP_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, bonding_curve
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import PoolSpec, create_pool, fund_tokens
from pumpswap.market.discovery import WarningKind, find_pools
from tests.chain.practice import practice_chain

pytestmark = pytest.mark.asyncio


def fake_of(chain: LocalChain, coin: Pubkey, quote_units: int) -> PoolState:
    """A permissionless pool with the coin's mint, made by somebody."""
    fake = create_pool(chain, PoolSpec(kind="permissionless"), random.Random(quote_units))
    pool = fake.pool.with_changes(base_mint=coin)
    chain.set_account(ChainAccount(fake.address, _owner(chain, fake.address), 10**9, pool.encode()))
    vault = chain.account(fake.pool.pool_base_token_account)
    assert vault is not None
    chain.set_account(replace(vault, data=bytes(coin) + vault.data[32:]))
    fund_tokens(chain, fake.address, WSOL_MINT, TOKEN_PROGRAM, quote_units)
    return msgspec.structs.replace(fake, pool=pool)


def _owner(chain: LocalChain, address: Pubkey) -> Pubkey:
    account = chain.account(address)
    assert account is not None
    return account.owner


def write_curve(chain: LocalChain, coin: Pubkey, *, complete: bool, quote: Pubkey = SYSTEM_PROGRAM) -> None:
    curve = BondingCurve(1, 1, 1, 1, 1, complete, Pubkey.from_bytes(b"c" * 32), quote_mint=quote)
    chain.set_account(ChainAccount(bonding_curve(coin), PUMP_PROGRAM, 10**9, curve.encode()))


async def test_the_canonical_pool_is_found_without_a_search_and_fakes_are_not() -> None:
    chain = practice_chain()
    real = create_pool(chain, PoolSpec(), random.Random(1))
    coin = real.pool.base_mint
    fake_of(chain, coin, 10**12)
    write_curve(chain, coin, complete=True)
    chain.advance(3)
    found = await find_pools(LocalNode(chain), coin)
    assert [one.address for one in found.pools] == [real.address]
    assert found.canonical is not None and found.canonical.is_canonical and found.warnings == ()
    assert found.canonical.state.quote_vault == real.quote_vault


async def test_a_search_finds_fakes_behind_the_canonical_pool_and_warns() -> None:
    chain = practice_chain()
    real = create_pool(chain, PoolSpec(quote_lamports=10**9), random.Random(1))
    coin = real.pool.base_mint
    small, large = fake_of(chain, coin, 5), fake_of(chain, coin, 10**15)
    chain.advance(3)
    found = await find_pools(LocalNode(chain), coin, search=True)
    assert [one.address for one in found.pools] == [real.address, large.address, small.address]
    assert [one.is_canonical for one in found.pools] == [True, False, False]
    assert [one.kind for one in found.warnings] == [WarningKind.FAKE_POOLS]
    assert "found 2 more pools" in found.warnings[0].text


async def test_usdc_and_the_curve_s_own_quote_are_looked_up() -> None:
    chain = practice_chain()
    for number, kind in enumerate(("canonical usdc", "canonical, other quote")):
        real = create_pool(chain, PoolSpec(kind=kind), random.Random(20 + number))
        write_curve(chain, real.pool.base_mint, complete=True, quote=real.pool.quote_mint)
        chain.advance(3)
        found = await find_pools(LocalNode(chain), real.pool.base_mint)
        assert found.canonical is not None and found.canonical.address == real.address


async def test_a_coin_on_its_curve_is_said_to_be_there() -> None:
    chain = practice_chain()
    coin = Pubkey.from_bytes(b"a coin that has not graduated...")
    write_curve(chain, coin, complete=False)
    chain.advance(3)
    found = await find_pools(LocalNode(chain), coin)
    assert found.pools == () and found.canonical is None
    assert [one.kind for one in found.warnings] == [WarningKind.NOT_GRADUATED]
