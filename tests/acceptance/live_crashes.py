"""100 times kill -9 of a live engine on a practice chain whose network misbehaves."""

from __future__ import annotations

from pumpswap.errors import PumpSwapError
from tests.acceptance.check import Check, Findings, Progress
from tests.crash.kills import CrashFailure
from tests.crash.live_kills import run_live_kills
from tests.support.material import material

KILLS = 100


def run(seed: int, progress: Progress) -> Findings:
    """Stops at the first disagreement between books, memory and chain."""
    try:
        found = run_live_kills(seed, KILLS, lambda done: progress(done, KILLS))
    except (CrashFailure, PumpSwapError) as broken:
        return Findings({"kills": KILLS, "disagreements": 1}, failures=[f"{type(broken).__name__}: {broken}"])
    figures = {
        "kills": found.kills,
        "killed_while": dict(sorted(found.killed_while.items())),
        "orders_found_open_at_the_next_start": found.open_attempts_found,
        "transactions_landed": found.landed,
        "attempts_proven_expired": found.expired,
        "disagreements": 0,
    }
    failures = [] if found.landed else ["nothing was traded"]
    table = [f"{name:<38} {value}" for name, value in figures.items()]
    notes = [
        "after every kill: every transaction booked once, ledger = wallet",
        "risk remembers each entry once, and exits remember exactly the open rounds",
    ]
    return Findings(figures, table, failures, notes)


def _absent() -> str | None:
    return None if material("chain", "programs") else "the recorded mainnet programs are not here"


LIVE_CRASHES = Check("live-crashes", f"{KILLS} times kill -9 of a live engine", _absent, run)
