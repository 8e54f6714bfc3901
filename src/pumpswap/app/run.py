"""`pumpswap run` on paper and in analysis: settings and an order become the three sides of a run, its end a result.

Paper books of each kind of market go on from run to run: what a process leaves, the next one takes up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from pumpswap.app.companions import RunPlace, companions_of
from pumpswap.app.run_market import MarketPlaces, played_market, simulated_market
from pumpswap.app.run_needs import require_channels, require_signals
from pumpswap.app.run_order import BegunRun, RunOrder
from pumpswap.app.run_parts import FinishedRun, MarketSide, RunOptions, TradingSide, run_sides
from pumpswap.app.run_sides import Head, Sides, own_head
from pumpswap.app.run_tally import RunTally
from pumpswap.clock import Clock, SystemClock
from pumpswap.engine.control import Control
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.engine.outbox import PLACE, SHADOW, Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.restore import RestoredPaper, restore_paper
from pumpswap.engine.supervisor import Ending
from pumpswap.errors import ConfigError, UsageError
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.paper_model import PaperModel
from pumpswap.market.shadow_book import ShadowBook
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.run_lock import RunLock
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.run import Run

__all__ = ["RunResult", "open_paper", "run_paper"]

_BUSY_MS = 2_000  # so long somebody's lock on the database may hold the engine up; then it goes on, and stores later
_MARKET = "market"  # under this name a run remembers what it listens to
_FEEDS = ("snapshots", "simulation", "recording")


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a process has done. ``is_finished``: the books are closed, since their market is over."""

    begun: BegunRun
    ending: Ending
    is_finished: bool
    tally: RunTally
    events: int
    dropped: int
    longest_queue: int
    open_positions: int
    on_the_way: int

    @classmethod
    def of(cls, begun: BegunRun, finished: FinishedRun, tally: RunTally, *, is_finished: bool) -> RunResult:
        """Of a run that has ended in order."""
        engine, supervisor = finished.engine, finished.supervisor
        return cls(
            begun=begun,
            ending=finished.ending,
            is_finished=is_finished,
            tally=tally,
            events=supervisor.events,
            dropped=supervisor.dropped,
            longest_queue=supervisor.longest_queue,
            open_positions=len(engine.portfolio.positions.open_positions()),
            on_the_way=len(engine.desk.orders),
        )

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            **self.begun.to_json(),
            "ended": self.ending.value,
            "is_finished": self.is_finished,
            "events": self.events,
            "dropped": self.dropped,
            "longest_queue": self.longest_queue,
            "open_positions": self.open_positions,
            "orders_on_the_way": self.on_the_way,
            **self.tally.to_json(),
        }


@dataclass(frozen=True, slots=True)
class _Opened:
    """The books of a run as its last process has left them."""

    run: Run
    left: RestoredPaper


@dataclass(frozen=True, slots=True)
class _Found:
    """The books to go on with, or None: then new ones begin as soon as there is a market. ``start_ns``: the time of
    that market.
    """

    opened: _Opened | None
    places: MarketPlaces
    now_ns: int
    start_ns: int


async def run_paper(
    settings: Settings, order: RunOrder, options: RunOptions, begun: Callable[[BegunRun], None]
) -> RunResult:
    """Run until the market is over, the time is up, or somebody stops it. ``begun`` hears what it runs on.

    Raises ConfigError naming what is missing, StorageError when another process keeps these books, NotFound or BadInput
    for a recording that is none, and what breaks the engine, after it is stored as an alert.
    """
    if settings.run.mode not in ("analysis", "paper"):
        raise ConfigError(f"the mode {settings.run.mode} trades live", hint="add --live, or choose --mode paper")
    if order.is_fast and not order.market:
        raise UsageError("a chain cannot go faster", hint="--fast is for --market simulated and for recordings")
    require_signals(settings)
    require_channels(settings)
    async with open_paper(settings, order, own_head(settings, options.wall), options.wall) as sides:
        begun(sides.begun)
        finished = await run_sides(settings, sides.market, sides.scoring, sides.trading, _limited(options, order))
        is_finished = bool(order.market) and finished.ending is Ending.MARKET_IS_OVER
        if is_finished:
            sides.run.finish(options.wall.now_ns(), sides.tally.to_json())
        return RunResult.of(sides.begun, finished, sides.tally, is_finished=is_finished)


@asynccontextmanager
async def open_paper(settings: Settings, order: RunOrder, head: Head, wall: Clock) -> AsyncIterator[Sides]:
    """The sides of a run on paper, its books taken up or begun; ``head`` decides what is heard of the chain.

    Raises what ``run_paper`` raises before it begins.
    """
    async with AsyncExitStack() as stack:
        database = stack.enter_context(open_database(settings.database_target, busy_ms=_BUSY_MS))
        stack.callback(RunLock(database, settings.data_dir / "locks", order.kind).release)
        found = _find_run(database, order, wall)
        watch = WatchList(settings.run.watched_pools, settings.signals.min_score)

        async def connect() -> ChainConnection:
            return await stack.enter_async_context(ChainConnection(settings, wall))

        if order.market:
            market = _played(settings, order, found, wall)
        else:
            market = await head.market(found.places, watch, connect)
        scoring = await head.scoring(market, watch)
        opened = found.opened or _begin_run(database, settings, order, found.now_ns)
        tally = RunTally()
        trading = _trading(settings, database, opened, market, tally, wall)
        yield Sides(market, scoring, trading, opened.run, _begun(database, order, opened, market), tally)


# ---------------------------------------------------------------------------------------------- the books


def _find_run(database: Database, order: RunOrder, wall: Clock) -> _Found:
    """The unfinished run of this kind; none when there is none, when a new one is wished, or when it listens to another
    market: what is held in one cannot be sold in another.
    """
    now = wall.now_ns()
    run = database.open_paper(order.kind)
    identity = None if run is None else run.states.load(_MARKET)
    if run is None or order.is_new or not order.is_of(identity):
        return _Found(None, MarketPlaces({}, {}), now, now)
    found = {name: run.states.load(PLACE + name) for name in _FEEDS}
    # In a market that is played, time goes on from the last order.
    on_the_way = [one.created_ns for one in run.orders(unresolved=True)]
    left = restore_paper(run, max(on_the_way, default=now) if order.market else now)
    held = {position.pool: position.base_units for position in left.portfolio.positions.open_positions()}
    feeds = {name: place for name, place in found.items() if place is not None}
    places = MarketPlaces(feeds, held, run.states.load(SHADOW) or {})
    return _Found(_Opened(run, left), places, now, int(str((identity or {}).get("start_ns", now))))


def _begin_run(database: Database, settings: Settings, order: RunOrder, now_ns: int) -> _Opened:
    """New books, and the end of those in whose place they come. Not before everything else is there: a start that fails
    leaves nothing behind, and ends nothing.
    """
    before = database.open_paper(order.kind)
    if before is not None:
        before.finish(now_ns, {"ended": "another run has taken its place"})
    run = database.start_run(order.kind, now_ns, order.seed, settings.to_store())
    run.states.save(_MARKET, order.identity(now_ns), now_ns)
    return _Opened(run, restore_paper(run, now_ns))


def _trading(
    settings: Settings, database: Database, opened: _Opened, market: MarketSide, tally: RunTally, wall: Clock
) -> TradingSide:
    run, left = opened.run, opened.left
    memory = market.book.memory if isinstance(market.book, ShadowBook) else None
    outbox = Outbox(run, StoreRecorder(run), memory)
    # The same books fail in the same way again; what was drawn before a restart is not drawn anew.
    chance = Random(f"{run.header().seed} {left.orders}")
    venue = PaperVenue(
        market.book,
        settings.paper,
        market.schedule_for,
        max_state_age_seconds=settings.risk.max_state_age_seconds,
        model=PaperModel(settings.paper, chance),
        wallet=left.wallet,
    )
    market_now = None if market.clock is None else market.clock.now_ns
    return TradingSide(
        mode=settings.run.mode,
        venue=venue,
        keeper=left.keeper(),
        keeps=outbox,
        observers=(outbox, tally),
        control=lambda engine, stop: Control(run, engine, stop, outbox, wall.now_ns, market_now),
        restored=left.restored,
        start_lamports=settings.paper.lamports("start_sol") if left.is_new else 0,
        companions=lambda engine: companions_of(
            RunPlace(
                *(settings, database, run, engine, wall, outbox.also),
                is_played=not isinstance(market.clock, SystemClock),
                watch=market.watch,
            )
        ),
    )


# ---------------------------------------------------------------------------------------------- market and end


def _played(settings: Settings, order: RunOrder, found: _Found, wall: Clock) -> MarketSide:
    if order.seed is None:
        return played_market(order.market, found.places, wall, is_fast=order.is_fast)
    start = None if order.is_fast else found.start_ns
    return simulated_market(settings, order, found.places, wall, start)


def _limited(options: RunOptions, order: RunOrder) -> RunOptions:
    """A simulated market has its own length; everything else ends by the clock."""
    return options if order.seed is not None else replace(options, seconds=order.seconds)


def _begun(database: Database, order: RunOrder, opened: _Opened, market: MarketSide) -> BegunRun:
    left = opened.left
    return BegunRun(
        run_id=opened.run.run_id,
        kind=order.kind,
        database=database.location,
        market=market.name,
        notes=market.notes,
        is_new=left.is_new,
        open_positions=len(left.portfolio.positions.open_positions()),
        lost=len(left.lost),
    )
