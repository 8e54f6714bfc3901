"""The overview: equity, what was earned after all costs, the state of trading, the age of what the engine sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from pumpswap.app.standing import general_obstacles
from pumpswap.app.views.sight import RunFacts, Sight
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import COST_KINDS, OWN_MONEY, SOL, EntryKind, EquityPoint, RiskState, TradingState, Verdict
from pumpswap.storage.browse import PositionSums

__all__ = [
    "CURVE_POINTS",
    "FrameView",
    "Money",
    "Overview",
    "Period",
    "Pulse",
    "Trading",
    "frame_view",
    "overview",
    "trading",
]

DAY_NS = 86_400 * NS_PER_SECOND
CURVE_POINTS = 400
_HOUR_NS = 3_600 * NS_PER_SECOND


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
class Pulse:
    """What of the money is in sight on every page; see ``Money``."""

    equity_lamports: int | None
    day_pnl_lamports: int | None


@dataclass(frozen=True, slots=True)
class FrameView:
    """What every page says around its own content, as in ``Overview``: nothing of it sums up a day, or a run."""

    run: RunFacts
    others: tuple[RunFacts, ...]
    as_of_ns: int
    trading: Trading
    money: Pulse
    positions: PositionSums
    proposals: int
    unseen_alerts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    """``curve`` are at most 400 points of the period, the newest last. ``hour_*`` count decisions of the last hour.
    ``others`` are runs that other engines keep now; ``unseen_alerts`` are of all these and of this one.
    """

    run: RunFacts
    others: tuple[RunFacts, ...]
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
        others=sight.others,
        as_of_ns=as_of_ns,
        period=period,
        trading=trading(sight),
        money=_money(sight, sums),
        positions=sums,
        on_the_way=browse.unresolved(),
        proposals=len(run.proposals.waiting()),
        hour_accepted=accepted,
        hour_refused=refused,
        unseen_alerts=browse.unseen_alerts([each.run_id for each in sight.others]),
        curve=_curve(sight, period),
    )


def frame_view(sight: Sight) -> FrameView:
    """The part of ``overview`` that is around every page: it is made as often as any of them."""
    latest = sight.books.run.equity.latest()
    return FrameView(
        run=sight.facts,
        others=sight.others,
        as_of_ns=sight.as_of_ns,
        trading=trading(sight),
        money=Pulse(None if latest is None else latest.equity_lamports, _day_pnl(sight, latest)),
        positions=sight.sums,
        proposals=len(sight.books.run.proposals.waiting()),
        unseen_alerts=sight.browse.unseen_alerts([each.run_id for each in sight.others]),
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
    browse, run = sight.browse, sight.books.run
    latest, moved, of_day = run.equity.latest(), browse.moved(SOL), browse.costs_since(_midnight(sight))
    capital = None if latest is None else latest.put_in_lamports
    if capital is None:  # measured before that was stored
        capital = sum(moved.get(kind, 0) for kind in OWN_MONEY)
    equity = None if latest is None else latest.equity_lamports
    return Money(
        equity_lamports=equity,
        cash_lamports=None if latest is None else latest.cash_lamports,
        marks_lamports=None if latest is None else latest.marks_lamports,
        rent_lamports=None if latest is None else latest.rent_lamports,
        measured_ns=None if latest is None else latest.at_ns,
        capital_lamports=capital,
        pnl_lamports=None if equity is None else equity - capital,
        day_pnl_lamports=_day_pnl(sight, latest),
        realised_lamports=sums.realised_lamports,
        unrealised_lamports=sums.value_lamports - sums.valued_cost_lamports,
        costs=_costs(moved),
        day_costs=_costs(of_day),
    )


def _day_pnl(sight: Sight, latest: EquityPoint | None) -> int | None:
    """What was earned since midnight: without what was put in or taken out since then."""
    if latest is None:
        return None
    day_ns = _midnight(sight)
    first = sight.browse.equity_at(day_ns)
    if first is not None and first.at_ns > day_ns:
        first = None  # it began today: with what was put in until now
    begun, put_in = (0, 0) if first is None else (first.equity_lamports, first.put_in_lamports)
    if put_in is not None and latest.put_in_lamports is not None:
        return latest.equity_lamports - latest.put_in_lamports - (begun - put_in)
    # Measured before that was stored. What came in the very moment of the first measurement is in it already.
    return latest.equity_lamports - begun - sight.browse.put_in_since(0 if first is None else first.at_ns + 1)


def _midnight(sight: Sight) -> int:
    return sight.as_of_ns - sight.as_of_ns % DAY_NS


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
