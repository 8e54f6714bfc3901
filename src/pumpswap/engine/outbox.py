"""Outbox: what a running engine tells is kept, and stored every moment in one transaction.

Between two of them the database is free, so that other terminals can write their commands; and somebody's lock on it
delays the storing, not the trading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pumpswap.engine.backlog import PLACE, Backlog
from pumpswap.errors import PumpSwapError
from pumpswap.model import LedgerEntry, Mark, MarketUpdate, Order, Outcome, Position, RunObserver
from pumpswap.storage.run import Run

__all__ = ["PLACE", "SHADOW", "Outbox"]

SHADOW = "shadow"  # what a paper book remembers of our trades in its pools


class Outbox(Backlog):
    """Stands before the observer that stores. A process that dies loses what was not flushed, as a whole: the stored
    books end at one moment, and the places of the feeds with them. So does what ``memory`` gives: see ``ShadowBook``.
    """

    def __init__(self, run: Run, target: RunObserver, memory: Callable[[], Mapping[str, object]] | None = None) -> None:
        super().__init__(run, target)
        self._memory: Callable[[], Mapping[str, object]] = dict if memory is None else memory
        self._remembered = self._memory()
        self._latest_ns = 0

    def __len__(self) -> int:
        return len(self._told) + len(self._newest)

    # ------------------------------------------------------------------------------------------ storing

    def flush(self) -> None:
        """Store what was told. Raises StorageError when the database cannot be written now, and keeps everything;
        PumpSwapError when it has refused a row: the books cannot be continued then.
        """
        memory = self._memory()
        if self._is_empty() and memory == self._remembered:
            return
        has_begun = False
        try:
            with self._run.batch():
                has_begun = True
                self._store(self._latest_ns)
                if memory != self._remembered:
                    self._run.states.save(SHADOW, memory, self._latest_ns)
        except PumpSwapError as refused:
            if not has_begun:
                raise
            raise PumpSwapError(
                f"the books cannot be stored: {refused.what}",
                hint="start again: it goes on from what is stored, the last moments are not; " + refused.hint,
            ) from refused
        self._forget()
        self._remembered = memory

    # ------------------------------------------------------------------------------------------ listening

    def on_update(self, update: MarketUpdate) -> None:
        self._latest_ns = max(self._latest_ns, update.at_ns)
        self._target.on_update(update)  # it only looks at it: nothing of the market is stored

    def on_order(self, order: Order) -> None:
        self._told.append(partial(self._target.on_order, order))

    def on_entries(self, entries: Sequence[LedgerEntry]) -> None:
        self._told.append(partial(self._target.on_entries, tuple(entries)))

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self._told.append(partial(self._target.on_outcome, order, outcome, position))

    def on_mark(self, mark: Mark) -> None:
        self._told.append(partial(self._target.on_mark, mark))
