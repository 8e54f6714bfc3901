"""``run_backtest``: the whole engine in a replayed market; the same spec gives the same bytes, in any process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from decimal import Decimal
from functools import cache

import msgspec
import pytest
from msgspec.structs import replace

from pumpswap.engine.strategies import Momentum
from pumpswap.engine.strategy import Strategy
from pumpswap.engine.trial import try_strategies
from pumpswap.errors import BadInput, ConfigError
from pumpswap.model import MarketUpdate, RunObserver
from pumpswap.research.backtest.figures import LIMITS, groups_of
from pumpswap.research.backtest.result import BacktestResult, ledger_bytes
from pumpswap.research.backtest.runner import Backtest, Players, run_backtest
from pumpswap.research.backtest.spec import (
    _FILES,
    _FILES_OF_APP,
    _ROOMS,
    _ROOMS_OF_RESEARCH,
    BacktestSpec,
    SourceRef,
    StrategyRef,
    engine_sha256,
    latency_slots,
    new_spec,
    settings_of,
)
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.sources import open_chronicle
from pumpswap.settings import DashboardSettings, PaperVenueSettings, RiskLimits, RunSettings, Settings
from tests.research.backtest.histories import History
from tests.support.market import graduate


@cache
def simulated(minutes: int = 12) -> BaseChronicle:
    return open_chronicle("simulated:7", minutes=minutes)


def spec_of(chronicle: BaseChronicle, settings: Settings | None = None, **rest: object) -> BacktestSpec:
    source = SourceRef("simulated", "simulated:7", minutes=12)
    return new_spec(chronicle, source, StrategyRef("momentum"), settings or Settings(), **rest)


def momentum_on_simulated(impact: str = "counterfactual", **rest: object) -> Backtest:
    chronicle = simulated()
    spec = replace(spec_of(chronicle, **rest), impact=impact)  # type: ignore[arg-type]
    return run_backtest(spec, chronicle, lambda _book, _fees: Players([Momentum()]))


@cache
def once(impact: str = "counterfactual") -> Backtest:
    """The same for every test that only looks at it."""
    return momentum_on_simulated(impact)


def test_both_results_are_told_and_the_market_feels_us_in_one_of_them() -> None:
    felt, naive = once(), once("naive")
    assert felt.summary.fills > 5 and naive.summary.fills > 5
    assert felt.result.net_lamports != naive.result.net_lamports
    assert felt.result.world["diverged_pools"] > 0 == naive.result.world["diverged_pools"]
    assert felt.result.world["changed"] > 100
    assert naive.result.world["overwritten"] == naive.summary.fills
    titles = [group.title for group in groups_of([felt.result, naive.result])]
    assert titles == ["it adds up, SOL", "trading", "paid on the way, SOL", "for others"]
    groups = groups_of([felt.result, naive.result])
    rows = {row.label: tuple(map(int, row.values)) for row in groups[0].rows}
    assert rows["net"] == (felt.result.net_lamports, naive.result.net_lamports)
    assert rows["start"][0] + rows["net"][0] == rows["end"][0]
    assert (
        rows["realised"][0] + rows["unrealised, if sold now"][0] + rows["costs of failed orders"][0] == rows["net"][0]
    )
    assert len(LIMITS) == 3


def test_the_books_of_a_back_test_are_books_like_any_other() -> None:
    done = once()
    assert done.summary.balances == done.summary.wallet
    assert done.summary.ledger_sha256 == hashlib.sha256(ledger_bytes(done.record)).hexdigest()


def test_the_same_spec_gives_the_same_bytes_in_another_process_with_another_order_of_hashing() -> None:
    done = once()
    again = momentum_on_simulated()
    assert again.result.canonical() == done.result.canonical()
    assert ledger_bytes(again.record) == ledger_bytes(done.record)
    environment = os.environ | {"PYTHONHASHSEED": "4711"}
    command = [sys.executable, "-m", "tests.research.backtest.backtest_process", "counterfactual"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert told.split() == [done.result.sha256, hashlib.sha256(ledger_bytes(done.record)).hexdigest()]


def test_a_document_is_read_back_and_has_no_place_or_time_of_the_clock_in_it() -> None:
    done = once()
    text = done.result.canonical()
    assert msgspec.json.decode(text, type=BacktestResult).canonical() == text
    assert done.result.spec.canonical() in text
    assert str(Settings().data_dir).encode() not in text
    assert settings_of(done.result.spec).risk == Settings().risk


def test_what_decides_changes_the_key_and_what_does_not_leaves_it() -> None:
    chronicle = simulated()
    plain = spec_of(chronicle)
    assert plain.key == spec_of(chronicle, Settings(dashboard=DashboardSettings(port=9_999))).key
    for changed in (
        spec_of(chronicle, Settings(risk=RiskLimits(max_position_sol=Decimal("0.5")))),
        spec_of(chronicle, Settings(run=RunSettings(strategy="plan-loop"))),
        spec_of(chronicle, seed=1),
        spec_of(chronicle, landing="first"),
        spec_of(simulated(13)),
        replace(plain, impact="naive"),
    ):
        assert changed.key != plain.key
    assert (len(plain.engine_sha256), plain.engine_sha256) == (64, engine_sha256())


def test_all_code_that_a_back_test_runs_is_in_its_hash() -> None:
    """But what stores and what talks to a chain, which nothing of a run asks."""
    code = "import sys, pumpswap.research.backtest.runner; print(*(name for name in sys.modules if '.' in name))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    parts = [name.split(".") for name in told.split() if name.startswith("pumpswap.")]
    assert len(parts) > 100
    rooms = {part[1] for part in parts} - {"research", "storage", "chain"}
    assert rooms <= {*_ROOMS, *(name.removesuffix(".py") for name in _FILES)}
    assert {part[2] for part in parts if part[1] == "research" and len(part) > 2} <= {*_ROOMS_OF_RESEARCH}


def test_what_makes_signals_of_settings_is_in_the_hash_too() -> None:
    """Of the application those files whose functions a back-test calls while it plays; the rest opens and stores."""
    code = "import sys, pumpswap.app.backtest_scoring; print(*(name for name in sys.modules if '.app.' in name))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    files = {f"{name.rpartition('.')[2]}.py" for name in told.split() if name.startswith("pumpswap.app.")}
    assert {*_FILES_OF_APP} <= files
    only_a_running_engine_asks = {"companion.py", "run_needs.py", "run_parts.py"}
    assert files - {*_FILES_OF_APP} == only_a_running_engine_asks


@pytest.mark.parametrize(("paper", "slots"), [
    ({}, 3), ({"latency_ms": 1_201}, 4), ({"latency_ms": 0}, 0), ({"latency_slots": 7}, 7),
])  # fmt: skip
def test_milliseconds_of_latency_are_whole_slots(paper: dict[str, int], slots: int) -> None:
    assert latency_slots(Settings(paper=PaperVenueSettings(**paper))) == slots  # type: ignore[arg-type]


def test_another_seed_fails_other_orders_and_no_chance_fails_none() -> None:
    calm = Settings(paper=PaperVenueSettings(failed_bps=0, priority="fixed"))
    results = [momentum_on_simulated(settings=calm, seed=seed).result for seed in (0, 1)]
    assert results[0].trades_sha256 == results[1].trades_sha256
    stormy = Settings(paper=PaperVenueSettings(failed_bps=3_000))
    results = [momentum_on_simulated(settings=stormy, seed=seed).result for seed in (0, 1)]
    assert results[0].trades_sha256 != results[1].trades_sha256
    assert all(int(one.summary["orders"]["rejected"]) for one in results)


def test_without_trades_of_ours_the_engine_hears_what_a_trial_on_the_simulator_hears() -> None:
    class Heard(RunObserver):
        def __init__(self) -> None:
            self.told: list[tuple[object, ...]] = []

        def on_update(self, update: MarketUpdate) -> None:
            state, swap = update.state, update.swap
            assert state is not None
            trade = None if swap is None else (swap.is_buy, swap.base_units, swap.quote_units, swap.trader)
            self.told.append((update.at_ns, update.pool, state.base_reserve, state.quote_vault, trade))

    replayed, played, chronicle = Heard(), Heard(), open_chronicle("simulated:3", minutes=5)
    spec = spec_of(chronicle)
    run_backtest(spec, chronicle, lambda _book, _fees: Players([Strategy()]), (replayed,))
    try_strategies([Strategy()], seed=3, minutes=5, observers=(played,))
    assert replayed.told == played.told


def test_a_strategy_that_fails_is_told() -> None:
    class Broken(Strategy):
        name = "broken"

        def on_swap(self, swap: object, desk: object) -> list[object]:  # type: ignore[override]
            raise ZeroDivisionError("of mine")

    chronicle = simulated()
    done = run_backtest(spec_of(chronicle), chronicle, lambda _book, _fees: Players([Broken()]))
    assert list(done.result.faults) == ["strategy broken"]
    assert done.result.net_lamports == 0


def test_another_history_an_empty_one_and_an_unknown_mode_are_refused() -> None:
    def cast(_book: object, _fees: object) -> Players:
        return Players([Strategy()])

    chronicle, other = simulated(), History(graduate()).chronicle()
    with pytest.raises(BadInput, match="another history"):
        run_backtest(spec_of(chronicle), other, cast)
    empty = History()
    with pytest.raises(BadInput, match="nothing to replay"):
        run_backtest(spec_of(empty.chronicle()), empty.chronicle(), cast)
    with pytest.raises(ConfigError, match="'none'"):
        run_backtest(replace(spec_of(chronicle), impact="none"), chronicle, cast)


def test_a_record_grows_with_trades_only() -> None:
    done = once()
    assert done.record.updates == simulated().identity.steps
    assert len(done.record.trades) == done.summary.fills
