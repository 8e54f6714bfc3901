"""200 random lives of a wallet on the practice chain, among transfers, trades by hand, airdrops and closed accounts."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from tests.acceptance.check import Check, Findings, Progress
from tests.execution.outside_world import Wrong, live_with_others
from tests.support.material import material

LIVES = 200
STEPS = 60


def run(seed: int, progress: Progress, lives: int = LIVES) -> Findings:
    """Stops at the first life whose books are not the wallet, and names its seed."""
    done: Counter[str] = Counter()
    failures: list[str] = []
    first = (seed % 2**20) * 10**6
    lived = 0
    while lived < lives and not failures:
        try:
            with tempfile.TemporaryDirectory() as folder:
                done += asyncio.run(live_with_others(Path(folder), first + lived, STEPS))
        except Wrong as wrong:
            failures.append(str(wrong))
            break
        lived += 1
        progress(lived, lives)
    figures = {"lives": lived, "steps_each": STEPS, "unexplained": len(failures), **dict(sorted(done.items()))}
    table = [f"{name:<16} {count:>7,}" for name, count in sorted(done.items())]
    return Findings(figures, table, failures, ["the recorded program in LiteSVM; one pool, one coin"])


def _absent() -> str | None:
    if material("chain", "programs") is None:
        return "the recorded programs are not here"
    return None


OUTSIDE_LIVES = Check("outside", f"{LIVES} lives of a wallet among others, nothing unexplained", _absent, run)
