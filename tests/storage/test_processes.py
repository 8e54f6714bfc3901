"""Several processes on one database, and processes that die."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pumpswap.storage import Database, Run, open_database
from tests.storage.writer_process import ENTRIES, write_batch

ROOT = Path(__file__).resolve().parents[2]
MANY = 1_000_000


@contextmanager
def writer(target: Path, batches: int, *more: str) -> Iterator[subprocess.Popen[str]]:
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


def test_a_process_killed_in_the_middle_of_a_batch_leaves_only_whole_batches(target: Path) -> None:
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
def test_a_process_killed_at_any_moment_loses_no_batch_that_it_had_finished(target: Path, after: int) -> None:
    with writer(target, MANY) as process:
        last = [line(process) for _ in range(after)][-1]
        process.kill()
        process.wait()
    with open_database(target) as database:
        assert whole_batches(only_run(database)) > int(last)


def test_a_reader_sees_whole_batches_while_another_process_writes(target: Path) -> None:
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


def test_two_writers_wait_for_each_other(target: Path) -> None:
    with writer(target, 25) as one, writer(target, 25) as two:
        for process in (one, two):
            _, errors = process.communicate()
            assert (process.returncode, errors) == (0, "")
    with open_database(target) as database:
        assert [whole_batches(database.run(header.run_id)) for header in database.runs()] == [25, 25]


def test_a_run_can_be_continued_by_another_process(target: Path) -> None:
    with writer(target, 2) as process:
        process.communicate()
    with open_database(target) as database:
        run = only_run(database)
        with run.batch():
            write_batch(run, 2)
        assert whole_batches(run) == 3
