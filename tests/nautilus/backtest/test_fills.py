"""What a strategy is told of its fills: the curve's price to the last digit, real fees, the account to the lamport."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.objects import Quantity

from pumpswap.amm import (
    PoolState,
    current_schedule,
    execute_buy,
    execute_buy_exact_quote_in,
    execute_sell,
    preferred_generation,
    schedule_at,
)
from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.model import EntryKind
from pumpswap.nautilus.compat import FIXED
from pumpswap.nautilus.constants import PRICE_PRECISION, PUMPSWAP_VENUE, SOL
from pumpswap.nautilus.money import lamports_of, qty, units_of
from pumpswap.nautilus.orders import order_params
from tests.nautilus.backtest.world import Script, market_of, run, settings_for
from tests.support.market import graduate

FREE: dict[str, Any] = {
    "max_position_sol": "40",
    "max_position_fraction": "0.9",
    "max_token_sol": "45",
    "max_token_fraction": "0.95",
    "max_exposure_fraction": "0.99",
    "max_impact_bps": 9_000,
    "max_cost_bps": 9_000,
    "max_pool_share_bps": 9_000,
    "max_round_trip_loss_bps": 9_000,
    "min_position_sol": "0.000001",
    "liquidity_multiple": 1,
}
NO_EXITS = {"stop_loss_bps": 0, "take_profit_bps": 0, "liquidity_flight_bps": 0, "rug_bps": 0}


def sol_of(lamports: int, precision: int) -> Quantity:
    """A budget in SOL, as a quantity of a token's precision."""
    return Quantity.from_raw(lamports * 10 ** (FIXED - 9), precision)


def buys(lamports: int, precision: int = 6) -> Any:
    return lambda self, tick: self.market(
        tick.instrument_id, OrderSide.BUY, sol_of(lamports, precision), quote_quantity=True
    )


def buys_units(units: int, decimals: int = 6) -> Any:
    return lambda self, tick: self.market(tick.instrument_id, OrderSide.BUY, qty(units, decimals))


def sells_all(self: Script, tick: Any) -> None:
    for position in self.cache.positions_open():
        self.market(position.instrument_id, OrderSide.SELL, position.quantity, reduce_only=True)


def cash_of(script: Script) -> int:
    return lamports_of(script.portfolio.account(PUMPSWAP_VENUE).balance_total(SOL))


def test_a_round_is_told_with_the_curves_prices_fees_and_times(tmp_path: Path) -> None:
    state = graduate()
    script = Script({2: buys(500_000_000), 6: sells_all})
    done = run(market_of(state, [0] * 9), settings_for(tmp_path, exits=NO_EXITS, risk=FREE), script)
    bought, sold = script.told("OrderFilled")
    schedule = current_schedule()
    first = execute_buy_exact_quote_in(state, schedule, 500_000_000, 1, generation=2)
    # Later recorded states are as they were: what we bought is forgotten with the next of them.
    second = execute_sell(state, schedule, first.quote.base_out, 1, generation=2)
    for told, expected, units in (
        (bought, first.quote, first.quote.base_out),
        (sold, second.quote, first.quote.base_out),
    ):
        scale = 10 ** (PRICE_PRECISION - 9 + 6)
        exact = Fraction(expected.gross_quote * scale, units)
        assert abs(told.last_px.raw // 10 ** (FIXED - PRICE_PRECISION) - exact) <= Fraction(1, 2)
        assert units_of(told.last_qty, 6) == units
        assert told.last_px.precision == PRICE_PRECISION
        costs = sum(int(told.info[f"{name}_lamports"]) for name in ("network_fee", "priority_fee", "tip"))
        assert lamports_of(told.commission) == expected.fees + costs
        assert int(told.info["lp_fee_lamports"]) == expected.lp_fee
        assert int(told.info["gross_quote_lamports"]) == expected.gross_quote
    trades = done.curve.record.trades
    assert [trade.filled.executed for trade in trades] == [first.quote, second.quote]
    assert [event.ts_event for event in (bought, sold)] == [trade.filled.at_ns for trade in trades]
    assert [event.info["signature"] for event in (bought, sold)] == [trade.filled.signature for trade in trades]
    assert [event.trade_id.value for event in (bought, sold)] == [
        event.venue_order_id.value for event in (bought, sold)
    ]
    assert script.kinds()[:6] == [
        "OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderUpdated", "OrderFilled", "PositionOpened",
    ]  # fmt: skip
    assert script.kinds()[-1] == "PositionClosed"
    cash = sum(entry.units for entry in done.curve.record.entries if entry.asset == "SOL")
    assert cash_of(script) == done.curve.wallet_lamports == cash
    done.engine.dispose()


@pytest.mark.parametrize(
    ("state", "decimals"),
    [
        (graduate(is_cashback_coin=True), 6),
        (graduate(base_decimals=9, base_reserve=206_900_000 * 10**9, base_supply=10**18), 9),
        (graduate(base_decimals=0, base_reserve=206_900_000, base_supply=10**9), 0),
        (graduate(base_reserve=2 * 10**15, base_supply=2 * 10**15), 6),
    ],
    ids=["cashback", "nine decimals", "no decimals", "two thousand million tokens"],
)
def test_other_tokens_are_as_exact(tmp_path: Path, state: PoolState, decimals: int) -> None:
    units = state.base_reserve // 1_000 + 7
    script = Script({2: buys_units(units, decimals), 6: sells_all})
    done = run(market_of(state, [0] * 9), settings_for(tmp_path, exits=NO_EXITS, risk=FREE), script)
    bought, sold = done.curve.record.trades
    generation = preferred_generation(state)
    assert bought.filled.executed == execute_buy(state, current_schedule(), units, 10**18, generation=generation).quote
    assert sold.filled.executed == execute_sell(state, current_schedule(), units, 1, generation=generation).quote
    told = script.told("OrderFilled")
    assert [units_of(event.last_qty, decimals) for event in told] == [units, units]
    assert "OrderUpdated" not in script.kinds()  # exactly what was ordered
    assert cash_of(script) == done.curve.wallet_lamports
    assert done.curve.held_units(str(state.pool.base_mint)) == 0
    done.engine.dispose()


def test_the_fees_are_those_of_the_trades_date(tmp_path: Path) -> None:
    state, start = graduate(), parse_utc("2025-06-01 12:00:00")
    script = Script({2: buys(10**9)})
    done = run(
        market_of(state, [0] * 6, start_ns=start),
        settings_for(tmp_path, exits=NO_EXITS, risk=FREE),
        script,
        schedule_for=schedule_at,
    )
    (trade,) = done.curve.record.trades
    schedule = schedule_at(start // NS_PER_SECOND)
    assert trade.filled.executed == execute_buy_exact_quote_in(state, schedule, 10**9, 1, generation=1).quote
    assert trade.filled.executed.fees != execute_buy_exact_quote_in(
        state, current_schedule(), 10**9, 1, generation=1
    ).quote.fees  # fmt: skip
    done.engine.dispose()


def test_params_carry_the_exact_budget(tmp_path: Path) -> None:
    state, exact = graduate(), 500_000_123

    def act(self: Script, tick: Any) -> None:
        params = order_params(quote_lamports=exact)
        self.market(tick.instrument_id, OrderSide.BUY, sol_of(500_000_000, 6), quote_quantity=True, params=params)

    script = Script({2: act})
    done = run(market_of(state, [0] * 6), settings_for(tmp_path, exits=NO_EXITS, risk=FREE), script)
    (trade,) = done.curve.record.trades
    assert trade.order.quote_lamports == exact
    done.engine.dispose()


class Watcher(Script):
    """Compares cash and tokens with the engine's wallet whenever it hears of anything, and with every quote."""

    curve: Any = None
    compared = 0

    def check(self) -> None:
        account = self.portfolio.account(PUMPSWAP_VENUE)
        self.compared += 1
        assert lamports_of(account.balance_total(SOL)) == self.curve.wallet_lamports

    def on_quote_tick(self, tick: Any) -> None:
        self.check()
        super().on_quote_tick(tick)

    def on_order_filled(self, event: Any) -> None:
        self.check()
        instrument = self.cache.instrument(event.instrument_id)
        balance = self.portfolio.account(PUMPSWAP_VENUE).balance_total(instrument.base_currency)
        held = self.curve.held_units(instrument.base_currency.code)
        assert int(balance.as_decimal().scaleb(instrument.size_precision)) == held

    def on_order_rejected(self, event: Any) -> None:
        self.check()


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("buy"), st.integers(1_000, 8 * 10**9)),
            st.tuples(st.just("units"), st.integers(1, 10**13)),
            st.tuples(st.just("sell"), st.integers(1, 10_000)),
        ),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.integers(-30, 30), min_size=24, max_size=24),
    st.booleans(),
)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nautilus_cash_is_the_wallet_at_every_moment(
    orders: list[tuple[str, int]], percents: list[int], is_cashback: bool
) -> None:
    from nautilus_trader.backtest.engine import BacktestEngine

    from pumpswap.nautilus.backtest.curve import open_curve
    from pumpswap.nautilus.backtest.feed import recorded_market
    from pumpswap.nautilus.backtest.venue import add_market, add_pumpswap_venue, backtest_config, check_finished
    from pumpswap.nautilus.loaders.recording import load_market
    from pumpswap.nautilus.ticks import Tape
    from tests.nautilus.backtest.world import newest_fees

    def act(kind: str, amount: int) -> Any:
        if kind == "buy":
            return buys(amount // 1_000 * 1_000)
        if kind == "units":
            return buys_units(amount)

        def sell(self: Script, tick: Any) -> None:
            for position in self.cache.positions_open():
                units = max(units_of(position.quantity, 6) * amount // 10_000, 1)
                self.market(position.instrument_id, OrderSide.SELL, qty(units, 6))

        return sell

    updates = market_of(graduate(is_cashback_coin=is_cashback), percents)
    with TemporaryDirectory() as folder:
        chosen = settings_for(Path(folder), risk=FREE)
        loaded = load_market(updates, Tape(10**8), schedule_for=newest_fees)
        with open_curve(recorded_market(updates, chosen, schedule_for=newest_fees), chosen) as curve:
            engine = BacktestEngine(backtest_config(chosen))
            module = add_pumpswap_venue(engine, curve)
            add_market(engine, loaded, curve.market.tail_ns)
            script = Watcher({2 + 3 * place: act(*order) for place, order in enumerate(orders)})
            script.curve = curve
            engine.add_strategy(script)
            engine.run()
            check_finished(engine, loaded, module)
        assert script.compared >= len(percents)
        entries = curve.record.entries
        assert sum(one.units for one in entries if one.asset == "SOL") == curve.wallet_lamports
        rejected = [one for one in engine.cache.orders() if one.status == OrderStatus.REJECTED]
        paid = {one.order_id for one in entries if one.kind is EntryKind.NETWORK_FEE}
        fills = len(curve.record.trades)
        assert len(paid) == fills + len(curve.record.rejections)
        assert len(rejected) == len(curve.record.rejections) + len(curve.record.denials)
        engine.dispose()
