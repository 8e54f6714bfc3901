"""Whole sequences (wrap, token accounts, swap, unwrap) as signed transactions of a wallet that owns nothing but SOL."""

from __future__ import annotations

import random

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import (
    Quote,
    SellQuote,
    swap_instruction,
    swap_sequence,
)
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.amm.instructions.sequences import deposit_sequence, withdraw_sequence
from pumpswap.amm.liquidity import deposit_lp, withdraw_lp
from pumpswap.localnet.pool_kinds import KINDS, PoolKind, allowed_account_lengths
from pumpswap.localnet.token_bytes import SPL_ACCOUNT_LEN, TOKEN_2022_ACCOUNT_LEN, mint
from tests.support.material import requires_material
from tests.svm.chain import Chain, Failure, Receipt
from tests.svm.market import Reserves, make_market, supply_of, units_of
from tests.svm.provider import LP_DECIMALS
from tests.svm.trade_check import rent_paid
from tests.svm.wallet import LAMPORTS, NETWORK_FEE, Wallet, thousandth

pytestmark = requires_material("chain", "programs")

GROWN_LEN = 301
EXTENDED_ENOUGH = 300
PERMISSIONLESS = PoolKind("permissionless", canonical=False, coin_creator=False)
WSOL_BASE = next(kind for kind in KINDS if kind.wsol_base)


def token_rent(chain: Chain, program: Pubkey) -> int:
    return chain.rent(TOKEN_2022_ACCOUNT_LEN if program == TOKEN_2022_PROGRAM else SPL_ACCOUNT_LEN)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", ["buy", "buy_exact_quote_in", "sell"])
def test_a_first_trade_costs_exactly_price_fees_and_rent(chain: Chain, kind: PoolKind, name: str) -> None:
    """The wallet's SOL and tokens afterwards, to the unit; what was wrapped for the limit and not spent comes back."""
    rng = random.Random(f"{kind.name} {name}")
    for length in allowed_account_lengths(kind):
        program = TOKEN_PROGRAM if kind.wsol_base else rng.choice((TOKEN_PROGRAM, TOKEN_2022_PROGRAM))
        reserves = Reserves(206_900_000_000_000, 84_990_359_057, 10**15)
        if kind.wsol_base:
            reserves = Reserves(84_990_359_057, 206_900_000_000_000, 10**15)
        market = make_market(kind, reserves, rng, base_program=program, account_len=length)
        wallet = Wallet(chain, market, rng)
        check_first_trade(wallet, thousandth(name, market, wallet))


def check_first_trade(wallet: Wallet, quote: Quote) -> None:
    chain, state, pool = wallet.chain, wallet.market.state, wallet.market.pool
    sells = isinstance(quote, SellQuote)
    paying_mint = pool.base_mint if sells else pool.quote_mint
    if paying_mint != WSOL_MINT:
        wallet.hold("base" if sells else "quote", 10**15)
    held = wallet.existing()
    before = wallet.who.balances(chain, state)
    receipt = wallet.swap(quote)
    assert isinstance(receipt, Receipt), receipt
    after = wallet.who.balances(chain, state)
    expected = state.after(quote, generation=1)
    assert (after.base_vault, after.quote_vault) == (expected.base_reserve, expected.quote_vault)
    base_change = -quote.base_in if isinstance(quote, SellQuote) else quote.base_out
    quote_change = quote.user_quote_out if isinstance(quote, SellQuote) else -quote.total_quote
    # SOL that was wrapped is unwrapped at the end: its account is gone, its change is lamports.
    lamports = -NETWORK_FEE
    for mint_key, change, existed, side in (
        (pool.base_mint, base_change, held.user_base, "user_base"),
        (pool.quote_mint, quote_change, held.user_quote, "user_quote"),
    ):
        address = getattr(wallet.who, side)
        if mint_key == WSOL_MINT:
            assert chain.account(address) is None
            lamports += change
            continue
        assert getattr(after, side) == getattr(before, side) + change
        if not existed:
            program = state.base_token_program if side == "user_base" else state.quote_token_program
            lamports -= token_rent(chain, program)
    # The sequence extends a short pool account before the swap would grow it.
    extended = pool.grown() if pool.account_len < EXTENDED_ENOUGH else pool
    account = chain.account(state.address)
    assert account is not None
    assert bytes(account.data) == extended.encode()
    lamports -= chain.rent(extended.account_len) - chain.rent(pool.account_len)
    lamports -= rent_paid(chain, msgspec.structs.replace(state, pool=extended), before.missing - after.missing)
    assert after.user_lamports - before.user_lamports == lamports


@pytest.mark.parametrize("name", ["buy", "sell"])
def test_kept_wrapped_sol_stays_open_and_serves_the_next_trade(chain: Chain, name: str) -> None:
    rng = random.Random(name)
    market = make_market(KINDS[0], Reserves(206_900_000_000_000, 84_990_359_057, 10**15), rng)
    wallet = Wallet(chain, market, rng)
    if name == "sell":
        wallet.hold("base", 10**15)
    quote = thousandth(name, market, wallet)
    assert isinstance(wallet.swap(quote, keep_wsol=True), Receipt)
    left = units_of(chain, wallet.who.user_quote)
    paid = quote.user_quote_out if isinstance(quote, SellQuote) else quote.limit(100) - quote.total_quote
    assert left == paid
    market.state = market.read(chain)
    again = thousandth("buy_exact_quote_in", market, wallet)
    lamports = chain.lamports(wallet.key)
    assert isinstance(wallet.swap(again, keep_wsol=True), Receipt)
    assert units_of(chain, wallet.who.user_quote) == left + again.spendable_quote - again.total_quote
    assert lamports - chain.lamports(wallet.key) >= again.spendable_quote


def test_a_sequence_that_fails_in_its_swap_leaves_nothing_behind_but_the_network_fee(chain: Chain) -> None:
    rng = random.Random(6004)
    market = make_market(KINDS[0], Reserves(206_900_000_000_000, 84_990_359_057, 10**15), rng)
    wallet = Wallet(chain, market, rng)
    state = market.state
    quote = thousandth("buy", market, wallet)
    swap = swap_instruction(quote, state, wallet.schedule, user=wallet.key, limit=quote.total_quote - 1, generation=1)
    outcome = wallet.send(swap_sequence(swap, state, wallet.key, wallet.existing()))
    assert isinstance(outcome, Failure)
    assert outcome.code == 6004
    assert chain.lamports(wallet.key) == LAMPORTS - NETWORK_FEE
    assert chain.account(wallet.who.user_quote) is None
    assert market.read(chain) == state


@pytest.mark.parametrize("kind", [PERMISSIONLESS, KINDS[0], WSOL_BASE], ids=lambda kind: kind.name)
@pytest.mark.parametrize("length", [245, 301])
def test_liquidity_goes_in_and_comes_out_in_whole_sequences(chain: Chain, kind: PoolKind, length: int) -> None:
    rng = random.Random(f"{kind.name} {length}")
    market = make_market(kind, Reserves(10**12, 10**11, 10**15, lp=10**11), rng, account_len=length)
    wallet = Wallet(chain, market, rng)
    state, pool = market.state, market.pool
    chain.write(pool.lp_mint, TOKEN_2022_PROGRAM, mint(pool.lp_supply, LP_DECIMALS, authority=state.address))
    coin_side = "quote" if kind.wsol_base else "base"
    wallet.hold(coin_side, 10**15)
    own_lp = ata(wallet.key, pool.lp_mint, TOKEN_2022_PROGRAM)

    into = deposit_lp(state, 10**9 + 7)
    before = chain.lamports(wallet.key)
    steps = deposit_sequence(state, wallet.key, into, into.limits(50), wallet.existing())
    assert isinstance(wallet.send(steps), Receipt)
    growth = 0 if length >= EXTENDED_ENOUGH else chain.rent(GROWN_LEN) - chain.rent(length)
    sol_in = into.base_in if kind.wsol_base else into.quote_in
    coin_in = into.quote_in if kind.wsol_base else into.base_in
    fee = NETWORK_FEE
    assert before - chain.lamports(wallet.key) == fee + growth + chain.rent(TOKEN_2022_ACCOUNT_LEN) + sol_in
    assert units_of(chain, getattr(wallet.who, f"user_{coin_side}")) == 10**15 - coin_in
    assert units_of(chain, own_lp) == into.lp_out
    assert supply_of(chain, pool.lp_mint) == pool.lp_supply + into.lp_out

    market.state = state = market.read(chain)
    out = withdraw_lp(state, into.lp_out)
    before = chain.lamports(wallet.key)
    steps = withdraw_sequence(state, wallet.key, out, out.limits(0), wallet.existing())
    assert isinstance(wallet.send(steps), Receipt)
    sol_out = out.base_out if kind.wsol_base else out.quote_out
    assert chain.lamports(wallet.key) - before == sol_out - fee
    assert units_of(chain, own_lp) == 0
    assert out.base_out <= into.base_in
    assert out.quote_out <= into.quote_in
