"""RunObserver: what a running engine tells. The store, the live view and the statistics listen; none can interfere."""

from __future__ import annotations

from collections.abc import Sequence

from pumpswap.model.alert import Alert
from pumpswap.model.decision import Decision
from pumpswap.model.equity import EquityPoint
from pumpswap.model.exit_state import ExitState
from pumpswap.model.ledger import LedgerEntry
from pumpswap.model.mark import Mark
from pumpswap.model.order import Order
from pumpswap.model.outcome import Outcome
from pumpswap.model.position import Position
from pumpswap.model.proposal import Proposal
from pumpswap.model.risk_state import RiskState
from pumpswap.model.update import MarketUpdate

__all__ = ["RunObserver"]


class RunObserver:
    """Base of all listeners; each overrides what it wants to hear. Called in the order in which things happen."""

    def on_update(self, update: MarketUpdate) -> None:
        """A market update has been taken over."""

    def on_decision(self, decision: Decision) -> None:
        """The gate has decided."""

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        """The gate has refused again for the same reasons as in the decision ``of``, for the ``repeats``-th time.
        Whoever does not care hears of a decision like any other.
        """
        self.on_decision(decision)

    def on_order(self, order: Order) -> None:
        """An order exists and has not been submitted yet."""

    def on_entries(self, entries: Sequence[LedgerEntry]) -> None:
        """The ledger has grown."""

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        """An order has ended and is booked; ``position`` is what it changed."""

    def on_mark(self, mark: Mark) -> None:
        """A position has been valued."""

    def on_equity(self, point: EquityPoint) -> None:
        """Equity was measured."""

    def on_risk(self, state: RiskState) -> None:
        """What risk remembers has changed."""

    def on_exits(self, state: ExitState) -> None:
        """What the exits of a round remember has changed."""

    def on_proposal(self, proposal: Proposal) -> None:
        """A buy waits for a person, or does not wait any more."""

    def on_alert(self, alert: Alert) -> None:
        """Somebody must know."""
