"""RunRecord: everything a finished run can be asked about, collected while it ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pumpswap.model import (
    Decision,
    Denied,
    EquityPoint,
    Filled,
    LedgerEntry,
    Mark,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Rejected,
    RunObserver,
)
from pumpswap.signals.base_score import BaseScoreSignaller

__all__ = ["RunRecord", "Trade"]

MOST_REFUSALS_KEPT = 500  # as examples; all of them are counted, and stored in the database


@dataclass(frozen=True, slots=True)
class Trade:
    """A filled order beside what was expected of it."""

    order: Order
    filled: Filled
    position: Position


@dataclass(slots=True)
class RunRecord(RunObserver):
    """Counts everything, keeps what reports show. Memory grows with trades, not with market updates."""

    updates: int = 0
    snapshots: int = 0
    swaps: int = 0
    pools: set[str] = field(default_factory=set)
    max_score_difference: float | None = None  # between our base score and the one the source had stored
    scores_compared: int = 0
    decisions: int = 0
    accepted: list[Decision] = field(default_factory=list)
    refused_examples: list[Decision] = field(default_factory=list)
    refused_by_policy: Counter[str] = field(default_factory=Counter)
    refused_first: Counter[str] = field(default_factory=Counter)
    entries: list[LedgerEntry] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    rejections: list[tuple[Order, Rejected]] = field(default_factory=list)
    denials: list[tuple[Order, Denied]] = field(default_factory=list)
    positions: dict[tuple[str, int], Position] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    equity: list[EquityPoint] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    _stored_score: Decimal | None = None

    def on_update(self, update: MarketUpdate) -> None:
        self.updates += 1
        self.swaps += update.swap is not None
        self.pools.add(update.pool)
        self._stored_score = None  # a signal about a trade has nothing to do with the snapshot before it
        if update.snapshot is not None:
            self.snapshots += 1
            self.names[update.pool] = update.snapshot.name or update.pool
            self._stored_score = update.snapshot.stored_score

    def on_decision(self, decision: Decision) -> None:
        self.decisions += 1
        self._compare_score(decision)
        if decision:
            self.accepted.append(decision)
            return
        refusals = decision.refusals
        self.refused_by_policy.update(verdict.policy for verdict in refusals)
        self.refused_first[refusals[0].policy] += 1
        # Near misses are the interesting ones: whoever failed one policy only is kept before those that failed many.
        if len(refusals) <= 2 and len(self.refused_examples) < MOST_REFUSALS_KEPT:
            self.refused_examples.append(decision)

    def _compare_score(self, decision: Decision) -> None:
        """Decisions on a snapshot follow its update at once: its stored score belongs to this signal."""
        signal, stored = decision.intent.signal, self._stored_score
        if signal is None or stored is None:
            return  # an exit decided on the same update has no signal and must not take the score away
        if signal.source != BaseScoreSignaller.source:
            return  # sources store the base score, and nothing else can be compared with it
        self.scores_compared += 1
        self.max_score_difference = max(self.max_score_difference or 0.0, abs(signal.score - float(stored)))
        self._stored_score = None

    def on_entries(self, entries: Sequence[LedgerEntry]) -> None:
        self.entries.extend(entries)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if position is not None:
            self.positions[position.pool, position.round] = position
        if isinstance(outcome, Filled) and position is not None:
            self.trades.append(Trade(order, outcome, position))
        elif isinstance(outcome, Rejected):
            self.rejections.append((order, outcome))
        elif isinstance(outcome, Denied):
            self.denials.append((order, outcome))

    def on_mark(self, mark: Mark) -> None:
        self.marks[mark.pool] = mark

    def on_equity(self, point: EquityPoint) -> None:
        self.equity.append(point)
