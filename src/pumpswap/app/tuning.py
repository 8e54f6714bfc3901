"""Searches for settings: a history, a strategy and a space become choices, out-of-sample results and a verdict."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from pumpswap.app.backtest import BacktestOrder, Tell, open_history, spec_of
from pumpswap.app.backtest_scoring import cast_of, choose_strategy
from pumpswap.app.tuning_store import SweepShelf
from pumpswap.clock import NS_PER_SECOND, Clock, SystemClock
from pumpswap.errors import BadInput, ConfigError, UsageError
from pumpswap.research.backtest.runner import Cast
from pumpswap.research.backtest.spec import BacktestSpec
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.research.significance.lookahead import StrategyInputs
from pumpswap.research.significance.monte_carlo import require_numpy
from pumpswap.research.tuning.build import search_sha256
from pumpswap.research.tuning.engine_runner import EngineFactory
from pumpswap.research.tuning.history import MOST_HELD, HeldHistory, held
from pumpswap.research.tuning.null_trials import network_jobs, null_jobs, run_network, run_null
from pumpswap.research.tuning.objective import Objective
from pumpswap.research.tuning.outcome import SweepOutcome, outcome_of
from pumpswap.research.tuning.pool import InProcess, Processes
from pumpswap.research.tuning.search import Method, search_of
from pumpswap.research.tuning.space import STRATEGY, Space, parse_space, settings_with, strategy_arguments
from pumpswap.research.tuning.splits import (
    Fold,
    hold_out,
    parse_walk_forward,
    purged_kfold,
    walk_forward,
)
from pumpswap.research.tuning.sweep import SweepPlan, run_search, try_choices
from pumpswap.research.tuning.trials import Params, RunnerFactory, Window, Workers
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database

if TYPE_CHECKING:
    from pumpswap.research.kernel.layout import Columns

__all__ = ["TuneOrder", "Tuned", "tune"]

NULL_DRAWS, NETWORK_DRAWS = 100, 10
_TRIES = 100  # sets that are drawn until the settings take one


@dataclass(frozen=True, slots=True)
class TuneOrder:
    """What somebody wants searched. ``backtest`` says on which history and with which strategy; of its impacts the
    first counts. ``walk_forward`` is ``TRAIN:TEST``, ``kfold`` a number of folds; with neither the last 30 per cent of
    the history are the test. ``jobs`` None: those of the settings. ``resume``: the number of a search to go on with.
    """

    backtest: BacktestOrder
    space: str
    method: Method = "grid"
    trials: int = 0
    objective: Objective = "median-window"
    walk_forward: str = ""
    is_anchored: bool = False
    kfold: int = 0
    embargo_seconds: int | None = None
    warm_seconds: int | None = None
    jobs: int | None = None
    ray_address: str = ""
    null_draws: int = NULL_DRAWS
    network_draws: int = NETWORK_DRAWS
    uses_engine: bool = False
    resume: int | None = None


@dataclass(frozen=True, slots=True)
class Tuned:
    """A finished search: its number, what decided it (``spec``), what came out, and who computed it."""

    sweep_id: int
    spec: dict[str, Any]
    outcome: SweepOutcome
    computed_by: str
    why_engine: tuple[str, ...]  # why no trial was computed by the kernel; empty: they were, as far as it can
    resumed: int  # trials that were there already
    database: str


@dataclass(frozen=True, slots=True)
class _History:
    """Opens the history again, in a process of its own."""

    order: BacktestOrder

    def __call__(self) -> Chronicle:
        return open_history(self.order)


@dataclass(frozen=True, slots=True)
class _Cast:
    """Makes the strategy of a trial: its own arguments are those of the order and of the space together."""

    order: BacktestOrder

    def cast_for(self, settings: Settings, params: Params, history: Chronicle) -> Cast:
        """As of ``Caster``."""
        arguments = {**dict(self.order.params), **strategy_arguments(params)}
        chosen = choose_strategy(self.order.strategy, tuple(arguments.items()))
        return cast_of(settings, chosen, StrategyInputs(history, self.order.frame or settings.q50.path))


def tune(order: TuneOrder, settings: Settings, *, clock: Clock | None = None, tell: Tell | None = None) -> Tuned:
    """Search, test, judge and store. An interruption (KeyboardInterrupt) keeps every finished chunk: ``resume``.

    Raises UsageError and ConfigError for a space, a split, settings or libraries that cannot be, before anything runs;
    NotFound for a history or a search to resume that is not there; Conflict for one that was made otherwise.
    """
    wall, say = clock or SystemClock(), tell or (lambda _what, _done, _of: None)
    space = parse_space(_text_of(order.space))
    space.check(settings)
    require_numpy()  # the tests at the end need it
    search_of(order.method, space, order.trials, order.backtest.seed)  # what is wrong with it is told now
    history = open_history(order.backtest)
    if not history.identity.steps:
        raise BadInput(f"{history.location} holds nothing to play", hint="choose other times or pools")
    spec = _spec(order, history, settings)
    _require_strategy(order, space, settings, history)
    plan = _plan(order, space, history, settings)
    with open_database(settings.backtests_file) as database:
        document = _document(order, plan, spec)
        shelf = SweepShelf(database.backtests, wall, document)
        if order.resume is not None:
            shelf.take_up(order.resume)
        factory = EngineFactory(spec, settings, _Cast(order.backtest), open_history=_History(order.backtest))
        why_engine, columns = _why_engine(order, spec, settings), None
        if not why_engine:
            columns, why_engine = _columns(history)
        with _crew(order, settings, factory, history, columns) as workers:
            if order.resume is None:  # only now: without workers there would be a search without a trial
                shelf.begin(order.backtest.name)
            searched = run_search(plan, settings, workers, shelf, say)
            tested = try_choices(plan, searched, workers, shelf, say)
            jobs = null_jobs(tested, order.null_draws, order.backtest.seed)
            null = run_null(tested, jobs, workers, shelf, say)
            luck = run_network(network_jobs(tested, order.network_draws, order.backtest.seed), workers, shelf, say)
        outcome = outcome_of(plan, searched, tested, null, luck)
        shelf.finish(outcome)
    who = workers.told, why_engine
    return Tuned(shelf.sweep_id, document, outcome, *who, shelf.found_before, database.location)


def _text_of(space: str) -> str:
    """The space itself, or what stands in the file of that name."""
    path = Path(space)
    try:
        return path.read_text(encoding="utf-8") if "=" not in space and path.is_file() else space
    except OSError as error:
        raise UsageError(f"{space} cannot be read: {error.strerror}", hint="a file with a setting a line") from None


def _spec(order: TuneOrder, history: Chronicle, settings: Settings) -> BacktestSpec:
    chosen = choose_strategy(order.backtest.strategy, order.backtest.params)
    return spec_of(order.backtest, history, chosen, settings)


def _require_strategy(order: TuneOrder, space: Space, settings: Settings, history: Chronicle) -> None:
    """Make it with each value of its own arguments, and once with all that it needs, beside some set of the space that
    the settings take: what is wrong is told before the search begins.
    """
    chance = Random(order.backtest.seed)
    for _ in range(_TRIES):
        params = space.draw(chance)
        try:
            tried = settings_with(settings, params)
        except ConfigError:
            continue
        _require_arguments(order.backtest, space, params, (tried, history))
        _Cast(order.backtest).cast_for(tried, params, history)
        return


def _require_arguments(order: BacktestOrder, space: Space, params: Params, where: tuple[Settings, Chronicle]) -> None:
    """Every choice, and both bounds of a range, of an argument of the strategy. Raises UsageError that names it."""
    settings, history = where
    inputs = StrategyInputs(history, order.frame or settings.q50.path)
    for key, values in space.values():
        if not key.startswith(f"{STRATEGY}."):
            continue
        for value in values:
            arguments = {**dict(order.params), **strategy_arguments((*params, (key, value)))}
            try:
                choose_strategy(order.strategy, tuple(arguments.items())).make(settings, inputs)
            except UsageError as error:
                raise UsageError(f"{key}={value}: {error.what}", hint="narrow the space") from error


def _plan(order: TuneOrder, space: Space, history: Chronicle, settings: Settings) -> SweepPlan:
    since, until = history.span_ns
    whole = Window(since, until + 1)
    embargo = _embargo_ns(order, settings, whole)
    return SweepPlan(
        space=space,
        method=order.method,
        trials=order.trials,
        seed=order.backtest.seed,
        objective=order.objective,
        whole=whole,
        folds=_folds(order, whole, embargo),
        warm_ns=whole.length_ns if order.warm_seconds is None else order.warm_seconds * NS_PER_SECOND,
        chunk=settings.tune.chunk,
    )


def _folds(order: TuneOrder, whole: Window, embargo_ns: int) -> tuple[Fold, ...]:
    if order.walk_forward and order.kfold:
        raise UsageError("two ways to split", hint="--walk-forward or --kfold")
    if order.is_anchored and not order.walk_forward:
        raise UsageError("only a walk forward is anchored", hint="--walk-forward TRAIN:TEST --anchored")
    if order.walk_forward:
        train_ns, test_ns = parse_walk_forward(order.walk_forward)
        return walk_forward(whole, train_ns, test_ns, anchored=order.is_anchored, embargo_ns=embargo_ns)
    if order.kfold:
        return purged_kfold(whole, order.kfold, embargo_ns)
    return hold_out(whole, embargo_ns=embargo_ns)


def _embargo_ns(order: TuneOrder, settings: Settings, whole: Window) -> int:
    """One per cent of the history unless told otherwise (López de Prado's measure); at most as long as a round."""
    told = settings.tune.embargo_seconds if order.embargo_seconds is None else order.embargo_seconds
    if told is not None:
        return told * NS_PER_SECOND
    longest = settings.exits.max_hold_seconds * NS_PER_SECOND or whole.length_ns
    return min(longest, whole.length_ns // 100)


def _document(order: TuneOrder, plan: SweepPlan, spec: BacktestSpec) -> dict[str, Any]:
    """Everything that decides the search; who computes it does not."""
    return {
        "space": plan.space.text,
        "method": plan.method,
        "trials": plan.trials,
        "seed": plan.seed,
        "objective": plan.objective,
        "folds": msgspec.to_builtins(plan.folds),
        "warm_ns": plan.warm_ns,
        "null_draws": order.null_draws,
        "network_draws": order.network_draws,
        "search_sha256": search_sha256(),
        "strategy_arguments": dict(order.backtest.params),
        "backtest": msgspec.to_builtins(spec),
    }


def _why_engine(order: TuneOrder, spec: BacktestSpec, settings: Settings) -> tuple[str, ...]:
    """Why the kernel cannot play this at all; empty: it can. What single sets need is handed over one by one."""
    from pumpswap.research.kernel.support import require_numba, unsupported

    if order.uses_engine:
        return ("it was asked for",)
    # What is searched is judged trial by trial: it is enough that the kernel plays the last of its values.
    arguments = dict(spec.strategy.params)
    for one in parse_space(_text_of(order.space)).dimensions:
        section, _, name = one.key.partition(".")
        if section == STRATEGY:
            arguments[name] = one.choices[-1] if one.choices else one.text_of(float(one.high))
    found = unsupported(settings, spec.strategy.name, arguments, landing=spec.landing)
    if not found:
        require_numba()
    return found


@contextmanager
def _crew(
    order: TuneOrder, settings: Settings, factory: EngineFactory, history: Chronicle, columns: Columns | None
) -> Iterator[Workers]:
    """Who computes: with columns the kernel. All processes look at the same memory."""
    jobs = settings.tune.jobs if order.jobs is None else order.jobs
    count = jobs or os.cpu_count() or 1
    made: RunnerFactory = factory
    with TemporaryDirectory(prefix="pumpswap-tune-") as folder:
        is_far = bool(order.ray_address)
        if is_far and history.identity.steps <= MOST_HELD:
            from pumpswap.research.tuning.kernel_factory import packed

            made = packed(factory, HeldHistory(history))  # other machines do not have our files
        elif count == 1 and columns is None:
            made = msgspec.structs.replace(factory, history=held(history))
        if columns is not None:
            made = _kernel_factory(made, history, columns, None if is_far else Path(folder))
        workers = _workers(order, made, jobs, count)
        try:
            yield workers
        finally:
            workers.close()


def _columns(history: Chronicle) -> tuple[Columns | None, tuple[str, ...]]:
    """A history as the kernel takes it; or why it cannot."""
    from pumpswap.research.kernel.layout import columns_of

    try:
        return columns_of(history), ()
    except UsageError as error:
        return None, (str(error),)


def _kernel_factory(engine: Any, history: Chronicle, columns: Columns, folder: Path | None) -> RunnerFactory:
    from pumpswap.research.tuning.kernel_factory import KernelFactory

    if folder is None:
        return KernelFactory(engine, history.slots, columns)
    columns.save(folder)
    return KernelFactory(engine, history.slots, folder=folder)


def _workers(order: TuneOrder, factory: RunnerFactory, jobs: int, count: int) -> Workers:
    if order.ray_address:
        from pumpswap.research.tuning.on_ray import OnRay

        return OnRay(factory, order.ray_address, most=jobs)
    return InProcess(factory) if count == 1 else Processes(factory, count)
