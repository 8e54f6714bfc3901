"""Recorders: observers that write a run to the database while it happens."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from pumpswap.engine.lately import Lately
from pumpswap.engine.q50_recorder import Q50Recorder
from pumpswap.model import (
    Alert,
    Decision,
    EquityPoint,
    ExitState,
    LedgerEntry,
    Mark,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Proposal,
    RiskState,
    RunObserver,
    gain_between,
)
from pumpswap.storage.run import Run

__all__ = ["StateRecorder", "StoreRecorder"]

UPDATES_PER_BATCH = 500  # a commit costs a disk flush; paper books may lose the last half second, never a half trade


class StateRecorder(RunObserver):
    """Stores what the engine must remember over a restart. Of each thing only the newest counts, so heirs may write it
    later and less often than it changes.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._now_ns = 0
        self._risk: RiskState | None = None
        self._exits: dict[str, ExitState | None] = {}  # None: its round is closed
        self._closed: Lately[int] = Lately()  # number of the last closed round, by pool
        self._repeats: dict[str, tuple[int, int]] = {}

    def store_states(self) -> None:
        """Write what has changed, into the open transaction or one of its own."""
        if self._risk is None and not self._exits and not self._repeats:
            return
        with self._run.batch():
            if self._risk is not None:
                self._run.states.save_risk(self._risk, self._now_ns)
            for pool, state in self._exits.items():
                if state is None:
                    self._run.states.drop_exits(pool)
                else:
                    self._run.states.save_exits(state, self._now_ns)
            for decision_id, (count, at_ns) in self._repeats.items():
                self._run.decided.repeat(decision_id, count, at_ns)
        self._risk = None
        self._exits.clear()
        self._repeats.clear()

    def on_update(self, update: MarketUpdate) -> None:
        self._now_ns = max(self._now_ns, update.at_ns)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self._repeats[of] = repeats, decision.intent.at_ns
        self._has_changed()

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self._now_ns = max(self._now_ns, outcome.at_ns)
        if position is not None and not position.is_open:
            self._closed.put(position.pool, position.round, self._now_ns)
            self._exits[position.pool] = None
            self._has_changed()

    def on_risk(self, state: RiskState) -> None:
        self._risk = state
        self._has_changed()

    def on_exits(self, state: ExitState) -> None:
        is_open = not state.is_over and state.round > (self._closed.get(state.pool) or 0)
        self._exits[state.pool] = state if is_open else None
        self._has_changed()

    def on_proposal(self, proposal: Proposal) -> None:
        self._run.proposals.save(proposal)

    def on_alert(self, alert: Alert) -> None:
        self._run.alert(alert)

    def _has_changed(self) -> None:
        """Something waits for ``store_states``."""
        self.store_states()


class StoreRecorder(StateRecorder):
    """Stores a paper run whole. Used as a context it writes in batches of its own: on leaving, the last one is
    committed, or rolled back when the run failed. Without, every call is written at once, or into the transaction that
    its caller has opened.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._batch: ExitStack | None = None
        self._updates = 0
        self._decimals: Lately[int] = Lately()
        self._q50 = Q50Recorder(run)
        self._held = {position.pool: position for position in run.open_positions()}

    def __enter__(self) -> Self:
        self._begin_batch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        batch, self._batch = self._batch, None
        if batch is None:
            return
        if error is None:
            with batch:
                self.store_states()
        else:
            batch.__exit__(kind, error, trace)

    def on_update(self, update: MarketUpdate) -> None:
        super().on_update(update)
        self._updates += 1
        if update.state is not None:
            self._decimals.put(update.pool, update.state.base_decimals, update.at_ns)
        if self._batch is not None and self._updates % UPDATES_PER_BATCH == 0:
            self.store_states()
            self._batch.close()
            self._begin_batch()

    def on_decision(self, decision: Decision) -> None:
        self._run.save_decision(decision)
        self._q50.decided(decision)

    def on_order(self, order: Order) -> None:
        decimals = self._decimals.get(order.pool)
        if decimals is not None:
            self._run.know_decimals(order.mint, decimals)
        self._run.save_order(order)
        self._q50.ordered(order)

    def on_entries(self, entries: Sequence[LedgerEntry]) -> None:
        self._run.append_entries(entries)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self._run.save_outcome(outcome, gain_between(self._held.get(order.pool), position))
        self._q50.ended(order, outcome)
        if position is not None:
            self._run.save_position(position)
            if position.is_open:
                self._held[order.pool] = position
            else:
                self._held.pop(order.pool, None)
        super().on_outcome(order, outcome, position)

    def on_mark(self, mark: Mark) -> None:
        self._run.save_mark(mark)

    def on_equity(self, point: EquityPoint) -> None:
        self._now_ns = max(self._now_ns, point.at_ns)
        self._run.equity.add(point)

    def _begin_batch(self) -> None:
        self._batch = ExitStack()
        self._batch.enter_context(self._run.batch())

    def _has_changed(self) -> None:
        if self._batch is None:
            self.store_states()
