"""``python -m tests.fuzz``: one row per decoder; exit 1 with the bytes of the first offender."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from random import SystemRandom

from tests.fuzz.run import MEMORY_LIMIT_MIB, Outcome, run
from tests.support.evidence import write_evidence

NOTES = [
    "The strings are noise, and golden vectors flipped, cut, extended, spliced or with lying lengths.",
    "Every string goes through every decoder. Only errors under PumpSwapError may leave one.",
    "Round trips are checked whenever bytes are accepted: a Pool to the same bytes, the rest to the same value.",
    "nothing: an answer too (no known event, no failure in these lines).",
]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many strings (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="makes the same strings again (default: a fresh one, printed)")
    options = parser.parse_args(argv)
    seed = SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"{options.count} strings from seed {seed}", flush=True)
    started = time.perf_counter()
    outcome = run(options.count, seed)
    seconds = time.perf_counter() - started
    print(as_text(outcome))
    print(f"{outcome.bytes / 1e6:.0f} MB in {seconds:.0f} s, memory grew by {outcome.grown_mib:.0f} MiB")
    if outcome.offender is not None:
        found = outcome.offender
        print(f"\n{found.decoder} broke on string {found.number} of seed {seed}: {found.error}\n{found.data.hex()}")
        return 1
    if not outcome.within_memory:
        print(f"\nthe limit is {MEMORY_LIMIT_MIB} MiB")
        return 1
    figures = {
        "bytes": outcome.bytes,
        "decoders": outcome.table(),
        "memory_grown_mib": round(outcome.grown_mib, 1),
        "offenders": 0,
        "seconds": round(seconds, 1),
        "seed": seed,
        "strings": outcome.strings,
    }
    write_evidence("fuzz", figures, NOTES)
    return 0


def as_text(outcome: Outcome) -> str:
    """The table, one decoder a line."""
    lines = [f"{'decoder':32}{'accepted':>10}{'refused':>10}{'nothing':>10}"]
    for name, count in outcome.counts.items():
        lines.append(f"{name:32}{count.accepted:>10}{count.refused:>10}{count.nothing:>10}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
