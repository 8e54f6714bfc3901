"""What an update becomes."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.data import CustomData, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, MarketStatusAction

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.amm.events import BuyEvent, SellEvent
from pumpswap.errors import BadInput, PumpSwapError
from pumpswap.model import MarketUpdate, RiskState, Swap, TradingState
from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap
from pumpswap.nautilus.instruments import instrument_of
from pumpswap.nautilus.money import lamports_of, price, qty, sol, units_of
from pumpswap.nautilus.ticks import Standing, Tape, quote_tick, standing_of, status_tick, ticks_of, trade_tick
from pumpswap.units import U64_MAX
from tests.support.market import SOL, at, graduate
from tests.support.random_pools import random_state

SCHEDULE = current_schedule()
TENTH = SOL // 10


def quoted(state: PoolState, lamports: int = TENTH) -> QuoteTick:
    tick = quote_tick(state, SCHEDULE, lamports, ts_event=at(0), ts_init=at(1))
    assert tick is not None
    return tick


def test_bid_and_ask_are_prices_before_fees_of_the_reference_size() -> None:
    state = graduate()
    bought = buy_exact_quote(state, SCHEDULE, TENTH)
    sold = sell_exact_base(state, SCHEDULE, bought.base_out)
    tick = quoted(state)
    assert tick.ask_price == price(bought.gross_quote, bought.base_out, 6)
    assert tick.bid_price == price(sold.gross_quote, bought.base_out, 6)
    assert tick.bid_size == tick.ask_size == qty(bought.base_out, 6)
    assert (tick.ts_event, tick.ts_init) == (at(0), at(1))


def test_a_smaller_order_fills_between_bid_and_ask() -> None:
    tick = quoted(graduate())
    for lamports in (TENTH // 10, TENTH // 2, TENTH):
        bought = buy_exact_quote(graduate(), SCHEDULE, lamports)
        assert tick.bid_price <= price(bought.gross_quote, bought.base_out, 6) <= tick.ask_price
        sold = sell_exact_base(graduate(), SCHEDULE, bought.base_out)
        assert tick.bid_price <= price(sold.gross_quote, bought.base_out, 6) <= tick.ask_price


def test_a_thin_pool_is_quoted_for_a_hundredth_of_it() -> None:
    thin = graduate(quote_vault=SOL, base_reserve=2_000_000_000_000)
    bought = buy_exact_quote(thin, SCHEDULE, SOL // 100)
    assert units_of(quoted(thin).ask_size, 6) == bought.base_out


def test_pools_at_random_are_quoted_with_the_bid_at_most_the_ask_or_not_at_all() -> None:
    rng, seen = random.Random(5), 0
    for _ in range(600):
        state = random_state(rng)
        if state.pool.quote_mint != WSOL_MINT:
            continue
        tick = quote_tick(state, SCHEDULE, TENTH, ts_event=1, ts_init=1)
        if tick is not None:
            assert 0 < tick.bid_price.raw <= tick.ask_price.raw
            instrument_of(state, SCHEDULE)
            seen += 1
    assert seen > 100


U64 = st.integers(0, U64_MAX)


@given(U64, U64, U64, st.integers(0, 9), U64)
def test_no_state_of_64_bits_ends_the_process(
    base: int, quote: int, supply: int, decimals: int, reference: int
) -> None:
    """Nautilus aborts beyond its maxima instead of raising: whatever comes from the chain is refused before."""
    state = graduate(base_reserve=base, quote_vault=quote, base_supply=supply, base_decimals=decimals)
    tick = quote_tick(state, SCHEDULE, max(reference, 1), ts_event=1, ts_init=1)
    if tick is not None:
        assert 0 < tick.bid_price.raw <= tick.ask_price.raw
        assert units_of(tick.bid_size, decimals) > 0
    with contextlib.suppress(BadInput):
        assert instrument_of(state, SCHEDULE).size_precision == decimals


@given(U64, U64, st.integers(0, 9), st.booleans())
def test_no_swap_of_64_bits_ends_the_process(base: int, quote: int, decimals: int, is_buy: bool) -> None:
    tick = trade_tick(swap(base_units=base, quote_units=quote, is_buy=is_buy), decimals, ts_init=at(0))
    if tick is not None:
        assert units_of(tick.size, decimals) == base


@pytest.mark.parametrize(
    "changes",
    [
        {"base_reserve": 0},
        {"quote_vault": 0},
        {"quote_vault": 3},  # too thin for one base unit
        {"virtual_quote_reserves": 500 * SOL, "quote_vault": 0},  # boosted, and no money in it: nothing can be sold
    ],
)
def test_a_pool_without_a_price_has_no_quote(changes: dict[str, Any]) -> None:
    assert quote_tick(graduate(**changes), SCHEDULE, TENTH, ts_event=1, ts_init=1) is None


def swap(**changes: Any) -> Swap:
    fields: dict[str, Any] = {
        "pool": str(graduate().address),
        "at_ns": at(0),
        "is_buy": True,
        "base_units": 2_000_000,
        "quote_units": 1_010,
        "trader": "somebody",
        "signature": "5" * 88,
        "slot": 77,
        "index": 3,
    }
    return Swap(**{**fields, **changes})


def test_a_trade_is_before_fees_where_the_program_told_its_event() -> None:
    event = BuyEvent(quote_amount_in_with_lp_fee=1_002, lp_fee=2)
    tick = trade_tick(swap(event=event), 6, ts_init=at(2))
    assert tick is not None
    assert (tick.price, tick.size) == (price(1_000, 2_000_000, 6), qty(2_000_000, 6))
    assert tick.aggressor_side == AggressorSide.BUYER
    assert (tick.ts_event, tick.ts_init) == (at(0), at(2))


def test_a_trade_without_an_event_is_what_the_trader_paid() -> None:
    tick = trade_tick(swap(), 6, ts_init=at(0))
    assert tick is not None
    assert tick.price == price(1_010, 2_000_000, 6)


def test_a_sale_has_the_seller_as_the_aggressor() -> None:
    tick = trade_tick(swap(is_buy=False, event=SellEvent(quote_amount_out=900)), 6, ts_init=at(0))
    assert tick is not None
    assert (tick.aggressor_side, tick.price) == (AggressorSide.SELLER, price(900, 2_000_000, 6))


def test_a_trade_is_named_by_signature_and_index_within_what_nautilus_allows() -> None:
    tick = trade_tick(swap(index=4_294_967_295 // 10**5), 6, ts_init=at(0))
    assert tick is not None
    assert len(tick.trade_id.value) <= 36
    assert tick.trade_id.value == "5" * 30 + "-42949"
    unsigned = trade_tick(swap(signature=""), 6, ts_init=at(0))
    assert unsigned is not None
    assert unsigned.trade_id.value == f"{at(0)}-3"


@pytest.mark.parametrize("changes", [{"base_units": 0}, {"quote_units": 0}])
def test_dust_for_nothing_is_no_trade(changes: dict[str, Any]) -> None:
    assert trade_tick(swap(**changes), 6, ts_init=at(0)) is None


def test_an_update_is_told_in_one_order_with_one_time() -> None:
    state = graduate()
    update = MarketUpdate(at(5), str(state.address), state, swap=swap(at_ns=at(4)))
    made = ticks_of(update, SCHEDULE, 6, Tape(TENTH), ts_init=at(5), sequence=9)
    assert [type(one) for one in made] == [QuoteTick, TradeTick, CustomData, CustomData]
    assert [type(one.data) for one in made[2:]] == [PumpSwapSwap, PumpSwapPoolState]
    assert {one.ts_init for one in made} == {at(5)}
    assert made[3].data.sequence == 9
    assert made[3].data.pool_state() == state
    assert made[2].data.swap() == update.swap


def test_custom_data_may_be_left_out() -> None:
    update = MarketUpdate(at(5), str(graduate().address), graduate(), swap=swap())
    made = ticks_of(update, SCHEDULE, 6, Tape(TENTH, custom=False), ts_init=at(5))
    assert [type(one) for one in made] == [QuoteTick, TradeTick]


def test_an_obstacle_is_told_as_a_state_without_one() -> None:
    update = MarketUpdate(at(5), str(graduate().address), obstacle="its liquidity was taken")
    (made,) = ticks_of(update, SCHEDULE, 6, Tape(TENTH), ts_init=at(5))
    assert (made.data.obstacle, made.data.pool_state()) == ("its liquidity was taken", None)


def test_a_time_of_the_source_never_lies_behind_what_we_knew() -> None:
    tick = trade_tick(swap(at_ns=at(9)), 6, ts_init=at(1))
    assert tick is not None
    assert tick.ts_event == at(1)


def switched(flags: int) -> FeeSchedule:
    config = msgspec.structs.replace(SCHEDULE.global_config, disable_flags=flags)
    return FeeSchedule(config, SCHEDULE.fee_config)


TRADING, PAUSE, HALT = MarketStatusAction.TRADING, MarketStatusAction.PAUSE, MarketStatusAction.HALT
FAULTY = RiskState(faults=(("states", "nothing came for 20 s"),))


@pytest.mark.parametrize(
    ("obstacle", "schedule", "risk", "action", "reason"),
    [
        ("", None, None, TRADING, ""),
        ("", SCHEDULE, RiskState(), TRADING, ""),
        ("its liquidity was taken", SCHEDULE, RiskState(), HALT, "its liquidity was taken"),
        ("", switched(16), RiskState(), HALT, "the program takes no sales"),
        ("", switched(8), RiskState(), PAUSE, "the program takes no purchases"),
        ("", switched(24), RiskState(), HALT, "no sales"),
        ("", SCHEDULE, RiskState(trading=TradingState.HALTED, trading_reason="holiday"), HALT, "holiday"),
        ("", SCHEDULE, RiskState(trading=TradingState.EXITS_ONLY), PAUSE, "only exits"),
        ("", SCHEDULE, FAULTY, PAUSE, "states: nothing came for 20 s"),
        ("", SCHEDULE, replace(FAULTY, trading=TradingState.HALTED), HALT, "halted"),
    ],
)
def test_the_worst_of_what_pool_program_and_risk_say_counts(
    obstacle: str, schedule: FeeSchedule | None, risk: RiskState | None, action: MarketStatusAction, reason: str
) -> None:
    standing = standing_of(obstacle, schedule, risk)
    assert standing.action == action
    assert reason in standing.reason
    status = status_tick(instrument_of(graduate(), SCHEDULE).id, standing, at(0))
    assert status.action == action
    assert (status.is_trading, status.is_quoting) == (action != HALT, action == TRADING)
    assert status.is_short_sell_restricted


def test_a_standing_says_nothing_when_all_is_well() -> None:
    status = status_tick(instrument_of(graduate(), SCHEDULE).id, Standing(TRADING), at(0))
    assert status.reason is None


def test_the_reference_size_is_a_setting_in_lamports() -> None:
    from pumpswap.settings import Settings

    assert lamports_of(sol(Settings().nautilus.lamports("quote_sol"))) == TENTH


def test_refusals_of_a_quote_are_only_those_of_the_curve() -> None:
    """A bug, such as an amount that is no integer, is not taken for a pool without a price."""
    with pytest.raises((PumpSwapError, TypeError)):
        quote_tick(graduate(), SCHEDULE, "0.1", ts_event=1, ts_init=1)  # type: ignore[arg-type]
