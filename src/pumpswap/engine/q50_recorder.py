"""Q50Recorder: of what a run tells, what belongs into the plan's record of Q50 signals."""

from __future__ import annotations

from pumpswap.model import Decision, Order, Outcome, Unknown
from pumpswap.storage.q50_history import q50_of
from pumpswap.storage.run import Run

__all__ = ["Q50Recorder"]

_MOST_WAITING = 1_000  # accepted signals whose orders are not made yet: proposals that nobody answers


class Q50Recorder:
    """Called by those who store the run, each call in its transaction. Whatever else a run trades passes by."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rows: dict[str, int] = {}  # of accepted signals that are not ordered, by decision
        self._names = set(run.q50_history.unfinished())

    def decided(self, decision: Decision) -> None:
        """The gate has decided, and it is stored."""
        signal = q50_of(decision)
        if signal is None:
            return
        row = self._run.q50_history.add(decision, signal)
        if decision:
            self._rows[decision.decision_id] = row
            if len(self._rows) > _MOST_WAITING:
                del self._rows[next(iter(self._rows))]

    def ordered(self, order: Order) -> None:
        """An order was made."""
        row = self._rows.pop(order.decision_id, None)
        if row is not None:
            name = self._name(order)
            self._run.q50_history.ordered(row, name)
            self._names.add(name)

    def ended(self, order: Order, outcome: Outcome) -> None:
        """What became of it; an unknown one may be told again."""
        name = self._name(order)
        if name not in self._names:
            return
        self._run.q50_history.ended(name, outcome)
        if not isinstance(outcome, Unknown):
            self._names.discard(name)

    def _name(self, order: Order) -> str:
        """As NautilusTrader knows the order, or would."""
        return order.client_order_id or f"PS-{self._run.run_id}-{order.order_id}"
