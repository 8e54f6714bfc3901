"""kill -9 at random moments of processes that write books, on SQLite and on PostgreSQL, and of the server itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.crash.books_judge import BrokenBooks, judge_books, latest_of
from tests.support.material import ROOT
from tests.support.postgres import TestServer

__all__ = ["BooksRun", "Victim", "run_books_kills"]

WRITER = "pumpswap-writer"
KILLS_PER_DATABASE = 10
# Of about ten bytes a step: it opens with five, and has booked some twenty trades when it lives longest.
MOST_OUTPUT = 1_500


class Victim:
    """What is killed."""

    SQLITE = "writer on SQLite"
    CLIENT = "writer on PostgreSQL"
    BACKEND = "backend of the PostgreSQL server"
    SERVER = "PostgreSQL server"


@dataclass
class BooksRun:
    """What happened, for people and for the evidence."""

    killed: Counter[str] = field(default_factory=Counter)
    killed_after: Counter[str] = field(default_factory=Counter)
    trades: int = 0
    databases: int = 0


def run_books_kills(seed: int, victims: Sequence[str], progress: Callable[[int], None] = lambda _: None) -> BooksRun:
    """One kill for each of ``victims``, in this order. Raises BrokenBooks at the first thing that is lost or half."""
    rng, run = Random(f"books {seed}"), BooksRun()
    folder = Path(tempfile.mkdtemp(prefix="pumpswap-kills-"))
    server: TestServer | None = None
    try:
        if any(victim != Victim.SQLITE for victim in victims):
            server = TestServer()
        targets: dict[bool, tuple[str, int]] = {}
        trades: dict[str, int] = {}
        for number, victim in enumerate(victims, 1):
            is_file = victim == Victim.SQLITE
            target, kills = targets.get(is_file, ("", KILLS_PER_DATABASE))
            if kills == KILLS_PER_DATABASE:  # a new one: its first moments are moments too
                target, kills = _new_target(folder, server, number, is_file), 0
                run.databases += 1
            targets[is_file] = target, kills + 1
            trades[target] = _kill_once(target, victim, server, (rng, run))
            progress(number)
        run.trades = sum(trades.values())
        return run
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _new_target(folder: Path, server: TestServer | None, number: int, is_file: bool) -> str:
    if is_file or server is None:
        return str(folder / f"books-{number}.sqlite")
    return f"{server.fresh_database('kills')}&application_name={WRITER}"


def _kill_once(target: str, victim: str, server: TestServer | None, dice: tuple[Random, BooksRun]) -> int:
    rng, run = dice
    command = [sys.executable, "-m", "tests.crash.books_process", target]
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115  # a pipe that nobody empties would stop the writer
    process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.DEVNULL)
    try:
        # Some die while they migrate and open, most while they book.
        if rng.random() < 0.15:
            time.sleep(rng.uniform(0.2, 1.0))
        else:
            _wait_for_output(process, output.fileno(), 1 + rng.randrange(MOST_OUTPUT))
            time.sleep(rng.uniform(0.0, 0.02))
        _expect_alive(process)
        if victim == Victim.SERVER and server is not None:
            server.kill()
            process.wait(timeout=60)  # it loses its connection, and says so
        elif victim == Victim.BACKEND and server is not None and server.kill_backend(WRITER):
            process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    if victim == Victim.SERVER and server is not None:
        server.start()
    if victim == Victim.BACKEND and server is not None:
        server.wait()
    output.seek(0)
    # The last line may be cut; it is told only when it is whole.
    lines = [line.strip() for line in output.readlines() if line.endswith("\n")]
    output.close()
    run.killed[victim] += 1
    run.killed_after[lines[-1].split()[0] if lines else "nothing"] += 1
    return judge_books(target, latest_of(lines))


def _expect_alive(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        raise BrokenBooks(f"the writer ended by itself, with code {process.returncode}")


def _wait_for_output(process: subprocess.Popen[bytes], handle: int, size: int) -> None:
    for _ in range(12_000):
        if os.fstat(handle).st_size >= size:
            return
        _expect_alive(process)
        time.sleep(0.005)
    raise BrokenBooks(f"the writer has told {os.fstat(handle).st_size} of {size} bytes in a minute")
