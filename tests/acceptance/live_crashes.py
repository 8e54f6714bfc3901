"""100 times kill -9 of a live engine on a practice chain whose network misbehaves."""

from __future__ import annotations

from tests.acceptance.check import Check, Findings, Progress
from tests.acceptance.crashes import KILLS, is_absent, killed
from tests.crash.live_kills import run_live_kills


def run(seed: int, progress: Progress) -> Findings:
    """Stops at the first disagreement between books, memory and chain."""
    notes = [
        "after every kill: every transaction booked once, ledger = wallet",
        "risk remembers each entry once, and exits remember exactly the open rounds",
    ]
    return killed(run_live_kills, seed, progress, {"disagreements": 0}, notes)


LIVE_CRASHES = Check("live-crashes", f"{KILLS} times kill -9 of a live engine", is_absent, run)
