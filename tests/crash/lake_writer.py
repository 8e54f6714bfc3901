"""A process that writes to a lake until it is killed: ``python -m tests.crash.lake_writer FOLDER FIRST``.

It says on stdout what is committed, after each commit. Files are merged, candles corrected, the manifest shortened and
replaced files deleted all the time, so that a kill may come into any of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pumpswap.clock import ManualClock
from pumpswap.market.lake import Coverage, Lake, LakeWriter, manifest
from tests.market.lake.rows import MIDNIGHT, MINUTE, candle, swap

BATCH = 20
REPEATED = 30  # rows that come again after a start, as a download does that resumes
LONG_MANIFEST = 40


def main(folder: Path, first: int) -> None:
    """From swap ``first`` on, for ever."""
    manifest._LONG = LONG_MANIFEST
    clock = ManualClock(MIDNIGHT + first * MINUTE)
    with LakeWriter(Lake(folder), clock=clock) as writer:
        number = max(first - REPEATED, 0)
        while True:
            # A day has 86,400 swaps; these spread over several.
            writer.add("swaps", [swap(one * 60, f"Pool{one % 7}") for one in range(number, number + BATCH)])
            writer.add("candles", [candle(number % 50, str(number))])
            number += BATCH
            writer.cover(claim(number))
            writer.commit()
            clock.advance_to(clock.now_ns() + MINUTE)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


def claim(number: int) -> Coverage:
    """All swaps before ``number``."""
    return Coverage(kind="swaps", network="solana", start_ns=MIDNIGHT, end_ns=MIDNIGHT + number * MINUTE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
