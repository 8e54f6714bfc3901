"""100 times kill -9 of a process that trades on a practice chain whose network misbehaves."""

from __future__ import annotations

from collections.abc import Callable

from pumpswap.errors import PumpSwapError
from tests.acceptance.check import Check, Findings, Progress
from tests.crash.kills import run_kills
from tests.crash.trader_judge import CrashFailure, CrashRun
from tests.support.material import material

KILLS = 100
Kills = Callable[[int, int, Callable[[int], None]], CrashRun]


def run(seed: int, progress: Progress) -> Findings:
    """Stops at the first disagreement between books and chain."""
    none = {"duplicates": 0, "lost_trades": 0, "foreign_entries": 0}
    return killed(run_kills, seed, progress, none, ["after every kill: every transaction booked once, ledger = wallet"])


def killed(kills: Kills, seed: int, progress: Progress, none: dict[str, int], notes: list[str]) -> Findings:
    """What ``kills`` finds; ``none`` is what there is none of when it finds no disagreement."""
    try:
        found = kills(seed, KILLS, lambda done: progress(done, KILLS))
    except (CrashFailure, PumpSwapError) as broken:
        return Findings({"kills": KILLS, "disagreements": 1}, failures=[f"{type(broken).__name__}: {broken}"])
    figures = {
        "kills": found.kills,
        "killed_while": dict(sorted(found.killed_while.items())),
        "orders_found_open_at_the_next_start": found.open_attempts_found,
        "transactions_landed": found.landed,
        "attempts_proven_expired": found.expired,
        **none,
    }
    failures = [] if found.landed else ["nothing was traded"]
    table = [f"{name:<38} {value}" for name, value in figures.items()]
    return Findings(figures, table, failures, notes)


def is_absent() -> str | None:
    """Why this cannot be checked here."""
    return None if material("chain", "programs") else "the recorded mainnet programs are not here"


CRASHES = Check("crashes", f"{KILLS} times kill -9 of a trading process", is_absent, run)
