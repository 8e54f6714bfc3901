"""Stored back-tests: run again and compared to the byte, beside each other, and what of their settings differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from pumpswap.app.backtest import (
    FRAME,
    LOCATION,
    STRATEGY_FILE,
    BacktestOrder,
    Tell,
    bar_of,
    open_history,
    play,
    spec_of,
)
from pumpswap.app.backtest_scoring import ChosenStrategy, choose_strategy
from pumpswap.app.books import Books, chosen_books, open_store
from pumpswap.app.drift import Comparison, compared_runs
from pumpswap.clock import Clock, SystemClock
from pumpswap.errors import NotFound, UsageError
from pumpswap.portfolio.ledger import ledger_line
from pumpswap.research.backtest.result import BacktestResult, ledger_bytes
from pumpswap.research.backtest.spec import BacktestSpec, StrategyRef, settings_of
from pumpswap.research.backtest.world import Impact
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.settings import Settings
from pumpswap.storage.backtests import StoredBacktest
from pumpswap.storage.database import Database, open_database

__all__ = [
    "Difference",
    "Moved",
    "Repetition",
    "compare_backtests",
    "differing_settings",
    "open_backtests",
    "repeat_backtest",
    "result_of_row",
    "twins_of",
]

# What must be the same for a repetition to mean anything; another version of the code may still give the same bytes.
_NEEDED = {"chronicle": "the history", "strategy": "the strategy's file", "frame_sha256": "the Q50 frame"}
_CODE = {
    "fees_sha256": "the fee schedules", "version": "the version", "engine_sha256": "the code", "python": "Python",
}  # fmt: skip
_CALLED = _NEEDED | _CODE | {"strategy": "the strategy"}
# What decides beside the settings, as it is told of two back-tests.
_DECIDING = (
    "chronicle", "strategy", "frame_sha256", "impact", "landing", "latency_slots", "period_seconds", "seed",
    "start_lamports", *_CODE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was when the back-test was made."""

    what: str
    then: str
    now: str
    prevents: bool  # whether the back-test cannot be repeated


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the history, the strategy's file and the Q50 frame are now; empty: where they were."""

    source: str = ""
    strategy: str = ""
    frame: Path | None = None


@dataclass(frozen=True, slots=True)
class Repetition:
    """``is_equal``: None where it was not run, since something that decides is not there any more.

    ``ledger_bytes`` is how long the ledger is; None where its books were not kept.
    """

    stored: StoredBacktest
    differences: tuple[Difference, ...]
    is_equal: bool | None = None
    result_sha256: str = ""
    ledger_bytes: int | None = None
    differing: tuple[str, ...] = field(default=())  # figures of the result, by their names


@contextmanager
def open_backtests(settings: Settings) -> Iterator[Database]:
    """The database of back-tests. Raises NotFound where there is none: looking makes no file."""
    file = settings.backtests_file
    if not file.exists():
        raise NotFound(f"there are no back-tests in {file}", hint="`pumpswap backtest run simulated` makes the first")
    with open_database(file) as database:
        yield database


def result_of_row(row: StoredBacktest) -> BacktestResult:
    """The stored document."""
    return msgspec.json.decode(row.result.encode(), type=BacktestResult)


def twins_of(database: Database, run_id: int) -> tuple[StoredBacktest, ...]:
    """A back-test and the one of the other impact that was made with it, the counterfactual one first."""
    first = database.backtests.get(run_id)
    both = [first] if first.twin_run_id is None else [first, database.backtests.get(first.twin_run_id)]
    return tuple(sorted(both, key=lambda one: one.impact))


# ---------------------------------------------------------------------------------------------- again


def repeat_backtest(
    settings: Settings, run_id: int, moved: Moved | None = None, *, tell: Tell | None = None
) -> Repetition:
    """Run a stored back-test again and compare the two documents and ledgers, byte by byte.

    Nothing is stored. Raises NotFound for a run that is no back-test, or where history, frame or file are gone.
    """
    with open_backtests(settings) as database:
        row = database.backtests.get(run_id)
        header = database.run(run_id).header()
        spec = msgspec.json.decode(row.spec.encode(), type=BacktestSpec)
        order = _order_of(spec, header.settings, moved or Moved())
        used = _with_frame(settings_of(spec), order.frame)
        chosen = choose_strategy(order.strategy, order.params)
        chronicle = open_history(order)
        differences = tuple(_differences(spec, spec_of(order, chronicle, chosen, used)))
        if any(one.prevents for one in differences):
            return Repetition(row, differences)
        return _again(database, row, spec, (order, chronicle, chosen, used), differences, tell)


def _again(
    database: Database,
    row: StoredBacktest,
    spec: BacktestSpec,
    parts: tuple[BacktestOrder, Chronicle, ChosenStrategy, Settings],
    differences: tuple[Difference, ...],
    tell: Tell | None,
) -> Repetition:
    order, chronicle, chosen, used = parts
    done = play(spec, chronicle, (chosen, used, order), (bar_of(tell, "again", chronicle.identity.steps),))
    document, ledger = done.result.canonical(), ledger_bytes(done.record)
    kept = "".join(f"{ledger_line(entry)}\n" for entry in database.run(row.run_id).ledger()).encode()
    is_equal = document == row.result.encode() and (not kept or ledger == kept)
    return Repetition(
        row,
        differences,
        is_equal=is_equal,
        result_sha256=hashlib.sha256(document).hexdigest(),
        ledger_bytes=len(ledger) if kept else None,
        differing=() if is_equal else tuple(_differing(msgspec.json.decode(row.result), msgspec.json.decode(document))),
    )


def _order_of(spec: BacktestSpec, remembered: Mapping[str, object], moved: Moved) -> BacktestOrder:
    """The order that made it, from where things were then, or are now."""
    place = moved.source or str(remembered.get(LOCATION) or "")
    if not place:
        raise UsageError(
            f"the history {spec.source.name} is behind a URL, which is not remembered", hint="name it with --source"
        )
    frame = moved.frame or remembered.get(FRAME)
    return BacktestOrder(
        source=place,
        strategy=moved.strategy or str(remembered.get(STRATEGY_FILE) or spec.strategy.name),
        params=spec.strategy.params,
        impacts=(Impact(spec.impact),),
        pools=spec.source.pools,
        since_ns=spec.source.since_ns,
        until_ns=spec.source.until_ns,
        minutes=spec.source.minutes or 30,
        seed=spec.seed,
        frame=Path(str(frame)) if frame and spec.frame_sha256 else None,
    )


def _with_frame(settings: Settings, frame: Path | None) -> Settings:
    return settings.model_copy(update={"q50": settings.q50.model_copy(update={"path": frame})})


def _differences(then: BacktestSpec, now: BacktestSpec) -> Iterator[Difference]:
    for name, what in (_NEEDED | _CODE).items():
        before, after = getattr(then, name), getattr(now, name)
        if name == "strategy":
            before, after = before.source_sha256, after.source_sha256
        if before != after:
            yield Difference(what, str(before)[:16], str(after)[:16], prevents=name in _NEEDED)


def _differing(then: Any, now: Any, path: str = "") -> Iterator[str]:
    """Names of figures that are not the same."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted(then.keys() | now.keys()):
            yield from _differing(then.get(name), now.get(name), f"{path}.{name}" if path else name)
    elif then != now:
        yield f"{path}: {then} then, {now} now"


# ---------------------------------------------------------------------------------------------- beside each other


def compare_backtests(
    settings: Settings,
    first: int,
    second: int | None,
    live: int | None,
    within_seconds: int,
    clock: Clock | None = None,
) -> tuple[Comparison, tuple[str, ...]]:
    """Two back-tests, or one and a run of the real books (``live``), by the causes of their difference; and in what
    they differ: settings, and for two back-tests everything else that decides.
    """
    wall = clock or SystemClock()
    with open_backtests(settings) as database:
        here = _books(database, first)
        if live is None:
            assert second is not None  # the command has asked for one of the two
            there = _books(database, second)
            found = compared_runs((here, there), settings, wall, within_seconds)
            specs = [_spec_of(database, run_id) for run_id in (first, second)]
            return found, (*_differing_specs(*specs), *differing_settings(here, there))
        with open_store(settings) as real:
            there_or_none = chosen_books(real, live)
            if there_or_none is None:
                raise NotFound(f"there is no run {live} in {settings.data_dir}", hint="is --data-dir the right one?")
            found = compared_runs((here, there_or_none), settings, wall, within_seconds)
            return found, differing_settings(here, there_or_none)


def _books(database: Database, run_id: int) -> Books:
    database.backtests.get(run_id)  # says so where it is none
    found = chosen_books(database, run_id)
    assert found is not None  # a number that no run has has raised
    return found


def _spec_of(database: Database, run_id: int) -> BacktestSpec:
    return result_of_row(database.backtests.get(run_id)).spec


def _differing_specs(first: BacktestSpec, second: BacktestSpec) -> Iterator[str]:
    """``seed: 0 first, 1 second``, of all that decides beside settings; digests by their first digits."""
    for name in _DECIDING:
        here, there = (getattr(spec, name) for spec in (first, second))
        if here != there:
            shown = [_shown(name, value) for value in (here, there)]
            called = _CALLED.get(name, name.replace("_", " "))
            yield f"{called}: {shown[0]} first, {shown[1]} second"


def _shown(name: str, value: object) -> str:
    if isinstance(value, StrategyRef):
        words = (value.name, *(f"{key}={text}" for key, text in value.params), value.source_sha256[:16])
        return " ".join(word for word in words if word)
    return str(value)[:16] if name.endswith("sha256") or name == "chronicle" else str(value)


def differing_settings(first: Books, second: Books) -> tuple[str, ...]:
    """``risk.max_position_sol: 1 first, 0.5 second``, of the sections that can change what is traded."""
    found = []
    for section in ("risk", "exits", "paper", "signals", "feasibility", "q50", "regimes", "follow", "run"):
        here, there = (_section(books, section) for books in (first, second))
        for name in sorted((here.keys() | there.keys()) - {"path"}):
            if here.get(name) != there.get(name):
                found.append(f"{section}.{name}: {here.get(name)} first, {there.get(name)} second")
    return tuple(found)


def _section(books: Books, name: str) -> Mapping[str, object]:
    found = books.header.settings.get(name)
    return found if isinstance(found, dict) else {}
