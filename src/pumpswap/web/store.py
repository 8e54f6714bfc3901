"""Store: the database of the dashboard, opened when there is one, and the run that is shown."""

from __future__ import annotations

import threading
from pathlib import Path

from pumpswap.app.books import Books, chosen_books
from pumpswap.app.control import running_runs
from pumpswap.app.views.sight import Sight
from pumpswap.clock import Clock
from pumpswap.errors import NotFound
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database

__all__ = ["Store"]


class Store:
    """One for the whole application, used by many threads. A file that is not there yet is looked for at each ask."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings, self.clock = settings, clock
        self._lock = threading.Lock()
        self._database: Database | None = None

    def database(self) -> Database:
        """Raises NotFound where there is none yet."""
        with self._lock:
            target = self.settings.database_target
            if self._database is None and (not isinstance(target, Path) or target.exists()):
                self._database = open_database(target)
            if self._database is None:
                raise NotFound(
                    f"there are no books in {self.settings.data_dir} yet",
                    hint="`pumpswap run` starts an engine; with --market simulated it needs nothing",
                )
            return self._database

    def books(self, run_id: int | None = None) -> Books:
        """The run with this number; without one that of the running engine (of several a live one, of these the
        newest), else the newest. Raises NotFound.
        """
        database = self.database()
        if run_id is None:
            for header in running_runs(database, self.settings, self.clock.now_ns()):
                return Books(database, database.run(header.run_id), header)
        books = chosen_books(database, run_id)
        if books is None:
            raise NotFound("there is no run yet", hint="`pumpswap run --market simulated` makes one")
        return books

    def sight(self, run_id: int | None = None) -> Sight:
        """What views of it are made from. Raises NotFound."""
        return Sight(self.books(run_id), self.settings, self.clock)

    def close(self) -> None:
        """Give the database back."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None
