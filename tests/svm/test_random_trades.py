"""Random trades: our quote, our instruction and our next state against the real program, trade after trade."""

from __future__ import annotations

import pytest

from pumpswap.localnet.pool_kinds import KINDS
from tests.support.material import requires_material
from tests.svm.chain import Chain
from tests.svm.random_trades import Tally, Trial
from tests.svm.trade_accounts import PLACES
from tests.svm.trade_draw import Action

pytestmark = requires_material("chain", "programs")

TRADES = 2_500


@pytest.fixture(scope="module")
def tally() -> Tally:
    return Trial(20260611).run(TRADES)


def test_every_trade_executes_and_moves_exactly_what_the_quote_says(tally: Tally) -> None:
    assert tally.disagreements == []
    assert tally.trades >= TRADES


def test_every_pool_kind_was_traded_with_every_instruction(tally: Tally) -> None:
    assert {(kind.name, action) for kind in KINDS for action in Action} == set(tally.accepted)


def test_every_account_that_a_trade_can_create_was_created_somewhere(tally: Tally) -> None:
    assert set(tally.created) == set(PLACES)


def test_every_tier_and_every_account_length_was_met(tally: Tally) -> None:
    chain = Chain()
    fees = [tier.fees for tier in chain.schedule().fee_config.fee_tiers]
    assert {(one.lp_fee_bps, one.protocol_fee_bps, one.creator_fee_bps) for one in fees} <= set(tally.rates)
    assert set(tally.account_lengths) == {211, 243, 244, 245, 261, 270, 271, 287, 300, 301}
    assert len(tally.base_programs) == 2


def test_a_limit_one_unit_beyond_the_quote_was_rejected_often(tally: Tally) -> None:
    assert tally.one_unit_too_tight >= TRADES // 10


def test_our_refusals_are_the_programs(tally: Tally) -> None:
    codes = {int(told.split()[0]) for told in tally.refused if told.split()[0].isdigit()}
    assert {6001, 6002, 6016, 6023, 6025, 6039, 6040} <= codes


def test_rent_is_accounted_for_at_another_price_of_storage() -> None:
    chain = Chain()
    chain.set_lamports_per_byte(5_080)  # what mainnet charges since 2026
    tally = Trial(5080, chain=chain).run(150)
    assert tally.disagreements == []
    assert set(tally.created) == set(PLACES)
