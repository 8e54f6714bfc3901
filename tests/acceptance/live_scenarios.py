"""Every live scenario with 40 draws of failing endpoints and ending processes: signal to sale on the real program."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from tests.acceptance.check import Check, Findings, Progress
from tests.live.rig import Rig, Wrong
from tests.live.scenarios import SCENARIOS, play
from tests.support.material import material

SEEDS = 40


def run(seed: int, progress: Progress, seeds: int = SEEDS) -> Findings:
    """Goes on after a failure: each names its scenario and seed."""
    first, of = (seed % 2**20) * 10**4, len(SCENARIOS) * seeds
    by_scenario: dict[str, Counter[str]] = {}
    failures: list[str] = []
    done = 0
    for name, scenario in SCENARIOS.items():
        counts = by_scenario[name] = Counter()
        for number in range(first, first + seeds):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    rig = asyncio.run(play(scenario, Path(folder), number))
                except Wrong as wrong:
                    failures.append(f"{name}: {wrong}")
                else:
                    counts += _counted(rig)
                    rig.world.close()
            done += 1
            progress(done, of)
    total = sum(by_scenario.values(), Counter())
    figures = {"scenarios": len(SCENARIOS), "seeds_each": seeds, **dict(sorted(total.items())), "failed": len(failures)}
    table = [f"{'scenario':<18} {'orders':>7} {'filled':>7} {'denied':>7} {'unknown':>8} {'restarts':>9} {'faults':>8}"]
    for name, counts in by_scenario.items():
        orders, filled, denied = counts["orders"], counts["filled"], counts["denied"]
        unknown, restarts, faults = counts["unknown"], counts["restarts"], counts["faults"]
        table.append(f"{name:<18} {orders:>7,} {filled:>7,} {denied:>7,} {unknown:>8,} {restarts:>9,} {faults:>8,}")
    notes = [
        "the recorded program in LiteSVM, three endpoints of which two or all fail in drawn ways",
        "a process ends between any two steps of its tasks, and what it had not stored is lost",
        "at the end all is sold for the right reason, ledger = wallet, each of its transactions is booked once,",
        "every order has its decision, risk remembers each entry once",
    ]
    return Findings(figures, table, failures, notes)


def _counted(rig: Rig) -> Counter[str]:
    counts: Counter[str] = Counter()
    for _, outcome in rig.told.outcomes:
        counts[type(outcome).__name__.lower()] += 1
    counts["orders"] = len(list(rig.books.run.orders()))
    counts["restarts"] = rig.starts - 1
    counts["faults"] = sum(len(node.faults.fired) for node in rig.nodes)
    return counts


def _absent() -> str | None:
    return "the recorded programs are not here" if material("chain", "programs") is None else None


LIVE_SCENARIOS = Check(
    "live-scenarios", f"{len(SCENARIOS)} live scenarios with {SEEDS} draws of faults and restarts each", _absent, run
)
