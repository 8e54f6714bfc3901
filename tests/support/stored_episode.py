"""Episodes whose engine is stored in SQLite and taken up from there after each restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pumpswap.engine.engine import Engine
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.restore import restore_paper
from pumpswap.storage import Database, open_database
from tests.support.limit_world import Episode, hostile

__all__ = ["StoredEpisode"]


@dataclass
class StoredEpisode(Episode):
    """``folder`` takes the database. A restart commits what was told and reads everything back; orders that were on
    their way die with the process, as paper orders do.
    """

    folder: Path = field(default_factory=Path)
    lost: int = 0

    def __post_init__(self) -> None:
        self._database: Database = open_database(self.folder / f"{self.seed}.sqlite")
        self._run = self._database.start_run("paper", 1, self.seed, {})
        self._recorder: StoreRecorder | None = None
        super().__post_init__()

    def finish(self) -> None:
        super().finish()
        self._commit()
        self._database.close()

    def _restart(self, pool: int, rng: object) -> None:
        self.restarts += 1
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
