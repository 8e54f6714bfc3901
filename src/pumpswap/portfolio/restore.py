"""Books from what is stored: the same portfolio that a process had when it ended, however it ended."""

from __future__ import annotations

from collections.abc import Iterable

from pumpswap.model import Adoption, LedgerEntry, Mark, Position
from pumpswap.portfolio.derive import swap_lamports
from pumpswap.portfolio.ledger import Ledger
from pumpswap.portfolio.movements import RENT_KINDS, capital_in, movements, rent_in
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.positions import PositionBook
from pumpswap.storage.run import Run

__all__ = ["recall_portfolio", "restore_ledger", "restore_portfolio", "restore_positions"]


def restore_ledger(entries: Iterable[LedgerEntry]) -> Ledger:
    """The ledger of stored entries, in sequence. Raises LedgerMismatch for a gap in it."""
    ledger = Ledger()
    for entry in entries:
        ledger.take_over(entry)
    return ledger


def restore_positions(positions: Iterable[Position]) -> PositionBook:
    """The book of stored positions, all rounds. Raises LedgerMismatch for two open rounds in one pool."""
    book = PositionBook()
    for position in sorted(positions, key=_ended):
        book.take_over(position)
    return book


def restore_portfolio(
    entries: Iterable[LedgerEntry],
    positions: Iterable[Position],
    marks: Iterable[Mark] = (),
    adoptions: Iterable[Adoption] = (),
) -> Portfolio:
    """The portfolio of stored books; ``marks`` in order of time: the latest of each open position counts."""
    portfolio, positions = Portfolio(), list(positions)
    portfolio.ledger = restore_ledger(entries)
    portfolio.positions = restore_positions(positions)
    for mark in marks:
        if portfolio.positions.open_round(mark.pool) is not None:
            portfolio.mark(mark)
    portfolio.rent_lamports = rent_in(portfolio.ledger.entries)
    portfolio.put_in_lamports = capital_in(portfolio.ledger.entries)
    portfolio.put_in_lamports += sum(adoption.cost_lamports for adoption in adoptions)
    # What positions have sold for by no order of ours was given to them of sales by hand.
    portfolio.put_in_lamports -= sum(position.sold_lamports for position in positions)
    portfolio.put_in_lamports += sum(
        swap_lamports(one)
        for one in movements(portfolio.ledger.entries)
        if one.traded is not None and one.traded.units < 0
    )
    return portfolio


def recall_portfolio(run: Run) -> Portfolio:
    """The portfolio of a stored run without reading its history: balances, sums, open rounds. What is closed stays in
    the database until its pool comes up again.
    """
    last = run.books.last()
    balances = {asset: units for asset, units in run.balances().items() if units}
    portfolio = Portfolio(Ledger(balances, last.sequence if last else 0), PositionBook(run.latest_position))
    for position in run.open_positions():
        portfolio.positions.take_over(position)
    portfolio.rent_lamports = -sum(units for (_, kind), units in run.books.totals().items() if kind in RENT_KINDS)
    portfolio.put_in_lamports = run.earned.put_in_lamports()
    return portfolio


def _ended(position: Position) -> tuple[bool, int, int]:
    """Closed rounds first, as they were closed: within a pool, that is also the order of the rounds."""
    return position.is_open, position.closed_ns or position.opened_ns, position.round
