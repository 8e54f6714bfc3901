"""From the stored books of a run to its performance in a time."""

from __future__ import annotations

from operator import attrgetter, itemgetter

from pumpswap.analytics.performance import Performance, PerformanceInput, measure
from pumpswap.analytics.performance.capital import is_capital
from pumpswap.analytics.performance.replay import RoundReplay
from pumpswap.storage.earned import EarnedRows
from pumpswap.storage.run import Run
from pumpswap.units import I64_MAX

__all__ = ["input_of", "performance_of_run"]


def performance_of_run(run: Run, since_ns: int = 0, until_ns: int = I64_MAX) -> Performance:
    """From ``since_ns`` on, up to ``until_ns``, which is not part of it. Safe without a single trade.

    Raises StorageError for rows that cannot be read, LedgerMismatch for trades that contradict each other.
    """
    return measure(input_of(run.earned.read(since_ns, until_ns), since_ns, until_ns))


def input_of(rows: EarnedRows, since_ns: int, until_ns: int) -> PerformanceInput:
    """What ``measure`` needs, from what is stored."""
    books = RoundReplay(since_ns, until_ns, first_rounds=rows.first_rounds)
    moved = {fill.order_id: fill for fill in rows.fills if fill.mint in rows.moved_mints} if rows.moved_mints else {}
    books.take_fills(rows.fills if not moved else (fill for fill in rows.fills if fill.order_id not in moved))
    if rows.moved:
        books.take_moved(rows.moved, rows.adoptions, moved)
    books.sales.sort(key=attrgetter("at_ns"))
    return PerformanceInput(
        since_ns=since_ns,
        until_ns=until_ns,
        fills=[fill for fill in rows.fills if since_ns <= fill.at_ns < until_ns],
        sales=books.sales,
        moves=[move for move in rows.moves if since_ns <= move.at_ns < until_ns],
        rounds=books.rounds(rows.rounds),
        equity=rows.equity,
        open_cost_before_lamports=books.cost_before_lamports,
        open_cost_after_lamports=books.cost_after_lamports,
        cash_before_lamports=0 if rows.since_ns == 0 else rows.balance_lamports - _cash(rows, since_ns),
        ledger_after_lamports=rows.balance_lamports - _cash(rows, until_ns),
        adopted=[each for each in books.adopted if since_ns <= each[0] < until_ns],
        capital=_capital(rows, books, until_ns),
        is_past=_goes_on(rows, until_ns),
        begins_here=rows.first_ns is None or rows.first_ns >= since_ns,
    )


def _capital(rows: EarnedRows, books: RoundReplay, until_ns: int) -> list[tuple[int, int]]:
    """All that was put in and taken out up to the end. What positions were given of sales by hand is theirs."""
    found = [(move.at_ns, move.lamports) for move in rows.moves if is_capital(move)]
    found += [(at_ns, -lamports) for at_ns, lamports in books.by_hand]
    found += books.adopted
    return sorted((each for each in found if each[0] < until_ns), key=itemgetter(0))


def _goes_on(rows: EarnedRows, at_ns: int) -> bool:
    """Whether anything was booked or valued from a moment on."""
    return (
        any(fill.at_ns >= at_ns for fill in rows.fills)
        or any(move.at_ns >= at_ns for move in rows.moves)
        or any(entry.at_ns >= at_ns for entry in rows.moved)
        or any(one.marked_ns >= at_ns for one in rows.rounds.values())
    )


def _cash(rows: EarnedRows, since_ns: int) -> int:
    """What has changed of SOL since then."""
    traded = sum(fill.swap_lamports - fill.rent_lamports for fill in rows.fills if fill.at_ns >= since_ns)
    return traded + sum(move.lamports for move in rows.moves if move.at_ns >= since_ns)
