"""Outbox: what a running engine tells is kept, and stored every moment in one transaction.

Between two of them the database is free, so that other terminals can write their commands; and somebody's lock on it
delays the storing, not the trading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pumpswap.engine.feed import Place
from pumpswap.errors import PumpSwapError
from pumpswap.model import (
    Alert,
    Decision,
    EquityPoint,
    ExitState,
    Heartbeat,
    LedgerEntry,
    Mark,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Proposal,
    RiskState,
    RunObserver,
)
from pumpswap.storage.run import Run

__all__ = ["PLACE", "SHADOW", "Outbox"]

PLACE = "place/"  # and the feed: where it stands, under this name in the states of the run
SHADOW = "shadow"  # what a paper book remembers of our trades in its pools


class Outbox(RunObserver):
    """Stands before the observer that stores. A process that dies loses what was not flushed, as a whole: the stored
    books end at one moment, and the places of the feeds with them. So does what ``memory`` gives: see ``ShadowBook``.
    """

    def __init__(self, run: Run, target: RunObserver, memory: Callable[[], Mapping[str, object]] | None = None) -> None:
        self._run, self._target = run, target
        self._memory: Callable[[], Mapping[str, object]] = dict if memory is None else memory
        self._remembered = self._memory()
        self._told: list[Callable[[], object]] = []
        self._newest: dict[str, Callable[[], None]] = {}  # of things that are remembered, not recorded: the last counts
        self._places: dict[str, Place] = {}
        self._latest_ns = 0

    def __len__(self) -> int:
        return len(self._told) + len(self._newest)

    # ------------------------------------------------------------------------------------------ storing

    def flush(self) -> None:
        """Store what was told. Raises StorageError when the database cannot be written now, and keeps everything;
        PumpSwapError when it has refused a row: the books cannot be continued then.
        """
        memory = self._memory()
        if not self._told and not self._newest and not self._places and memory == self._remembered:
            return
        has_begun = False
        try:
            with self._run.batch():
                has_begun = True
                for tell in (*self._told, *self._newest.values()):
                    tell()
                for feed, place in self._places.items():
                    self._run.states.save(PLACE + feed, place, self._latest_ns)
                if memory != self._remembered:
                    self._run.states.save(SHADOW, memory, self._latest_ns)
        except PumpSwapError as refused:
            if not has_begun:
                raise
            raise PumpSwapError(
                f"the books cannot be stored: {refused.what}",
                hint="start again: it goes on from what is stored, the last moments are not; " + refused.hint,
            ) from refused
        self._told.clear()
        self._newest.clear()
        self._places.clear()
        self._remembered = memory

    def also(self, write: Callable[[], object]) -> None:
        """Do this in the transaction of the next flush."""
        self._told.append(write)

    def place(self, feed: str, place: Place) -> None:
        """Where a feed stands after what was told."""
        self._places[feed] = place

    def beat(self, heartbeat: Heartbeat) -> None:
        """Stored at once."""
        self._run.states.beat(heartbeat)

    # ------------------------------------------------------------------------------------------ listening

    def on_update(self, update: MarketUpdate) -> None:
        self._latest_ns = max(self._latest_ns, update.at_ns)
        self._target.on_update(update)  # it only looks at it: nothing of the market is stored

    def on_decision(self, decision: Decision) -> None:
        self._told.append(partial(self._target.on_decision, decision))

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self._newest[f"repeat {of}"] = partial(self._target.on_repeat, decision, of, repeats)

    def on_order(self, order: Order) -> None:
        self._told.append(partial(self._target.on_order, order))

    def on_entries(self, entries: Sequence[LedgerEntry]) -> None:
        self._told.append(partial(self._target.on_entries, tuple(entries)))

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self._told.append(partial(self._target.on_outcome, order, outcome, position))

    def on_mark(self, mark: Mark) -> None:
        self._told.append(partial(self._target.on_mark, mark))

    def on_equity(self, point: EquityPoint) -> None:
        self._told.append(partial(self._target.on_equity, point))

    def on_risk(self, state: RiskState) -> None:
        self._newest["risk"] = partial(self._target.on_risk, state)

    def on_exits(self, state: ExitState) -> None:
        self._newest[f"exits {state.pool}"] = partial(self._target.on_exits, state)

    def on_proposal(self, proposal: Proposal) -> None:
        self._told.append(partial(self._target.on_proposal, proposal))

    def on_alert(self, alert: Alert) -> None:
        self._told.append(partial(self._target.on_alert, alert))
