"""Run the long checks, print what they found, keep the figures as evidence.

    python -m tests.acceptance                      all checks, fresh cases
    python -m tests.acceptance svm-trades --seed 7  one check, and the same cases as last time
    python -m tests.acceptance --jobs 2             two checks at a time
    python -m tests.acceptance --resume             those that have not held yet on these very sources

Exit code 0 when every check that ran holds and at least one ran, else 1. Evidence is written when all checks have held
on the same sources.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.check import Check, Findings, Progress
from tests.acceptance.checks import CHECKS, run_all
from tests.acceptance.held import Held
from tests.support.evidence import write_evidence

SHOWN_FAILURES = 10


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    chosen = [check for check in CHECKS if check.name in options.checks] if options.checks else list(CHECKS)
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    held = Held()
    done = {check.name: kept for check in chosen if options.resume and (kept := held.found(check.name)) is not None}
    failed, skipped = [], []
    here = []
    for check in chosen:
        reason = check.absent()
        if check.name in done:
            print(f"{check.name}: has held on these sources (seed {done[check.name][1]})")
        elif reason is None:
            here.append(check)
        else:
            skipped.append(check.name)
            print(f"{check.name}: skipped, {reason}")
    for check, found in run_all(here, seed, options.jobs, _progress_of):
        print(f"{check.name}: {check.what} (seed {seed})")
        print("\n".join(found.table))
        for failure in found.failures[:SHOWN_FAILURES]:
            print(f"  FAILED {failure}")
        if found.failures:
            failed.append(check.name)
        else:
            held.keep(check.name, found, seed)
            done[check.name] = found, seed
        sys.stdout.flush()
    if not failed and not skipped and len(chosen) == len(CHECKS):
        print(f"evidence: {_write(done, seed)}")
    print(f"{len(done)} hold, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or len(skipped) == len(chosen) else 0


def _write(done: dict[str, tuple[Findings, int]], seed: int) -> Path:
    figures: dict[str, Any] = {"seed": seed}
    notes: list[str] = []
    for check in CHECKS:
        found, seeded = done[check.name]
        figures[check.name] = found.figures if seeded == seed else {**found.figures, "seed": seeded}
        notes += [f"{check.name}: {note}" for note in found.notes]
    return write_evidence("acceptance", figures, notes)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description="The long checks.")
    names = [check.name for check in CHECKS]
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"one or more of: {', '.join(names)} (default: all)")
    parser.add_argument("--seed", type=int, help="repeat the cases of an earlier run (default: fresh ones)")
    parser.add_argument("--resume", action="store_true", help="leave out what has held on these very sources")
    parser.add_argument("--jobs", type=int, default=1, help="checks at the same time, in as many processes")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.checks) - set(names))
    if unknown:
        parser.error(f"no check is named {', '.join(unknown)}; there are: {', '.join(names)}")
    return options


def _progress_of(check: Check) -> Progress:
    """A line on stderr for every fiftieth part."""
    last = -1

    def progress(done: int, of: int) -> None:
        nonlocal last
        part = done * 50 // of
        if part != last:
            last = part
            end = "\n" if done >= of else ""
            print(f"\r{check.name} {done:>7,} of {of:,}", end=end, file=sys.stderr, flush=True)

    return progress


if __name__ == "__main__":
    sys.exit(main())
