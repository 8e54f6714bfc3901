"""Commits orders and attempts one by one, for a tracer to watch: ``python -m tests.storage.commit_process DATABASE``.

A line goes out before every commit, so that the tracer sees what each of them does.
"""

from __future__ import annotations

import sys

from pumpswap.model import Attempt
from pumpswap.storage import open_database
from tests.storage import samples

COMMITS = 20  # ten orders, ten attempts


def main(target: str) -> None:
    with open_database(target) as database:
        run = database.start_run("test", 0)
        for number in range(COMMITS // 2):
            run.save_decision(samples.decision(number))
        for number in range(COMMITS):
            order = number // 2
            print(f"commit {number}", flush=True)
            if number % 2 == 0:
                run.save_order(samples.order(order))
            else:
                run.attempts.add(attempt(order))
        print(f"commit {COMMITS}", flush=True)


def attempt(order: int) -> Attempt:
    return Attempt(
        order_id=f"o{order:06d}",
        number=1,
        signature=f"signature-{order}",
        raw=bytes(1_000),
        blockhash="hash",
        last_valid_block_height=400_000_150,
        created_ns=samples.NS,
        created_slot=425_000_000,
        compute_unit_limit=120_000,
        compute_unit_price_micro_lamports=15_000,
    )


if __name__ == "__main__":
    main(sys.argv[1])
