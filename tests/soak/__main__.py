"""``make soak``: 100,000 schedules of failures against the sender, then one simulated market after another through the
whole engine, for as long as you like.

After every run the books are checked (the ledger is the wallet, profit and loss explains equity) and every tenth run is
repeated: the same seed must give the same ledger. Memory must not grow once everything has been loaded.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from pumpswap.app.paper import run_demo
from pumpswap.settings import Settings
from tests.acceptance import sender_schedules
from tests.support.evidence import write_evidence

GROWTH_MIB = 64  # allowed after the first ten runs
REPEAT_EVERY = 10


def main() -> int:
    """Run until the time is over; 1 at the first book that does not balance."""
    parser = argparse.ArgumentParser(prog="make soak", description="simulated markets without end")
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--schedules", type=int, default=100_000, help="of the sender, before the markets")
    options = parser.parse_args()
    sent = sender_schedules.run(options.seed, _tell_schedules, options.schedules)
    print("", *sent.table, *sent.failures, sep="\n", file=sys.stderr)
    if sent.failures:
        return 1
    ends, seed, fills, settled_mib = time.monotonic() + options.minutes * 60, options.seed, 0, 0
    while time.monotonic() < ends:
        fills += _run(seed, repeat=seed % REPEAT_EVERY == 0)
        seed += 1
        runs = seed - options.seed
        if runs == 10:
            settled_mib = _peak_mib()
        if runs > 10 and _peak_mib() > settled_mib + GROWTH_MIB:
            print(f"\nmemory grew from {settled_mib} to {_peak_mib()} MiB in {runs} runs", file=sys.stderr)
            return 1
        print(f"\r{runs} runs, {fills} fills, {_peak_mib()} MiB", end="", file=sys.stderr, flush=True)
    figures = {
        "sender": sent.figures,
        "runs": seed - options.seed,
        "fills": fills,
        "minutes": options.minutes,
        "peak_mib": _peak_mib(),
    }
    print(f"\n{write_evidence('soak', figures, ['books checked after every run, every tenth run repeated'])}")
    return 0


def _tell_schedules(done: int, of: int) -> None:
    print(f"\r{done:,} of {of:,} schedules", end="", file=sys.stderr, flush=True)


def _run(seed: int, *, repeat: bool) -> int:
    """Fills of one market. Raises LedgerMismatch when its books do not balance."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        run = run_demo(settings, seed=seed)
        if repeat and run_demo(settings, seed=seed).summary.ledger_sha256 != run.summary.ledger_sha256:
            raise SystemExit(f"seed {seed} gave two different ledgers")
    return run.summary.fills


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
