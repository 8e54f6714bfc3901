"""A sweep: many sets over one history, the best of each training time on the test time that follows it, and how much
of that is luck. The same plan gives the same outcome for any number of workers, and when it was interrupted.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

import msgspec

from pumpswap.errors import ConfigError, UsageError
from pumpswap.research.tuning.objective import Objective, net_of, returns_of, score
from pumpswap.research.tuning.search import Method, search_of
from pumpswap.research.tuning.space import Space, settings_with
from pumpswap.research.tuning.splits import Fold
from pumpswap.research.tuning.trials import Job, Params, Split, TrialResult, Window, Workers, chunks_of
from pumpswap.settings import Settings

__all__ = [
    "FIRST_TEST",
    "Choice",
    "Searched",
    "SweepPlan",
    "Tell",
    "TrialStore",
    "Tried",
    "results_of",
    "run_search",
    "try_choices",
]

Tell = Callable[[str, int, int | None], None]
_PIECES = 16  # a search is cut into at least so many chunks, so that there is something to share

FIRST_TEST = 1_000_000_000  # trials of the search are numbered from 0, those on test windows from here

SEARCHING, TESTING = "searching", "out of sample"


class SweepPlan(msgspec.Struct, frozen=True):
    """Everything that decides a sweep, beside the runner. ``warm_ns``: history that test windows replay before they
    begin, without entries.
    """

    space: Space
    method: Method
    trials: int
    seed: int
    objective: Objective
    whole: Window
    folds: tuple[Fold, ...]
    warm_ns: int
    chunk: int = 64


class Tried(msgspec.Struct, frozen=True):
    """What is kept of a trial: its figures, the returns of its periods, its score in each study (None: none).

    Studies are the folds in their order, then the whole history. ``is_whole``: it ran over all of it; the searches of
    single folds that learn from results do not.
    """

    number: int
    params: Params
    net_lamports: int
    fills: int
    rounds: int
    max_drawdown_lamports: int
    returns: array[float]
    scores: tuple[float | None, ...]
    path: str
    handed_over: str
    is_whole: bool


class Choice(msgspec.Struct, frozen=True):
    """The best set of one study; ``fold`` None: of the whole history, the one to go on with. ``train_lamports`` is what
    it gained in its training.
    """

    fold: Fold | None
    number: int
    params: Params
    score: float
    train_lamports: int


class Searched(msgspec.Struct, frozen=True):
    """``choices`` lacks a fold in whose training no set traded enough. ``best`` is the result of the whole history's
    choice. ``refused``: combinations that the settings do not take, with the reason of the first.
    """

    tried: tuple[Tried, ...]
    choices: tuple[Choice, ...]
    best: TrialResult | None
    refused: int
    refused_why: str


class TrialStore(Protocol):
    """Keeps results while a sweep runs, so that it can go on after an interruption."""

    def found(self, numbers: Sequence[int]) -> Mapping[int, TrialResult]:
        """Those of these trials that were kept earlier."""
        ...

    def keep(self, results: Sequence[TrialResult]) -> None:
        """A chunk is done."""
        ...


def run_search(plan: SweepPlan, settings: Settings, workers: Workers, store: TrialStore, tell: Tell) -> Searched:
    """All trials of the search and the best of each study. Raises ConfigError where the settings take no set at all.

    Sets that were not chosen from results (grid, random) run once over the whole history, and each fold looks at what
    of it lies in its training: a run up to a moment never knows what came later. Optuna chooses by results, so each
    fold has a search of its own, which hears of nothing but its training.
    """
    driver = _Driver(plan, settings, workers, store, tell)
    first = search_of(plan.method, plan.space, plan.trials, plan.seed)
    studies: list[Fold | None] = [*plan.folds, None]
    if not first.adapts:
        driver.search(studies, plan.seed, plan.whole)
    else:
        for place, fold in enumerate(studies):
            driver.search([fold], plan.seed + place, _needed(plan.whole, fold))
    if not driver.tried:
        raise ConfigError(
            f"the settings take none of {driver.refused} sets: {driver.refused_why}", hint="narrow the space"
        )
    return driver.searched()


def try_choices(
    plan: SweepPlan, searched: Searched, workers: Workers, store: TrialStore, tell: Tell
) -> list[TrialResult]:
    """Every fold's choice on its test window, which begins with cash alone; a fold without a choice trades nothing and
    is left out.
    """
    jobs = []
    for choice in searched.choices:
        if choice.fold is not None:
            warm = min(plan.warm_ns, choice.fold.test.since_ns - plan.whole.since_ns)
            split = Split(choice.fold.test, warm, "test")
            jobs.append(Job(FIRST_TEST + choice.fold.number, choice.params, split))
    done = results_of(jobs, 1, workers, store, lambda count: tell(TESTING, count, len(jobs)))
    return list(done)


class _Driver:
    """Runs searches one after the other and keeps what is needed of their trials."""

    def __init__(self, plan: SweepPlan, settings: Settings, workers: Workers, store: TrialStore, tell: Tell) -> None:
        self._plan, self._settings, self._workers, self._store, self._tell = plan, settings, workers, store, tell
        self.tried: list[Tried] = []
        self.refused, self.refused_why = 0, ""
        self._choices: dict[int, Choice] = {}  # by place of the study
        self._best: TrialResult | None = None
        self._next = 0

    def search(self, studies: Sequence[Fold | None], seed: int, window: Window) -> None:
        """One search, whose trials are looked at by all of ``studies``."""
        plan = self._plan
        search = search_of(plan.method, plan.space, plan.trials, seed)
        places = [len(plan.folds) if fold is None else fold.number for fold in studies]
        total = plan.trials * (len(plan.folds) + 1) if search.adapts else None
        while batch := search.ask():
            taken = [params for params in batch if self._is_taken(params)]
            jobs = [Job(self._next + place, params, Split(window)) for place, params in enumerate(taken)]
            self._next += len(jobs)
            size = max(1, min(plan.chunk, len(jobs) // _PIECES))
            scores: dict[Params, float | None] = dict.fromkeys(batch)
            tell = partial(self._told, len(self.tried), total or len(jobs))
            for result in results_of(jobs, size, self._workers, self._store, tell):
                scores[result.params] = self._heard(result, studies, places)
            search.tell([scores[params] for params in batch])

    def searched(self) -> Searched:
        """What was found."""
        choices = tuple(self._choices[place] for place in sorted(self._choices))
        return Searched(tuple(self.tried), choices, self._best, self.refused, self.refused_why)

    def _told(self, before: int, of: int, done: int) -> None:
        self._tell(SEARCHING, before + done, of)

    def _is_taken(self, params: Params) -> bool:
        try:
            settings_with(self._settings, params)
        except ConfigError as error:
            self.refused += 1
            self.refused_why = self.refused_why or error.what
            return False
        return True

    def _heard(self, result: TrialResult, studies: Sequence[Fold | None], places: Sequence[int]) -> float | None:
        """Keep a result; its score in the first study, for a search that learns."""
        scores: list[float | None] = [None] * (len(self._plan.folds) + 1)
        for fold, place in zip(studies, places, strict=True):
            found = scores[place] = score(result, fold, self._plan.objective)
            chosen = self._choices.get(place)
            if found is None:
                continue
            net = net_of(result, fold)
            # Of equals the one that gained more, then the first: trials come in the order of the space, not in that of
            # the workers.
            if chosen is None or (found, net) > (chosen.score, chosen.train_lamports):
                self._choices[place] = Choice(fold, result.number, result.params, found, net)
                if fold is None:
                    self._best = result
        self.tried.append(
            Tried(
                number=result.number,
                params=result.params,
                net_lamports=result.net_lamports,
                fills=result.fills,
                rounds=sum(one.kind != "failed" for one in result.rounds),
                max_drawdown_lamports=result.max_drawdown_lamports,
                returns=array("d", returns_of(result)),
                scores=tuple(scores),
                path=result.path,
                handed_over=result.handed_over,
                is_whole=result.split.window == self._plan.whole,
            )
        )
        return scores[places[0]]


def results_of(
    jobs: Sequence[Job], size: int, workers: Workers, store: TrialStore, tell: Callable[[int], None]
) -> Iterable[TrialResult]:
    """The results of all jobs in their order: what was kept is not computed again."""
    kept = store.found([job.number for job in jobs])
    for job in jobs:
        if job.number in kept and (kept[job.number].params, kept[job.number].split) != (job.params, job.split):
            raise UsageError(f"trial {job.number} was kept with other params", hint="begin anew, without --resume")
    missing = chunks_of([job for job in jobs if job.number not in kept], size)
    fresh = workers.map(missing)
    ready: dict[int, TrialResult] = {}
    done = 0
    tell(done)
    for job in jobs:
        if job.number in kept:
            result = kept[job.number]
        else:
            if job.number not in ready:
                computed = next(fresh)
                store.keep(computed)
                ready = {one.number: one for one in computed}
            result = ready[job.number]
        done += 1
        tell(done)
        yield result


def _needed(whole: Window, fold: Fold | None) -> Window:
    """As much of the history as a fold's training needs: nothing after its end."""
    if fold is None:
        return whole
    return Window(whole.since_ns, max(window.until_ns for window in fold.train))
