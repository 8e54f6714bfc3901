"""Q50PumpSwapStrategy alone: its configuration in all forms, what it does not order and why, what it saves."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.model.data import InstrumentStatus
from nautilus_trader.model.enums import MarketStatusAction
from nautilus_trader.trading.strategy import Strategy

from pumpswap.errors import BadInput, ConfigError, NotFound, StorageError
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.model import MarketUpdate
from pumpswap.nautilus import Q50PumpSwapStrategy, Q50PumpSwapStrategyConfig, instrument_id
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.backtest.feed import recorded_market
from pumpswap.nautilus.backtest.venue import (
    add_market,
    add_pumpswap_venue,
    backtest_config,
    check_finished,
    run_on_curve,
)
from pumpswap.nautilus.instruments import instrument_of
from pumpswap.nautilus.loaders.recording import load_market
from pumpswap.nautilus.money import lamports_of
from pumpswap.nautilus.statistics import Q50Statistics
from pumpswap.nautilus.strategy_setup import budget
from pumpswap.nautilus.ticks import Tape
from pumpswap.nautilus.venue_facts import VenueFacts, venue_of
from pumpswap.sdk.executor.executor import PumpSwapTradingExecutor
from pumpswap.settings import Settings
from pumpswap.signals.regimes import RegimeDetector
from pumpswap.storage.database import open_database
from tests.engine.strategy_world import Heard
from tests.support.market import START_NS, graduate
from tests.support.plan_workflow import GOOD, SHORT, newest_fees, q50_frame

POOL = graduate(1)
NAME = str(POOL.address)
SECOND = 10**9


def quotes(*seconds: float) -> list[MarketUpdate]:
    return [MarketUpdate(START_NS + round(at * SECOND), NAME, POOL) for at in seconds]


def used(folder: Path, *kinds: Any, **sections: Any) -> Settings:
    q50 = {"path": q50_frame(folder, kinds or (GOOD,), start_ns=START_NS), "warm_up_quotes": 2}
    return Settings(data_dir=folder, q50=q50 | sections.pop("q50", {}), **sections)


def ran(
    settings: Settings, updates: Sequence[MarketUpdate], strategy: Q50PumpSwapStrategy, *more: Any
) -> tuple[BacktestEngine, Heard]:
    """A back-test of one strategy; ``more`` is data beside the market's."""
    loaded = load_market(updates, Tape(settings.nautilus.lamports("quote_sol")), schedule_for=newest_fees)
    market = recorded_market(updates, settings, schedule_for=newest_fees)
    heard = Heard()
    curve = Curve(market, (heard,))
    engine = BacktestEngine(backtest_config(settings))
    module = add_pumpswap_venue(engine, curve)
    add_market(engine, loaded, market.tail_ns)
    if more:
        engine.add_data(list(more), sort=True)
    engine.add_strategy(strategy)
    engine.run()
    if not more:
        check_finished(engine, loaded, module)
    return engine, heard


# ---------------------------------------------------------------------------------------------- what it is


def test_it_is_what_the_plan_names(tmp_path: Path) -> None:
    strategy = Q50PumpSwapStrategy(settings=used(tmp_path))
    assert isinstance(strategy, Strategy)
    assert isinstance(strategy.pumpswap_executor, PumpSwapTradingExecutor)
    assert isinstance(strategy.q50_signal_loader, Q50SignalLoader)
    assert isinstance(strategy.regime_detector, RegimeDetector)
    assert strategy.pumpswap_executor.settings is strategy.settings
    assert str(strategy.id) == "Q50-001"


def test_no_handler_is_a_coroutine() -> None:
    """The public attempts had coroutines, which Nautilus never awaits: not one tick was processed."""
    handlers = [name for name in dir(Q50PumpSwapStrategy) if name.startswith("on_")]
    assert len(handlers) > 20
    assert not [name for name in handlers if inspect.iscoroutinefunction(getattr(Q50PumpSwapStrategy, name))]


def test_it_takes_what_the_plans_class_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = q50_frame(tmp_path)
    of_plan = Q50PumpSwapStrategy({"nautilus_poc": {"q50": {"features_path": str(path)}}, "order_id_tag": "007"})
    assert of_plan.settings.q50.path == path
    assert str(of_plan.id) == "Q50-007"
    ours = Q50PumpSwapStrategy({"q50": {"path": str(path)}, "instrument_ids": [str(instrument_id(NAME))]})
    assert ours.config.instrument_ids == (instrument_id(NAME),)
    assert ours.config.external_order_claims == [instrument_id(NAME)]
    (tmp_path / "pumpswap.yaml").write_text(f"q50:\n  path: {path}\n")
    assert Q50PumpSwapStrategy().settings.q50.path == path
    named = Q50PumpSwapStrategy(Q50PumpSwapStrategyConfig(settings_path=str(tmp_path / "pumpswap.yaml")))
    assert named.settings.q50.path == path


def test_what_cannot_be_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = used(tmp_path)
    with pytest.raises(ConfigError, match="no Q50 file"):
        Q50PumpSwapStrategy(settings=Settings())
    with pytest.raises(ConfigError, match="given twice"):
        Q50PumpSwapStrategy({"q50": {"path": "x"}}, settings=settings)
    with pytest.raises(ConfigError, match="given twice"):
        Q50PumpSwapStrategy(Q50PumpSwapStrategyConfig(settings_path="x"), settings=settings)
    with pytest.raises(ConfigError, match="given twice"):
        Q50PumpSwapStrategy({"q50": {"path": "x"}, "settings_path": "y"})
    with pytest.raises(ConfigError, match="the strategy's configuration"):
        Q50PumpSwapStrategy({"mode": "sometimes"}, settings=settings)
    with pytest.raises(ConfigError, match="does not exist"):
        Q50PumpSwapStrategy({"settings_path": str(tmp_path / "nothing.yaml")})
    for name in ("frame_seconds", "statistics_seconds"):
        with pytest.raises(ConfigError, match=f"{name} is 0"):
            Q50PumpSwapStrategy({name: 0}, settings=settings)


# ---------------------------------------------------------------------------------------------- what it does


def test_it_buys_on_a_long_row_and_sells_on_a_short_one(tmp_path: Path) -> None:
    settings = used(tmp_path, GOOD, SHORT)
    strategy = Q50PumpSwapStrategy(settings=settings)
    engine, heard = ran(settings, quotes(1, 2, 3, 10, 301, 302, 310), strategy)
    assert strategy.statistics.ticks == 7
    assert strategy.statistics.filled == {"buy": 1, "sell": 1}
    assert (strategy.statistics.opened, strategy.statistics.closed) == (1, 1)
    buy, sale = heard.decisions
    assert buy.intent.at_ns == START_NS + 2 * SECOND  # the second quote: the first is warm-up
    assert buy.intent.strategy == "nautilus:Q50-001"
    assert buy.intent.reason == "q50 100.0, +0.00 % to the mean of 2 quotes"
    assert sale.intent.reason.startswith("q50 turned short")
    assert [one.status_string() for one in engine.cache.orders()] == ["FILLED", "FILLED"]


def test_in_analysis_nothing_is_ordered_and_each_wish_is_stored(tmp_path: Path) -> None:
    settings = used(tmp_path)
    strategy = Q50PumpSwapStrategy({"mode": "analysis"}, settings=settings)
    done = run_on_curve(quotes(1, 2, 3), settings, lambda _market: [strategy])
    assert strategy.statistics.not_ordered == {"mode analysis orders nothing": 1}
    assert done.engine.cache.orders() == []
    with open_database(settings.database_target) as database:
        run = database.run(done.curve.run_id)
        (decision,) = run.decisions()
        (row,) = run.q50_history.rows()
        assert list(run.orders()) == []
    assert [(one.policy, one.text) for one in decision.refusals] == [("mode", "mode analysis orders nothing")]
    assert decision.intent.strategy == "nautilus:Q50-001"
    assert decision.intent.reason == "q50 100.0, +0.00 % to the mean of 2 quotes"
    assert (row["execution_status"], row["nautilus_order_id"]) == ("analysis", None)
    assert row["regime_classification"] is not None


def test_where_the_engine_may_order_nothing_its_gate_says_so(tmp_path: Path) -> None:
    """``run.mode: analysis`` of the one file: the decision is stored with its refusal."""
    settings = used(tmp_path, risk={"min_liquidity_sol": "100000"})
    strategy = Q50PumpSwapStrategy(settings=settings)
    engine, _ = ran(settings, quotes(1, 2, 3), strategy)
    (order,) = engine.cache.orders()
    assert order.status_string() == "DENIED"
    assert order.last_event.reason.startswith("d000001: liquidity: ")
    assert strategy.statistics.denied == {"liquidity": 1}


def test_a_pool_that_does_not_trade_is_not_bought(tmp_path: Path) -> None:
    settings = used(tmp_path)
    strategy = Q50PumpSwapStrategy(settings=settings)
    at_ns = START_NS + SECOND
    halted = InstrumentStatus(instrument_id(NAME), MarketStatusAction.HALT, at_ns, at_ns, reason="looks wrong")
    _, heard = ran(settings, quotes(1, 2, 3), strategy, halted)
    assert strategy.statistics.not_ordered == {"the pool is not trading: looks wrong": 1}
    (decision,) = heard.decisions
    assert [one.text for one in decision.refusals] == ["the pool is not trading: looks wrong"]


def test_two_different_files_do_not_start(tmp_path: Path) -> None:
    settings = used(tmp_path)
    other = settings.model_copy(update={"risk": settings.risk.model_copy(update={"max_open_positions": 1})})
    with pytest.raises(ConfigError, match="different settings: risk"):
        ran(settings, quotes(1, 2), Q50PumpSwapStrategy(settings=other))


def test_a_back_test_without_a_frame_is_no_result(tmp_path: Path) -> None:
    settings = used(tmp_path)
    strategy = Q50PumpSwapStrategy(settings=settings)
    (tmp_path / "macro_features.csv").unlink()
    with pytest.raises(NotFound):
        ran(settings, quotes(1, 2), strategy)


def test_instruments_that_are_none_are_refused(tmp_path: Path) -> None:
    settings = used(tmp_path)
    config = Q50PumpSwapStrategyConfig(instrument_ids=(instrument_id(str(graduate(9).address)),))
    with pytest.raises(ConfigError, match="none of the strategy's instruments is known"):
        ran(settings, quotes(1, 2), Q50PumpSwapStrategy(config, settings=settings))


def test_an_entry_needs_both_to_tell_the_same_regime(tmp_path: Path) -> None:
    settings = used(tmp_path)
    strategy = Q50PumpSwapStrategy(settings=settings)
    narrow = settings.regimes.model_copy(update={"low_percentile": 0.001, "high_percentile": 0.002})
    strategy.regime_detector.rules = RegimeDetector(narrow).rules
    ran(settings, quotes(1, 2, 3), strategy)
    ((why, count),) = strategy.statistics.not_ordered.items()
    assert count == 1
    assert why.startswith("the regime detector says ")


class Live(Q50PumpSwapStrategy):
    """As in a node."""

    is_live = True


def test_an_error_of_the_strategy_ends_neither_node_nor_exits(tmp_path: Path) -> None:
    """Nautilus ends the process for an error in a handler: it is caught, entries stop, and somebody is told."""
    settings = used(tmp_path)
    named = {"instrument_ids": [str(instrument_id(NAME))]}
    strategy = Live(named, settings=settings)
    strategy._regimes.objection = lambda *_: 1 // 0  # type: ignore[method-assign]
    engine, heard = ran(settings, quotes(1, 2, 3, 4), strategy)
    assert strategy.statistics.ticks == 4
    assert engine.cache.orders() == []
    (alert,) = heard.alerts
    assert (alert.topic, alert.subject) == ("strategy", "Q50-001")
    assert alert.text == "ZeroDivisionError: integer division or modulo by zero"
    again = Q50PumpSwapStrategy(settings=settings)
    again._regimes.objection = lambda *_: 1 // 0  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):  # a back-test must not go on as if nothing were
        ran(settings, quotes(1, 2, 3, 4), again)


def test_a_broken_strategy_goes_on_when_a_person_resumes(tmp_path: Path) -> None:
    """`pumpswap resume` lifts the fault of its engine; the strategy must not stay dead for good."""
    settings = used(tmp_path, run={"check_seconds": 1})

    class Resumed(Live):
        def on_quote_tick(self, tick: Any) -> None:
            venue = venue_of(self.msgbus)
            assert venue is not None
            if self.statistics.ticks == 4:
                assert venue.is_faulty("Q50-001")
                venue.fault.__self__.risk.lift("strategy Q50-001")  # type: ignore[attr-defined]
            super().on_quote_tick(tick)

    strategy = Resumed({"instrument_ids": [str(instrument_id(NAME))]}, settings=settings)
    objections = iter([lambda: 1 // 0])
    strategy._regimes.objection = lambda *_: next(objections, str)()  # type: ignore[method-assign]
    _, heard = ran(settings, quotes(1, 2, 3, 4, 5, 6, 9), strategy)
    assert strategy.statistics.filled == {"buy": 1}
    assert heard.decisions[0].intent.at_ns == START_NS + 5 * SECOND


def test_books_that_cannot_be_written_do_not_break_the_strategy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that is busy for a moment is no reason to be dead until a person comes."""
    settings = used(tmp_path)

    def refuse(name: str, _document: Any) -> None:
        if name.startswith("nautilus/strategy"):
            raise StorageError("the database is busy")

    def busy(msgbus: Any) -> VenueFacts | None:
        venue = venue_of(msgbus)
        return None if venue is None else replace(venue, save=refuse)

    monkeypatch.setattr("pumpswap.nautilus.strategy.venue_of", busy)
    strategy = Live({"instrument_ids": [str(instrument_id(NAME))]}, settings=settings)
    _, heard = ran(settings, quotes(1, 2, 3, 4), strategy)
    assert strategy.statistics.filled == {"buy": 1}
    assert heard.alerts == []
    assert "nautilus-strategy-not-kept" in [one.message for one in caplog.records]


def test_a_frame_that_does_not_fit_the_settings_is_no_result_either(tmp_path: Path) -> None:
    """A back-test would not see one signal, and look like a bad strategy."""
    settings = used(tmp_path, q50={"instruments": {NAME: "NOBODY"}, "instrument": None})
    with pytest.raises(ConfigError, match="NOBODY"):
        ran(settings, quotes(1, 2, 3), Q50PumpSwapStrategy(settings=settings))


def test_a_live_strategy_that_cannot_begin_is_a_fault_and_no_dead_node(tmp_path: Path) -> None:
    """An error that leaves ``on_start`` left a node behind whose loop was over, that did not even hear SIGTERM."""
    settings = used(tmp_path)
    unknown = {"instrument_ids": [str(instrument_id(str(graduate(9).address)))]}
    for config, told in (({}, "the strategy names no instruments"), (unknown, "none of the strategy's instruments is")):
        strategy = Live(config, settings=settings)
        done = run_on_curve(quotes(1, 2, 3), settings, lambda _market, made=strategy: [made])
        with open_database(settings.database_target) as database:
            (alert,) = [one for one in database.alerts.all() if one.run_id == done.curve.run_id]
            assert (alert.topic, alert.subject) == ("strategy", "Q50-001")
            assert alert.text.startswith(f"ConfigError: {told}")
            # What an earlier process has kept was not taken up, and is not replaced by nothing.
            assert database.run(done.curve.run_id).states.under("nautilus/") == {}
        assert (strategy.statistics.ticks, done.engine.cache.orders()) == (0, [])


def test_executor_mode_is_for_nodes_without_our_client(tmp_path: Path) -> None:
    settings = used(tmp_path)
    with pytest.raises(ConfigError, match="an execution client for PUMPSWAP already, or is a back-test"):
        ran(settings, quotes(1, 2), Q50PumpSwapStrategy({"mode": "executor"}, settings=settings))


# ---------------------------------------------------------------------------------------------- what it remembers


def test_a_saved_state_is_taken_up(tmp_path: Path) -> None:
    settings = used(tmp_path)
    strategy = Q50PumpSwapStrategy(settings=settings)
    ran(settings, quotes(1, 2, 3), strategy)
    saved = strategy.on_save()
    assert {name: type(value) for name, value in saved.items()} == {"policy": bytes, "statistics": bytes}
    later = Q50PumpSwapStrategy(settings=settings)
    later.on_load(saved)
    assert later.statistics == strategy.statistics
    assert not later.policy.is_warm(NAME)  # quotes of before are no quotes of now
    later.on_load({})
    assert later.statistics == strategy.statistics
    # The restarted one does not buy the row again.
    engine, heard = ran(settings, quotes(4, 5, 6, 7), later)
    assert engine.cache.orders() == []
    assert heard.decisions == []


def test_what_the_run_has_kept_goes_before_an_older_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nautilus saves when it is stopped in order. After a kill its state is an old one: a row would be bought twice."""
    settings = used(tmp_path)
    old = Q50PumpSwapStrategy(settings=settings).on_save()
    before = Q50PumpSwapStrategy(settings=settings)
    ran(settings, quotes(1, 2, 3), before)
    kept: dict[str, Any] = {"nautilus/strategy/Q50-001": before.policy.state()}
    kept["nautilus/statistics/Q50-001"] = before.statistics.to_json()

    def with_memory(msgbus: Any) -> VenueFacts | None:
        venue = venue_of(msgbus)
        return None if venue is None else replace(venue, load=kept.get)

    monkeypatch.setattr("pumpswap.nautilus.strategy.venue_of", with_memory)
    later = Q50PumpSwapStrategy(settings=settings)
    later.on_load(old)
    engine, _ = ran(settings, quotes(4, 5, 6, 7), later)
    assert engine.cache.orders() == []
    assert later.statistics.filled == {"buy": 1}
    assert later.statistics.ticks == 3 + 4


@pytest.mark.parametrize("name", ["policy", "statistics"])
@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"{}", json.dumps({"version": 9}).encode()])
def test_a_damaged_state_is_refused(tmp_path: Path, name: str, value: bytes) -> None:
    strategy = Q50PumpSwapStrategy(settings=used(tmp_path))
    with pytest.raises(BadInput):
        strategy.on_load({name: value})


def test_names_of_reasons_are_not_as_many_as_orders() -> None:
    counts = Q50Statistics()
    for number in range(200):
        counts.left(f"reason {number}")
    assert counts.analysed == 200
    assert len(counts.not_ordered) <= 51
    assert counts.not_ordered["other"] == 150
    assert Q50Statistics.of_json(json.loads(json.dumps(counts.to_json()))) == counts


@pytest.mark.parametrize(
    ("decimals", "lamports", "shown"),
    [(6, 1_000_000_000, 10**9), (6, 123_456_789, 123_456_000), (9, 123_456_789, 123_456_789), (0, 5, 10**9)],
)
def test_a_budget_has_no_more_decimals_than_the_instrument(decimals: int, lamports: int, shown: int) -> None:
    units = 10**8 * 10**decimals
    state = graduate(3, base_decimals=decimals, base_reserve=units, base_supply=units)
    quantity = budget(lamports, instrument_of(state, newest_fees(0)))
    assert (quantity.precision, lamports_of(quantity)) == (decimals, shown)


def test_memory_does_not_grow_with_ticks(tmp_path: Path) -> None:
    settings = used(tmp_path)
    strategy = Q50PumpSwapStrategy({"mode": "analysis"}, settings=settings)
    ran(settings, quotes(*[1 + number / 100 for number in range(2_000)]), strategy)
    assert strategy.statistics.ticks == 2_000
    assert len(strategy.policy.state()["pools"]) == 1
    assert len(strategy.on_save()["policy"]) < 300
