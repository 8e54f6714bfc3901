"""RunTally: what a run has done so far, in figures that do not grow with its length."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pumpswap.model import (
    Decision,
    Denied,
    EquityPoint,
    Filled,
    Order,
    Outcome,
    Position,
    Rejected,
    RunObserver,
    TradeSide,
)

__all__ = ["RunTally"]


class RunTally(RunObserver):
    """Counts of this process alone; ``to_json`` has the money in lamports, as text."""

    def __init__(self) -> None:
        self.accepted = 0
        self.refused = 0
        self.refused_by: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.buys = 0
        self.sells = 0
        self.rounds = 0
        self.won = 0
        self.realised_lamports = 0
        self.first_equity: int | None = None
        self.last_equity = 0

    def on_decision(self, decision: Decision) -> None:
        if decision:
            self.accepted += 1
            return
        self.refused += 1
        self.refused_by.update(verdict.policy for verdict in decision.refusals)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        name = {Filled: "filled", Rejected: "rejected", Denied: "denied"}.get(type(outcome), "unknown")
        self.outcomes[name] += 1
        if not isinstance(outcome, Filled):
            return
        is_buy = order.side is TradeSide.BUY
        self.buys += is_buy
        self.sells += not is_buy
        if position is not None and not position.is_open:
            self.rounds += 1
            self.won += position.realised_lamports > 0
            self.realised_lamports += position.realised_lamports

    def on_equity(self, point: EquityPoint) -> None:
        if self.first_equity is None:
            self.first_equity = point.equity_lamports
        self.last_equity = point.equity_lamports

    @property
    def change_lamports(self) -> int:
        """What equity has become since this process began."""
        return 0 if self.first_equity is None else self.last_equity - self.first_equity

    def to_json(self) -> dict[str, Any]:
        """For the store and for scripts."""
        return {
            "decisions": self.accepted + self.refused,
            "accepted": self.accepted,
            "refused": self.refused,
            "refused_by_policy": dict(self.refused_by.most_common()),
            "outcomes": dict(self.outcomes),
            "buys": self.buys,
            "sells": self.sells,
            "rounds_closed": self.rounds,
            "rounds_won": self.won,
            "realised_lamports": str(self.realised_lamports),
            "equity_lamports": str(self.last_equity),
            "equity_change_lamports": str(self.change_lamports),
        }
