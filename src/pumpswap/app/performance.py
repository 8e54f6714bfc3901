"""What a run has earned over the last days, from its stored books: trades, rounds, costs, and what is still open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.analytics.metrics import Drawdown, costs_by_kind, max_drawdown, slippage_between, win_rate
from pumpswap.app.books import Books, Held, held_positions
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import SOL, EntryKind, EquityPoint, Position
from pumpswap.sdk.realised import realised_since
from pumpswap.settings import ExitRules

__all__ = ["Performance", "performance_of"]

_DAY_NS = 86_400 * NS_PER_SECOND
_OF_TRANSACTIONS = (EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE, EntryKind.TIP)
_CAPITAL = (EntryKind.DEPOSIT, EntryKind.WITHDRAWAL)


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of one run over the time from ``since_ns`` to ``until_ns``. Lamports; costs are positive.

    ``realised_lamports`` is what all sales in this time have earned after their costs, partial ones too.
    ``equity_change_lamports`` is without deposits and withdrawals; None where equity was never measured. Ratios are
    None where there is nothing to divide by. ``failed_costs_lamports`` are what transactions that traded nothing cost.
    """

    since_ns: int
    until_ns: int
    trades: int
    buys: int
    closed: tuple[Position, ...]
    realised_lamports: int
    open: tuple[Held, ...]
    costs: Mapping[EntryKind, int]
    failed_costs_lamports: int
    mean_slippage: float | None
    drawdown: Drawdown
    equity_change_lamports: int | None
    equity_lamports: int | None

    @property
    def win_rate(self) -> float | None:
        """Share of closed rounds that earned something."""
        return win_rate(self.closed)

    @property
    def unrealised_lamports(self) -> int:
        """Of what is open and has a value."""
        return sum(held.unrealised_lamports or 0 for held in self.open)

    @property
    def unvalued(self) -> int:
        """Open positions that nobody could value."""
        return sum(held.unrealised_lamports is None for held in self.open)


def performance_of(books: Books, rules: ExitRules, until_ns: int, days: int) -> Performance:
    """The last ``days`` before ``until_ns`` of a run. Safe without a single trade."""
    run = books.run
    since_ns = max(until_ns - days * _DAY_NS, 0)
    trades = list(run.history.trades(since_ns, until_ns + 1))
    slips = [float(slippage_between(trade.order.quote, trade.filled.executed)) for trade in trades]
    filled = {trade.order.order_id for trade in trades}
    entries = [entry for entry in run.books.between(since_ns, until_ns + 1) if entry.asset == SOL]
    points = list(run.equity.points(since_ns))
    capital = [entry for entry in entries if entry.kind in _CAPITAL]
    return Performance(
        since_ns=since_ns,
        until_ns=until_ns,
        trades=len(trades),
        buys=sum(trade.order.side.value == "buy" for trade in trades),
        closed=tuple(
            position
            for position in run.positions()
            if not position.is_open and position.closed_ns is not None and position.closed_ns >= since_ns
        ),
        realised_lamports=realised_since(run, since_ns),
        open=tuple(held_positions(books, rules, until_ns)),
        costs=costs_by_kind(entries),
        failed_costs_lamports=-sum(
            entry.units for entry in entries if entry.kind in _OF_TRANSACTIONS and entry.order_id not in filled
        ),
        mean_slippage=sum(slips) / len(slips) if slips else None,
        drawdown=max_drawdown(points, capital),
        equity_change_lamports=_change(books, points, since_ns, sum(entry.units for entry in capital)),
        equity_lamports=points[-1].equity_lamports if points else None,
    )


def _change(books: Books, points: list[EquityPoint], since_ns: int, capital: int) -> int | None:
    """From the first measurement in this time to the last. Books that began in it began with what was deposited."""
    if not points:
        return None
    last = points[-1].equity_lamports
    begun = books.run.books.first_of(EntryKind.DEPOSIT)  # a replay has a clock of its own: not the run's header
    if begun is not None and begun.at_ns >= since_ns:
        return last - capital
    first = points[0]
    later = sum(
        entry.units
        for entry in books.run.books.between(first.at_ns + 1, points[-1].at_ns + 1)
        if entry.asset == SOL and entry.kind in _CAPITAL
    )
    return last - first.equity_lamports - later
