"""Two runs beside each other, from their stored books: live and paper, a run and its replay, yesterday and today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pumpswap.analytics.drift import Drift, DriftFill, DriftRound, DriftSide, drift_between, rounds_of
from pumpswap.analytics.tear_sheet.execution import execution_of
from pumpswap.app.books import PAPER, Books, Held, chosen_books, held_positions
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import NotFound, UsageError
from pumpswap.model import SOL, EntryKind, Filled, TradeSide
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.fills import FillRow
from pumpswap.storage.listings import TradeRow
from pumpswap.storage.run import Run
from pumpswap.storage.run_header import RunHeader

__all__ = ["Comparison", "compared_runs", "paper_beside"]

_FOR_EVER_NS = 2**63 - 1
_DECISIONS_READ = 20
_MOST_LOOKED_AT = 2_000  # missed chances: the newest; each is a question to the database
_COSTS = (EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE, EntryKind.TIP)
_NOT_EARNED = (EntryKind.DEPOSIT, EntryKind.WITHDRAWAL, EntryKind.RENT_PAID, EntryKind.RENT_RETURNED)
_PLAYED = ("simulated", "demo")  # their clock begins when they do: the same seed is the same market all the same


@dataclass(frozen=True, slots=True)
class Comparison:
    """``missed_by_second`` says why the second did not take what only the first has taken, and how often;
    ``missed_by_first`` the other way round.
    """

    drift: Drift
    headers: tuple[RunHeader, RunHeader]
    missed_by_second: Mapping[str, int]
    missed_by_first: Mapping[str, int]


def compared_runs(
    books: tuple[Books, Books], settings: Settings, clock: Clock, within_seconds: int = 300
) -> Comparison:
    """Two runs, by all that they have stored. Rounds of one pool are the same chance when they were opened within
    ``within_seconds``. Raises UsageError for a run beside itself, NotFound for one that never had money.
    """
    first, second = books
    if _book_of(first) == _book_of(second):
        raise UsageError(
            f"run {first.header.run_id} beside itself differs in nothing", hint="name another run: `pumpswap runs list`"
        )
    is_same_market = _is_same_market(first.header, second.header)
    here, there = (_side(one, settings, clock, is_same_market=is_same_market) for one in books)
    within_ns = within_seconds * NS_PER_SECOND
    found = drift_between(here, there, within_ns)
    later = there.offset_ns - here.offset_ns
    return Comparison(
        drift=found,
        headers=(first.header, second.header),
        missed_by_second=_missed(second.run, found.only_first, within_ns, later),
        missed_by_first=_missed(first.run, found.only_second, within_ns, -later),
    )


def paper_beside(database: Database, run_id: int) -> Books:
    """The paper run that was in the market at the same time as this run, the longest of them. Raises NotFound."""
    wanted = chosen_books(database, run_id)
    assert wanted is not None  # else it has raised
    since, until = _times(wanted)
    best: tuple[int, Books] | None = None
    for header in database.runs():
        if header.kind != PAPER or header.run_id == run_id:
            continue
        other = Books(database, database.run(header.run_id), header)
        if other.run.books.last() is None:
            continue
        began, ended = _times(other)
        overlap = min(until, ended) - max(since, began)
        if overlap > 0 and (best is None or overlap >= best[0]):
            best = overlap, other
    if best is None:
        raise NotFound(
            f"no paper run was in the market at the same time as run {run_id}",
            hint="run `pumpswap run` on paper beside it, or name two runs: `pumpswap report compare 1 2`",
        )
    return best[1]


# ---------------------------------------------------------------------------------------------- one side


def _side(books: Books, settings: Settings, clock: Clock, *, is_same_market: bool) -> DriftSide:
    run, header = books.run, books.header
    if run.books.last() is None:
        raise NotFound(f"run {header.run_id} has never had any money", hint="`pumpswap runs list` shows those that had")
    since, until = _times(books)
    held = held_positions(books, books.exit_rules(settings), books.as_of_ns(clock))
    values = {(one.position.pool, one.position.round): _worth(one) for one in held}
    fills = run.listings.fills.between(0, _FOR_EVER_NS)
    trades = run.listings.trades(0, _FOR_EVER_NS)
    unfilled = run.listings.fills.unfilled(0, _FOR_EVER_NS)
    totals = {kind: units for (asset, kind), units in run.books.totals().items() if asset == SOL}
    costs_of_fills = sum(one.network_fee_lamports + one.priority_fee_lamports + one.tip_lamports for one in trades)
    return DriftSide(
        label=f"run {header.run_id}, {header.kind}",
        run_id=header.run_id,
        first_ns=since,
        last_ns=until,
        gain_lamports=sum(units for kind, units in totals.items() if kind not in _NOT_EARNED) + sum(values.values()),
        rounds=rounds_of(run.positions(), _joined(trades, fills), values),
        idle_lamports=sum(totals.get(kind, 0) for kind in _COSTS) + costs_of_fills,
        offset_ns=since if is_same_market else 0,
        execution=execution_of(fills, unfilled),
        unvalued=sum(one.value_lamports is None for one in held),
    )


def _worth(held: Held) -> int:
    """What it would bring; its cost where nobody knows, so that nothing is earned or lost by not knowing."""
    return held.position.cost_lamports if held.value_lamports is None else held.value_lamports


def _joined(trades: Sequence[TradeRow], fills: Sequence[FillRow]) -> Iterator[DriftFill]:
    """Both are lists of the same trades: one has the costs, the other the quotes."""
    quoted = {fill.order_id: fill for fill in fills}
    for trade in trades:
        fill = quoted[trade.order_id]
        yield DriftFill(
            trade.order_id,
            trade.pool,
            trade.at_ns,
            trade.side is TradeSide.BUY,
            trade.base_units,
            trade.gross_quote_lamports,
            trade.quote_lamports,
            trade.network_fee_lamports + trade.priority_fee_lamports + trade.tip_lamports,
            fill.quoted_units,
            fill.quoted_lamports,
            fill.exit_kind or "",
        )


def _times(books: Books) -> tuple[int, int]:
    """From when to when it was in the market, by the market's clock: from its first money to its last measurement."""
    run = books.run
    begun, last, point = run.books.first_of(EntryKind.DEPOSIT), run.books.last(), run.equity.latest()
    began = books.header.started_ns if begun is None else begun.at_ns
    return began, max([began, *(one.at_ns for one in (last, point) if one is not None)])


def _book_of(books: Books) -> tuple[str, int]:
    """Runs of two databases may have the same number: a back-test and the live run that it is compared with."""
    return books.database.location, books.header.run_id


def _is_same_market(first: RunHeader, second: RunHeader) -> bool:
    return first.seed is not None and first.seed == second.seed and {first.kind, second.kind} <= set(_PLAYED)


# ---------------------------------------------------------------------------------------------- what was missed


def _missed(run: Run, rounds: Sequence[DriftRound], within_ns: int, later_ns: int) -> dict[str, int]:
    """Why a run did not take these chances of the other, the most frequent reason first."""
    looked_at = rounds[-_MOST_LOOKED_AT:]
    reasons = Counter(_why_not(run, one.pool, one.opened_ns + later_ns, within_ns) for one in looked_at)
    found = dict(reasons.most_common())
    older = len(rounds) - len(looked_at)
    return found | {"not looked at": older} if older else found


def _why_not(run: Run, pool: str, at_ns: int, within_ns: int) -> str:
    near = run.decided.near(pool, at_ns - within_ns, at_ns + within_ns, _DECISIONS_READ)
    buys = [one.decision for one in near if one.decision.intent.side is TradeSide.BUY]
    if not buys:
        return "no signal"
    accepted = next((one for one in buys if one.accepted), None)
    if accepted is None:
        nearest = min(buys, key=lambda one: abs(one.intent.at_ns - at_ns))
        return f"refused: {nearest.refusals[0].policy}" if nearest.refusals else "refused"
    order = run.decided.order_of(accepted.decision_id)
    if order is None:
        return "accepted, not ordered"
    ((_, outcome),) = run.fates([order.order_id])
    if isinstance(outcome, Filled):
        return "traded in another round at that time"
    return "ordered, outcome not known" if outcome is None else f"ordered: {type(outcome).__name__.lower()}"
