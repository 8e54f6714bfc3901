from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ConfigError, NotRunning, UsageError
from pumpswap.research.tuning.pool import InProcess, Processes
from pumpswap.research.tuning.search import Method
from pumpswap.research.tuning.space import parse_space
from pumpswap.research.tuning.splits import hold_out, walk_forward
from pumpswap.research.tuning.sweep import Searched, SweepPlan, run_search, try_choices
from pumpswap.research.tuning.trials import Chunk, Job, Params, Round, Split, TrialResult, Window, Workers, chunks_of
from pumpswap.settings import Settings
from tests.research.tuning.played import MemoryStore

WHOLE = Window(0, 1_000 * NS_PER_SECOND)
SPACE = "exits.stop_loss_bps=0..9000/10"


def quiet(_what: str, _done: int, _of: int | None) -> None:
    return None


class HillRunner:
    """An invented world: rounds gain most at a stop loss of 3000 in the first half of time, of 6000 in the second."""

    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        value = int(params[0][1])
        rounds = []
        for place in range(100):
            at_ns = place * 10 * NS_PER_SECOND
            if split.window.holds(at_ns) and at_ns + NS_PER_SECOND <= split.window.until_ns:
                top = 3_000 if place < 50 else 6_000
                rounds.append(Round("p", at_ns, at_ns + NS_PER_SECOND, 1_000, 5_000 - abs(value - top)))
        equity = [10**9]
        for one in rounds:
            equity.append(equity[-1] + one.net_lamports)
        net = equity[-1] - equity[0]
        return TrialResult(number, params, split, 10**9, net, 0, 0, 0, 10, tuple(equity), tuple(rounds))


class HillFactory:
    def open(self) -> HillRunner:
        return HillRunner()


class Interrupted:
    """Workers that are stopped after so many chunks."""

    told = "interrupted"

    def __init__(self, chunks: int) -> None:
        self._left, self._inner = chunks, InProcess(HillFactory())

    def map(self, chunks: Iterable[Chunk]) -> Iterator[tuple[TrialResult, ...]]:
        for one in self._inner.map(chunks):
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
            yield one

    def close(self) -> None:
        return None


def plan_of(method: Method, trials: int = 0, **changes: object) -> SweepPlan:
    folds = walk_forward(WHOLE, 500 * NS_PER_SECOND, 250 * NS_PER_SECOND)
    plan = SweepPlan(parse_space(SPACE), method, trials, 3, "net", WHOLE, folds, 0)
    return msgspec.structs.replace(plan, **changes)


def run(plan: SweepPlan, workers: Workers | None = None, store: MemoryStore | None = None) -> Searched:
    return run_search(plan, Settings(), workers or InProcess(HillFactory()), store or MemoryStore(), quiet)


def test_each_fold_chooses_by_its_own_training_only() -> None:
    plan = plan_of("grid")
    searched = run(plan)
    assert len(searched.tried) == 10
    chosen = [(choice.fold and choice.fold.number, choice.params[0][1]) for choice in searched.choices]
    assert chosen == [(0, "3000"), (1, "3000"), (None, "3000")]  # of equals the first
    assert searched.best is not None
    assert searched.best.params == searched.choices[-1].params
    tested = try_choices(plan, searched, InProcess(HillFactory()), MemoryStore(), quiet)
    assert [one.split.window for one in tested] == [fold.test for fold in plan.folds]
    assert [one.net_lamports for one in tested] == [
        25 * 2_000,
        25 * 2_000,
    ]  # the hill had moved: out of sample shows it


@pytest.mark.parametrize("method", ["random", "optuna"])
def test_searches_repeat_and_climb(method: Method) -> None:
    if method == "optuna":
        pytest.importorskip("optuna")
    plan = plan_of(method, 40, space=parse_space("exits.stop_loss_bps=0..9000"))
    searched = run(plan)
    assert searched == run(plan)
    first = searched.choices[0]
    assert abs(int(first.params[0][1]) - 3_000) < 400


def test_a_search_that_learns_hears_nothing_of_what_comes_after_its_training() -> None:
    pytest.importorskip("optuna")
    plan = plan_of("optuna", 16)
    searched = run(plan)
    assert len(searched.tried) == 3 * 16
    windows = [fold.train[0].until_ns for fold in plan.folds]
    store = MemoryStore()
    run(plan, store=store)
    for number, result in store.kept.items():
        assert result.split.window.until_ns == (*windows, WHOLE.until_ns)[number // 16]
    assert [one.is_whole for one in searched.tried] == [False] * 32 + [True] * 16


def test_an_interrupted_search_goes_on_where_it_was() -> None:
    plan, store = plan_of("grid", chunk=3, space=parse_space("exits.stop_loss_bps=0..9000/40")), MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        run(plan, Interrupted(4), store)
    assert len(store.kept) == 4 * 2  # forty sets in sixteen pieces: two to a chunk
    assert run(plan, store=store) == run(plan)
    assert len(store.kept) == 40


def test_kept_trials_of_another_plan_are_not_taken_for_ours() -> None:
    store = MemoryStore()
    run(plan_of("grid"), store=store)
    with pytest.raises(UsageError, match="other params"):
        run(plan_of("grid", space=parse_space("exits.stop_loss_bps=1..9000/10")), store=store)


def test_combinations_that_settings_refuse_are_counted() -> None:
    space = parse_space("exits.stop_loss_bps=3000|4000, risk.slippage_bps=400|600")
    searched = run(plan_of("grid", space=space))
    assert (len(searched.tried), searched.refused) == (2, 2)
    assert "above max_slippage_bps" in searched.refused_why
    with pytest.raises(ConfigError, match="none of 1 sets"):
        run(plan_of("grid", space=parse_space("risk.slippage_bps=600")))


def test_too_few_rounds_choose_nothing() -> None:
    plan = plan_of("grid", folds=hold_out(Window(0, 50 * NS_PER_SECOND)), whole=Window(0, 50 * NS_PER_SECOND))
    searched = run(plan)
    assert [choice.fold for choice in searched.choices] == [None]
    assert try_choices(plan, searched, InProcess(HillFactory()), MemoryStore(), quiet) == []


class EndlessRunner:
    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        import threading

        threading.Event().wait()
        raise AssertionError


class EndlessFactory:
    def open(self) -> EndlessRunner:
        return EndlessRunner()


def test_an_interruption_does_not_wait_for_what_nobody_will_hear() -> None:
    workers = Processes(EndlessFactory(), 1)
    chunks = chunks_of([Job(0, (("exits.stop_loss_bps", "1"),), Split(WHOLE))], 1)

    def interrupted() -> Iterator[Chunk]:
        yield from chunks
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(workers.map(interrupted()))
    workers.close()  # the test would never end


class KilledFactory:
    def open(self) -> HillRunner:
        import os

        os._exit(3)


def test_a_process_that_dies_is_told() -> None:
    workers = Processes(KilledFactory(), 1)
    jobs = [Job(0, (("exits.stop_loss_bps", "1"),), Split(WHOLE))]
    with pytest.raises(NotRunning, match="ended by itself"):
        list(workers.map(chunks_of(jobs, 1)))
    workers.close()
