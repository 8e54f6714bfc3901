"""What traders and creators collect besides trades, on the real program: cashback, creator fees, accumulators."""

from __future__ import annotations

import random

import msgspec
import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import Existing, UserVolumeAccumulator, decode_event, sell_exact_base
from pumpswap.amm.addresses import TOKEN_PROGRAM, USDC_MINT, WSOL_MINT, ata, creator_vault_authority, pump_creator_vault
from pumpswap.amm.instructions import fees
from pumpswap.amm.instructions.sequences import collect_sequence
from pumpswap.localnet.pool_kinds import PoolKind, QuoteKind
from tests.support.material import requires_material
from tests.svm.chain import SIGNATURE_FEE, Chain, Failure, Receipt
from tests.svm.market import Market, Reserves, make_market, units_of, write_tokens
from tests.svm.trade_accounts import ACCUMULATOR_LEN
from tests.svm.wallet import Wallet, thousandth

pytestmark = requires_material("chain", "programs")

GRADUATE = Reserves(206_900_000_000_000, 84_990_359_057, 10**15)
LAMPORTS = 10**10
COLLECTED = 10**9


def accumulator_of(chain: Chain, wallet: Wallet) -> UserVolumeAccumulator:
    account = chain.account(wallet.who.accumulator)
    assert account is not None
    return UserVolumeAccumulator.decode(bytes(account.data))


def test_cashback_of_a_buy_and_a_sell_is_claimed_in_full(chain: Chain) -> None:
    rng = random.Random(1)
    market = make_market(PoolKind("cashback", cashback=True), GRADUATE, rng)
    wallet = Wallet(chain, market, rng)
    bought = thousandth("buy", market, wallet)
    assert isinstance(wallet.swap(bought, keep_wsol=True), Receipt)
    market.state = market.read(chain)
    sold = sell_exact_base(market.state, wallet.schedule, bought.base_out)
    assert isinstance(wallet.swap(sold, keep_wsol=True), Receipt)
    earned = bought.cashback + sold.cashback
    assert accumulator_of(chain, wallet).cashback_earned == earned

    before = units_of(chain, wallet.who.user_quote)
    stranger = Keypair.from_seed(rng.randbytes(32))
    chain.fund(stranger.pubkey(), LAMPORTS)
    claim = fees.claim_cashback(wallet.key, market.pool.quote_mint, TOKEN_PROGRAM)
    receipt = chain.send([claim], stranger)  # the user need not sign
    assert isinstance(receipt, Receipt), receipt
    (event,) = map(decode_event, receipt.events)
    assert (event.user, event.amount) == (wallet.key, earned)
    assert (event.total_claimed, event.total_cashback_earned) == (earned, earned)
    assert units_of(chain, wallet.who.user_quote) - before == earned
    assert accumulator_of(chain, wallet).total_cashback_claimed == earned


def test_an_accumulator_is_made_and_closed_at_the_price_of_its_rent(chain: Chain) -> None:
    rng = random.Random(2)
    wallet = Wallet(chain, make_market(PoolKind("canonical"), GRADUATE, rng), rng)
    before = chain.lamports(wallet.key)
    made = chain.send([fees.init_user_volume_accumulator(wallet.key, wallet.key)], wallet.user)
    assert isinstance(made, Receipt), made
    assert [type(decode_event(raw)).__name__ for raw in made.events] == ["InitUserVolumeAccumulatorEvent"]
    assert before - chain.lamports(wallet.key) == SIGNATURE_FEE + chain.rent(ACCUMULATOR_LEN)
    assert accumulator_of(chain, wallet).user == wallet.key
    assert isinstance(chain.send([fees.sync_user_volume_accumulator(wallet.key)], wallet.user), Receipt)
    closed = chain.send([fees.close_user_volume_accumulator(wallet.key)], wallet.user)
    assert isinstance(closed, Receipt), closed
    assert [type(decode_event(raw)).__name__ for raw in closed.events] == ["CloseUserVolumeAccumulatorEvent"]
    assert before - chain.lamports(wallet.key) == 3 * SIGNATURE_FEE
    assert chain.account(wallet.who.accumulator) is None


def test_creator_fees_of_a_trade_are_collected_by_their_creator(chain: Chain) -> None:
    rng = random.Random(3)
    creator = Keypair.from_seed(rng.randbytes(32))
    chain.fund(creator.pubkey(), LAMPORTS)
    market = made_by(creator, rng)
    wallet = Wallet(chain, market, rng)
    quote = thousandth("buy", market, wallet)
    assert isinstance(wallet.swap(quote), Receipt)
    steps = collect_sequence(creator.pubkey(), WSOL_MINT, TOKEN_PROGRAM, Existing(user_base=True), payer=None)
    receipt = chain.send(steps, creator)
    assert isinstance(receipt, Receipt), receipt
    (event,) = map(decode_event, receipt.events)
    assert (event.coin_creator, event.coin_creator_fee) == (creator.pubkey(), quote.creator_fee)
    assert chain.lamports(creator.pubkey()) == LAMPORTS - SIGNATURE_FEE + quote.creator_fee
    assert units_of(chain, wallet.who.creator) == 0


def test_collecting_needs_an_account_to_collect_into(chain: Chain) -> None:
    rng = random.Random(4)
    creator = Keypair.from_seed(rng.randbytes(32))
    chain.fund(creator.pubkey(), LAMPORTS)
    fill_vault(chain, creator, WSOL_MINT)
    collect = fees.collect_coin_creator_fee(creator.pubkey(), WSOL_MINT, TOKEN_PROGRAM)
    outcome = chain.send([collect], creator)
    assert isinstance(outcome, Failure)
    assert outcome.code == 3012


def test_creator_fees_move_to_the_curve_program(chain: Chain) -> None:
    rng = random.Random(5)
    creator = Keypair.from_seed(rng.randbytes(32))
    chain.fund(creator.pubkey(), LAMPORTS)
    fill_vault(chain, creator, WSOL_MINT)
    vault = ata(creator_vault_authority(creator.pubkey()), WSOL_MINT, TOKEN_PROGRAM)
    outcome = chain.send([fees.transfer_creator_fees_to_pump(creator.pubkey())], creator)
    assert isinstance(outcome, Receipt), outcome
    assert units_of(chain, vault) == 0
    assert chain.lamports(pump_creator_vault(creator.pubkey())) == COLLECTED


@pytest.mark.parametrize("mint", [WSOL_MINT, USDC_MINT], ids=["sol", "usdc"])
def test_creator_fees_of_any_quote_move_to_the_curve_program(chain: Chain, mint: Pubkey) -> None:
    rng = random.Random(6)
    creator = Keypair.from_seed(rng.randbytes(32))
    chain.fund(creator.pubkey(), LAMPORTS)
    # The mint of USDC comes with a market against it.
    usdc = make_market(PoolKind("usdc", quote=QuoteKind.USDC), GRADUATE, rng)
    usdc.write(chain)
    fill_vault(chain, creator, mint)
    vault = ata(creator_vault_authority(creator.pubkey()), mint, TOKEN_PROGRAM)
    steps = [fees.transfer_creator_fees_to_pump_v2(creator.pubkey(), creator.pubkey(), mint, TOKEN_PROGRAM)]
    outcome = chain.send(steps, creator)
    assert isinstance(outcome, Receipt), outcome
    assert units_of(chain, vault) == 0
    pump_vault = pump_creator_vault(creator.pubkey())
    received = (
        chain.lamports(pump_vault) if mint == WSOL_MINT else units_of(chain, ata(pump_vault, mint, TOKEN_PROGRAM))
    )
    assert received == COLLECTED


def made_by(creator: Keypair, rng: random.Random) -> Market:
    market = make_market(PoolKind("canonical"), GRADUATE, rng)
    pool = market.pool.with_changes(coin_creator=creator.pubkey())
    return Market(market.kind, msgspec.structs.replace(market.state, pool=pool))


def fill_vault(chain: Chain, creator: Keypair, mint: Pubkey) -> None:
    authority = creator_vault_authority(creator.pubkey())
    write_tokens(chain, ata(authority, mint, TOKEN_PROGRAM), mint, authority, COLLECTED)
