"""100 times kill -9 of a process that trades on paper; every decision it has stored is explained completely."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pumpswap.errors import PumpSwapError
from pumpswap.storage import open_database
from tests.acceptance.check import Check, Findings, Progress
from tests.crash.paper_kills import BrokenPaper, run_paper_kills
from tests.support.why_checker import NotExplained, check_explained

KILLS = 100


def run(seed: int, progress: Progress) -> Findings:
    """Stops at the first thing that is not as it must be."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "books.sqlite")
        try:
            found = run_paper_kills(target, seed, KILLS, lambda done: progress(done, KILLS))
            with open_database(target) as database:
                stored = database.open_paper()
                decisions = [] if stored is None else list(stored.decisions())
                for decision in decisions:
                    check_explained(decision)
        except (BrokenPaper, NotExplained, PumpSwapError) as broken:
            return Findings({"kills": KILLS, "broken": 1}, failures=[f"{type(broken).__name__}: {broken}"])
    figures = {
        "kills": found.kills,
        "trades": found.trades,
        "orders_lost_with_their_process": found.lost_orders,
        "most_exits_restored_at_once": found.restored_exits,
        "outcomes": dict(sorted(found.outcomes.items())),
        "decisions_made_again_from_why": len(decisions),
        "duplicates": 0,
        "torn_moments": 0,
    }
    failures = [] if found.trades and found.lost_orders else ["nothing was traded, or no order was ever on its way"]
    table = [f"{name:<38} {value}" for name, value in figures.items()]
    notes = ["after every kill: books, wallet, risk, exits and the order on its way are of one moment"]
    return Findings(figures, table, failures, notes)


PAPER_CRASHES = Check("paper-crashes", f"{KILLS} times kill -9 of a process that trades on paper", lambda: None, run)
