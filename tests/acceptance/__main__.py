"""Run the long checks, print what they found, keep the figures as evidence.

    python -m tests.acceptance                      all checks, fresh cases
    python -m tests.acceptance svm-trades --seed 7  one check, and the same cases as last time
    python -m tests.acceptance --jobs 2             two checks at a time

Exit code 0 when every check that ran holds and at least one ran, else 1. Evidence is written by complete runs only.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import Any

from tests.acceptance.check import Check, Progress
from tests.acceptance.checks import CHECKS, run_all
from tests.support.evidence import write_evidence

SHOWN_FAILURES = 10


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    chosen = [check for check in CHECKS if check.name in options.checks] if options.checks else list(CHECKS)
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    figures: dict[str, Any] = {"seed": seed}
    notes: list[str] = []
    failed, skipped = [], []
    here = []
    for check in chosen:
        reason = check.absent()
        if reason is None:
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
        figures[check.name] = found.figures
        notes += [f"{check.name}: {note}" for note in found.notes]
    if not failed and not skipped and len(chosen) == len(CHECKS):
        print(f"evidence: {write_evidence('acceptance', figures, notes)}")
    print(f"{len(chosen) - len(skipped) - len(failed)} hold, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or len(skipped) == len(chosen) else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description="The long checks.")
    names = [check.name for check in CHECKS]
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"one or more of: {', '.join(names)} (default: all)")
    parser.add_argument("--seed", type=int, help="repeat the cases of an earlier run (default: fresh ones)")
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
