"""StoreRecorder: writes a run to the database while it happens, in whole batches."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from pumpswap.model import (
    Decision,
    EquityPoint,
    LedgerEntry,
    Mark,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    RunObserver,
    gain_between,
)
from pumpswap.storage.run import Run

__all__ = ["StoreRecorder"]

UPDATES_PER_BATCH = 500  # a commit costs a disk flush; paper books may lose the last half second, never a half trade


class StoreRecorder(RunObserver):
    """Use as a context: on leaving, the last batch is committed, or rolled back when the run failed."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._batch = ExitStack()
        self._updates = 0
        self._decimals: dict[str, int] = {}
        self._held: dict[str, Position] = {}

    def __enter__(self) -> Self:
        self._batch.enter_context(self._run.batch())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._batch.__exit__(kind, error, trace)

    def on_update(self, update: MarketUpdate) -> None:
        self._updates += 1
        if update.state is not None:
            self._decimals[update.pool] = update.state.base_decimals
        if self._updates % UPDATES_PER_BATCH == 0:
            self._batch.close()
            self._batch = ExitStack()
            self._batch.enter_context(self._run.batch())

    def on_decision(self, decision: Decision) -> None:
        self._run.save_decision(decision)

    def on_order(self, order: Order) -> None:
        if order.pool in self._decimals:
            self._run.know_decimals(order.mint, self._decimals[order.pool])
        self._run.save_order(order)

    def on_entries(self, entries: Sequence[LedgerEntry]) -> None:
        self._run.append_entries(entries)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self._run.save_outcome(outcome, gain_between(self._held.get(order.pool), position))
        if position is None:
            return
        self._run.save_position(position)
        if position.is_open:
            self._held[order.pool] = position
        else:
            self._held.pop(order.pool, None)

    def on_mark(self, mark: Mark) -> None:
        self._run.save_mark(mark)

    def on_equity(self, point: EquityPoint) -> None:
        self._run.equity.add(point)
