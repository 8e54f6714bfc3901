"""Episodes whose engine is stored in SQLite and taken up from there after each restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pumpswap.app.books import Books
from pumpswap.app.why import why
from pumpswap.cli.why_json import decision_json
from pumpswap.clock import ManualClock
from pumpswap.engine.engine import Engine
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.restore import restore_paper
from pumpswap.model import Decision
from pumpswap.storage import Database, open_database
from tests.support.limit_world import Episode, hostile
from tests.support.why_numbers import complaints_about

__all__ = ["StoredEpisode"]


@dataclass
class StoredEpisode(Episode):
    """``folder`` takes the database. A restart commits what was told and reads everything back; orders that were on
    their way die with the process, as paper orders do.
    """

    folder: Path = field(default_factory=Path)
    lost: int = 0
    unexplained: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._database: Database = open_database(self.folder / f"{self.seed}.sqlite")
        self._run = self._database.start_run("paper", 1, self.seed, {})
        self._recorder: StoreRecorder | None = None
        super().__post_init__()

    def finish(self) -> None:
        super().finish()
        self._commit()
        self.unexplained = [text for decision in self.decisions for text in self._unexplained(decision)]
        self._database.close()

    def _unexplained(self, decision: Decision) -> list[str]:
        """What ``pumpswap why`` does not tell of a decision, read from the database as it does."""
        run_id = self._run.run_id
        header = next(one for one in self._database.runs() if one.run_id == run_id)
        books = Books(self._database, self._run, header)
        told = why(books, decision.decision_id, self.parts.settings, ManualClock(self.now_ns))
        if told.tale is None:
            return [f"{decision.decision_id}: nothing is told"]
        stored = told.tale.decision
        same = (stored.verdicts, stored.sizing, stored.accepted, stored.quote_lamports, stored.base_units)
        found = complaints_about(stored)
        if same != (
            decision.verdicts,
            decision.sizing,
            decision.accepted,
            decision.quote_lamports,
            decision.base_units,
        ):
            found.append(f"{decision.decision_id}: stored as {stored}, was {decision}")
        shown = {verdict["policy"]: verdict["numbers"] for verdict in decision_json(stored)["verdicts"]}
        for verdict in decision.verdicts:
            if shown.get(verdict.policy) != dict(verdict.numbers):
                found.append(f"{decision.decision_id}: {verdict.policy} shows {shown.get(verdict.policy)}")
        if decision.accepted and told.tale.fate is None:
            found.append(f"{decision.decision_id}: accepted, and nobody tells what became of it")
        return found

    def _restart(self, pool: int, rng: object) -> None:
        self.restarts += 1
        self.checker.people.faults.clear()  # a process's own end with it
        self._commit()
        self.engine = self._next_engine(self.engine)
        self.engine.clock.advance_to(self.now_ns)

    def _next_engine(self, before: Engine | None) -> Engine:
        restored = restore_paper(self._run, self.now_ns)
        for order in restored.lost:
            self.lost += 1
            self.checker.lose(order)
        self.venue = hostile(self.parts.book, self.parts.settings, self.seed, restored.wallet)
        self._recorder = StoreRecorder(self._run)
        self._recorder.__enter__()
        return self._made(restored.keeper(), restored.restored, self._recorder)

    def _commit(self) -> None:
        if self._recorder is not None:
            self._recorder.__exit__(None, None, None)
            self._recorder = None
