"""Writes whole batches, for tests to kill: ``python -m tests.storage.writer_process DATABASE BATCHES [half]``.

Each batch appends ENTRIES entries that sum to 0 SOL and 1 token, and one decision. When it is on the disk, its number
is printed. With ``half``, one more batch is begun after that and left open until the process is killed.
"""

from __future__ import annotations

import sys

from pumpswap.storage import Run, open_database
from tests.storage import samples

ENTRIES = 6


def write_half(run: Run, batch: int) -> None:
    """Half of a batch: not balanced."""
    first = batch * ENTRIES + 1
    run.append_entries([samples.entry(first, 70), samples.entry(first + 1, -60), samples.entry(first + 2, -5)])
    run.save_decision(samples.decision(batch))


def write_batch(run: Run, batch: int) -> None:
    """A whole one."""
    write_half(run, batch)
    first = batch * ENTRIES + 4
    run.append_entries([samples.entry(first, -5)])
    run.append_entries([samples.entry(first + 1, 3, asset="M"), samples.entry(first + 2, -2, asset="M")])


def main(target: str, batches: int, *, half: bool) -> None:
    with open_database(target) as database:
        run = database.start_run("writer", 0)
        for batch in range(batches):
            with run.batch():
                write_batch(run, batch)
            print(batch, flush=True)
        if half:
            with run.batch():
                write_half(run, batches)
                print("half", flush=True)
                sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), half="half" in sys.argv[3:])
