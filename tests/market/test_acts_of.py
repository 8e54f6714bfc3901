"""Acts out of events: what recorded mainnet trades were, sent again to the pools that they met."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule, schedule_at
from pumpswap.amm.acting import act_on
from pumpswap.amm.acts import (
    BoostBurn,
    BuyBase,
    BuyQuote,
    Charged,
    Deposit,
    HopBuy,
    HopSell,
    PoolAct,
    PoolChange,
    Route,
    Sell,
    SweepFees,
    Withdraw,
)
from pumpswap.amm.addresses import SYSTEM_PROGRAM
from pumpswap.amm.codec import ZERO_KEY
from pumpswap.amm.events import (
    AdminCtoPoolEvent,
    BoostBuyAndBurnEvent,
    BuyEvent,
    CreatePoolEvent,
    DepositEvent,
    Event,
    EventSource,
    ExtendAccountEvent,
    FeeBucket,
    InitBoostEvent,
    MigratePoolCoinCreatorEvent,
    SellEvent,
    SetCoinCreatorFeeBpsEvent,
    SweepPoolFeeEvent,
    WithdrawEvent,
    decode_event,
    encode_event,
)
from pumpswap.amm.events.made import SeenTrader, event_of
from pumpswap.market.acts_of import act_of, acts_of, rates_of, routed
from pumpswap.market.swaps_of import in_order, normalise_parts, reserves_after
from pumpswap.model import SeenAct, Swap
from tests.market.recorded import load, transaction_of
from tests.support.market import SOL, graduate
from tests.support.material import material, requires_material
from tests.support.vectors import pool

POOL = Pubkey.from_bytes(b"\x03" * 32)
TRADER = SeenTrader(Pubkey.from_bytes(b"\x05" * 32))


@cache
def recorded() -> Any:
    path = material("protocol", "vectors", "mainnet.json")
    return json.loads(path.read_text()) if path else {"events": []}


def trades() -> list[Any]:
    return [
        pytest.param(one, id=one["id"]) for one in recorded()["events"] if one["event"] in ("BuyEvent", "SellEvent")
    ]


def before(event: BuyEvent | SellEvent) -> PoolState:
    """The pool that the event tells; whose kind it is of decides no amount once the rates are given."""
    return PoolState(
        pool=pool(
            base_mint=POOL,
            coin_creator=event.coin_creator if event.coin_creator_fee else SYSTEM_PROGRAM,
            is_cashback_coin=event.cashback > 0,
            virtual_quote_reserves=event.virtual_quote_reserves,
        ),
        address=event.pool,
        base_reserve=event.pool_base_token_reserves,
        quote_vault=event.pool_quote_token_reserves,
        base_supply=event.base_supply or 10**15,
    )


@requires_material("protocol", "vectors", "mainnet.json")
@pytest.mark.parametrize("record", trades())
def test_every_recorded_trade_is_an_act_that_leads_to_what_the_chain_held_after_it(record: dict[str, Any]) -> None:
    event = decode_event(base64.b64decode(record["data_b64"]))
    assert isinstance(event, BuyEvent | SellEvent)
    if isinstance(event, BuyEvent) and event.is_boost_burn:
        done = act_on(before(event), current_schedule(), BoostBurn(event.quote_amount_in))
        assert done.burned == event.base_amount_out
        return
    act = act_of(event)
    named = {"buy": BuyBase, "buy_exact_quote_in": BuyQuote, "sell": Sell}[record["instruction"].removesuffix("_v2")]
    assert isinstance(act, BuyBase | BuyQuote | Sell)
    assert (type(act), act.generation) == (named, 2 if record["instruction"].endswith("_v2") else 1)
    done = act_on(before(event), schedule_at(event.timestamp), act, rates=rates_of(event))
    told = reserves_after(Swap("", 0, isinstance(event, BuyEvent), 0, 0, event=event))
    assert (done.state.base_reserve, done.state.quote_vault) == (told.base_reserve, told.quote_vault)
    assert done.state.pool.virtual_quote_reserves == told.virtual_quote_reserves
    assert done.quote is not None
    assert done.quote.fees == event.fees
    vault = {name: int(value) for name, value in record.get("vault", {}).items()}
    if "quote_after" in vault:
        assert (done.state.quote_vault, done.state.base_reserve) == (vault["quote_after"], vault["base_after"])


@pytest.mark.parametrize(
    ("event", "act"),
    [
        (DepositEvent(pool=POOL, lp_token_amount_out=5, max_base_amount_in=6, max_quote_amount_in=7), Deposit(5, 6, 7)),
        (
            WithdrawEvent(pool=POOL, lp_token_amount_in=5, min_base_amount_out=6, min_quote_amount_out=7),
            Withdraw(5, 6, 7),
        ),
        (SweepPoolFeeEvent(pool=POOL, amount=9, bucket=1), SweepFees(FeeBucket.CREATOR)),
        (
            BoostBuyAndBurnEvent(pool=POOL, quote_amount_in_requested=9, quote_amount_in_used=8),
            BoostBurn(8),
        ),
        (InitBoostEvent(pool=POOL, virtual_quote_reserves=17), PoolChange(virtual_quote_change=17)),
        (ExtendAccountEvent(account=POOL, current_size=243, new_size=301), PoolChange(account_len=301)),
        (MigratePoolCoinCreatorEvent(pool=POOL, new_coin_creator=POOL), PoolChange(coin_creator=POOL)),
        (SetCoinCreatorFeeBpsEvent(pool=POOL, new_creator_fee_bps=50), PoolChange(creator_fee_bps=50)),
        (
            AdminCtoPoolEvent(pool=POOL, new_coin_creator=POOL, is_cashback_coin=True, new_creator_fee_bps=3),
            PoolChange(coin_creator=POOL, creator_fee_bps=3, is_holder_reward=False, is_cashback_coin=True),
        ),
        (CreatePoolEvent(pool=POOL), None),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_no_trade_is_an_act_too(event: Event, act: PoolAct | None) -> None:
    assert act_of(event) == act


def test_an_old_purchase_that_is_neither_kind_of_buy_is_none() -> None:
    odd = BuyEvent(base_amount_out=5, quote_amount_in=100, user_quote_amount_in=90, quote_amount_in_with_lp_fee=95)
    assert act_of(odd) is None


# ---------------------------------------------------------------- routes


def hops(is_buy: bool, amount: int) -> tuple[list[Swap], list[HopBuy | HopSell]]:
    """Three pools in a row, as the program would report the hops."""
    swaps: list[Swap] = []
    acts: list[HopBuy | HopSell] = []
    for at in range(3):
        near, far = (at == 0, at == 2) if is_buy else (at == 2, at == 0)
        act = (HopBuy if is_buy else HopSell)(amount, Charged(far, near, far), Route("tx", at, 3))
        state = graduate()
        done = act_on(state, current_schedule(), act)
        assert done.quote is not None
        event = event_of(state, done.quote, act, TRADER, 0)
        base, quote = abs(done.transfers.user_base_change), abs(done.transfers.user_quote_change)
        amount = base if is_buy else quote
        swaps.append(Swap(f"Pool{at}", 0, is_buy, base, quote, signature="tx", index=at, event=event))
        acts.append(act)
    return swaps, acts


@pytest.mark.parametrize(("is_buy", "amount"), [(True, SOL), (False, 10**14)])
def test_hops_that_hand_on_to_each_other_are_one_route(is_buy: bool, amount: int) -> None:
    swaps, acts = hops(is_buy, amount)
    assert list(routed(swaps)) == acts
    alone = msgspec.structs.replace(acts[1], route=Route("tx", 0, 1))
    assert routed(swaps[1:2]) == (alone,)
    # The middle one is of a pool that nobody recorded: the outer two do not belong together any more.
    ends = [msgspec.structs.replace(act, route=Route("tx", 0, 1)) for act in (acts[0], acts[2])]
    assert list(routed([swaps[0], swaps[2]])) == ends


def test_a_trade_beside_a_route_is_not_in_it() -> None:
    swaps, acts = hops(True, SOL)
    state = graduate()
    act = BuyQuote(SOL, 1, 2)
    done = act_on(state, current_schedule(), act)
    assert done.quote is not None
    event = event_of(state, done.quote, act, TRADER, 0)
    beside = Swap("Other", 0, True, 1, SOL, signature="tx", index=3, event=event)
    assert list(routed([*swaps, beside])) == [*acts, act]


# ---------------------------------------------------------------- transactions


def emitted(events: list[Event]) -> list[str]:
    lines = ["Program pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA invoke [1]"]
    lines += [f"Program data: {base64.b64encode(encode_event(event)).decode()}" for event in events]
    return [*lines, "Program pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA success"]


@given(st.lists(st.sampled_from(("sell", "sweep", "burn", "deposit")), max_size=8))
def test_acts_and_swaps_keep_the_order_in_which_they_were_done(names: list[str]) -> None:
    events: list[Event] = []
    expected: list[tuple[str, int]] = []
    trades = acts = 0
    for number, name in enumerate(names):
        if name == "sell":
            events.append(SellEvent(pool=POOL, base_amount_in=number + 1))
            expected.append(("swap", trades))
            trades += 1
            continue
        if name == "burn":  # the boost reports its purchase, and then itself
            events.append(BuyEvent(pool=POOL, ix_name="buy_exact_quote_in", protocol_fee_recipient=ZERO_KEY))
            trades += 1
            events.append(BoostBuyAndBurnEvent(pool=POOL, quote_amount_in_used=number))
        elif name == "sweep":
            events.append(SweepPoolFeeEvent(pool=POOL, amount=number))
        else:
            events.append(DepositEvent(pool=POOL, lp_token_amount_out=number))
        expected.append(("act", acts))
        acts += 1
    found = normalise_parts("tx", 7, tuple(emitted(events)), None)
    assert found.source is EventSource.LOGS
    told = [("act" if isinstance(one, SeenAct) else "swap", one.index) for one in in_order(found)]
    assert told == expected


def test_accounts_that_are_no_pools_grow_too_and_are_passed_over() -> None:
    volume, grown = (
        ExtendAccountEvent(account=POOL, current_size=137),
        ExtendAccountEvent(account=POOL, current_size=243),
    )
    found = normalise_parts("tx", 7, tuple(emitted([volume, grown])), None)
    assert [one.event for one in found.acts] == [grown]


@requires_material("chain", "transactions", "full")
def test_recorded_transactions_tell_the_creation_and_the_trades_of_pools() -> None:
    folder = material("chain", "transactions", "full") or Path("absent")
    kinds: dict[str, int] = {}
    for path in sorted(folder.glob("*.json")):
        transaction = transaction_of(load(path))
        found = acts_of(transaction)
        for one in found:
            name = "Swap" if isinstance(one, Swap) else type(one.event).__name__
            kinds[name] = kinds.get(name, 0) + 1
            assert one.signature == transaction.signature
        assert acts_of(replace(transaction, err={"InstructionError": [0, {"Custom": 6004}]})) == ()
    assert kinds["Swap"] >= 3
    assert kinds["CreatePoolEvent"] >= 1
