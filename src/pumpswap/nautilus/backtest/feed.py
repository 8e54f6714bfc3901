"""Feeds: what happens on a curve, one update after the other, and the markets that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Protocol

from pumpswap.amm import FeeSchedule, schedule_at
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Engine
from pumpswap.errors import BadInput, ConfigError, PumpSwapError
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.paper_model import PaperModel
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate
from pumpswap.nautilus.ticks import quote_tick
from pumpswap.research.backtest.book import ReplayBook
from pumpswap.research.backtest.landing import SlotLanding
from pumpswap.research.backtest.market import ReplayMarket
from pumpswap.research.backtest.spec import BacktestSpec, deciding_settings
from pumpswap.research.backtest.world import Impact
from pumpswap.research.chronicle.step import Chronicle, ScheduleFor
from pumpswap.settings import LandingPlace, Settings

__all__ = ["CurveMarket", "Feed", "chronicle_market", "chronicle_updates", "recorded_market"]

_PLACES: dict[str, LandingPlace] = {"first": "first", "last": "last", "drawn": "drawn"}
_TAIL_NS = 1_000_000_000


class Feed(Protocol):
    """Updates in time order. An update that depends on our own trades is made when it is taken, never before."""

    next_ns: int | None  # the time of the next update, None at the end

    def take(self) -> MarketUpdate: ...


@dataclass(frozen=True, slots=True)
class CurveMarket:
    """A market before it is traded. ``tail_ns``: how long after its end the last order has landed, as a rule.

    ``is_quoted``: whether the ticks of this market have a quote of an update that tells a state; its number is from 0.
    It is asked where another update of the same moment follows.
    """

    location: str
    settings: Settings
    schedule_for: Callable[[int], FeeSchedule]
    book: PoolBook
    venue: PaperVenue
    start_ns: int
    start_lamports: int
    feed: Callable[[Engine], Feed]
    equity_every_seconds: int
    tail_ns: int
    is_quoted: Callable[[int, MarketUpdate], bool]


class _Told:
    """Updates that depend on nobody."""

    def __init__(self, updates: Iterator[MarketUpdate], first: MarketUpdate) -> None:
        self._updates, self._next = updates, first
        self.next_ns: int | None = first.at_ns

    def take(self) -> MarketUpdate:
        taken, upcoming = self._next, next(self._updates, None)
        if upcoming is None:
            self.next_ns = None
        else:
            self._next, self.next_ns = upcoming, upcoming.at_ns
        return taken


class _Replayed:
    """Updates of a chronicle, which is read a second time for its times: one update per step."""

    def __init__(self, chronicle: Chronicle, updates: Iterator[MarketUpdate]) -> None:
        self._times = (step.at_ns for step in chronicle.steps())
        self._updates = updates
        self.next_ns: int | None = next(self._times, None)

    def take(self) -> MarketUpdate:
        self.next_ns = next(self._times, None)
        taken = next(self._updates, None)
        if taken is None:
            raise PumpSwapError(
                "a history has told fewer updates than steps", hint="this is a bug: report it with the history's hash"
            )
        return taken


def recorded_market(
    updates: Iterable[MarketUpdate],
    settings: Settings,
    *,
    location: str = "updates",
    schedule_for: ScheduleFor = schedule_at,
) -> CurveMarket:
    """Recorded updates, as `pumpswap paper replay` trades them: every recorded state counts as told, so what we have
    done to a pool is forgotten with its next state. Raises BadInput where there is none.
    """
    told = iter(updates)
    first = next(told, None)
    if first is None:
        raise BadInput(f"{location} holds nothing to replay", hint="it needs at least one update of a pool")
    book = PoolBook()
    venue = PaperVenue(book, settings.paper, schedule_for, max_state_age_seconds=settings.risk.max_state_age_seconds)
    return CurveMarket(
        location,
        settings,
        schedule_for,
        book,
        venue,
        first.at_ns,
        settings.paper.lamports("start_sol"),
        lambda _: _Told(told, first),
        60,
        PaperModel(settings.paper).latency_ns + _TAIL_NS,
        lambda _, update: _has_quote(update, schedule_for, settings.nautilus.lamports("quote_sol")),
    )


def _has_quote(update: MarketUpdate, schedule_for: ScheduleFor, quote_lamports: int) -> bool:
    state, ns = update.state, update.at_ns
    if state is None:
        return False
    return quote_tick(state, schedule_for(ns // NS_PER_SECOND), quote_lamports, ts_event=ns, ts_init=ns) is not None


def chronicle_market(
    spec: BacktestSpec, chronicle: Chronicle, settings: Settings, unquoted: Container[int]
) -> CurveMarket:
    """A history as ``run_backtest`` plays it to our own strategies: the same book, venue, landing, impact and chance.

    Quotes that were made before cannot tell what our own trades do to the market; the curve that fills does.
    ``unquoted`` is what ``load_market`` tells of ``chronicle_updates``: states of ours may have a quote where those of
    the record have none. Raises BadInput for another history than the spec's, or an empty one, ConfigError for settings
    that would trade otherwise.
    """
    if not chronicle.identity.steps or chronicle.identity.sha256 != spec.chronicle:
        raise BadInput(
            f"{chronicle.location} is not the history of this back-test, or empty", hint="make the spec of it: new_spec"
        )
    if deciding_settings(settings) != spec.settings:
        raise ConfigError("these settings are not those of the back-test", hint="make the spec of them: new_spec")
    book = ReplayBook(chronicle.complete)
    market = ReplayMarket(book, chronicle, Impact(spec.impact))
    landing = SlotLanding(chronicle.slots, spec.latency_slots, _PLACES[spec.landing], Random(f"landing {spec.seed}"))
    model = PaperModel(settings.paper, Random(spec.seed), landing)  # chance of a market, not of a secret
    venue = PaperVenue(
        book,
        settings.paper,
        chronicle.schedule_for,
        max_state_age_seconds=settings.risk.max_state_age_seconds,
        model=model,
    )

    def feed(engine: Engine) -> Feed:
        book.follow(engine.clock.now_ns)
        return _Replayed(chronicle, market.updates(engine.settle))

    last = chronicle.span_ns[1]
    slots = chronicle.slots
    return CurveMarket(
        chronicle.location,
        settings,
        chronicle.schedule_for,
        book,
        venue,
        chronicle.span_ns[0],
        spec.start_lamports,
        feed,
        spec.period_seconds,
        max(slots.time_of(slots.slot_of(last) + spec.latency_slots + 1) - last, 0) + _TAIL_NS,
        lambda number, _: number not in unquoted,
    )


def chronicle_updates(chronicle: Chronicle) -> Iterator[MarketUpdate]:
    """A history as it was, for quotes of it."""
    book = ReplayBook(chronicle.complete)
    for update in ReplayMarket(book, chronicle, Impact.NAIVE).updates():
        book.apply(update)
        yield update
