"""Acts: the vectors' state sequences sent again as acts, to the unit, and acts on states they were not signed for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule, quote_route
from pumpswap.amm.acting import act_on, acted_state, residual_of
from pumpswap.amm.acts import (
    ALL_FEES,
    BoostBurn,
    BuyBase,
    BuyQuote,
    Charged,
    Deposit,
    HopBuy,
    HopSell,
    PoolAct,
    PoolChange,
    Rates,
    Route,
    Sell,
    SweepFees,
    Told,
    VaultGift,
    Withdraw,
)
from pumpswap.amm.events import BuyEvent, FeeBucket, SellEvent
from pumpswap.amm.events.made import SeenTrader, TradeAct, event_of
from pumpswap.amm.quote import BuyQuote as Bought
from pumpswap.errors import TradeRefused
from tests.support.market import SOL, graduate
from tests.support.vectors import load, schedule, vector_state

TRADER = SeenTrader(Pubkey.from_bytes(b"\x05" * 32), 77)
ROUTE = Route("a", 0, 1)


def _act(op: dict[str, Any]) -> PoolAct:
    ix = op["ix"]
    figures = [int(value) for name, value in op.items() if name != "ix"]
    generation = 2 if ix.endswith("_v2") else 1
    kinds: dict[str, Any] = {"buy": BuyBase, "buy_exact_quote_in": BuyQuote, "sell": Sell}
    if (trade := ix.removesuffix("_v2")) in kinds:
        return kinds[trade](*figures, generation)  # type: ignore[no-any-return]
    others: dict[str, Any] = {"boost_buy_and_burn": BoostBurn, "deposit": Deposit, "withdraw": Withdraw}
    if ix in others:
        return others[ix](*figures)  # type: ignore[no-any-return]
    return SweepFees(FeeBucket.PROTOCOL if ix == "sweep_protocol_fee" else FeeBucket.CREATOR)


def _figures(state: PoolState) -> dict[str, str]:
    pool = state.pool
    names = ("virtual_quote_reserves", "protocol_fees", "creator_fees", "lp_supply")
    return {
        "base_vault": str(state.base_reserve),
        "quote_vault": str(state.quote_vault),
        "base_supply": str(state.base_supply),
        **{name: str(getattr(pool, name)) for name in names},
    }


CASES = [
    pytest.param(case, id=case["id"]) for case in load("simulator")["vectors"] + load("worked_examples")["simulator"]
]


@pytest.mark.parametrize("case", CASES)
def test_every_vector_sequence_follows_from_its_acts(case: dict[str, Any]) -> None:
    state = vector_state(case["pool"], case["initial_state"])
    fees = schedule(case["global_config"], case["fee_config"], int(case["buyback_basis_points"]))
    for step in case["steps"]:
        act = _act(step["op"])
        if "error" in step:
            with pytest.raises(TradeRefused) as refused:
                act_on(state, fees, act)
            assert refused.value.code == step["error"]["code"]
            continue
        done = act_on(state, fees, act)
        assert _figures(done.state) == step["after"]
        moved = done.transfers
        told = {name: int(value) for name, value in step.get("transfers", {}).items()}
        paid = told.get("user_quote_paid", 0) - told.get("user_quote_received", 0)
        assert moved.user_quote_change == -paid
        if "burned" in told:
            assert done.burned == told["burned"]
        if "recipient" in told:
            assert moved.protocol_recipient + moved.creator_vault == told["recipient"]
        if isinstance(act, BuyBase | BuyQuote | Sell) and done.quote is not None and "event" in step:
            event = event_of(state, done.quote, act, TRADER, 7, fees.buyback_bps)
            for name, value in step["event"].items():
                if name != "name":
                    assert str(getattr(event, name)) == value, name
        state = done.state


def test_recorded_rates_replace_those_of_the_schedule() -> None:
    state = graduate()
    rates = Rates(lp_bps=7, protocol_bps=11, creator_bps=13, buyback_bps=5_000)
    done = act_on(state, current_schedule(), BuyQuote(SOL, 1, 2), rates=rates)
    quote = done.quote
    assert quote is not None
    assert (quote.lp_bps, quote.protocol_bps, quote.creator_bps) == (7, 11, 13)
    assert quote.buyback_fee == quote.protocol_fee // 2


@pytest.mark.parametrize("is_buy", [True, False])
@given(amount=st.integers(10**8, 10**10))
def test_hops_are_those_of_a_route(is_buy: bool, amount: int) -> None:
    fees, pools = current_schedule(), (graduate(), graduate(), graduate())
    amount *= 1 if is_buy else 10**4  # a coin is worth little
    route = quote_route(pools, [fees], amount, is_buy=is_buy)
    flow = amount
    for at, (state, hop) in enumerate(zip(pools, route.hops, strict=True)):
        near, far = (at == 0, at == 2) if is_buy else (at == 2, at == 0)
        make = HopBuy if is_buy else HopSell
        done = act_on(state, fees, make(flow, Charged(far, near, far), ROUTE))
        quote = done.quote
        assert quote is not None
        assert (quote.gross_quote, quote.lp_fee, quote.protocol_fee, quote.creator_fee) == (
            hop.priced_quote, hop.lp_fee, hop.protocol_fee, hop.creator_fee,
        )  # fmt: skip
        flow = done.transfers.user_base_change if is_buy else done.transfers.user_quote_change
        assert flow == hop.amount_out
        kept = done.transfers.buyback
        # What a hop takes in is in the vault, but for what is bought back; the buckets hold what is owed.
        if is_buy:
            assert done.state.quote_vault - state.quote_vault == hop.amount_in - kept
        else:
            assert state.quote_vault - done.state.quote_vault == hop.amount_out + kept
        assert done.state.pool.boost_reserves == state.pool.boost_reserves


def test_a_hop_through_a_cashback_coin_keeps_it_one() -> None:
    state = graduate()
    coin = msgspec.structs.replace(state, pool=state.pool.with_changes(is_cashback_coin=True))
    without = Charged(lp=False, protocol=True, creator=False)
    done = act_on(coin, current_schedule(), HopBuy(SOL, without, ROUTE))
    assert done.state.pool.is_cashback_coin
    plain = act_on(state, current_schedule(), HopBuy(SOL, without, ROUTE)).state
    assert done.state.quote_vault == plain.quote_vault


def test_changes_of_a_pool_change_only_what_they_name() -> None:
    state = graduate(virtual_quote_reserves=0)
    creator = Pubkey.from_bytes(b"\x07" * 32)
    changed = acted_state(state, current_schedule(), PoolChange(coin_creator=creator, supply_change=-5))
    assert changed.pool.coin_creator == creator
    assert changed.base_supply == state.base_supply - 5
    back = changed.pool.with_changes(coin_creator=state.pool.coin_creator)
    assert msgspec.structs.replace(changed, pool=back, base_supply=state.base_supply) == state
    boosted = acted_state(state, current_schedule(), PoolChange(virtual_quote_change=1_000))
    assert boosted.effective_quote_reserve == state.effective_quote_reserve
    assert boosted.quote_vault == state.quote_vault - 1_000
    assert boosted.pool.is_boosted
    grown = acted_state(state, current_schedule(), PoolChange(account_len=400))
    assert len(grown.pool.encode()) == 400
    assert acted_state(grown, current_schedule(), PoolChange(account_len=301)) == grown


def test_nothing_falls_below_zero() -> None:
    state = graduate()
    for act in (
        VaultGift(-state.base_reserve - 1, 0),
        VaultGift(0, -state.quote_vault - 1),
        PoolChange(supply_change=-state.base_supply - 1),
        PoolChange(virtual_quote_change=state.quote_vault + 1),
    ):
        with pytest.raises(TradeRefused) as refused:
            act_on(state, current_schedule(), act)
        assert refused.value.name == "BelowZero"


def test_the_residual_is_what_the_vaults_lack_and_nothing_else() -> None:
    state = graduate()
    other = acted_state(state, current_schedule(), VaultGift(5, -3))
    assert residual_of(state, state) == VaultGift(0, 0)
    assert residual_of(state, other) == VaultGift(5, -3)
    assert residual_of(state, msgspec.structs.replace(other, slot=99)) == VaultGift(5, -3)
    assert residual_of(state, acted_state(state, current_schedule(), PoolChange(supply_change=-1))) is None
    assert acted_state(state, current_schedule(), Told(other)) is other


ACTS: list[TradeAct] = [BuyBase(10**9, 2**63, 1), BuyQuote(SOL, 1, 2), Sell(10**9, 0, 2), HopBuy(SOL, ALL_FEES, ROUTE)]


@pytest.mark.parametrize("act", ACTS)
def test_made_events_tell_what_the_state_becomes(act: TradeAct) -> None:
    state = graduate()
    done = act_on(state, current_schedule(), act)
    assert done.quote is not None
    event = event_of(state, done.quote, act, TRADER, 1_700_000_000, 5_000)
    assert isinstance(event, BuyEvent if isinstance(done.quote, Bought) else SellEvent)
    assert event.user_base_token_reserves == 77
    assert event.fees == done.quote.fees
    assert event.creator_fee_unclaimed == done.state.pool.creator_fees
