"""Monitoring: what open positions would bring now, what that is over their cost, and how far their exits are.

Pure: whoever calls it brings the marks, and stores marks and equity in one batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.execution.exit_distances import ExitDistances, exit_distances
from pumpswap.model import OWN_MONEY, SOL, EntryKind, EquityPoint, Mark, Position
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.valuation import value_by
from pumpswap.settings import ExitRules

__all__ = ["Monitored", "Monitoring", "monitor", "put_in"]


@dataclass(frozen=True, slots=True)
class Monitored:
    """One open position now. What needs a value is None where nothing could be quoted; the mark says why."""

    position: Position
    mark: Mark
    exits: ExitDistances

    @property
    def unrealised_lamports(self) -> int | None:
        """Executable value over cost."""
        return None if self.mark.obstacle else self.mark.value_lamports - self.position.cost_lamports


@dataclass(frozen=True, slots=True)
class Monitoring:
    """All open positions of one moment. ``profit_lamports`` is equity less what its owner has put in: realised and
    unrealised, costs of failed orders and what others have moved.
    """

    positions: tuple[Monitored, ...]
    equity: EquityPoint
    profit_lamports: int

    @property
    def unrealised_lamports(self) -> int:
        """Of all positions; what cannot be quoted counts as lost."""
        return sum(one.mark.value_lamports - one.position.cost_lamports for one in self.positions)


def monitor(portfolio: Portfolio, marks: Mapping[str, Mark], rules: ExitRules, *, at_ns: int) -> Monitoring:
    """What follows from the newest marks, by pool: profit, distances to exits, equity. Changes nothing.

    A mark of other units than are held now values no position; in equity, what no mark has valued counts as what it has
    cost: what was not seen is not lost.
    """
    found = []
    for position in portfolio.positions.open_positions():
        mark = marks.get(position.pool)
        if mark is None or mark.base_units != position.base_units:
            mark = Mark(position.pool, at_ns, at_ns, position.base_units, 0, "not valued since it has changed")
        found.append(Monitored(position, mark, exit_distances(position, mark, rules, at_ns)))
    marked = sum(value_by(marks.get(one.position.pool), one.position) for one in found)
    equity = EquityPoint(at_ns, portfolio.cash, marked, portfolio.rent_lamports, portfolio.put_in_lamports)
    return Monitoring(tuple(found), equity, equity.equity_lamports - portfolio.put_in_lamports)


def put_in(totals: Mapping[tuple[str, EntryKind], int]) -> int:
    """Deposits less withdrawals in lamports, by the sums of the ledger (``run.books.totals``)."""
    return sum(units for (asset, kind), units in totals.items() if asset == SOL and kind in OWN_MONEY)
