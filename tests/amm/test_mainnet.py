"""Recorded mainnet swaps: our arithmetic against what the chain really did, March 2025 to October 2026."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import (
    FeeConfig,
    Fees,
    FeeSchedule,
    Pool,
    PoolState,
    buy_exact_base,
    buy_exact_quote,
    decode_event,
    schedule_at,
    sell_exact_base,
)
from pumpswap.amm.addresses import WSOL_MINT, pool_authority
from pumpswap.amm.codec import ZERO_KEY
from pumpswap.amm.events.trades import BuyEvent, SellEvent
from tests.support.by_design import ByDesign
from tests.support.material import material, requires_material
from tests.support.vectors import global_config, pool

RECORDED = ("protocol", "vectors", "mainnet.json")
pytestmark = requires_material(*RECORDED)
MINT = Pubkey.from_string("AAenoNcBcXdVACfkfBVRpMNL91PA2DjaRtLLK6xRvwH8")

# Events whose rates the schedule explains only in part: the boost authority's own purchase pays no fees, and an event
# does not tell the creator rate that was set in an exotic pool.
BOOST = "none (boost_buy_and_burn)"
EXOTIC = "exotic_flat_fees with a creator rate set in the pool"


@cache
def _recorded() -> Any:
    path = material(*RECORDED)
    return json.loads(path.read_text()) if path else {"events": [], "pools": []}


def _swaps() -> list[Any]:
    return [
        pytest.param(one, id=one["id"]) for one in _recorded()["events"] if one["event"] in ("BuyEvent", "SellEvent")
    ]


def _event(record: dict[str, Any]) -> BuyEvent | SellEvent:
    event = decode_event(base64.b64decode(record["data_b64"]))
    assert isinstance(event, BuyEvent | SellEvent)
    return event


def _own_rates(event: BuyEvent | SellEvent) -> FeeSchedule:
    """A schedule that charges exactly what the event says: cashback replaces the creator rate, no creator pays none."""
    creator = event.coin_creator_fee_basis_points if event.coin_creator != ZERO_KEY else 0
    rates = Fees(event.lp_fee_basis_points, event.protocol_fee_basis_points, creator or event.cashback_fee_basis_points)
    config = global_config().__class__(
        **{
            **{name: getattr(global_config(), name) for name in global_config().__struct_fields__},
            "buyback_basis_points": event.buyback_fee_basis_points,
        }
    )
    return FeeSchedule(config, FeeConfig(flat_fees=rates))


def _before(event: BuyEvent | SellEvent, **identity: Any) -> PoolState:
    """The pool before the trade, as the event tells it."""
    owned = pool(
        coin_creator=MINT,
        is_cashback_coin=event.cashback_fee_basis_points > 0,
        virtual_quote_reserves=event.virtual_quote_reserves,
        **identity,
    )
    return PoolState(
        owned, event.pool, event.pool_base_token_reserves, event.pool_quote_token_reserves, event.base_supply
    )


@pytest.mark.parametrize("record", _swaps())
def test_a_recorded_swap_is_quoted_to_the_unit(record: dict[str, Any]) -> None:
    event = _event(record)
    state, fees = _before(event), _own_rates(event)
    if isinstance(event, SellEvent):
        sale = sell_exact_base(state, fees, event.base_amount_in)
        assert (sale.gross_quote, sale.user_quote_out) == (event.quote_amount_out, event.user_quote_amount_out)
        quote: Any = sale
    elif record["instruction"].startswith(("buy_exact_quote_in", "boost_buy_and_burn")):
        quote = buy_exact_quote(state, fees, event.quote_amount_in)
        assert (quote.base_out, quote.gross_quote) == (event.base_amount_out, event.user_quote_amount_in)
    else:
        quote = buy_exact_base(state, fees, event.base_amount_out)
        assert (quote.gross_quote, quote.total_quote) == (event.quote_amount_in, event.user_quote_amount_in)
    assert (quote.lp_fee, quote.protocol_fee) == (event.lp_fee, event.protocol_fee)
    assert (quote.creator_fee, quote.cashback) == (event.coin_creator_fee, event.cashback)
    assert quote.buyback_fee == event.buyback_fee
    _assert_vaults(record, state, quote)


def _assert_vaults(record: dict[str, Any], state: PoolState, quote: Any) -> None:
    vault = record.get("vault") or {}
    if "quote_after" not in vault:
        return
    generation = 2 if record["instruction"].endswith("_v2") else 1
    after = state.after(quote, generation)
    assert after.quote_vault == int(vault["quote_after"])
    if "base_after" in vault:
        assert after.base_reserve == int(vault["base_after"])


@pytest.mark.parametrize("record", _swaps())
def test_the_schedule_of_its_date_explains_the_rates_of_a_recorded_swap(
    record: dict[str, Any], by_design: ByDesign
) -> None:
    event, rule = _event(record), record["fee_schedule"]
    then = schedule_at(int(datetime.fromisoformat(record["time_utc"].replace("Z", "+00:00")).timestamp()))
    charged = (
        event.lp_fee_basis_points,
        event.protocol_fee_basis_points,
        event.coin_creator_fee_basis_points or event.cashback_fee_basis_points,
    )
    if rule == BOOST:
        by_design("recorded: the boost authority's own purchase pays no fees")
        assert charged == (0, 0, 0)
        return
    if rule == EXOTIC:
        by_design("recorded: an event does not tell the creator rate that was set in an exotic pool")
        listed = then.fee_config.exotic_flat_fees
        assert charged[:2] == (listed.lp_fee_bps, listed.protocol_fee_bps)
        assert charged[2] != listed.creator_fee_bps
        return
    if rule == "fee_tiers" and event.base_supply == 0:
        by_design("recorded: events before 2026-07-15 do not tell the supply; their rates are those of some tier")
        tiers = {(tier.fees.lp_fee_bps, tier.fees.protocol_fee_bps, tier.fees.creator_fee_bps)
                 for tier in then.fee_config.fee_tiers}  # fmt: skip
        assert charged in tiers
        return
    canonical = rule == "fee_tiers"
    state = _before(
        event, base_mint=MINT, quote_mint=WSOL_MINT, creator=pool_authority(MINT) if canonical else ZERO_KEY
    )
    if canonical:
        assert state.market_cap == int(record["market_cap"])
    expected = then.rates(state)
    if event.coin_creator_fee_basis_points == 0 and not event.cashback_fee_basis_points:
        expected = (*expected[:2], 0)  # nobody to pay: older events show no rate then
    assert charged == expected


def test_all_recorded_swaps_are_covered() -> None:
    rules = [one["fee_schedule"] for one in _recorded()["events"] if one["event"] in ("BuyEvent", "SellEvent")]
    assert len([rule for rule in rules if rule != BOOST]) == 67
    assert set(rules) == {"fee_tiers", "flat_fees", "fixed, before dynamic fees", EXOTIC, BOOST}


@pytest.mark.parametrize("record", [pytest.param(one, id=one["id"]) for one in _recorded()["pools"]])
def test_a_recorded_pool_is_where_its_seeds_say(record: dict[str, Any]) -> None:
    data = base64.b64decode(record["data_b64"])
    account = Pool.decode(data)
    assert account.encode() == data
    assert account.is_canonical == record["is_pump_pool"]
    published = {name: value for name, value in record["decoded"].items() if not isinstance(value, bool)}
    assert {name: str(getattr(account, name)) for name in published} == {
        name: str(value) for name, value in published.items()
    }
