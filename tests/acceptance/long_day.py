"""A simulated day of a thousand pools through the real engine: minutes, bounded memory, nothing left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from tests.acceptance.check import Check, Findings, Progress
from tests.support.long_day import DayFigures, growth_mb_per_hour, run_day

__all__ = ["LONG_DAY"]

POOLS, HOURS = 1_000, 24
LEAST_SWAPS = 1_500_000
WARM_UP_HOURS = 6.0  # all pools are open after two hours, the history of scores is two hours long, holders have come
MOST_GROWTH_MB_PER_HOUR = 1.0
MOST_MINUTES = 20.0  # of computing: how long it waits for a core says nothing about the engine


def run(seed: int, progress: Progress) -> Findings:
    """One day; the figures say how long it took and what it left."""
    progress(0, 1)
    with tempfile.TemporaryDirectory(prefix="pumpswap-day-") as folder:
        found = run_day(Path(folder, "day.sqlite"), seed=seed, pools=POOLS, hours=HOURS)
    progress(1, 1)
    growth = growth_mb_per_hour(found.samples, WARM_UP_HOURS)
    figures = {
        "pools": POOLS,
        "hours": HOURS,
        "swaps": found.swaps,
        "snapshots": found.snapshots,
        "minutes": round(found.computing_seconds / 60, 1),
        "minutes_with_waits": round(found.seconds / 60, 1),
        "updates_per_second": round(found.updates / found.computing_seconds),
        "decisions": found.decisions,
        "fills": found.fills,
        "orders_not_filled": found.other_outcomes,
        "rounds_closed": found.rounds,
        "marks": found.marks,
        "database_mb": found.database_mb,
        "longest_queue": found.longest_queue,
        "most_waiting_for_the_database": found.most_to_store,
        "memory_growth_mb_per_hour": growth,
        "most_memory_mb": max(sample.resident_mb for sample in found.samples),
        "memory_mb_by_hour": {f"{one.hour:g}": one.resident_mb for one in found.samples if one.hour % 3 < 0.1},
        "differences": len(found.differences),
    }
    table = [f"{name.replace('_', ' '):<28} {_shown(value):>12}" for name, value in figures.items()]
    notes = [
        "participants 14 times slower than in the demonstration, snapshots every five minutes, history of two hours",
        "minutes and updates per second are of computing: how many other checks run beside it does not count",
    ]
    return Findings(figures, table, failures_of(found, growth), notes)


def failures_of(found: DayFigures, growth: float) -> list[str]:
    """What of the promise does not hold."""
    late = [sample for sample in found.samples if sample.hour >= WARM_UP_HOURS]
    failures = list(found.differences)
    if found.swaps < LEAST_SWAPS:
        failures.append(f"{found.swaps:,} swaps, {LEAST_SWAPS:,} were to come")
    if found.computing_seconds > MOST_MINUTES * 60:
        failures.append(f"it computed for {found.computing_seconds / 60:.1f} minutes")
    if growth > MOST_GROWTH_MB_PER_HOUR:
        failures.append(f"memory grows by {growth} MB an hour after the warm-up")
    if len({sample.tasks for sample in late}) != 1 or found.tasks_after != found.tasks_before:
        failures.append(f"tasks: {sorted({one.tasks for one in late})} during it, {found.tasks_after} afterwards")
    if len({sample.waiting for sample in late}) != 1:
        failures.append(f"the queue has grown: {sorted({one.waiting for one in late})}")
    half = len(late) // 2
    before, after = (median(one.to_store for one in part) for part in (late[:half], late[half:]))
    if after > 3 * before + 1_000:
        failures.append(f"more and more waits for the database: {before:g} in the first half, {after:g} in the second")
    return failures


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{hour} h {megabytes:g}" for hour, megabytes in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


LONG_DAY = Check("long-day", f"{HOURS} simulated hours of {POOLS:,} pools through the engine", lambda: None, run)
