"""Canonical pools against neither SOL nor USDC: the build of June has no exotic fees and takes the stable tiers."""

from __future__ import annotations

import random

import pytest
from solders.compute_budget import set_compute_unit_limit
from solders.keypair import Keypair

from pumpswap.amm import buy_exact_base, schedule_at, sell_exact_base, swap_instruction
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.localnet.pool_kinds import OTHER_QUOTES, PoolKind
from tests.support.material import requires_material
from tests.svm.chain import NOW, Chain, Failure, Receipt
from tests.svm.market import Reserves, make_market
from tests.svm.recorded_swap import as_the_build_prices
from tests.svm.trade_accounts import TradeAccounts
from tests.svm.trade_check import balance_differences, expected_balances

pytestmark = requires_material("chain", "programs")

# Market caps below, on and above stable thresholds, and between the SOL thresholds of the same rank.
MARKET_CAPS = (40_000 * 10**6, 59_000 * 10**6, 300_000 * 10**6 - 1, 410_779_889_110, 2_500_000 * 10**6, 10**15)


@pytest.mark.parametrize("kind", OTHER_QUOTES, ids=lambda kind: kind.name)
@pytest.mark.parametrize("market_cap", MARKET_CAPS)
def test_the_build_prices_other_quotes_by_the_stable_tiers(chain: Chain, kind: PoolKind, market_cap: int) -> None:
    rng = random.Random(market_cap)
    base, quote_units = 206_900_000_000_000, 84_990_359_057
    program = rng.choice((TOKEN_PROGRAM, TOKEN_2022_PROGRAM))
    reserves = Reserves(base, quote_units, -(-market_cap * base // quote_units))
    market = make_market(kind, reserves, rng, base_program=program)
    market.write(chain)
    user = Keypair.from_seed(rng.randbytes(32))
    state, schedule = market.state, chain.schedule()
    config = schedule.global_config
    who = TradeAccounts.of(state, user.pubkey(), config.protocol_fee_recipients[0], config.buyback_fee_recipients[0])
    who.write_user(chain, state, base=2**60, quote=2**60, lamports=10**12)
    who.write_fee_accounts(chain, state, missing=frozenset())
    stable = as_the_build_prices(state)
    for quote in (buy_exact_base(stable, schedule, 10**12), sell_exact_base(stable, schedule, 10**12)):
        swap = swap_instruction(quote, state, schedule, user=user.pubkey(), limit=quote.limit(0), generation=1)
        who.write_user(chain, state, base=2**60, quote=2**60, lamports=10**12)
        market.write(chain)
        before = who.balances(chain, state)
        outcome = chain.send([set_compute_unit_limit(400_000), swap], user)
        assert isinstance(outcome, Receipt), outcome
        assert (
            list(balance_differences(expected_balances(chain, state, quote, before), who.balances(chain, state))) == []
        )


def test_the_flat_fees_that_other_quotes_had_later_are_not_what_the_build_takes(chain: Chain) -> None:
    rng = random.Random(7)
    market = make_market(OTHER_QUOTES[0], Reserves(206_900_000_000_000, 84_990_359_057, 10**15), rng)
    market.write(chain)
    user = Keypair.from_seed(rng.randbytes(32))
    state, schedule = market.state, chain.schedule()
    config = schedule.global_config
    who = TradeAccounts.of(state, user.pubkey(), config.protocol_fee_recipients[0], config.buyback_fee_recipients[0])
    who.write_user(chain, state, base=2**60, quote=2**60, lamports=10**12)
    who.write_fee_accounts(chain, state, missing=frozenset())
    quote = buy_exact_base(state, schedule, 10**12)
    swap = swap_instruction(quote, state, schedule, user=user.pubkey(), limit=quote.limit(0), generation=1)
    outcome = chain.send([set_compute_unit_limit(400_000), swap], user)
    assert isinstance(outcome, Failure)
    assert outcome.code == 6004


def test_the_packages_schedule_of_that_day_is_the_one_on_the_chain(chain: Chain) -> None:
    ours, recorded = schedule_at(NOW), chain.schedule()
    for name in ("flat_fees", "fee_tiers", "stable_fee_tiers", "exotic_flat_fees"):
        assert getattr(ours.fee_config, name) == getattr(recorded.fee_config, name)
    assert ours.buyback_bps == recorded.buyback_bps
    for is_mayhem_mode in (False, True):
        listed = ours.global_config.protocol_recipients(is_mayhem_mode=is_mayhem_mode)
        assert listed == recorded.global_config.protocol_recipients(is_mayhem_mode=is_mayhem_mode)
    assert ours.global_config.buyback_fee_recipients == recorded.global_config.buyback_fee_recipients
