"""Pools of every kind, priced by the real program exactly as we quote them."""

from __future__ import annotations

import random

import pytest

from pumpswap.amm import Pool, SellQuote, TokenAccount, buy_exact_quote, sell_exact_base
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, USDC_MINT, WSOL_MINT, ata
from pumpswap.errors import NotFound, UsageError
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pool_kinds import KINDS, PoolKind, allowed_account_lengths, kind_named
from pumpswap.localnet.pools import PoolSpec, create_pool, fund_tokens, pool_state, schedule_of, wallet, wallet_key
from pumpswap.localnet.programs import load_programs
from tests.localnet.practice import SOL, lamports_of, program_folder, swap
from tests.support.material import requires_material

needs_programs = requires_material("chain", "programs")


@pytest.fixture(scope="module")
def chain() -> LocalChain:
    made = LocalChain(seed=5)
    load_programs(made, program_folder())
    return made


def spec_of(kind: PoolKind, rng: random.Random) -> PoolSpec:
    program = TOKEN_PROGRAM if kind.wsol_base else rng.choice((TOKEN_PROGRAM, TOKEN_2022_PROGRAM))
    length = rng.choice(allowed_account_lengths(kind))
    if kind.wsol_base:
        return PoolSpec(kind, 84_990_359_057, 206_900_000_000_000, account_len=length)
    return PoolSpec(kind, base_program=program, account_len=length)


@needs_programs
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_buy_and_a_sell_in_every_kind_end_on_the_quoted_state(chain: LocalChain, kind: PoolKind) -> None:
    rng = random.Random(kind.name)
    state, key = create_pool(chain, spec_of(kind, rng), rng), wallet(chain, 1_000 * SOL)
    assert pool_state(chain, state) == state
    for mint, program in (
        (state.pool.base_mint, state.base_token_program),
        (state.pool.quote_mint, state.quote_token_program),
    ):
        if mint != WSOL_MINT:
            fund_tokens(chain, key.pubkey(), mint, program, 10**15)
    schedule = schedule_of(chain)
    buy = buy_exact_quote(state, schedule, state.quote_vault // 500)
    assert chain.submit(swap(chain, key, state, buy, buy.limit(0))).err is None
    after_buy = pool_state(chain, state)
    expected = state.after(buy)
    assert (after_buy.base_reserve, after_buy.quote_vault) == (expected.base_reserve, expected.quote_vault)
    sell = sell_exact_base(after_buy, schedule, max(buy.base_out // 2, 1))
    assert isinstance(sell, SellQuote)
    assert chain.submit(swap(chain, key, after_buy, sell, sell.limit(0))).err is None
    expected = after_buy.after(sell)
    after_sell = pool_state(chain, state)
    assert (after_sell.base_reserve, after_sell.quote_vault) == (expected.base_reserve, expected.quote_vault)


@needs_programs
def test_everything_a_pool_stands_on_is_on_the_chain(chain: LocalChain) -> None:
    state = create_pool(chain, PoolSpec("canonical usdc", account_len=261), random.Random(2))
    pool = state.pool
    account = chain.account(state.address)
    assert account is not None
    assert len(account.data) == 261
    assert Pool.decode(account.data) == pool
    assert account.lamports == chain.rent(261)
    assert pool.quote_mint == USDC_MINT
    for mint in (pool.base_mint, pool.quote_mint, pool.lp_mint):
        assert chain.account(mint) is not None
    config = schedule_of(chain).global_config
    for owner in (*config.protocol_recipients(is_mayhem_mode=False), *config.buyback_fee_recipients):
        assert chain.account(ata(owner, USDC_MINT, TOKEN_PROGRAM)) is not None


@needs_programs
def test_wrapped_sol_is_backed_by_lamports(chain: LocalChain) -> None:
    state = create_pool(chain, PoolSpec(quote_lamports=7 * SOL), random.Random(3))
    vault = chain.account(state.pool.pool_quote_token_account)
    assert vault is not None
    held = TokenAccount.decode(vault.data)
    assert (held.amount, held.is_native) == (7 * SOL, chain.rent(165))
    assert vault.lamports == 7 * SOL + chain.rent(165)


@needs_programs
def test_a_length_that_cannot_hold_the_kind_is_refused(chain: LocalChain) -> None:
    with pytest.raises(UsageError, match="244 bytes cannot be a cashback pool"):
        create_pool(chain, PoolSpec("cashback", account_len=244), random.Random(4))


def test_without_programs_there_are_no_pools() -> None:
    with pytest.raises(NotFound) as missing:
        create_pool(LocalChain(), PoolSpec(), random.Random(1))
    assert "localnet pull" in missing.value.hint


def test_kinds_have_names() -> None:
    assert kind_named("graduate") is kind_named("canonical") is KINDS[0]
    with pytest.raises(NotFound, match="boosted"):
        kind_named("boosted")


def test_wallets_are_the_same_on_every_chain_of_a_seed() -> None:
    chain = LocalChain(seed=5)
    first, second = wallet(chain, 3 * SOL), wallet(chain, SOL)
    assert (first, second) == (wallet_key(0, 5), wallet_key(1, 5))
    assert first != wallet_key(0, 6)
    assert lamports_of(chain, first.pubkey()) == 3 * SOL
