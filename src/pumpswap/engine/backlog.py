"""Backlog: what a running engine tells is kept, and stored every moment in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pumpswap.engine.feed import Place
from pumpswap.engine.spell_keeper import SpellKeeper
from pumpswap.model import Alert, Decision, EquityPoint, ExitState, Heartbeat, Proposal, RiskState, RunObserver
from pumpswap.storage.run import Run

__all__ = ["PLACE", "Backlog"]

PLACE = "place/"  # and the feed: where it stands, under this name in the states of the run


class Backlog(RunObserver):
    """An observer that stands before the one that stores, ``target``, and of the supervisor's ``Keeps`` all but the
    ``flush``: heirs write it.
    """

    def __init__(self, run: Run, target: RunObserver) -> None:
        self._run, self._target = run, target
        self._told: list[Callable[[], object]] = []
        self._newest: dict[str, Callable[[], None]] = {}  # of things that are remembered, not recorded: the last counts
        self._places: dict[str, Place] = {}
        self._spells = SpellKeeper()

    def also(self, write: Callable[[], object]) -> None:
        """Do this in the transaction of the next flush."""
        self._told.append(write)

    def place(self, feed: str, place: Place) -> None:
        """Where a feed stands after what was told."""
        self._places[feed] = place

    def beat(self, heartbeat: Heartbeat) -> None:
        """Stored at once, with how long the engine has been able to buy, or has not been."""
        spells = self._spells.hear(heartbeat)
        with self._run.batch():
            self._run.states.beat(heartbeat)
            for spell in spells:
                self._run.spells.save(spell)
        self._spells.stored()

    # ------------------------------------------------------------------------------------------ for a flush

    def _is_empty(self) -> bool:
        return not (self._told or self._newest or self._places)

    def _store(self, at_ns: int) -> None:
        """Write what was told, into the open transaction."""
        for tell in (*self._told, *self._newest.values()):
            tell()
        for feed, place in self._places.items():
            self._run.states.save(PLACE + feed, place, at_ns)

    def _forget(self) -> None:
        """It is stored."""
        self._told.clear()
        self._newest.clear()
        self._places.clear()

    # ------------------------------------------------------------------------------------------ listening

    def on_decision(self, decision: Decision) -> None:
        self._told.append(partial(self._target.on_decision, decision))

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self._newest[f"repeat {of}"] = partial(self._target.on_repeat, decision, of, repeats)

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
