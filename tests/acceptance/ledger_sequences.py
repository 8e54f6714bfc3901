"""Ten thousand random lives of a wallet, our books beside an independent reference after every step."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pumpswap.storage.database import open_database
from tests.acceptance.check import Check, Findings, Progress
from tests.portfolio.random_books import lives
from tests.support.postgres import fresh_database

SQLITE, POSTGRESQL = 10_000, 400
_PART = 50
_MEMORY = Path("/dev/shm")  # nothing here is about the disk, and thousands of databases would wear it out

Part = tuple[str, int, int]  # URL of a database ("": SQLite), first seed, how many


def run(seed: int, progress: Progress) -> Findings:
    """All lives, in as many processes as there are processors."""
    parts = list(_parts(seed))
    found: Counter[str] = Counter()
    failures: list[str] = []
    done = 0
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for lived, counts, failure in pool.imap_unordered(_live, parts):
            done += lived
            found += counts
            failures += [failure] if failure else []
            progress(done, SQLITE + POSTGRESQL)
    figures = {
        "sequences": found["lived on sqlite"] + found["lived on postgresql"],
        "on_postgresql": found["lived on postgresql"],
        "steps": found["steps"],
        "fills": found["fills"],
        "sales_by_hand": found["sold_by_hand"],
        "adoptions": found["adopt"],
        "killed_in_the_middle_of_a_write": found["killed in the middle"],
        "disk_errors_in_a_write": found["disk failed"],
        "restarts": found["restarts"],
        "outcomes_told_twice": found["twice"],
        "differences": len(failures),
    }
    table = [f"{name:<34} {value:>9,}" for name, value in figures.items()]
    notes = [
        "after every step: balances, rent, positions, lots, profit equal the reference's, also derived from the ledger",
        "now and then, and in the end: stored sums and positions too, the audit, and the books of a new process",
    ]
    return Findings(dict(figures), table, failures, notes)


def _parts(seed: int) -> Iterator[Part]:
    first = seed * 100_000
    for start in range(0, POSTGRESQL, _PART):
        # From the server of this process: a pool's workers are ended, and would leave theirs running.
        yield fresh_database(), first + SQLITE + start, min(_PART, POSTGRESQL - start)
    for start in range(0, SQLITE, _PART):
        yield "", first + start, min(_PART, SQLITE - start)


def _live(part: Part) -> tuple[int, Counter[str], str]:
    """Lives of one part in a database of their own: how many, what happened, and the first failure with its seed."""
    url, first, number = part
    kind = "postgresql" if url else "sqlite"
    counts: Counter[str] = Counter()
    folder = tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)
    with folder, open_database(url or Path(folder.name) / "books.sqlite") as database:
        try:
            for _, life in lives(database, range(first, first + number)):
                counts += life.counts
                counts["steps"] += life.steps
                counts[f"lived on {kind}"] += 1
        except AssertionError as broken:
            return number, counts, f"{kind} {broken}"
    return number, counts, ""


def _absent() -> str | None:
    return None


LEDGER_SEQUENCES = Check(
    "ledger-sequences", f"{SQLITE + POSTGRESQL} random lives of a wallet beside a reference ledger", _absent, run
)
