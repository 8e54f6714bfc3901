"""Figures of a run. Money stays integer; ratios are floats, since they are statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pumpswap.amm import BuyQuote, Quote
from pumpswap.analytics.record import Trade
from pumpswap.model import COST_KINDS, SOL, EntryKind, EquityPoint, LedgerEntry, Position

__all__ = ["COST_KINDS", "Drawdown", "costs_by_kind", "max_drawdown", "slippage_between", "slippage_of", "win_rate"]


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of equity from a peak."""

    lamports: int
    share: float
    peak_ns: int
    trough_ns: int


def max_drawdown(points: Sequence[EquityPoint], capital: Iterable[LedgerEntry] = ()) -> Drawdown:
    """Deepest fall in lamports; zero for a curve that never fell or has no points. ``capital``: what was paid in and
    out, in order of time. It moves the peak with it: a withdrawal is no loss, and a deposit hides none.
    """
    deepest, peak, peak_ns = Drawdown(0, 0.0, 0, 0), 0, None
    moves = iter(capital)
    move = next(moves, None)
    for point in points:
        while move is not None and move.at_ns <= point.at_ns:
            peak += move.units
            move = next(moves, None)
        if peak_ns is None or point.equity_lamports > peak:
            peak, peak_ns = point.equity_lamports, point.at_ns
        fall = peak - point.equity_lamports
        if fall > deepest.lamports:
            deepest = Drawdown(fall, fall / peak if peak > 0 else 0.0, peak_ns, point.at_ns)
    return deepest


def win_rate(closed: Sequence[Position]) -> float | None:
    """Share of closed rounds that earned something; None without closed rounds: no trades is not 0 %."""
    if not closed:
        return None
    return sum(position.realised_lamports > 0 for position in closed) / len(closed)


def costs_by_kind(entries: Sequence[LedgerEntry]) -> dict[EntryKind, int]:
    """Lamports spent by kind (positive), every kind listed, rent apart."""
    spent = dict.fromkeys(COST_KINDS, 0)
    for entry in entries:
        if entry.asset == SOL and entry.kind in spent:
            spent[entry.kind] -= entry.units
    return spent


def slippage_of(trade: Trade) -> Fraction:
    """What latency cost a trade: see ``slippage_between``."""
    return slippage_between(trade.order.quote, trade.filled.executed)


def slippage_between(quoted: Quote, executed: Quote) -> Fraction:
    """Executed against quoted price, both after fees; positive is worse than quoted."""
    if isinstance(quoted, BuyQuote) and isinstance(executed, BuyQuote):
        paid, expected = (
            Fraction(executed.total_quote, executed.base_out),
            Fraction(quoted.total_quote, quoted.base_out),
        )
        return paid / expected - 1
    if not isinstance(quoted, BuyQuote) and not isinstance(executed, BuyQuote) and quoted.user_quote_out:
        return 1 - Fraction(executed.user_quote_out, quoted.user_quote_out)
    return Fraction(0)
