"""Backtests: what decided back-tests and what came out; searches and their trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from pumpswap.errors import NotFound, StorageError
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text, dump_mapping, load_mapping
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import BACKTESTS, RUNS, SWEEPS, TRIALS, StoredRow

__all__ = ["Backtests", "StoredBacktest", "StoredSweep", "StoredTrial"]


@dataclass(frozen=True, slots=True)
class StoredBacktest:
    """A back-test beside its run. ``spec`` and ``result`` are canonical JSON, kept byte by byte."""

    run_id: int
    key: str
    name: str
    strategy: str
    impact: str
    data_sha256: str
    version: str
    engine_sha256: str
    twin_run_id: int | None
    spec: str
    ledger_sha256: str
    result_sha256: str
    result: str


@dataclass(frozen=True, slots=True)
class StoredSweep:
    """A search. ``sweep_id`` 0 before it is stored; ``finished_ns`` and ``summary`` None until it is done. ``spec`` is
    canonical JSON.
    """

    key: str
    name: str
    method: str
    data_sha256: str
    version: str
    engine_sha256: str
    trials: int
    seed: int
    started_ns: int
    spec: str
    sweep_id: int = 0
    finished_ns: int | None = None
    summary: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """One trial. ``params`` is canonical JSON, ``result`` MessagePack of whoever searches: nobody here reads it."""

    number: int
    role: str
    params: str
    net_lamports: int
    fills: int
    rounds: int
    max_drawdown_lamports: int
    sharpe: float | None
    path: str
    result: bytes


class Backtests:
    """Of one database; errors as of ``Run``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    # ---------------------------------------------------------------------------------------------- back-tests

    def add(self, one: StoredBacktest) -> None:
        """Store a back-test; its run must be there, and so must its twin."""
        values = {name: getattr(one, name) for name in _BACKTEST} | {"name": clean_text(one.name)}
        check_integers({"run_id": one.run_id, "twin_run_id": one.twin_run_id or 0}, "the back-test")
        with self._connections.writing(f"the back-test {one.run_id}") as connection:
            connection.execute(insert(BACKTESTS), values)

    def pair(self, first: int, second: int) -> None:
        """Two runs are twins: the same, but for the impact."""
        with self._connections.writing("the back-tests") as connection:
            for one, other in ((first, second), (second, first)):
                connection.execute(update(BACKTESTS).where(BACKTESTS.c.run_id == one).values(twin_run_id=other))

    def get(self, run_id: int) -> StoredBacktest:
        """The back-test of this run. Raises NotFound for a run that is none."""
        check_integers({"run_id": run_id}, "the back-test")
        found = self._backtests(BACKTESTS.c.run_id == run_id, most=1)
        if not found:
            raise NotFound(f"run {run_id} is no back-test", hint="`pumpswap backtest list` shows those that are")
        return found[0]

    def of_key(self, key: str) -> list[StoredBacktest]:
        """All of this key, the newest first."""
        return self._backtests(BACKTESTS.c.key == key)

    def newest(self, most: int, *, data: str = "", strategy: str = "") -> list[StoredBacktest]:
        """So many, the newest first. ``data``: only those on a history whose hash begins so."""
        where = [BACKTESTS.c.data_sha256.startswith(data, autoescape=True)] if data else []
        if strategy:
            where.append(BACKTESTS.c.strategy == strategy)
        return self._backtests(*where, most=most)

    def tries(self, data_sha256: str, impact: str) -> list[tuple[int, str, Mapping[str, object] | None]]:
        """(run, key, summary of the run) of all that were made on this history with this impact, the oldest first."""
        query = (
            select(BACKTESTS.c.run_id, BACKTESTS.c.key, RUNS.c.summary)
            .join(RUNS, RUNS.c.run_id == BACKTESTS.c.run_id)
            .where(BACKTESTS.c.data_sha256 == data_sha256, BACKTESTS.c.impact == impact)
            .order_by(BACKTESTS.c.run_id)
        )
        return self._connections.all_rows(query, _try_of)

    def _backtests(self, *where: object, most: int | None = None) -> list[StoredBacktest]:
        query = select(BACKTESTS).where(*where).order_by(BACKTESTS.c.run_id.desc()).limit(most)  # type: ignore[arg-type]
        return self._connections.all_rows(query, _backtest_of)

    # ---------------------------------------------------------------------------------------------- searches

    def start_sweep(self, sweep: StoredSweep) -> int:
        """Store a search that begins; returns its number."""
        integers = {"trials": sweep.trials, "started_ns": sweep.started_ns}
        check_integers(integers, "the search")
        values = {name: getattr(sweep, name) for name in _SWEEP} | {"seed": str(sweep.seed)}
        with self._connections.writing("the search") as connection:
            key = connection.execute(insert(SWEEPS).values(values | {"name": clean_text(sweep.name)}))
        if key.inserted_primary_key is None:
            raise StorageError("the database gave the search no number", hint="this is a bug in its driver")
        return int(key.inserted_primary_key[0])

    def finish_sweep(self, sweep_id: int, finished_ns: int, summary: Mapping[str, object]) -> None:
        """It is done."""
        check_integers({"finished_ns": finished_ns}, "the search")
        values = {"finished_ns": finished_ns, "summary": dump_mapping(summary, "the summary of the search")}
        with self._connections.writing("the search") as connection:
            connection.execute(update(SWEEPS).where(SWEEPS.c.sweep_id == sweep_id).values(values))

    def sweep(self, sweep_id: int) -> StoredSweep:
        """The search with this number. Raises NotFound."""
        check_integers({"sweep_id": sweep_id}, "the search")
        found = self._connections.all_rows(select(SWEEPS).where(SWEEPS.c.sweep_id == sweep_id), _sweep_of)
        if not found:
            raise NotFound(f"there is no search {sweep_id}", hint="`pumpswap tune list` shows what there is")
        return found[0]

    def sweeps(self, most: int) -> list[StoredSweep]:
        """So many, the newest first."""
        return self._connections.all_rows(select(SWEEPS).order_by(SWEEPS.c.sweep_id.desc()).limit(most), _sweep_of)

    def add_trials(self, sweep_id: int, trials: Sequence[StoredTrial]) -> None:
        """Store trials of a search, all or none; one that is there already is an error."""
        if not trials:
            return
        values = []
        for one in trials:
            check_integers({name: getattr(one, name) for name in _TRIAL_INTEGERS}, f"trial {one.number}")
            values.append({"sweep_id": sweep_id} | {name: getattr(one, name) for name in _TRIAL})
        with self._connections.writing(f"trials of the search {sweep_id}") as connection:
            connection.execute(insert(TRIALS), values)

    def trials(self, sweep_id: int) -> list[StoredTrial]:
        """All that are stored, by number."""
        query = select(TRIALS).where(TRIALS.c.sweep_id == sweep_id).order_by(TRIALS.c.number)
        return self._connections.all_rows(query, _trial_of)

    def best_trials(self, sweep_id: int, most: int) -> list[StoredTrial]:
        """So many of them, by what they have earned; equal ones by number."""
        query = select(TRIALS).where(TRIALS.c.sweep_id == sweep_id)
        return self._connections.all_rows(
            query.order_by(TRIALS.c.net_lamports.desc(), TRIALS.c.number).limit(most), _trial_of
        )

    def searched_sharpes(self, data_sha256: str) -> list[tuple[str, list[float | None]]]:
        """(spec, ratios of its sets) of every search on this history, without the tests of its choices."""
        searches = select(SWEEPS.c.sweep_id, SWEEPS.c.spec).where(SWEEPS.c.data_sha256 == data_sha256)
        found = []
        for sweep_id, spec in self._connections.all_rows(searches, lambda row: (row.sweep_id, str(row.spec))):
            sets = select(TRIALS.c.sharpe).where(TRIALS.c.sweep_id == sweep_id, TRIALS.c.role == "whole")
            found.append((spec, self._connections.all_rows(sets.order_by(TRIALS.c.number), lambda row: row.sharpe)))
        return found

    def count_trials(self, sweep_id: int) -> int:
        """How many are stored."""
        query = select(func.count()).select_from(TRIALS).where(TRIALS.c.sweep_id == sweep_id)
        with self._connections.reading() as connection:
            return int(connection.execute(query).scalar_one())


_BACKTEST = tuple(StoredBacktest.__dataclass_fields__)
_TRIAL = tuple(StoredTrial.__dataclass_fields__)
_TRIAL_INTEGERS = ("number", "net_lamports", "fills", "rounds", "max_drawdown_lamports")
_SWEEP = tuple(name for name in StoredSweep.__dataclass_fields__ if name not in ("sweep_id", "finished_ns", "summary"))


def _backtest_of(row: StoredRow) -> StoredBacktest:
    return StoredBacktest(**{name: getattr(row, name) for name in _BACKTEST})


def _try_of(row: StoredRow) -> tuple[int, str, Mapping[str, object] | None]:
    return row.run_id, row.key, None if row.summary is None else load_mapping(row.summary)


def _sweep_of(row: StoredRow) -> StoredSweep:
    fields = {name: getattr(row, name) for name in _SWEEP} | {"seed": int(row.seed)}
    summary = None if row.summary is None else load_mapping(row.summary)
    return StoredSweep(**fields, sweep_id=row.sweep_id, finished_ns=row.finished_ns, summary=summary)


def _trial_of(row: StoredRow) -> StoredTrial:
    return StoredTrial(**{name: getattr(row, name) for name in _TRIAL})
