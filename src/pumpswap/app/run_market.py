"""Markets that `pumpswap run` can listen to: the chain with a collector's rows, a simulated one, a recording."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pumpswap.amm import FeeSchedule, current_schedule, schedule_at
from pumpswap.app.follow import FollowDesk, learn_past, swap_stream
from pumpswap.app.paper import DEMO_START_NS
from pumpswap.app.run_needs import collector_of, listens_to_all, needs_rows, needs_swaps, require_chain
from pumpswap.app.run_order import RunOrder
from pumpswap.app.run_parts import MarketSide
from pumpswap.app.run_screens import RunScreens
from pumpswap.app.simulated_screens import SimulatedScreens
from pumpswap.clock import Clock
from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import Feed, FeedTools, Place
from pumpswap.engine.feeds.errand import Errand
from pumpswap.engine.feeds.played import PlayedFeed, ShiftedClock
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.engine.feeds.snapshots import SnapshotFeed
from pumpswap.engine.feeds.states import StateFeed
from pumpswap.engine.feeds.swaps import SwapFeed
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.engine.health import Monitor
from pumpswap.errors import BadInput, PumpSwapError
from pumpswap.market.book import PoolBook
from pumpswap.market.shadow_book import ShadowBook, without_units
from pumpswap.market.simulator import MarketSimulator
from pumpswap.market.snapshot_tail import SnapshotTail
from pumpswap.market.tape import open_recording
from pumpswap.model import MarketUpdate, Swap
from pumpswap.sdk.connection import ChainConnection
from pumpswap.settings import Settings

__all__ = [
    "MarketPlaces",
    "chain_market",
    "fees_in_force",
    "played_market",
    "simulated_market",
    "watched_pools",
]

_SCREEN_SECONDS = 1  # between two tokens: each takes many questions
_PAST_SWAPS = 200  # of each followed wallet
_REAL_TIME = (
    "It goes at the pace of real time: a screen, a score and a trade may take minutes to come, and it is over after "
    "{length}. With --fast all of it is played at once."
)
SIMULATION, RECORDING = "simulation", "recording"  # names of their feeds


@dataclass(frozen=True, slots=True)
class MarketPlaces:
    """Where an earlier process has stopped: the places of its feeds, and what it held on paper, by pool. ``held`` None:
    what is traded is on the chain, and its states know it. ``shadow`` is what its book remembered of that.
    """

    feeds: Mapping[str, Place]
    held: Mapping[str, int] | None
    shadow: Mapping[str, object] = field(default_factory=dict)

    def book(self) -> PoolBook:
        """For states of a market that does not know what is held on paper."""
        return PoolBook() if self.held is None else ShadowBook(self.held, self.shadow)

    def updates(self, feed: str) -> int:
        """How many updates of a played market were taken. Raises BadInput."""
        try:
            return int(str(self.feeds.get(feed, {}).get("updates", "0")))
        except ValueError:
            raise BadInput("the stored place in the market cannot be read", hint="begin a new run with --new") from None


# ---------------------------------------------------------------------------------------------- the chain


def watched_pools(engine: Engine, watch: WatchList, clock: Clock) -> list[str]:
    """Pools whose state is read again and again: what is held, what is on its way, and what somebody has asked for."""
    held = [position.pool for position in engine.portfolio.positions.open_positions()]
    on_the_way = [order.pool for order in engine.desk.orders]
    now = clock.now_ns()
    return watch.pools(now, [*held, *on_the_way, *watch.asked(now)])


async def chain_market(
    settings: Settings,
    places: MarketPlaces,
    watch: WatchList,
    connect: Callable[[], Awaitable[ChainConnection]],
    follow: FollowDesk | None,
    clock: Clock,
) -> MarketSide:
    """The chain of the settings and the rows of the collector. ``connect`` gives the connection, when one is needed,
    and whoever passes it closes it; ``follow`` learns what its wallets have done before.

    Raises ConfigError naming everything that is missing, and the node's ChainError when it cannot be reached at all.
    """
    require_chain(settings)
    tail = SnapshotTail(collector_of(settings)) if needs_rows(settings) else None
    tools, slots = FeedTools(clock), SlotTimes(clock, settings.chain.stale_after_slots)
    if not settings.chain.endpoints:
        return _rows_only(tail, places, tools)
    connection = await connect()
    await connection.schedules.current()
    if follow is not None:
        await learn_past(connection, follow, _PAST_SWAPS)

    def feeds(engine: Engine) -> Sequence[Feed]:
        made: list[Feed] = [
            StateFeed(connection, lambda: watched_pools(engine, watch, clock), settings.run.state_poll_ms, tools, slots)
        ]
        if tail is not None:
            made.append(SnapshotFeed(tail, engine, places.feeds.get("snapshots"), tools, connection.reader, slots))
        if needs_swaps(settings):
            made.append(_swaps(settings, connection, tools, slots, watch))
        return made

    book = places.book()
    screens = RunScreens(connection, book, lambda: watch.pools(clock.now_ns(), ()))
    helpers = [Errand("screens", _SCREEN_SECONDS, screens.look, tools)] if settings.risk.require_screen else []
    drift = Monitor("program", lambda: "; ".join(connection.schedules.drift))
    rows = f", rows of {tail.location}" if tail is not None else ""
    return MarketSide(
        f"{settings.chain.network} through {connection.node.name}{rows}",
        book,
        fees_in_force(connection),
        feeds,
        clock,
        monitors=(drift, Monitor("slots", slots.obstacle)),
        notes=_notes(settings, tail),
        screens=screens.report if helpers else None,
        helpers=helpers,
        watch=watch,
    )


def fees_in_force(connection: ChainConnection) -> Callable[[int], FeeSchedule]:
    """The fees that were read last. They must have been read once."""

    def schedule_for(_: int) -> FeeSchedule:
        read = connection.schedules.latest
        if read is None:
            raise PumpSwapError("fees were never read", hint="this is a bug in the composition of the run")
        return read.schedule

    return schedule_for


def _rows_only(tail: SnapshotTail | None, places: MarketPlaces, tools: FeedTools) -> MarketSide:
    """Analysis without a chain: scores, and decisions that say that nothing is known of the pool."""

    def feeds(engine: Engine) -> Sequence[Feed]:
        return [] if tail is None else [SnapshotFeed(tail, engine, places.feeds.get("snapshots"), tools)]

    where = "nothing" if tail is None else f"rows of {tail.location}"
    notes = ("No endpoint: states of pools are not known, so every entry is refused.",)
    return MarketSide(where, places.book(), lambda _: current_schedule(), feeds, tools.clock, notes=notes)


def _swaps(
    settings: Settings, connection: ChainConnection, tools: FeedTools, slots: SlotTimes, watch: WatchList
) -> SwapFeed:
    followed = {wallet.address for wallet in settings.follow.wallets} if "follow" in settings.run.signals else set()
    is_for_all = listens_to_all(settings)

    def needs_state(swap: Swap) -> bool:
        if is_for_all:
            watch.overhear(swap.pool, tools.clock.now_ns())
        return swap.trader in followed

    wallets = [] if is_for_all else sorted(followed)
    return SwapFeed(lambda: swap_stream(connection, wallets), connection.reader, needs_state, tools, slots)


def _notes(settings: Settings, tail: SnapshotTail | None) -> tuple[str, ...]:
    """What it waits for, where that is not rows that are there."""
    if tail is None and listens_to_all(settings):
        return ("No rows of a collector are read: the strategy momentum waits for bursts in the trades of others.",)
    if tail is None:
        return ("No rows of a collector are read: it waits for trades of the wallets under follow.wallets.",)
    if not tail.newest():
        return ("There is no row yet: nothing is scored before a collector, as `pumpswap collect`, writes some.",)
    return ()


# ---------------------------------------------------------------------------------------------- played markets


def simulated_market(
    settings: Settings, order: RunOrder, places: MarketPlaces, wall: Clock, start_ns: int | None
) -> MarketSide:
    """The simulator; ``start_ns`` None: as quickly as it goes, in a time of its own, else at the pace of its time.

    What an earlier process has seen of it is played again first, without us: the same seed gives the same market. Its
    coins are screened where the settings ask for that: by the real rules, on what the simulator knows.
    """
    book, seed = PoolBook(), order.seed or 0
    begins = DEMO_START_NS if start_ns is None else start_ns
    market = MarketSimulator(book, seed=seed, start_ns=begins, duration_s=order.market_seconds)
    done = places.updates(SIMULATION)
    now: list[Callable[[], int]] = []
    screens = SimulatedScreens(market, book, settings.screen, lambda: now[0]())

    def feeds(engine: Engine) -> Sequence[Feed]:
        now[:] = [engine.clock.now_ns]
        updates = screens.hearing(market.updates(engine.settle))
        _catch_up(engine, updates, done)
        for pool, units in (places.held or {}).items():  # it was played without us: what we hold is not in its pools
            state = book.state(pool)
            if state is not None:
                book.put(pool, without_units(state, units))
        clock = None if start_ns is None else wall
        return [PlayedFeed(SIMULATION, updates, clock=clock, next_ns=lambda: market.next_ns, done=done)]

    pace = () if start_ns is None else (_REAL_TIME.format(length=_length(order.market_seconds)),)
    return MarketSide(
        f"simulated market, seed {seed}",
        book,
        lambda _: current_schedule(),
        feeds,
        None if start_ns is None else wall,
        start_ns=begins,
        notes=(
            "The market is simulated: its participants are invented, its curve, fees and limits are the program's.",
            *pace,
        ),
        screens=screens.report if settings.risk.require_screen else None,
    )


def _length(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"


def played_market(target: str, places: MarketPlaces, wall: Clock, *, is_fast: bool) -> MarketSide:
    """A recording: an export, a tape, a lake, a collector's database. Raises NotFound or BadInput."""
    recording = open_recording(target)
    updates = iter(recording.updates())
    done = places.updates(RECORDING)
    first = next(updates, None)
    if first is None:
        raise BadInput(f"{recording.location} holds nothing to play", hint="it needs at least one snapshot or trade")
    coming = _Peeked(first, updates)
    book = places.book()
    begins = first.at_ns

    def feeds(engine: Engine) -> Sequence[Feed]:
        _catch_up(engine, coming, done)
        return [PlayedFeed(RECORDING, coming, clock=clock, next_ns=coming.next_ns, done=done)]

    clock = None if is_fast else ShiftedClock(wall, begins)
    return MarketSide(
        recording.location, book, schedule_at, feeds, clock, start_ns=begins, notes=tuple(recording.assumptions)
    )


def _catch_up(engine: Engine, updates: Iterator[MarketUpdate], count: int) -> None:
    """Take over what an earlier process has traded on, without trading on it again."""
    for update in islice(updates, count):
        engine.clock.advance_to(update.at_ns)
        engine.parts.book.apply(update)
        if update.snapshot is not None:
            engine.remember(update.snapshot)


class _Peeked:
    """Updates of which the next one is known before it is taken."""

    def __init__(self, first: MarketUpdate, rest: Iterator[MarketUpdate]) -> None:
        self._next: MarketUpdate | None = first
        self._rest = rest

    def __iter__(self) -> Iterator[MarketUpdate]:
        return self

    def __next__(self) -> MarketUpdate:
        if self._next is None:
            raise StopIteration
        update, self._next = self._next, next(self._rest, None)
        return update

    def next_ns(self) -> int | None:
        """When the next one is due."""
        return None if self._next is None else self._next.at_ns
