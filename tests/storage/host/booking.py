"""One trade and one position, booked as the engine does."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.storage import open_database
from pumpswap.storage.settlement import Settlement
from tests.storage import samples

__all__ = ["book"]


def book(url: str, pool: str, run_id: int | None = None, *, at_once: bool = False) -> None:
    """Book a buy in ``pool`` and the position that it opens, in a new run or in an old one; ``at_once`` as a live fill,
    else as a paper run does.
    """
    with open_database(url) as database:
        run = database.start_run("test", 1) if run_id is None else database.run(run_id)
        intent = replace(samples.decision().intent, pool=pool)
        with run.batch():
            run.save_decision(samples.decision(intent=intent))
            run.save_order(samples.order(pool=pool))
            position = replace(samples.position(), pool=pool)
            if at_once:
                last = run.books.last()
                entry = samples.entry(1 if last is None else last.sequence + 1)
                run.settle(Settlement(samples.order(pool=pool), samples.filled(), None, [entry], position))
            else:
                run.save_outcome(samples.filled())
                run.save_position(position)
