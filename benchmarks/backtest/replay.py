"""Steps per second: compiling a history into columns, and computing every act of it again."""

from __future__ import annotations

import gc
import time

from benchmarks.backtest.engine import recorded
from benchmarks.figures import Figures
from pumpswap.research.kernel.acting import replay
from pumpswap.research.kernel.layout import columns_of

__all__ = ["measure"]

SWAPS, ROUNDS = 100_000, 5


def measure() -> Figures:
    """The same simulated trades as the back-test's."""
    history, _ = recorded(SWAPS)
    _ = history.identity  # its digest is another pass, and no part of compiling
    gc.collect()
    began = time.perf_counter()
    columns = columns_of(history)
    compiling = time.perf_counter() - began
    began = time.perf_counter()
    found = replay(columns)  # compiles the code, or reads it from the disk
    taken = [time.perf_counter() - began]
    for _ in range(ROUNDS):
        began = time.perf_counter()
        replay(columns)
        taken.append(time.perf_counter() - began)
    if found.differing:
        raise RuntimeError(f"step {found.first} of the benchmark's history is not explained")
    rows, acts = round(len(columns) / compiling), round(found.acts / min(taken[1:]))
    figures = {
        "steps": len(columns), "acts": found.acts, "columns_rows_per_second": rows, "replayed_acts_per_second": acts,
        "bytes_per_step": round(sum(getattr(columns, name).nbytes for name in columns.array_names()) / len(columns)),
        "first_use_seconds": round(taken[0], 1),
    }  # fmt: skip
    table = [
        f"{'a history as columns':<44}{rows:>14,} steps/s",
        f"{'every act computed again and compared':<44}{acts:>14,} acts/s",
        f"{'memory of a step':<44}{figures['bytes_per_step']:>14,} bytes",
    ]
    notes = [f"{SWAPS:,} trades of 100 simulated pools; one core, best of {ROUNDS}; nothing differs from the record"]
    return Figures("The kernel's replay", table, figures, [], notes)
