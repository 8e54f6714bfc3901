"""20,000 random schedules of endpoints that fail, lie and forget, and of processes that are killed."""

from __future__ import annotations

from tests.acceptance.check import Check, Findings, Progress
from tests.chain.sender_world import Wrong, run_schedules

SCHEDULES = 20_000
BATCH = 500


def run(seed: int, progress: Progress, schedules: int = SCHEDULES) -> Findings:
    """Stops at the first schedule in which a rule is broken, and names its seed."""
    ended: dict[str, int] = {}
    failures: list[str] = []
    first = (seed % 2**20) * 10**6
    done = 0
    while done < schedules and not failures:
        try:
            found = run_schedules(first + done, min(BATCH, schedules - done))
        except Wrong as wrong:
            failures.append(str(wrong))
            break
        ended = {name: ended.get(name, 0) + count for name, count in found.items()}
        done += BATCH
        progress(min(done, schedules), schedules)
    if ended.get("other"):
        failures.append(f"{ended['other']} orders ended in an unforeseen way")
    figures = {"schedules": min(done, schedules), "broken_rules": len(failures), **ended}
    table = [f"{name:<10} {count:>8,}" for name, count in ended.items()]
    return Findings(figures, table, failures, ["three endpoints, at most one of them a liar; quorum of two"])


SENDER_SCHEDULES = Check("sender", f"{SCHEDULES} schedules of failures against the sender", lambda: None, run)
