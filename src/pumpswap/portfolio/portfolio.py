"""Portfolio: ledger, positions and marks of one run, kept in step."""

from __future__ import annotations

from pumpswap.model import (
    SOL,
    ChoreResult,
    EntryKind,
    EquityPoint,
    Filled,
    LedgerEntry,
    Mark,
    Order,
    Outcome,
    Position,
    Rejected,
)
from pumpswap.portfolio.booking import moves_of, moves_of_costs
from pumpswap.portfolio.ledger import Ledger
from pumpswap.portfolio.positions import PositionBook

__all__ = ["Portfolio"]


class Portfolio:
    """Books outcomes. Reads are cheap, writes return what changed so that it can be stored."""

    def __init__(self, ledger: Ledger | None = None, positions: PositionBook | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.positions = positions or PositionBook()
        self.marks: dict[str, Mark] = {}
        self.rent_lamports = 0

    def deposit(self, lamports: int, at_ns: int) -> list[LedgerEntry]:
        """Play money, or later real money, arrives."""
        return self.ledger.post([(SOL, lamports, EntryKind.DEPOSIT)], at_ns)

    def book(self, order: Order, outcome: Outcome, name: str = "") -> tuple[list[LedgerEntry], Position | None]:
        """Book an outcome: (new entries, changed position). Outcomes that moved nothing change nothing."""
        entries: list[LedgerEntry] = []
        if isinstance(outcome, Filled | Rejected):
            entries = self.ledger.post(
                moves_of(order, outcome),
                outcome.at_ns,
                slot=outcome.slot,
                order_id=order.order_id,
                signature=outcome.signature,
            )
            self.rent_lamports += outcome.costs.rent_paid - outcome.costs.rent_returned
        if not isinstance(outcome, Filled):
            return entries, None
        position = self.positions.book(order, outcome, name)
        if not position.is_open:
            self.marks.pop(position.pool, None)
        return entries, position

    def book_chore(self, order_id: str, result: ChoreResult, foreign_lamports: int = 0) -> list[LedgerEntry]:
        """Book what upkeep of the wallet has cost; wrapping moves nothing, SOL is native and wrapped together."""
        moves = [*moves_of_costs(result.costs), (SOL, foreign_lamports, EntryKind.FOREIGN)]
        self.rent_lamports += result.costs.rent_paid - result.costs.rent_returned
        return self.ledger.post(moves, result.at_ns, slot=result.slot, order_id=order_id, signature=result.signature)

    def mark(self, mark: Mark) -> None:
        """Take over the newest mark of a pool's position."""
        self.marks[mark.pool] = mark

    @property
    def cash(self) -> int:
        """Lamports in the wallet according to the ledger."""
        return self.ledger.balance(SOL)

    @property
    def exposure(self) -> int:
        """Cost of everything that is held."""
        return sum(position.cost_lamports for position in self.positions.open_positions())

    def equity_at(self, at_ns: int) -> EquityPoint:
        """Equity by the latest marks."""
        marked = sum(mark.value_lamports for mark in self.marks.values())
        return EquityPoint(at_ns, self.cash, marked, self.rent_lamports)
