"""What sales have earned in a time, those of parts of positions that are still open included."""

from __future__ import annotations

from pumpswap.model import Adoption, Position
from pumpswap.portfolio.derive import PositionReplay, replay
from pumpswap.sdk.coin_entries import entries_about
from pumpswap.storage.run import Run

__all__ = ["realised_since"]


def realised_since(run: Run, since_ns: int = 0) -> int:
    """Lamports over the share of the cost, after all costs of the sales, of every sale since then.

    Rounds that were open before are replayed from the ledger: what they had realised by then is not of this time.
    Raises LedgerMismatch for a ledger that cannot be.
    """
    total, older = 0, set[str]()
    for position in run.positions():
        if position.opened_ns >= since_ns:
            total += position.realised_lamports
        elif position.closed_ns is None or position.closed_ns >= since_ns:
            older.add(position.mint)
    return total + sum(_of_older_rounds(run, mint, since_ns) for mint in sorted(older))


def _of_older_rounds(run: Run, mint: str, since_ns: int) -> int:
    entries = entries_about(run, mint)  # before the trades: each fill in it has its trade then
    orders = {trade.order.order_id: (trade.order.pool, mint, "") for trade in run.history.trades_of(mint)}
    adoptions = [adoption for adoption in run.owned.adoptions() if adoption.mint == mint]
    books, known, total = PositionReplay(orders.get), dict[tuple[str, int], int](), 0
    for step in replay(entries, adoptions):
        at_ns = step.at_ns if isinstance(step, Adoption) else step.first.at_ns
        for position in books.take(step):
            gained = position.realised_lamports - known.get(_round(position), 0)
            known[_round(position)] = position.realised_lamports
            if at_ns >= since_ns > position.opened_ns:
                total += gained
    return total


def _round(position: Position) -> tuple[str, int]:
    return position.pool, position.round
