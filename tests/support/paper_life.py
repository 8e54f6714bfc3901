"""A paper process from the inside: books in a database, an engine taken up from them, a recorder, a control."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pumpswap.amm import current_schedule
from pumpswap.engine.control import Control
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.restore import RestoredPaper, restore_paper
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate
from pumpswap.settings import Settings
from pumpswap.storage import Database, Run, open_database
from tests.support.market import SOL, START_NS, always


@dataclass
class PaperLife:
    """One process. ``stopped`` counts what asked it to stop; ``flushed`` how often its books were to be stored."""

    database: Database
    run: Run
    engine: Engine
    taken_up: RestoredPaper
    control: Control = field(init=False)
    stopped: int = 0
    flushed: int = 0

    def step(self, *updates: MarketUpdate) -> None:
        """One transaction for each update, and what follows from it."""
        for update in updates:
            with self.run.batch():
                self.engine.step(update)

    def poll(self) -> None:
        """As the supervisor does it: what follows is stored together with the answer."""
        with self.run.batch():
            self.control.poll()

    def also(self, write: Callable[[], object]) -> None:
        """Everything is stored at once here."""
        write()

    def flush(self) -> None:
        """Nothing is left to store."""
        self.flushed += 1


def paper_parts(used: Settings, taken_up: RestoredPaper, **parts: Any) -> EngineParts:
    """Of an engine that goes on with what was taken up, and likes every coin unless a ``signaller`` says otherwise."""
    book, age = PoolBook(), used.risk.max_state_age_seconds
    schedule = current_schedule()
    venue = PaperVenue(book, used.paper, lambda _: schedule, max_state_age_seconds=age, wallet=taken_up.wallet)
    signaller = parts.pop("signaller", always(90.0))
    return EngineParts(
        book, venue, signaller, lambda _: schedule, used,
        keeper=taken_up.keeper(), restored=taken_up.restored, **parts,
    )  # fmt: skip


@contextmanager
def paper_life(
    target: str | Path, chosen: Settings | None = None, *, now_ns: int = START_NS, mode: str = "paper", **parts: Any
) -> Iterator[PaperLife]:
    """The unfinished paper run of the database, or a new one with 50 SOL."""
    used = chosen or Settings()
    with open_database(target) as database:
        run = database.open_paper() or database.start_run("paper", now_ns)
        taken_up = restore_paper(run, now_ns)
        made = paper_parts(used, taken_up, mode=mode, **parts)
        engine = Engine(made, (StoreRecorder(run),))
        engine.clock.advance_to(now_ns)

        def stop() -> None:
            life.stopped += 1

        life = PaperLife(database, run, engine, taken_up)
        life.control = Control(run, engine, stop, life, engine.clock.now_ns)
        if taken_up.is_new:
            with run.batch():
                engine.deposit(50 * SOL)
        yield life
