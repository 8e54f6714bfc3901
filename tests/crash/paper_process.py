"""Trades on paper as fast as it can until it is killed: ``python -m tests.crash.paper_process DATABASE SEED``.

It takes up the books where the process before it was killed, and prints its moment after each transaction. Run by
paper_kills.py.
"""

from __future__ import annotations

import sys
from random import Random

from pumpswap.model import Command as Ask
from pumpswap.model import CommandVerb
from tests.support.market import at, graduate, moved, seen, settings
from tests.support.paper_life import paper_life

POOLS = 6
CHOSEN = settings(
    risk={
        "cooldown_seconds": 0,
        "max_drawdown_fraction": "1",
        "max_daily_loss_fraction": "1",
        "max_losses_in_a_row": 3,
        "losses_pause_seconds": 60,
        "max_trades_per_minute": 4,
        "breaker_seconds": 30,
    },
    exits={"trailing_stop_bps": 1_000, "take_profit_ladder": [{"gain_bps": 2_000, "sell_bps": 3_000}]},
)


def main(target: str, seed: int) -> None:
    rng = Random(seed)
    with paper_life(target, CHOSEN, now_ns=at(seed * 10_000)) as life:
        print("open", flush=True)
        for step in range(100_000):
            second = seed * 10_000 + step * 2
            state = graduate(rng.randint(1, POOLS))
            percent = rng.choice((-45, -30, 0, 0, 25, 60, 130))
            life.step(seen(moved(state, percent) if percent else state, second, scored=rng.random() < 0.7))
            if step % 40 == 39:
                verb = rng.choice((CommandVerb.PAUSE, CommandVerb.RESUME, CommandVerb.RESUME))
                life.run.commands.add(Ask(at(second), verb, "crash"))
                with life.run.batch():
                    life.poll()
            print(f"{at(second)} {life.engine.portfolio.ledger.last_sequence}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
