"""RunParts: what `pumpswap run` is made of, whichever side it trades on. Paper and live differ in the trading side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random, SystemRandom

from pumpswap.amm import FeeSchedule
from pumpswap.app.companion import Companions
from pumpswap.clock import Clock, SystemClock
from pumpswap.engine.desk_parts import MoreChecks, Screens
from pumpswap.engine.engine import Engine, EngineParts, Restored, Signaller, SwapSignaller
from pumpswap.engine.feed import Feed
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.engine.health import Monitor
from pumpswap.engine.keeper import Keeper
from pumpswap.engine.settings_watch import SettingsWatch
from pumpswap.engine.strategy import Strategy
from pumpswap.engine.supervisor import Control, Ending, Keeps, Supervisor, SupervisorParts
from pumpswap.errors import StorageError
from pumpswap.execution.venue import Venue
from pumpswap.market.book import PoolBook
from pumpswap.model import Heartbeat, Order, RunObserver
from pumpswap.settings import RunSettings, Settings
from pumpswap.settings.reload import SettingsReload

__all__ = ["FinishedRun", "MarketSide", "RunOptions", "ScoringSide", "TradingSide", "assemble", "run_sides"]

_log = logging.getLogger(__name__)

Feeds = Callable[[Engine], Sequence[Feed]]


@dataclass(frozen=True, slots=True)
class MarketSide:
    """What is heard. ``feeds`` gets the engine, whose positions are always watched; ``clock`` is the market's time.

    ``clock`` None: the market has no time of its own but that of its updates; it goes as fast as it can. ``watch``
    chooses the pools that are read, where not all of them are heard.
    """

    name: str  # for people: "the chain", "simulated market, seed 8"
    book: PoolBook
    schedule_for: Callable[[int], FeeSchedule]
    feeds: Feeds
    clock: Clock | None = field(default_factory=SystemClock)
    start_ns: int = 0  # when it begins, where that is not now
    monitors: Sequence[Monitor] = ()
    notes: tuple[str, ...] = ()  # what somebody should know of it, in sentences: told at the start
    screens: Screens | None = None
    helpers: Sequence[Feed] = ()
    watch: WatchList | None = None


@dataclass(frozen=True, slots=True)
class ScoringSide:
    """What is thought of it."""

    signaller: Signaller | None
    swap_signaller: SwapSignaller | None = None
    strategies: Sequence[Strategy] | None = None
    helpers: Sequence[Feed] = ()
    monitors: Sequence[Monitor] = ()


@dataclass(frozen=True, slots=True)
class TradingSide:
    """Where orders go and who keeps the books. ``keeps`` and ``observers`` store what the engine tells; ``observers``
    are called in their order, before those that only show. ``orders`` are those whose fate is not known yet.

    ``control`` makes the one who takes commands; it gets the engine and what ends the run. ``news`` returns when the
    venue has something to settle, for a venue that need not be waited for. ``companions`` are those who look on.
    ``let_go`` is called when the engine has ended in order: what has become known meanwhile is heard and stored.
    """

    mode: str
    venue: Venue
    keeper: Keeper
    keeps: Keeps
    observers: Sequence[RunObserver]
    control: Callable[[Engine, Callable[[], None]], Control] | None = None
    restored: Restored = field(default_factory=Restored)
    orders: Sequence[Order] = ()
    start_lamports: int = 0  # what new books begin with
    checks: MoreChecks | None = None
    monitors: Sequence[Monitor] = ()
    news: Callable[[], Awaitable[None]] | None = None
    companions: Callable[[Engine], Companions] = field(default=lambda _: Companions())
    let_go: Callable[[Engine], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How long, and who listens. ``stops`` is given what ends the run, for signals and for tests. ``reload`` looks at
    the settings file.
    """

    seconds: float | None = None
    observers: Sequence[RunObserver] = ()
    on_beat: Callable[[Heartbeat], None] = field(default=lambda _: None)
    stops: Callable[[Callable[[], None]], None] = field(default=lambda _: None)
    random: Random = field(default_factory=SystemRandom)
    process: int = 0
    wall: Clock = field(default_factory=SystemClock)
    reload: SettingsReload | None = None


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that has ended in order."""

    engine: Engine
    supervisor: Supervisor
    ending: Ending


def assemble(settings: Settings, market: MarketSide, scoring: ScoringSide, trading: TradingSide) -> EngineParts:
    """The parts of the engine."""
    return EngineParts(
        book=market.book,
        venue=trading.venue,
        signaller=scoring.signaller,
        schedule_for=market.schedule_for,
        settings=settings,
        swap_signaller=scoring.swap_signaller,
        strategies=scoring.strategies,
        keeper=trading.keeper,
        screens=market.screens,
        checks=trading.checks,
        mode=trading.mode,
        restored=trading.restored,
    )


async def run_sides(
    settings: Settings, market: MarketSide, scoring: ScoringSide, trading: TradingSide, options: RunOptions
) -> FinishedRun:
    """Make the engine of three sides and run it to its end; errors as of ``Supervisor.run``."""
    engine = Engine(assemble(settings, market, scoring, trading), (*trading.observers, *options.observers))
    companions = trading.companions(engine)
    for observer in companions.observers:
        engine.listen(observer)
    engine.desk.restore(trading.orders)
    engine.clock.advance_to(market.start_ns or options.wall.now_ns())
    if trading.start_lamports:
        engine.deposit(trading.start_lamports)
    parts = SupervisorParts(
        engine=engine,
        feeds=market.feeds(engine),
        keeps=trading.keeps,
        settings=settings.run,
        clock=market.clock or engine.clock,
        wall=options.wall,
        random=options.random,
        monitors=(*market.monitors, *scoring.monitors, *trading.monitors),
        helpers=(*market.helpers, *scoring.helpers, *companions.helpers),
        ticks=market.clock is not None,
        process=options.process,
        seconds=options.seconds,
        on_beat=partial(_tell_beat, (*companions.on_beats, options.on_beat)),
        news=trading.news,
        on_untold=partial(_tell_untold, companions),
        look=_nothing if options.reload is None else SettingsWatch(engine, options.reload).poll,
    )
    supervisor = Supervisor(parts)
    if trading.control is not None:
        supervisor.obey(trading.control(engine, supervisor.stop))
    options.stops(supervisor.stop)
    try:
        ending = await supervisor.run()
        await _let_go(engine, settings.run, trading, companions)
    finally:
        await _end_of(companions)
    return FinishedRun(engine, supervisor, ending)


async def _let_go(engine: Engine, settings: RunSettings, trading: TradingSide, companions: Companions) -> None:
    """What has landed since is booked, and the end is told. A lock of somebody else is waited for, as the supervisor
    does; where it does not end, that is told directly.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + settings.shutdown_seconds
    are_told = False
    while True:
        try:
            if trading.let_go is not None:
                await trading.let_go(engine)
            if not are_told:
                are_told = True
                for stop in companions.on_stops:
                    stop()
            trading.keeps.flush()
        except StorageError as refused:
            if loop.time() < until:
                await asyncio.sleep(settings.control_ms / 1_000)
                continue
            text = f"the engine has stopped, and what landed last could not be stored: {refused.what}"
            await _tell_untold(companions, text)
            raise
        return


async def _tell_untold(companions: Companions, text: str) -> None:
    for tell in companions.on_untold:
        await tell(text)


async def _end_of(companions: Companions) -> None:
    for end in companions.on_ends:
        try:
            await end()
        except Exception:  # they only look on: how the engine has ended is what counts, and is told or raised
            _log.exception("companion-did-not-end-well")


def _tell_beat(listeners: Sequence[Callable[[Heartbeat], None]], heartbeat: Heartbeat) -> None:
    for listener in listeners:
        listener(heartbeat)


def _nothing() -> None:
    """There is no settings file to look at."""
