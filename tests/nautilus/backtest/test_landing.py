"""Time: orders land after their latency, on the pool as it was then, and are told at that time, to the very end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.model.data import DataType
from nautilus_trader.model.enums import OrderSide, OrderStatus

from pumpswap.amm import current_schedule, execute_buy_exact_quote_in, execute_sell
from pumpswap.execution.paper_model import PaperModel
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.backtest.feed import recorded_market
from pumpswap.nautilus.backtest.venue import add_market, add_pumpswap_venue, backtest_config, check_finished
from pumpswap.nautilus.constants import PUMPSWAP_CLIENT_ID
from pumpswap.nautilus.data_types import PumpSwapPoolState, data_type_of
from pumpswap.nautilus.loaders.recording import load_market
from pumpswap.nautilus.ticks import Tape
from tests.nautilus.backtest.test_fills import FREE, NO_EXITS, buys, cash_of
from tests.nautilus.backtest.world import Script, market_of, newest_fees, run, settings_for
from tests.support.market import at, graduate

STATE, SCHEDULE = graduate(), current_schedule()
LATENCY_NS = 1_200_000_000


def free(folder: Path, **sections: Any) -> Any:
    return settings_for(folder, **{"exits": NO_EXITS, "risk": FREE, **sections})


def test_an_order_fills_at_its_landing_time_on_the_state_before_the_next_quote(tmp_path: Path) -> None:
    """Ordered at 2 s, landed at 3.2 s: on the state of 3 s, not on that of 4 s."""
    updates = market_of(STATE, [0, 0, 1, 2, 0, 0])
    heard: list[tuple[int, int]] = []

    class Timed(Script):
        def on_order_filled(self, event: Any) -> None:
            heard.append((event.ts_event, self.clock.timestamp_ns()))

    script = Timed({2: buys(10**9)})
    done = run(updates, free(tmp_path), script)
    (trade,) = done.curve.record.trades
    state = updates[2].state
    assert state is not None
    assert trade.filled.executed == execute_buy_exact_quote_in(state, SCHEDULE, 10**9, 1, generation=2).quote
    assert heard == [(at(2) + LATENCY_NS, at(2) + LATENCY_NS)]
    submitted, accepted = script.told("OrderSubmitted")[0], script.told("OrderAccepted")[0]
    assert submitted.ts_event == accepted.ts_event == at(2)
    done.engine.dispose()


def test_what_lands_when_a_quote_comes_is_executed_before_it(tmp_path: Path) -> None:
    updates = market_of(STATE, [0, 0, 2, 0, 0])
    script = Script({2: buys(10**9)})
    done = run(updates, free(tmp_path, paper={"latency_ms": 1_000}), script)
    (trade,) = done.curve.record.trades
    assert trade.filled.executed == execute_buy_exact_quote_in(STATE, SCHEDULE, 10**9, 1, generation=2).quote
    done.engine.dispose()


def test_an_order_of_the_last_quote_lands_and_is_told(tmp_path: Path) -> None:
    script = Script({5: buys(10**9)})
    done = run(market_of(STATE, [0] * 5), free(tmp_path), script)
    assert script.told("OrderFilled")[0].ts_event == at(5) + LATENCY_NS
    assert script.quotes == 5  # no quote was invented for it
    assert cash_of(script) == done.curve.wallet_lamports
    done.engine.dispose()


def test_an_order_of_a_stopping_strategy_lands_and_is_booked(tmp_path: Path) -> None:
    def sell(self: Script) -> None:
        for position in self.cache.positions_open():
            self.market(position.instrument_id, OrderSide.SELL, position.quantity)

    script = Script({2: buys(10**9)})
    script.at_stop = sell
    done = run(market_of(STATE, [0] * 6), free(tmp_path), script)
    assert [order.status for order in done.engine.cache.orders()] == [OrderStatus.FILLED, OrderStatus.FILLED]
    assert done.engine.cache.positions_open() == []
    assert len(done.curve.record.trades) == 2
    assert done.curve.summary is not None
    account = done.engine.cache.account_for_venue(done.module.exchange.id)
    assert account is not None
    assert cash_of(script) == done.curve.wallet_lamports
    done.engine.dispose()


def test_a_strategy_may_order_when_it_hears_of_a_fill(tmp_path: Path) -> None:
    """A reaction to a fill of 3.2 s lands at 4.4 s; nothing runs inside our engine's own work."""

    def sell(self: Script, event: Any) -> None:
        if event.is_buy:
            self.market(event.instrument_id, OrderSide.SELL, event.last_qty)

    script = Script({2: buys(10**9)})
    script.on_fill = sell
    done = run(market_of(STATE, [0] * 9), free(tmp_path), script)
    bought, sold = done.curve.record.trades
    assert bought.filled.at_ns == at(2) + LATENCY_NS
    assert sold.order.created_ns == bought.filled.at_ns
    assert sold.filled.at_ns == at(2) + 2 * LATENCY_NS
    units = bought.filled.executed.base_out  # type: ignore[union-attr]
    assert sold.filled.executed == execute_sell(STATE, SCHEDULE, units, 1, generation=2).quote
    assert script.kinds()[-1] == "PositionClosed"
    assert cash_of(script) == done.curve.wallet_lamports
    done.engine.dispose()


def test_without_latency_an_order_is_filled_in_the_moment_of_its_quote(tmp_path: Path) -> None:
    class Timed(Script):
        filled_at = 0

        def on_order_filled(self, event: Any) -> None:
            self.filled_at = self.clock.timestamp_ns()

    script = Timed({2: buys(10**9)})
    done = run(market_of(STATE, [0, 0, 9, 9]), free(tmp_path, paper={"latency_ms": 0}), script)
    (trade,) = done.curve.record.trades
    assert trade.filled.executed == execute_buy_exact_quote_in(STATE, SCHEDULE, 10**9, 1, generation=2).quote
    assert (script.told("OrderFilled")[0].ts_event, script.filled_at) == (at(2), at(2))
    done.engine.dispose()


def test_orders_of_two_pools_that_land_in_another_order_than_sent_are_told_when_they_land(tmp_path: Path) -> None:
    """The alarm of the later one is set already when the earlier one gets its own."""
    pools = [graduate(number) for number in (1, 2, 3)]
    updates = [update for trio in zip(*(market_of(pool, [0] * 8, 5) for pool in pools), strict=True) for update in trio]
    script = Script({4: buys(10**8), 5: buys(10**8), 6: buys(10**8)})
    chosen = free(tmp_path)
    market = recorded_market(updates, chosen, schedule_for=newest_fees)
    delays = iter((3_000_000_000, 1_000_000_000, 2_000_000_000))
    landing = SimpleNamespace(landing_ns=lambda submit_ns, order: submit_ns + next(delays))
    market.venue._model = PaperModel(chosen.paper, landing=landing)
    curve = Curve(market)
    engine = BacktestEngine(backtest_config(chosen))
    module = add_pumpswap_venue(engine, curve)
    loaded = load_market(updates, Tape(10**8), schedule_for=newest_fees)
    add_market(engine, loaded, market.tail_ns)
    engine.add_strategy(script)
    engine.run()
    check_finished(engine, loaded, module)
    filled = script.told("OrderFilled")
    assert [event.ts_event - at(10) for event in filled] == [1_000_000_000, 2_000_000_000, 3_000_000_000]
    assert all(event.ts_init == event.ts_event for event in filled)
    engine.dispose()


def test_pools_of_one_moment_are_taken_in_the_order_of_the_recording(tmp_path: Path) -> None:
    one, two = graduate(1), graduate(2)
    pairs = zip(market_of(one, [0] * 6), market_of(two, [0] * 6), strict=True)
    updates = [update for pair in pairs for update in pair]
    script = Script({number: buys(10**8) for number in (3, 4)})
    done = run(updates, free(tmp_path), script)
    assert [trade.order.pool for trade in done.curve.record.trades] == [str(one.address), str(two.address)]
    assert done.module.quotes == 12
    assert done.curve.stepped == 12
    done.engine.dispose()


def test_several_states_of_a_pool_in_one_moment_are_told_one_after_the_other(tmp_path: Path) -> None:
    updates = market_of(STATE, [0, 1, 2, 3, 4, 5], every_seconds=0)
    seen: list[int] = []

    class Looking(Script):
        curve: Any = None

        def on_quote_tick(self, tick: Any) -> None:
            super().on_quote_tick(tick)
            seen.append(self.quotes)

    script = Looking({3: buys(10**9)})
    chosen = free(tmp_path, paper={"latency_ms": 0})
    done = run([*updates, *market_of(STATE, [9, 9])], chosen, script)
    (trade,) = done.curve.record.trades
    state = updates[2].state
    assert state is not None
    assert trade.filled.executed == execute_buy_exact_quote_in(state, SCHEDULE, 10**9, 1, generation=2).quote
    done.engine.dispose()


def test_custom_data_reaches_the_strategy_after_its_quote_with_the_exact_state(tmp_path: Path) -> None:
    class Listening(Script):
        def on_start(self) -> None:
            super().on_start()
            for instrument in self.cache.instruments():
                self.subscribe_data(data_type_of(PumpSwapPoolState, instrument.id), client_id=PUMPSWAP_CLIENT_ID)

    script = Listening({})
    updates = market_of(STATE, [0, 3, 6])
    done = run(updates, free(tmp_path), script)
    assert [one.pool_state() for one in script.data] == [update.state for update in updates]
    assert isinstance(data_type_of(PumpSwapPoolState, done.market.instruments[0].id), DataType)
    done.engine.dispose()
