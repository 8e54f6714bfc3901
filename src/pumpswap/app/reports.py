"""The report of an account, from its stored books: what it has earned in a time, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pumpswap.analytics.performance import Performance, measure
from pumpswap.analytics.performance.result import PositionGain
from pumpswap.analytics.refusals import refused_figures
from pumpswap.analytics.tear_sheet import (
    Account,
    HeldMark,
    PricePath,
    ScoreBand,
    ScoredRound,
    SolUsd,
    TearSheet,
    Time,
    biggest_pools,
    execution_of,
    q50_figures,
    score_bands,
)
from pumpswap.app.books import Books
from pumpswap.app.performance import input_of
from pumpswap.app.sol_price import sol_price
from pumpswap.model import Mark, TradeSide
from pumpswap.model.booked import StoredRound
from pumpswap.settings import Settings
from pumpswap.storage.fills import FillRow
from pumpswap.storage.q50_history import NAUTILUS_STATISTICS

__all__ = ["report_of", "write_report_page"]

_POOLS = 6  # whose prices are drawn
_PRICES = 600  # of one pool
_MARKS = 5_000  # of one pool, the newest
_AT_ONCE = 500  # pools in one query
_NS_PER_HOUR = 3_600 * 10**9


def report_of(books: Books, settings: Settings, time: Time) -> TearSheet:
    """Everything that a report says. Safe without a single trade; quick with a hundred thousand.

    Raises StorageError for books that cannot be read, LedgerMismatch for such that contradict themselves.
    """
    rows = books.run.earned.read(time.since_ns, time.until_ns)
    marks = _newest_marks(books, {pool for pool, _ in rows.rounds}, time.until_ns)
    found = measure(input_of(replace(rows, rounds=_valued_then(rows.rounds, marks)), time.since_ns, time.until_ns))
    closed = [one for one in found.by_position if not one.round.is_open]
    first_ns = min((one.round.opened_ns for one in closed), default=time.since_ns)
    fills = books.run.listings.fills.between(min(first_ns, time.since_ns), time.until_ns)
    within = [fill for fill in fills if fill.at_ns >= time.since_ns]
    price = sol_price(settings, books.database, time.until_ns)
    header = books.header
    return TearSheet(
        account=Account(header.run_id, header.kind, books.network, header.wallet),
        time=time,
        performance=found,
        execution=execution_of(within, books.run.listings.fills.unfilled(time.since_ns, time.until_ns)),
        bands=_bands(closed, fills),
        prices=_prices(books, found, within, time),
        marks=_ages(found.by_position, marks, time.until_ns),
        sol=SolUsd(price.usd, price.source),
        refused=refused_figures(one for one in books.run.what_ifs.since(time.since_ns) if one.at_ns < time.until_ns),
        stale_after_seconds=settings.risk.max_state_age_seconds,
        q50=q50_figures(
            books.run.q50_history.counted(time.since_ns, time.until_ns),
            books.run.states.under(f"{NAUTILUS_STATISTICS}/"),
        ),
    )


def write_report_page(path: Path, sheet: TearSheet) -> Path:
    """The report as one HTML file. Returns the path. Raises OSError where it cannot be written."""
    from pumpswap.analytics.tear_sheet.page import write_tear_sheet  # jinja2 and three megabytes of plotly

    return write_tear_sheet(path, sheet)


def _bands(closed: Iterable[PositionGain], fills: Iterable[FillRow]) -> Sequence[ScoreBand]:
    """Closed rounds by the score of the purchase that opened them; one without a signal has none."""
    scores = {
        (fill.pool, fill.at_ns): fill.score for fill in fills if fill.side is TradeSide.BUY and fill.score is not None
    }
    rounds = [(scores.get((one.round.pool, one.round.opened_ns)), one.round) for one in closed]
    return score_bands(
        ScoredRound(score, one.bought_lamports, one.realised_lamports) for score, one in rounds if score is not None
    )


def _prices(books: Books, found: Performance, fills: Sequence[FillRow], time: Time) -> list[PricePath]:
    """Of the pools that have moved the most: the pool's own price where the engine has kept it, else our marks."""
    gains = [(one.round.pool, one.gain_lamports + (one.round.unrealised_lamports or 0)) for one in found.by_position]
    biggest = biggest_pools(gains, _POOLS)
    names = {one.round.pool: one.round.name for one in found.by_position}
    mints = {one.round.pool: one.round.mint for one in found.by_position}
    made = []
    for pool, gain in biggest:
        ours = [fill for fill in fills if fill.pool == pool]
        if not ours:
            continue
        margin = max((ours[-1].at_ns - ours[0].at_ns) // 4, _NS_PER_HOUR)
        since_ns, until_ns = ours[0].at_ns - margin, min(ours[-1].at_ns + margin, time.until_ns)
        spots = books.database.pool_points(books.run.run_id).of_pool(pool, since_ns, until_ns, _PRICES)
        points = [(one.at_ns, one.effective_quote_lamports, one.base_units) for one in spots]
        if not spots:
            marks = reversed(books.run.history.marks_of(pool, _MARKS))
            points = [
                (one.state_ns, one.value_lamports, one.base_units)
                for one in marks
                if not one.obstacle and since_ns <= one.state_ns <= until_ns
            ]
        decimals = books.run.history.decimals(mints[pool])
        made.append(PricePath(pool, names[pool], decimals, points, ours, gain, is_spot=bool(spots)))
    return made


def _newest_marks(books: Books, pools: Iterable[str], before_ns: int) -> dict[str, Mark]:
    wanted, known = sorted(pools), dict[str, Mark]()
    for first in range(0, len(wanted), _AT_ONCE):
        known |= books.database.browse(books.run.run_id).marks(wanted[first : first + _AT_ONCE], before_ns)
    return known


def _valued_then(
    stored: Mapping[tuple[str, int], StoredRound], marks: Mapping[str, Mark]
) -> dict[tuple[str, int], StoredRound]:
    """Rounds as they were valued at the end of the time: what they are worth now is of another one."""
    found = dict(stored)
    for (pool, number), one in stored.items():
        mark = marks.get(pool)
        if mark is not None:
            value = None if mark.obstacle else mark.value_lamports
            found[pool, number] = StoredRound(one.name, mark.base_units, value, mark.at_ns)
    return found


def _ages(positions: Iterable[PositionGain], marks: Mapping[str, Mark], at_ns: int) -> dict[tuple[str, int], HeldMark]:
    """How old the values of open positions are."""
    told: dict[tuple[str, int], HeldMark] = {}
    for one in (each.round for each in positions if each.round.is_open):
        mark = marks.get(one.pool)
        if mark is not None and mark.base_units == one.base_units:
            told[one.pool, one.number] = HeldMark(max(at_ns - mark.state_ns, 0), mark.obstacle)
    return told
