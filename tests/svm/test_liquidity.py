"""Deposits, withdrawals and account growth on the real program: amounts equal our liquidity arithmetic."""

from __future__ import annotations

import random

import msgspec
import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState, decode_event, deposit_lp, execute_deposit, execute_withdraw, withdraw_lp
from pumpswap.amm.addresses import AMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.amm.instructions.liquidity import deposit, extend_account, withdraw
from pumpswap.errors import TradeRefused
from pumpswap.localnet.pool_kinds import KINDS, PoolKind, allowed_account_lengths
from tests.support.material import requires_material
from tests.svm.chain import SIGNATURE_FEE, Chain, Failure, Receipt
from tests.svm.market import Market, Reserves, make_market
from tests.svm.provider import Provider

pytestmark = requires_material("chain", "programs")

PLENTY = 2**61
LAMPORTS = 10**12
BUILD_POOL_LEN = 245  # shorter accounts cannot be written back by this build
GROWN_LEN = 301
PERMISSIONLESS = PoolKind("permissionless", canonical=False, coin_creator=False)


def provider_of(chain: Chain, market: Market, rng: random.Random, *, lp: int = 0) -> Provider:
    market.write(chain)
    provider = Provider(chain, market.state, Keypair.from_seed(rng.randbytes(32)))
    provider.write(base=PLENTY, quote=PLENTY, lp=lp, lamports=LAMPORTS)
    return provider


def drawn(kind: PoolKind, rng: random.Random, *, account_len: int) -> Market:
    base, quote, lp = (10 ** rng.uniform(2, 15) for _ in range(3))
    program: Pubkey = TOKEN_PROGRAM if kind.wsol_base else rng.choice((TOKEN_PROGRAM, TOKEN_2022_PROGRAM))
    reserves = Reserves(int(base), int(quote), 10**15, int(lp))
    return make_market(kind, reserves, rng, base_program=program, account_len=account_len)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_deposits_and_withdrawals_in_a_row_move_what_the_arithmetic_says(chain: Chain, kind: PoolKind) -> None:
    rng = random.Random(kind.name)
    for _ in range(6):
        long_enough = [length for length in allowed_account_lengths(kind) if length >= BUILD_POOL_LEN]
        market = drawn(kind, rng, account_len=rng.choice(long_enough))
        provider = provider_of(chain, market, rng)
        state = market.state
        for _ in range(rng.randint(1, 3)):
            state = deposited(provider, state, max(int(state.pool.lp_supply * 10 ** rng.uniform(-6, 1)), 1))
        state = withdrawn(provider, state, max(provider.holdings().user_lp // rng.randint(1, 9), 1))
        withdrawn(provider, state, provider.holdings().user_lp)


def deposited(provider: Provider, state: PoolState, lp_out: int) -> PoolState:
    """One deposit at the exact limits, after one that was refused for a limit one unit short on either side."""
    chain, quote = provider.chain, deposit_lp(state, lp_out)
    most_base, most_quote = quote.limits(0)
    if most_base > PLENTY or most_quote > PLENTY:
        return state
    for limits in ((most_base - 1, most_quote), (most_base, most_quote - 1)):
        refused(provider, deposit(state, provider.accounts, lp_out, *limits), 6004)
        with pytest.raises(TradeRefused) as refusal:
            execute_deposit(state, lp_out, *limits)
        assert refusal.value.code == 6004
    before = provider.holdings()
    receipt = chain.send([deposit(state, provider.accounts, lp_out, most_base, most_quote)], provider.user)
    assert isinstance(receipt, Receipt), receipt
    assert provider.holdings() == before._replace(
        user_base=before.user_base - quote.base_in,
        user_quote=before.user_quote - quote.quote_in,
        user_lp=before.user_lp + lp_out,
        base_vault=before.base_vault + quote.base_in,
        quote_vault=before.quote_vault + quote.quote_in,
        lp_mint_supply=before.lp_mint_supply + lp_out,
        user_lamports=before.user_lamports - SIGNATURE_FEE,
    )
    (event,) = map(decode_event, receipt.events)
    assert (event.base_amount_in, event.quote_amount_in) == (quote.base_in, quote.quote_in)
    assert (event.lp_token_amount_out, event.lp_mint_supply) == (lp_out, state.pool.lp_supply)
    assert (event.pool_base_token_reserves, event.pool_quote_token_reserves) == (before.base_vault, before.quote_vault)
    after = execute_deposit(state, lp_out, most_base, most_quote)
    assert_same(chain, after)
    return after


def withdrawn(provider: Provider, state: PoolState, lp_in: int) -> PoolState:
    """One withdrawal at the exact limits, after refusals one unit above them."""
    if lp_in == 0 or lp_in > provider.holdings().user_lp:
        return state
    chain, quote = provider.chain, withdraw_lp(state, lp_in)
    least_base, least_quote = quote.limits(0)
    for limits in ((least_base + 1, least_quote), (least_base, least_quote + 1)):
        refused(provider, withdraw(state, provider.accounts, lp_in, *limits), 6004)
        with pytest.raises(TradeRefused) as refusal:
            execute_withdraw(state, lp_in, *limits)
        assert refusal.value.code == 6004
    before = provider.holdings()
    receipt = chain.send([withdraw(state, provider.accounts, lp_in, least_base, least_quote)], provider.user)
    assert isinstance(receipt, Receipt), receipt
    assert provider.holdings() == before._replace(
        user_base=before.user_base + quote.base_out,
        user_quote=before.user_quote + quote.quote_out,
        user_lp=before.user_lp - lp_in,
        base_vault=before.base_vault - quote.base_out,
        quote_vault=before.quote_vault - quote.quote_out,
        lp_mint_supply=before.lp_mint_supply - lp_in,
        user_lamports=before.user_lamports - SIGNATURE_FEE,
    )
    (event,) = map(decode_event, receipt.events)
    assert (event.base_amount_out, event.quote_amount_out) == (quote.base_out, quote.quote_out)
    after = execute_withdraw(state, lp_in, least_base, least_quote)
    assert_same(chain, after)
    return after


def refused(provider: Provider, instruction: Instruction, code: int) -> None:
    outcome = provider.chain.send([instruction], provider.user)
    assert isinstance(outcome, Failure)
    assert outcome.code == code


def assert_same(chain: Chain, expected: PoolState) -> None:
    assert Market(PERMISSIONLESS, expected).read(chain) == expected


@pytest.mark.parametrize("length", [211, 243, 244])
def test_a_short_pool_account_takes_no_liquidity_until_it_is_extended(chain: Chain, length: int) -> None:
    rng = random.Random(length)
    market = make_market(PERMISSIONLESS, Reserves(10**12, 10**10, 10**15), rng, account_len=length)
    provider = provider_of(chain, market, rng, lp=10**6)
    state = market.state
    for instruction in (
        deposit(state, provider.accounts, 1_000, PLENTY, PLENTY),
        withdraw(state, provider.accounts, 1_000, 0, 0),
    ):
        outcome = chain.send([instruction], provider.user)
        assert isinstance(outcome, Failure)
        assert (outcome.code, outcome.name) == (None, "BorshIoError")
    assert isinstance(chain.send([extend_account(state.address, provider.key)], provider.user), Receipt)
    state = withdrawn(provider, msgspec.structs.replace(state, pool=state.pool.grown()), 1_000)
    deposited(provider, state, 1_000)


@pytest.mark.parametrize("length", [211, 243, 244, 245, 261, 270, 271, 287, 300])
def test_extending_keeps_every_field_costs_the_rent_and_is_idempotent(chain: Chain, length: int) -> None:
    rng = random.Random(length)
    market = make_market(PERMISSIONLESS, Reserves(10**12, 10**10, 10**15), rng, account_len=length)
    provider = provider_of(chain, market, rng)
    extend = extend_account(market.state.address, provider.key)
    receipt = chain.send([extend], provider.user)
    assert isinstance(receipt, Receipt), receipt
    (event,) = map(decode_event, receipt.events)
    assert (event.account, event.user) == (market.state.address, provider.key)
    assert (event.current_size, event.new_size) == (length, GROWN_LEN)
    account = chain.account(market.state.address)
    assert account is not None
    assert account.owner == AMM_PROGRAM
    assert Pool.decode(bytes(account.data)) == market.pool.grown()
    assert account.lamports == chain.rent(GROWN_LEN)
    growth = chain.rent(GROWN_LEN) - chain.rent(length)
    assert LAMPORTS - chain.lamports(provider.key) == SIGNATURE_FEE + growth
    again = chain.send([extend], provider.user)
    assert isinstance(again, Receipt)
    assert LAMPORTS - chain.lamports(provider.key) == 2 * SIGNATURE_FEE + growth
    assert chain.account(market.state.address) == account


def test_a_full_account_is_not_extended(chain: Chain) -> None:
    rng = random.Random(301)
    market = make_market(PERMISSIONLESS, Reserves(10**12, 10**10, 10**15), rng, account_len=GROWN_LEN)
    provider = provider_of(chain, market, rng)
    assert isinstance(chain.send([extend_account(market.state.address, provider.key)], provider.user), Receipt)
    assert LAMPORTS - chain.lamports(provider.key) == SIGNATURE_FEE
