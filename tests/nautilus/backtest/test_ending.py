"""How a back-test ends: clean, complete, or with an error that says why; never silently early."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.accounting.factory import AccountFactory
from nautilus_trader.backtest.engine import BacktestEngine

from pumpswap.errors import BadInput, LedgerMismatch, PumpSwapError, UsageError
from pumpswap.model import MarketUpdate
from pumpswap.nautilus.backtest.curve import Curve, open_curve
from pumpswap.nautilus.backtest.feed import recorded_market
from pumpswap.nautilus.backtest.venue import (
    add_market,
    add_pumpswap_venue,
    backtest_config,
    check_finished,
    install_client,
    run_on_curve,
)
from pumpswap.nautilus.constants import PUMPSWAP_VENUE
from pumpswap.nautilus.loaders.recording import load_market
from pumpswap.nautilus.ticks import Tape
from pumpswap.storage.database import open_database
from tests.nautilus.backtest.test_fills import FREE, NO_EXITS, buys, cash_of
from tests.nautilus.backtest.world import Script, market_of, newest_fees, run, settings_for
from tests.support.market import SOL, START_NS, graduate

STATE = graduate()


def free(folder: Path, **sections: Any) -> Any:
    return settings_for(folder, **{"exits": NO_EXITS, "risk": FREE, **sections})


def built(folder: Path, updates: list[MarketUpdate], *strategies: Any) -> tuple[BacktestEngine, Curve, Any, Any]:
    chosen = free(folder)
    loaded = load_market(updates, Tape(10**8), schedule_for=newest_fees)
    curve = Curve(recorded_market(updates, chosen, schedule_for=newest_fees))
    engine = BacktestEngine(backtest_config(chosen))
    module = add_pumpswap_venue(engine, curve)
    add_market(engine, loaded, curve.market.tail_ns)
    for strategy in strategies:
        engine.add_strategy(strategy)
    return engine, curve, module, loaded


def test_the_run_is_stored_and_finished_with_its_summary(tmp_path: Path) -> None:
    chosen = free(tmp_path)
    done = run(market_of(STATE, [0] * 6), chosen, Script({2: buys(10**9)}))
    with open_database(chosen.database_target) as database:
        (header,) = database.runs()
        run_ = database.run(header.run_id)
        assert header.finished_ns is not None
        assert list(run_.books.entries()) == done.curve.record.entries
        (order,) = run_.orders()
        assert order.client_order_id == done.engine.cache.orders()[0].client_order_id.value
        assert run_.ids.order_of_client(order.client_order_id) == order
    done.engine.dispose()


def test_an_error_of_a_strategy_ends_the_run_and_the_run_stays_unfinished(tmp_path: Path) -> None:
    def broken(self: Script, tick: Any) -> None:
        raise ValueError("a bug of the strategy")

    chosen = free(tmp_path)
    with pytest.raises(ValueError, match="a bug of the strategy"):
        run(market_of(STATE, [0] * 6), chosen, Script({3: broken}))
    with open_database(chosen.database_target) as database:
        assert [header.finished_ns for header in database.runs()] == [None]


def test_an_error_in_the_reaction_to_a_fill_is_not_swallowed(tmp_path: Path) -> None:
    def broken(self: Script, event: Any) -> None:
        raise ValueError("a bug in a handler")

    script = Script({2: buys(10**9)})
    script.on_fill = broken
    with pytest.raises(ValueError, match="a bug in a handler"):
        run(market_of(STATE, [0] * 6), free(tmp_path), script)


def test_a_run_that_failed_can_be_disposed_of(tmp_path: Path) -> None:
    """Disposing stops our client: nothing more may be booked then, least of all into a store that is closed."""

    def broken(self: Script, tick: Any) -> None:
        raise ValueError("a bug of the strategy")

    chosen, updates = free(tmp_path), market_of(STATE, [0] * 9)
    engine = BacktestEngine(backtest_config(chosen))
    curves: list[Curve] = []

    def play() -> None:
        with open_curve(recorded_market(updates, chosen, schedule_for=newest_fees), chosen) as curve:
            curves.append(curve)
            add_pumpswap_venue(engine, curve)
            add_market(engine, load_market(updates, Tape(10**8), schedule_for=newest_fees), curve.market.tail_ns)
            engine.add_strategy(Script({2: buys(10**9), 3: broken}))
            engine.run()

    with pytest.raises(ValueError, match="a bug of the strategy"):
        play()
    engine.dispose()
    assert curves[0].summary is None
    assert curves[0].record.trades == []


def test_what_ended_early_is_told(tmp_path: Path) -> None:
    updates = market_of(STATE, [0] * 6)
    engine, _, module, loaded = built(tmp_path, updates, Script({}))
    engine.run(end=updates[2].at_ns)
    with pytest.raises(PumpSwapError, match="has processed"):
        check_finished(engine, loaded, module)
    engine.dispose()


def test_quotes_of_another_market_are_refused(tmp_path: Path) -> None:
    chosen = free(tmp_path)
    curve = Curve(recorded_market(market_of(STATE, [0] * 4), chosen, schedule_for=newest_fees))
    engine = BacktestEngine(backtest_config(chosen))
    add_pumpswap_venue(engine, curve)
    other = load_market(market_of(STATE, [0] * 4, every_seconds=0.7), Tape(10**8), schedule_for=newest_fees)
    add_market(engine, other, curve.market.tail_ns)
    with pytest.raises(UsageError, match="but a quote tick says so"):
        engine.run()
    engine.dispose()


def test_a_part_of_a_market_can_be_run(tmp_path: Path) -> None:
    """What came before is taken all the same: the curve is where it was."""
    updates = market_of(STATE, [0, 5, 10, 15, 15, 15])
    script = Script({1: buys(10**9)})
    engine, curve, module, _ = built(tmp_path, updates, script)
    engine.run(start=updates[3].at_ns)
    assert (module.quotes, curve.stepped) == (3, 6)
    (trade,) = curve.record.trades
    assert trade.order.created_ns == updates[3].at_ns
    engine.dispose()


def test_a_second_run_of_the_same_market_is_refused(tmp_path: Path) -> None:
    engine, _, _, _ = built(tmp_path, market_of(STATE, [0] * 4), Script({}))
    engine.run()
    with pytest.raises(UsageError, match="replayed already"):
        engine.reset()
    engine.dispose()


def test_a_market_before_1970_or_without_updates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="of the time 0"):
        run([MarketUpdate(0, str(STATE.address), STATE)], free(tmp_path), Script({}))
    with pytest.raises(BadInput, match="nothing to replay"):
        run_on_curve([], free(tmp_path), lambda _: [])
    with pytest.raises(BadInput, match="nothing to replay"):
        recorded_market([], free(tmp_path))


def test_an_account_that_nautilus_would_compute_is_reported_all_the_same(tmp_path: Path) -> None:
    """Nautilus keeps in the process which venues compute their accounts: an engine of before may have asked for it."""
    AccountFactory.register_calculated_account("PUMPSWAP")
    script = Script({2: buys(10**9)})
    done = run(market_of(STATE, [0] * 6), free(tmp_path), script)
    account = done.engine.cache.account_for_venue(PUMPSWAP_VENUE)
    assert not account.calculate_account_state
    assert cash_of(script) == done.curve.wallet_lamports
    done.engine.dispose()


def test_a_second_client_of_an_engine_is_refused(tmp_path: Path) -> None:
    engine, curve, _, _ = built(tmp_path, market_of(STATE, [0] * 4))
    with pytest.raises(Exception, match="PUMPSWAP"):
        add_pumpswap_venue(engine, curve)
    engine.dispose()


def test_an_account_that_is_not_the_wallet_ends_the_run(tmp_path: Path) -> None:
    def steal(self: Script, tick: Any) -> None:
        curve.venue.wallet.lamports -= 1

    engine, curve, _, _ = built(tmp_path, market_of(STATE, [0] * 6), Script({3: steal}))
    with pytest.raises(LedgerMismatch, match="the wallet 49999999999"):
        engine.run()
    engine.dispose()


def test_a_client_without_its_module_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "tape.csv"
    engine = BacktestEngine(backtest_config(free(tmp_path)))
    with pytest.raises(PumpSwapError, match=r"tape\.csv"):
        install_client(engine, str(source))
    engine.dispose()


def test_the_venue_begins_with_the_capital_of_the_settings(tmp_path: Path) -> None:
    chosen = free(tmp_path, paper={"start_sol": "7.000000001"})
    updates = market_of(STATE, [0] * 3)
    with open_curve(recorded_market(updates, chosen, schedule_for=newest_fees), chosen) as curve:
        assert curve.wallet_lamports == 7 * SOL + 1
        assert curve.now_ns == START_NS + 10**9
        assert curve.state(str(STATE.address)) is None
        engine = BacktestEngine(backtest_config(chosen))
        add_pumpswap_venue(engine, curve)
        assert engine.list_venues() == [PUMPSWAP_VENUE]
        engine.dispose()
