from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from pumpswap.app import tuning
from pumpswap.app.backtest import BacktestOrder
from pumpswap.app.tuning import Tuned, TuneOrder, tune
from pumpswap.app.tuning_store import listed_sweeps, outcome_json, stored_sweep
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import BadInput, ConfigError, Conflict, NotFound, UsageError
from pumpswap.research.tuning.sweep import run_search
from pumpswap.settings import Settings, TuneSettings
from pumpswap.storage.backtests import StoredTrial
from pumpswap.storage.database import open_database

SPACE = "strategy.window_seconds=20|40, strategy.burst_bps=100|200"
CLOCK = ManualClock(1_800_000_000 * NS_PER_SECOND)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, tune=TuneSettings(jobs=1, chunk=2))


def order(**changes: object) -> TuneOrder:
    backtest = BacktestOrder("simulated:7", "momentum", (("min_buyers", "2"),), minutes=9, name="a try")
    return replace(TuneOrder(backtest, SPACE, objective="net", null_draws=3, network_draws=2), **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Made:
    """A search that several tests look at: making one takes half a second."""

    settings: Settings
    done: Tuned
    heard: list[tuple[str, int, int | None]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    settings = Settings(data_dir=tmp_path_factory.mktemp("made"), tune=TuneSettings(jobs=1, chunk=2))
    heard: list[tuple[str, int, int | None]] = []
    done = tune(order(), settings, clock=CLOCK, tell=lambda what, count, of: heard.append((what, count, of)))
    return Made(settings, done, heard)


def test_a_search_is_stored_and_told(made: Made) -> None:
    settings, done, heard = made.settings, made.done, made.heard
    outcome = done.outcome
    assert (outcome.trials, len(outcome.folds), done.computed_by, done.resumed) == (4, 1, "1 process", 0)
    assert outcome.evidence.verdict == "no evidence"
    assert any("below 30" in reason for reason in outcome.evidence.reasons)
    assert outcome.equity[-1] == outcome.test_lamports
    assert [(one.key, one.value, one.trials) for one in outcome.values][:2] == [
        ("strategy.window_seconds", "20", 2), ("strategy.window_seconds", "40", 2),
    ]  # fmt: skip
    assert ("searching", 4, 4) in heard
    row = stored_sweep(settings, done.sweep_id)
    assert row.summary == outcome_json(outcome)
    assert (row.name, row.method) == ("a try", "grid")
    (listed,) = listed_sweeps(settings, 5)
    assert listed[1] == 4 + len([one for one in outcome.folds if one.params]) * (1 + 5 * (outcome.folds[0].rounds > 0))


def test_the_same_search_gives_the_same_bytes_from_two_processes(made: Made, settings: Settings) -> None:
    alone = made.done
    several = tune(order(jobs=2, uses_engine=True), settings, clock=CLOCK)
    assert several.computed_by == "2 processes"
    assert msgspec.json.encode(outcome_json(alone.outcome)) == msgspec.json.encode(outcome_json(several.outcome))
    places = (made.settings, alone), (settings, several)
    one, two = (_trials(place, done) for place, done in places)
    assert one == two


def _trials(settings: Settings, done: Tuned) -> list[StoredTrial]:
    with open_database(settings.backtests_file) as database:
        return database.backtests.trials(done.sweep_id)


def test_an_interrupted_search_is_kept_and_goes_on(
    made: Made, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = _StopAfter(2)
    monkeypatch.setattr(tuning, "run_search", stop(run_search))
    with pytest.raises(KeyboardInterrupt):
        tune(order(), settings, clock=CLOCK)
    monkeypatch.undo()
    begun = listed_sweeps(settings, 1)[0]
    assert 0 < begun[1] < 4
    with pytest.raises(NotFound, match="was interrupted after"):
        stored_sweep(settings, begun[0].sweep_id)
    went_on = tune(order(resume=begun[0].sweep_id), settings, clock=CLOCK)
    assert went_on.resumed == begun[1]
    assert outcome_json(went_on.outcome) == outcome_json(made.done.outcome)


class _StopAfter:
    """Ctrl-C when so many trials are done."""

    def __init__(self, trials: int) -> None:
        self._trials = trials

    def __call__(self, run):  # type: ignore[no-untyped-def]
        def stopped(plan, settings, workers, store, tell):  # type: ignore[no-untyped-def]
            def told(what: str, done: int, of: int | None) -> None:
                if done >= self._trials:
                    raise KeyboardInterrupt
                tell(what, done, of)

            return run(plan, settings, workers, store, told)

        return stopped


def test_only_the_same_search_goes_on(made: Made) -> None:
    settings, resume = made.settings, made.done.sweep_id
    with pytest.raises(Conflict, match=r"it differs in objective"):
        tune(order(objective="sharpe", resume=resume), settings, clock=CLOCK)
    other = settings.model_copy(update={"risk": settings.risk.model_copy(update={"max_open_positions": 3})})
    with pytest.raises(Conflict, match=r"it differs in settings"):
        tune(order(resume=resume), other, clock=CLOCK)
    with pytest.raises(NotFound, match="no search 99"):
        tune(order(resume=99), settings, clock=CLOCK)


def test_a_space_may_stand_in_a_file(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "space.txt"
    path.write_text("# two windows\nstrategy.window_seconds=20|40\n")
    assert tune(order(space=str(path), null_draws=0, network_draws=0), settings, clock=CLOCK).outcome.trials == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"space": "strategy.windows=1|2"}, "cannot be made"),
        ({"space": "strategy.window_seconds=30|40|50|60|70|abc"}, "strategy.window_seconds=abc: .* is no int"),
        ({"space": "strategy.window_seconds=0.5..9.5/3"}, "strategy.window_seconds=0.5.*: .* is no int"),
        ({"space": "paper.failed_bps=0|1"}, "cannot be searched"),
        ({"walk_forward": "1h:1h"}, "too short"),
        ({"walk_forward": "3m:3m", "kfold": 3}, "two ways"),
        ({"is_anchored": True}, "only a walk forward"),
        ({"method": "random"}, "needs a number of trials"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_stored(
    settings: Settings, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        tune(order(**changes), settings, clock=CLOCK)
    assert listed_sweeps(settings, 5) == []


def test_a_value_that_a_strategy_of_ones_own_refuses_is_told_before_anything_is_stored(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from pumpswap.engine.strategy import Strategy\n\n\nclass Mine(Strategy):\n    name = 'mine'\n\n"
        "    def __init__(self, seconds):\n        if seconds == 70:\n            raise ValueError('too long')\n"
    )
    backtest = replace(order().backtest, strategy=f"{path}:Mine", params=())
    asked = order(backtest=backtest, space="strategy.seconds=30|40|50|60|70")
    with pytest.raises(UsageError, match=r"strategy\.seconds=70: .*ValueError: too long"):
        tune(asked, settings, clock=CLOCK)
    assert listed_sweeps(settings, 5) == []


def test_without_numpy_no_search_begins(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ConfigError, match="numpy is not installed") as told:
        tune(order(uses_engine=True), settings, clock=CLOCK)
    assert told.value.hint == "pip install 'pumpswap[research]'"
    assert listed_sweeps(settings, 5) == []


def test_a_history_without_a_step_is_told(settings: Settings) -> None:
    empty = replace(order(), backtest=replace(order().backtest, since_ns=1, until_ns=2))
    with pytest.raises(BadInput, match="holds nothing to play"):
        tune(empty, settings, clock=CLOCK)
    assert listed_sweeps(settings, 5) == []


def test_bad_values_are_told_with_their_key(settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"exits\.stop_loss_bps=20000"):
        tune(order(space="exits.stop_loss_bps=100|20000"), settings, clock=CLOCK)


def test_walk_forward_and_folds_are_as_asked(settings: Settings) -> None:
    space = "strategy.window_seconds=20|40"
    walked = tune(
        order(space=space, walk_forward="3m:2m", embargo_seconds=0, null_draws=0, network_draws=0),
        settings,
        clock=CLOCK,
    )
    assert [(one.until_ns - one.since_ns) // NS_PER_SECOND for one in walked.outcome.folds] == [120, 120, 120]
    folded = tune(order(space=space, kfold=3, null_draws=0, network_draws=0), settings, clock=CLOCK)
    assert len(folded.outcome.folds) == 3
    assert folded.outcome.folds[0].since_ns < folded.outcome.folds[1].since_ns == folded.outcome.folds[0].until_ns
