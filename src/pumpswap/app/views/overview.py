"""The overview: equity, what was earned after all costs, the state of trading, the age of what the engine sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from pumpswap.app.standing import general_obstacles
from pumpswap.app.views.sight import RunFacts, Sight
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import SOL, EntryKind, EquityPoint, RiskState, TradingState, Verdict
from pumpswap.storage.browse import PositionSums

__all__ = ["COST_KINDS", "CURVE_POINTS", "Money", "Overview", "Period", "Trading", "overview"]

DAY_NS = 86_400 * NS_PER_SECOND
CURVE_POINTS = 400
_HOUR_NS = 3_600 * NS_PER_SECOND
_CAPITAL = (EntryKind.DEPOSIT, EntryKind.WITHDRAWAL)
COST_KINDS = (
    EntryKind.LP_FEE,
    EntryKind.PROTOCOL_FEE,
    EntryKind.CREATOR_FEE,
    EntryKind.CASHBACK,
    EntryKind.NETWORK_FEE,
    EntryKind.PRIORITY_FEE,
    EntryKind.TIP,
)


class Period(Enum):
    """How far back the curve goes."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


_DAYS = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30}


@dataclass(frozen=True, slots=True)
class Trading:
    """May it buy now? ``state`` is what holds (a person's word, or lower by a fault), ``reason`` why it is not active.

    ``faults`` are (what, why); ``obstacles`` are refusals that any buy would meet now. ``feeds`` say of each part of
    the engine how it is, with its age.
    """

    state: TradingState
    reason: str
    panic: str
    mode: str
    faults: tuple[tuple[str, str], ...]
    obstacles: tuple[Verdict, ...]
    able: bool
    heartbeat_age_seconds: int | None
    waiting: int
    feeds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Money:
    """Lamports. ``pnl`` is equity without what was put in or taken out: after every fee and cost, by the ledger;
    None where equity was never measured. ``day_*`` are since midnight UTC. Costs are positive, by kind.
    """

    equity_lamports: int | None
    cash_lamports: int | None
    marks_lamports: int | None
    rent_lamports: int | None
    measured_ns: int | None
    capital_lamports: int
    pnl_lamports: int | None
    day_pnl_lamports: int | None
    realised_lamports: int
    unrealised_lamports: int
    costs: Mapping[EntryKind, int]
    day_costs: Mapping[EntryKind, int]


@dataclass(frozen=True, slots=True)
class Overview:
    """``curve`` are at most 400 points of the period, the newest last. ``hour_*`` count decisions of the last hour."""

    run: RunFacts
    as_of_ns: int
    period: Period
    trading: Trading
    money: Money
    positions: PositionSums
    on_the_way: int
    proposals: int
    hour_accepted: int
    hour_refused: int
    unseen_alerts: Mapping[str, int]
    curve: tuple[EquityPoint, ...]


def overview(sight: Sight, period: Period = Period.ALL) -> Overview:
    """Of the run, now."""
    browse, run, as_of_ns = sight.browse, sight.books.run, sight.as_of_ns
    accepted, refused = browse.decided_since(as_of_ns - _HOUR_NS)
    sums = sight.sums
    return Overview(
        run=sight.facts,
        as_of_ns=as_of_ns,
        period=period,
        trading=trading(sight),
        money=_money(sight, sums),
        positions=sums,
        on_the_way=browse.unresolved(),
        proposals=len(run.proposals.waiting()),
        hour_accepted=accepted,
        hour_refused=refused,
        unseen_alerts=browse.unseen_alerts(),
        curve=_curve(sight, period),
    )


def trading(sight: Sight) -> Trading:
    """The state of trading, with everything that is in the way."""
    beat, states = sight.heartbeat, sight.books.run.states
    switch, risk = states.switch(), states.risk() or RiskState()
    faults = risk.faults if sight.is_running else ()
    obstacles = general_obstacles(sight.books, sight.settings, sight.clock)
    state, reason = switch.trading, switch.reason
    if faults and state is TradingState.ACTIVE:
        state, reason = TradingState.EXITS_ONLY, "; ".join(f"{name}: {why}" for name, why in faults)
    age = None if beat is None else max(sight.clock.now_ns() - beat.at_ns, 0) // NS_PER_SECOND
    return Trading(
        state=state,
        reason=reason,
        panic=switch.panic,
        mode="" if beat is None else beat.mode,
        faults=faults,
        obstacles=obstacles,
        able=sight.is_running and beat is not None and beat.able and not obstacles,
        heartbeat_age_seconds=age,
        waiting=0 if beat is None else beat.waiting,
        feeds={} if beat is None else beat.parts,
    )


def _money(sight: Sight, sums: PositionSums) -> Money:
    browse, run, as_of_ns = sight.browse, sight.books.run, sight.as_of_ns
    day_ns = as_of_ns - as_of_ns % DAY_NS
    latest, moved, of_day = run.equity.latest(), browse.moved(SOL), browse.moved_since(SOL, day_ns)
    capital = sum(moved.get(kind, 0) for kind in _CAPITAL)
    equity = None if latest is None else latest.equity_lamports
    return Money(
        equity_lamports=equity,
        cash_lamports=None if latest is None else latest.cash_lamports,
        marks_lamports=None if latest is None else latest.marks_lamports,
        rent_lamports=None if latest is None else latest.rent_lamports,
        measured_ns=None if latest is None else latest.at_ns,
        capital_lamports=capital,
        pnl_lamports=None if equity is None else equity - capital,
        day_pnl_lamports=None if equity is None else equity - _at_start(sight, day_ns, capital),
        realised_lamports=sums.realised_lamports,
        unrealised_lamports=sums.value_lamports - sums.valued_cost_lamports,
        costs=_costs(moved),
        day_costs=_costs(of_day),
    )


def _at_start(sight: Sight, day_ns: int, capital: int) -> int:
    """Equity at midnight with what was put in since then: what equity would be now if nothing had been earned."""
    first = sight.browse.equity_at(day_ns)
    if first is None or first.at_ns > day_ns:
        return capital  # it began today: with what was put in until now
    moved = sight.browse.moved_since(SOL, first.at_ns + 1)  # what came in that very moment is in it already
    return first.equity_lamports + sum(moved.get(kind, 0) for kind in _CAPITAL)


def _costs(moved: Mapping[EntryKind, int]) -> dict[EntryKind, int]:
    return {kind: -moved[kind] for kind in COST_KINDS if moved.get(kind)}


def _curve(sight: Sight, period: Period) -> tuple[EquityPoint, ...]:
    latest = sight.books.run.equity.latest()
    first = sight.browse.equity_at(0)
    if latest is None or first is None:
        return ()
    days = _DAYS.get(period)
    since_ns = first.at_ns if days is None else max(first.at_ns, sight.as_of_ns - days * DAY_NS)
    points = sight.browse.curve(since_ns, latest.at_ns, CURVE_POINTS - 1)
    return (*points, *(() if points and points[-1].at_ns >= latest.at_ns else (latest,)))
