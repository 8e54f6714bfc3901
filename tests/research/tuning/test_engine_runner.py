from __future__ import annotations

import pickle

import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ConfigError, UsageError
from pumpswap.model import EquityPoint
from pumpswap.research.tuning.engine_runner import EngineFactory, EngineRunner, equity_at
from pumpswap.research.tuning.trials import Params, Split, Window
from pumpswap.settings import Settings
from tests.research.tuning.played import PERIOD_SECONDS, factory, history, window

LIVELY: Params = (
    ("strategy.window_seconds", "30"), ("strategy.burst_bps", "100"), ("strategy.min_buyers", "2"),
    ("exits.max_hold_seconds", "120"),
)  # fmt: skip


@pytest.fixture(scope="module")
def runner() -> EngineRunner:
    return factory().open()


def test_rounds_explain_the_gain_to_the_lamport(runner: EngineRunner) -> None:
    result = runner.run(3, LIVELY, Split(window(history())))
    assert result.number == 3
    assert result.fills > 5
    assert sum(one.net_lamports for one in result.rounds) == result.net_lamports != 0
    assert result.equity[0] == result.start_lamports
    assert result.equity[-1] - result.equity[0] == result.net_lamports
    assert len(result.equity) == 1 + -(-window(history()).length_ns // (PERIOD_SECONDS * NS_PER_SECOND))


def test_the_same_job_gives_the_same_bytes_whatever_ran_before(runner: EngineRunner) -> None:
    split = Split(window(history()))
    first = runner.run(0, LIVELY, split)
    runner.run(1, (("strategy.burst_bps", "50"),), split)
    assert pickle.dumps(runner.run(0, LIVELY, split)) == pickle.dumps(first)
    assert pickle.dumps(factory().open().run(0, LIVELY, split)) == pickle.dumps(first)


def test_params_reach_settings_and_strategy(runner: EngineRunner) -> None:
    split = Split(window(history()))
    lively = runner.run(0, LIVELY, split)
    calm = runner.run(0, (*LIVELY, ("risk.max_trades_per_hour", "2")), split)
    deaf = runner.run(0, (("strategy.min_buyers", "1000"),), split)
    assert deaf.fills == 0 == deaf.net_lamports
    assert 0 < calm.fills < lively.fills


def test_a_test_window_starts_flat_and_knows_what_came_before(runner: EngineRunner) -> None:
    whole = window(history())
    middle = whole.since_ns + whole.length_ns // 2
    test = Window(middle, whole.until_ns)
    warm = runner.run(0, LIVELY, Split(test, whole.length_ns // 2, "test"))
    cold = runner.run(0, LIVELY, Split(test, 0, "test"))
    assert all(one.opened_ns >= middle for one in (*warm.rounds, *cold.rounds))
    assert warm.equity[0] == cold.equity[0] == warm.start_lamports
    assert warm.rounds
    assert warm != cold


def test_a_window_ends_with_values_not_with_sales(runner: EngineRunner) -> None:
    whole = window(history())
    until = whole.since_ns + whole.length_ns // 3
    short = runner.run(0, LIVELY, Split(Window(whole.since_ns, until)))
    full = runner.run(0, LIVELY, Split(whole))
    closed = [one for one in short.rounds if one.kind == "closed"]
    assert closed
    # A run up to a moment is the beginning of the run that goes on.
    assert closed == [one for one in full.rounds if one.kind == "closed"][: len(closed)]
    assert all(one.closed_ns == until for one in short.rounds if one.kind == "open")


def test_refused_params_and_broken_strategies_are_told(runner: EngineRunner) -> None:
    split = Split(window(history()))
    with pytest.raises(ConfigError, match="above max_slippage_bps"):
        runner.run(0, (("risk.slippage_bps", "501"),), split)
    with pytest.raises(UsageError, match=r"failed in trial 4 .*strategy\.burst_bps=0"):
        runner.run(4, (("strategy.burst_bps", "0"), ("strategy.min_buyers", "0")), split)


def test_a_factory_needs_a_history() -> None:
    with pytest.raises(UsageError, match="no history"):
        EngineFactory(factory().spec, Settings(), factory().caster).open()


def test_equity_is_what_was_measured_last() -> None:
    points = [EquityPoint(at * NS_PER_SECOND, 100 + at, 0, 0) for at in (0, 3, 4, 9, 12)]
    assert equity_at(points, Window(0, 10 * NS_PER_SECOND), 4) == (100, 104, 104, 112)
    assert equity_at(points, Window(5 * NS_PER_SECOND, 9 * NS_PER_SECOND), 4) == (104, 112)
