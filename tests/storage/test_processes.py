"""Several processes on one database, and processes that die."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pumpswap.storage import Database, Run, open_database
from tests.storage.conftest import SQLITE
from tests.storage.writer_process import ENTRIES, write_batch
from tests.support.material import ROOT
from tests.support.postgres import fresh_database

MANY = 1_000_000


@contextmanager
def writer(target: str | Path, batches: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A running writer process, killed at the end if it still lives."""
    command = [sys.executable, "-m", "tests.storage.writer_process", str(target), str(batches), *more]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    answer = process.stdout.readline().strip()
    if not answer:
        assert process.stderr is not None
        pytest.fail(f"the writer ended: {process.stderr.read()}")
    return answer


def whole_batches(run: Run) -> int:
    """How many batches are stored; fails when one is stored in part."""
    entries, decisions = [*run.ledger()], [*run.decisions()]
    batches, rest = divmod(len(entries), ENTRIES)
    assert rest == 0
    assert [entry.sequence for entry in entries] == [*range(1, len(entries) + 1)]
    assert [decision.decision_id for decision in decisions] == [f"d{number:06d}" for number in range(batches)]
    assert run.balances() == ({"SOL": 0, "M": batches} if batches else {})
    return batches


def only_run(database: Database) -> Run:
    (header,) = database.runs()
    return database.run(header.run_id)


def test_a_process_killed_in_the_middle_of_a_batch_leaves_only_whole_batches(target: str | Path) -> None:
    with writer(target, 3, "half") as process:
        assert [line(process) for _ in range(4)] == ["0", "1", "2", "half"]
        process.kill()
        process.wait()
    with open_database(target) as database:
        run = only_run(database)
        assert whole_batches(run) == 3
        assert run.summary() is None
        run.append_entries([])
        with run.batch():
            assert whole_batches(run) == 3


@pytest.mark.parametrize("after", [1, 2, 5, 9, 14, 20])
def test_a_process_killed_at_any_moment_loses_no_batch_that_it_had_finished(target: str | Path, after: int) -> None:
    with writer(target, MANY) as process:
        last = [line(process) for _ in range(after)][-1]
        process.kill()
        process.wait()
    with open_database(target) as database:
        assert whole_batches(only_run(database)) > int(last)


def test_a_reader_sees_whole_batches_while_another_process_writes(target: str | Path) -> None:
    with writer(target, 60) as process:
        line(process)
        with open_database(target) as database:
            run, seen = only_run(database), []
            while process.poll() is None:
                entries = [*run.ledger()]
                assert len(entries) % ENTRIES == 0
                assert sum(entry.units for entry in entries if entry.asset == "SOL") == 0
                assert run.balances()["SOL"] == 0
                seen.append(len(entries))
                if process.stdout is not None:
                    process.stdout.readline()
            assert process.returncode == 0
            assert seen == sorted(seen)
            assert whole_batches(run) == 60


_OPENER = """
import sys
from pumpswap.storage import open_database
import alembic.command
print("ready", flush=True)
sys.stdin.readline()
for path in sys.argv[1:]:
    with open_database(path) as database:
        database.start_run("opener", 0)
"""


def test_processes_that_open_a_new_database_at_the_same_moment_all_get_it(backend: str, tmp_path: Path) -> None:
    targets = [str(tmp_path / f"{n}.sqlite") if backend == SQLITE else fresh_database() for n in range(8)]
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", _OPENER, *targets], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in openers:
        assert line(process) == "ready"
    for process in openers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in openers:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
    for target in targets:
        with open_database(target) as database:
            assert len(database.runs()) == len(openers)


def test_two_writers_wait_for_each_other(target: str | Path) -> None:
    with writer(target, 25) as one, writer(target, 25) as two:
        for process in (one, two):
            _, errors = process.communicate()
            assert (process.returncode, errors) == (0, "")
    with open_database(target) as database:
        assert [whole_batches(database.run(header.run_id)) for header in database.runs()] == [25, 25]


def test_a_run_can_be_continued_by_another_process(target: str | Path) -> None:
    with writer(target, 2) as process:
        process.communicate()
    with open_database(target) as database:
        run = only_run(database)
        with run.batch():
            write_batch(run, 2)
        assert whole_batches(run) == 3
