"""Whole trials: every figure that the engine tells, to the lamport, or the trial is handed over."""

from __future__ import annotations

import pickle
import random
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pumpswap.errors import ConfigError
from pumpswap.research.backtest.spec import BacktestSpec, StrategyRef
from pumpswap.research.kernel.layout import Columns, columns_of
from pumpswap.research.kernel.support import unsupported
from pumpswap.research.kernel.trials import KernelRunner
from pumpswap.research.tuning.engine_runner import EngineFactory
from pumpswap.research.tuning.history import HeldHistory
from pumpswap.research.tuning.kernel_factory import KernelFactory
from pumpswap.research.tuning.trials import Params, Split, TrialResult, Window
from pumpswap.settings import Settings
from tests.research.tuning.played import MomentumCaster, history, spec_of, window

LIVELY: Params = (
    ("strategy.full_size", "1"), ("strategy.window_seconds", "30"), ("strategy.burst_bps", "20"),
    ("strategy.min_buyers", "1"), ("strategy.turn_bps", "20"), ("risk.cooldown_seconds", "10"),
    ("exits.max_hold_seconds", "60"),
)  # fmt: skip
CHOICES: dict[str, str] = {
    "exits.take_profit_bps": "0 300 2000", "exits.stop_loss_bps": "0 200 2000", "exits.trailing_stop_bps": "0 100 500",
    "exits.trailing_after_bps": "0 200", "exits.liquidity_flight_bps": "0 300", "exits.rug_bps": "0 1 500",
    "exits.slippage_bps": "0 10 1000", "exits.retry_seconds": "0 1 5", "exits.slippage_step_bps": "0 50",
    "risk.slippage_bps": "0 20 300", "risk.max_position_sol": "0.05 0.3 10",
    "risk.base_position_fraction": "0.01 0.333", "risk.max_impact_bps": "20 60 500", "risk.max_cost_bps": "150 300",
    "risk.max_round_trip_loss_bps": "230 250 600", "risk.max_pool_share_bps": "50 1000",
    "risk.max_open_positions": "1 20", "risk.max_trades_per_minute": "1 10", "risk.max_losses_in_a_row": "1 100",
    "risk.losses_pause_seconds": "10 300", "risk.breaker_failures": "100 1000",
    "risk.max_daily_loss_fraction": "0.001 0.5", "risk.max_drawdown_fraction": "0.002 0.5",
    "risk.max_exposure_fraction": "0.05 0.8", "risk.max_token_sol": "0.2 2", "risk.min_liquidity_sol": "1 80",
}  # fmt: skip


def told_settings(**sections: Any) -> Settings:
    return Settings.model_validate(sections)


class HandedOver(AssertionError):
    """The kernel gave a trial to the engine."""


class Nobody:
    """An engine that must not be asked."""

    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        raise HandedOver(f"trial {number} was handed over")


@cache
def columns(seed: int) -> Columns:
    return columns_of(history(seed))


def spec(of: HeldHistory, settings: Settings, **changes: Any) -> BacktestSpec:
    return msgspec.structs.replace(spec_of(of, settings), strategy=StrategyRef("momentum"), **changes)


def both(settings: Settings, params: Params, split: Split, market: int = 7, **changes: Any) -> TrialResult:
    """The kernel's result, once the engine has said the same."""
    of = history(market)
    used = spec(of, settings, **changes)
    engine = EngineFactory(used, settings, MomentumCaster(), history=of).open()
    found = KernelRunner(used, settings, columns(market), of.slots, Nobody()).run(1, params, split)
    assert found.path == "kernel"
    assert msgspec.structs.replace(found, path="engine") == engine.run(1, params, split)
    return found


@pytest.mark.parametrize("impact", ["counterfactual", "naive"])
@pytest.mark.parametrize("landing", ["first", "last"])
def test_a_lively_trial_has_the_figures_of_the_engine(impact: str, landing: str) -> None:
    found = both(Settings(), LIVELY, Split(window(history(7))), impact=impact, landing=landing)
    assert found.fills > 10
    assert found.failed > 0


def random_trial(seed: int) -> TrialResult:
    """A trial with settings drawn by ``seed``, once kernel and engine have the same figures."""
    dice = random.Random(seed)
    paper = {
        "failed_bps": dice.choice([None, 0, 3_000]), "priority": dice.choice([None, "fixed", "observed"]),
        "latency_slots": dice.choice([0, 1, 10]), "start_sol": dice.choice(["1", "50"]), "tip_lamports": 1_000,
    }  # fmt: skip
    chosen = tuple((key, dice.choice(values.split())) for key, values in CHOICES.items() if dice.random() < 0.5)
    market = 7 if seed % 2 else 2
    whole = window(history(market))
    middle = whole.since_ns + whole.length_ns // 3
    warm_ns = dice.choice([0, whole.length_ns // 5])
    split = dice.choice([Split(whole), Split(Window(middle, middle + whole.length_ns // 2), warm_ns, "test")])
    impact = dice.choice(["naive", "counterfactual"])
    params = tuple({**dict(LIVELY), "risk.breaker_failures": "100", **dict(chosen)}.items())
    return both(told_settings(paper=paper), params, split, market, impact=impact, seed=seed)


@pytest.mark.parametrize("seed", range(24))
def test_random_settings_have_the_figures_of_the_engine(seed: int) -> None:
    assert random_trial(seed).path == "kernel"


@pytest.mark.parametrize(
    "changes",
    [
        {"risk.cooldown_seconds": "0", "risk.max_open_positions": "1"},
        {
            "exits.max_hold_seconds": "0", "exits.take_profit_bps": "0", "exits.stop_loss_bps": "0",
            "exits.trailing_stop_bps": "0", "exits.rug_bps": "0", "exits.liquidity_flight_bps": "0",
        },
        {"risk.slippage_bps": "0", "exits.slippage_bps": "0", "exits.max_slippage_bps": "0"},
        {"exits.slippage_bps": "10000", "exits.max_slippage_bps": "10000", "exits.stop_loss_bps": "9999"},
        {"strategy.window_seconds": "1", "strategy.min_buyers": "0"},
        {"strategy.window_seconds": "100000"},
        {"exits.trailing_stop_bps": "1", "exits.retry_seconds": "0", "risk.max_drawdown_fraction": "0.0001"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("failed_bps", [0, 10_000])
def test_settings_at_their_bounds_have_the_figures_of_the_engine(failed_bps: int, changes: dict[str, str]) -> None:
    paper = {"latency_slots": 0, "failed_bps": failed_bps, "tip_lamports": 0, "compute_unit_price_micro_lamports": 0}
    params = tuple({**dict(LIVELY), "risk.breaker_failures": "1000", **changes}.items())
    found = both(told_settings(paper=paper), params, Split(window(history(7))))
    assert (found.fills if failed_bps == 0 else found.failed) > 0


def test_the_same_job_gives_the_same_whatever_ran_before() -> None:
    of, settings = history(7), Settings()
    runner = KernelRunner(spec(of, settings), settings, columns(7), of.slots, Nobody())
    split = Split(window(of))
    first = runner.run(0, LIVELY, split)
    runner.run(1, (*LIVELY, ("strategy.window_seconds", "60")), split)
    assert pickle.dumps(runner.run(0, LIVELY, split)) == pickle.dumps(first)


def test_what_only_the_engine_can_play_is_handed_over_and_counted() -> None:
    of, settings = history(7), Settings()
    engine = EngineFactory(spec(of, settings), settings, MomentumCaster(), history=of)
    runner = KernelFactory(engine, of.slots, columns(7)).open()
    assert isinstance(runner, KernelRunner)
    split = Split(window(of))
    graded = runner.run(0, LIVELY[1:], split)
    assert (graded.path, graded.handed_over) == ("engine", "a size that follows the score: set full_size=True")
    broken = runner.run(1, (*LIVELY, ("risk.breaker_failures", "1")), split)
    assert (broken.path, broken.handed_over) == ("engine", "the circuit breaker")
    assert runner.run(2, LIVELY, split).path == "kernel"
    assert runner.handed_over == {graded.handed_over: 1, broken.handed_over: 1}


def test_columns_on_disk_play_the_same(tmp_path: Path) -> None:
    of, settings = history(7), Settings()
    columns(7).save(tmp_path)
    engine = EngineFactory(spec(of, settings), settings, MomentumCaster(), history=of)
    split = Split(window(of))
    found = KernelFactory(engine, of.slots, folder=tmp_path).open().run(0, LIVELY, split)
    assert found == KernelFactory(engine, of.slots, columns(7)).open().run(0, LIVELY, split)


def test_what_is_not_supported_is_named_before_a_sweep() -> None:
    full = {"full_size": "True"}
    assert unsupported(Settings(), "momentum", full) == ()
    assert unsupported(Settings(), "plan-loop") == ("the strategy plan-loop: the kernel plays momentum",)
    assert unsupported(Settings(), "momentum", {"speed": "1"}) == ("momentum has no speed",)
    assert unsupported(Settings(), "momentum", full, landing="drawn") == ("the landing drawn",)
    odd = told_settings(
        signals={"min_score": 80}, risk={"require_screen": True}, run={"mode": "approve"},
        exits={"take_profit_ladder": [{"gain_bps": 100, "sell_bps": 100}]},
    )  # fmt: skip
    assert unsupported(odd, "momentum", full | {"turn_bps": "0"}) == (
        "a window, burst or turn of 0", "signals.min_score above 75", "exits.take_profit_ladder",
        "risk.require_screen", "run.mode approve",
    )  # fmt: skip
    with pytest.raises(ConfigError, match="momentum's burst_bps is 'much'"):
        unsupported(Settings(), "momentum", full | {"burst_bps": "much"})
