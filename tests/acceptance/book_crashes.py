"""100 times kill -9 of whoever writes books, on SQLite and on PostgreSQL; then of backups, restores and migrations."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random

from pumpswap.errors import PumpSwapError
from tests.acceptance.check import Check, Findings, Progress
from tests.crash.books_judge import BrokenBooks
from tests.crash.books_kills import Victim, run_books_kills
from tests.crash.upkeep_kills import CHORES, kill_chore
from tests.support.postgres import fresh_database

MIX = ((Victim.SQLITE, 70), (Victim.CLIENT, 20), (Victim.BACKEND, 5), (Victim.SERVER, 5))
KILLS = sum(kills for _, kills in MIX)
CHORE_KILLS = 10
ENGINES = ("SQLite", "PostgreSQL")
ALL = KILLS + CHORE_KILLS * len(CHORES) * len(ENGINES)


def run(seed: int, progress: Progress) -> Findings:
    """Stops at the first thing that is lost or half."""
    victims = [victim for victim, kills in MIX for _ in range(kills)]
    Random(f"victims {seed}").shuffle(victims)
    chores: dict[str, int] = {}
    try:
        found = run_books_kills(seed, victims, lambda done: progress(done, ALL))
        for engine in ENGINES:
            for chore in CHORES:
                _kill_chore(chore, engine, Random(f"{chore} {engine} {seed}"))
                chores[f"{chore} on {engine}"] = CHORE_KILLS
                progress(KILLS + sum(chores.values()), ALL)
    except (BrokenBooks, PumpSwapError) as broken:
        return Findings({"kills": KILLS, "broken": 1}, failures=[f"{type(broken).__name__}: {broken}"])
    figures = {
        "kills": dict(sorted(found.killed.items())),
        "killed_after": dict(sorted(found.killed_after.items())),
        "databases": found.databases,
        "trades_booked": found.trades,
        "chores_killed": chores,
        "lost_or_half": 0,
    }
    table = [f"{name:<38} {value}" for name, value in figures.items()]
    failures = [] if found.trades else ["nothing was booked"]
    return Findings(figures, table, failures, ["after every kill: db check, audit, everything reported is there"])


def _kill_chore(chore: str, engine: str, rng: Random) -> None:
    with tempfile.TemporaryDirectory(prefix="pumpswap-chores-") as folder:
        kill_chore(chore, CHORE_KILLS, rng, _targets(engine, Path(folder)), Path(folder))


def _targets(engine: str, folder: Path) -> Callable[[], str]:
    numbers = count(1)
    return lambda: str(folder / f"{next(numbers)}.sqlite") if engine == ENGINES[0] else fresh_database()


BOOK_CRASHES = Check("book-crashes", f"{KILLS} times kill -9 of a writer of books, and of chores", lambda: None, run)
