"""MarketSimulator: a small invented market on the exact curve, for demonstrations and tests.

Honest, not kind: most coins lose. One seed is one market, the same on every machine. Prices, fees and refusals come
from ``pumpswap.amm``; what is invented is only who wants to trade when. SOL costs 200 USD throughout.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush

import msgspec

from pumpswap.amm import PoolState, current_schedule
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import NotFound, UsageError
from pumpswap.market.actors import Actor
from pumpswap.market.book import PoolBook
from pumpswap.market.simulated_cast import Listing, Pace, PoolKind, Story, cast
from pumpswap.market.simulated_floor import Dice
from pumpswap.model import MarketUpdate, PoolSnapshot
from pumpswap.units import LAMPORTS_PER_SOL, from_units

__all__ = ["SOL_USD", "MarketSimulator", "Pace", "SimulatedTruth"]

SOL_USD = 200
SLOT_NS = 400_000_000
FIRST_SLOT = 460_000_000

_HOUR_NS = 3_600 * NS_PER_SECOND
_PRICE_DECIMALS = 18

Step = Callable[[int], tuple[MarketUpdate | None, int | None]]


@dataclass(frozen=True, slots=True)
class SimulatedTruth:
    """What nobody in the market knows. ``holdings`` are base units by role; with the pool's base reserve and what we
    hold ourselves they add up to the supply. ``notes`` tell in plain words what really happened, with its time.
    """

    pool: str
    name: str
    story: Story
    kind: PoolKind
    opens_ns: int
    opening: PoolState
    holdings: Mapping[str, int]
    notes: tuple[tuple[int, str], ...]


class MarketSimulator:
    """A market of ``pools`` pools over ``duration_s`` seconds. It can be run once. ``pace`` slows a large one down:
    a thousand pools for a day at the pace of the demonstration would be twenty million trades.

    The market trades on the states of ``book``: apply every update to it before taking the next one. Then our own
    trades, put into the same book, are what the others meet.
    """

    def __init__(
        self,
        book: PoolBook,
        *,
        seed: int,
        start_ns: int,
        duration_s: int = 1_800,
        pools: int = 6,
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        if seed < 0:
            raise UsageError(f"a seed of {seed}", hint="0 or more")
        if duration_s < 1 or pools < 1:
            raise UsageError(f"{pools} pools for {duration_s} seconds", hint="at least one of each")
        self._book = book
        self._pace = pace
        self._snapshot_ns = pace.snapshot_seconds * NS_PER_SECOND
        self._start_ns = start_ns
        self._end_ns = start_ns + duration_s * NS_PER_SECOND
        self._now_ns = start_ns - 1
        self._queue: list[tuple[int, int, Step]] = []
        self._queued = 0
        self._listings = cast(Dice(seed), current_schedule(), (start_ns, self._end_ns), pools, pace)
        for listing in self._listings:
            self._enqueue(listing.opens_ns, partial(self._open, listing))

    def updates(self, before: Callable[[int], None] | None = None) -> Iterator[MarketUpdate]:
        """All updates in strict time order.

        ``before`` is called with the time of each arrival before it looks at the book: whatever of ours lands until
        then must be in the book by that moment, or the arrival would overwrite it. Raises NotFound when an update was
        not applied.
        """
        while self._queue and self._queue[0][0] <= self._end_ns:
            planned_ns, _, step = heappop(self._queue)
            at_ns = max(planned_ns, self._now_ns + 1)
            if before is not None:
                before(at_ns)
            update, wait_ns = step(at_ns)
            if wait_ns is not None:
                self._enqueue(at_ns + wait_ns, step)
            if update is not None:
                self._now_ns = at_ns
                yield update

    def tell_events(self) -> None:
        """From now on swaps carry the event that the program would report, as those of the chain do."""
        for listing in self._listings:
            listing.floor.tells_events = True

    @property
    def next_ns(self) -> int | None:
        """When something is to happen next; None when the market is over."""
        due = self._queue[0][0] if self._queue else None
        return None if due is None or due > self._end_ns else due

    @property
    def listings(self) -> Sequence[Listing]:
        """Every pool with its own floor: for whoever plays the node that could be asked about it."""
        return tuple(self._listings)

    def truth(self) -> tuple[SimulatedTruth, ...]:
        """The story of every pool so far: for tests, and for telling afterwards why a loss was one."""
        return tuple(_truth(listing) for listing in self._listings)

    def _enqueue(self, at_ns: int, step: Step) -> None:
        self._queued += 1  # equal times keep the order in which they were planned
        heappush(self._queue, (at_ns, self._queued, step))

    # ---------------------------------------------------------------------------------------------- the steps

    def _open(self, listing: Listing, at_ns: int) -> tuple[MarketUpdate | None, int | None]:
        tape = _Tape(listing)
        for first_ns, actor in listing.actors:
            self._enqueue(max(first_ns, at_ns + 1), partial(self._act, listing, tape, actor))
        self._enqueue(at_ns + self._snapshot_ns, partial(self._snapshot, listing, tape))
        return MarketUpdate(at_ns, listing.floor.address, self._at_slot(listing.floor.opening, at_ns)), None

    def _act(self, listing: Listing, tape: _Tape, actor: Actor, at_ns: int) -> tuple[MarketUpdate | None, int | None]:
        floor = listing.floor
        found = self._enter(listing, at_ns)
        wait_ns = actor.act(floor)
        if wait_ns is not None:
            wait_ns *= self._pace.slowness
        if floor.state is found:
            return None, wait_ns
        if floor.swap is not None:
            bought = int(floor.swap.is_buy)
            tape.add(_Tick(at_ns, _price(floor.state), floor.swap.quote_units, bought, 1 - bought, at_ns))
        return MarketUpdate(at_ns, floor.address, floor.state, swap=floor.swap), wait_ns

    def _snapshot(self, listing: Listing, tape: _Tape, at_ns: int) -> tuple[MarketUpdate | None, int | None]:
        state = self._enter(listing, at_ns)
        snapshot = tape.snapshot(state, at_ns)
        return MarketUpdate(at_ns, listing.floor.address, state, snapshot), self._snapshot_ns

    def _enter(self, listing: Listing, at_ns: int) -> PoolState:
        state = self._book.state(listing.floor.address)
        if state is None:
            raise NotFound(f"{listing.name} is not in the book", hint="apply each update before taking the next one")
        current = self._at_slot(state, at_ns)
        listing.floor.enter(at_ns, current)
        return current

    def _at_slot(self, state: PoolState, at_ns: int) -> PoolState:
        return msgspec.structs.replace(state, slot=FIRST_SLOT + (at_ns - self._start_ns) // SLOT_NS)


Price = tuple[int, int]  # effective quote reserve and base reserve


@dataclass(frozen=True, slots=True)
class _Tick:
    """One trade, or several at once: the price after it, lamports traded, numbers of buys and sells."""

    at_ns: int
    price: Price
    lamports: int
    buys: int
    sells: int
    opens_ns: int  # of the first of several; -1: of before the simulation, never joined

    def and_then(self, tick: _Tick) -> _Tick:
        """Both as one."""
        return _Tick(
            tick.at_ns, tick.price, self.lamports + tick.lamports, self.buys + tick.buys, self.sells + tick.sells,
            self.opens_ns,
        )  # fmt: skip


class _Window:
    """Sums over the trades of the last ``span_ns``, and the price before them.

    Trades within the same ``grain_ns`` leave together: a day of a busy pool would be thousands of them.
    """

    def __init__(self, span_ns: int, price: Price, grain_ns: int) -> None:
        self._span_ns = span_ns
        self._grain_ns = grain_ns
        self._ticks: deque[_Tick] = deque()
        self.price_before = price
        self.lamports = self.buys = self.sells = 0

    def add(self, tick: _Tick) -> None:
        last = self._ticks[-1] if self._ticks else None
        if last is not None and last.opens_ns // self._grain_ns == tick.at_ns // self._grain_ns:
            self._ticks[-1] = last.and_then(tick)
        else:
            self._ticks.append(tick)
        self.lamports += tick.lamports
        self.buys += tick.buys
        self.sells += tick.sells

    def expire(self, now_ns: int) -> None:
        while self._ticks and self._ticks[0].at_ns <= now_ns - self._span_ns:
            gone = self._ticks.popleft()
            self.lamports -= gone.lamports
            self.buys -= gone.buys
            self.sells -= gone.sells
            self.price_before = gone.price


class _Tape:
    """What a collector would write down about a pool: rolling figures, as text, with its source's usual rounding."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        opening = _price(listing.floor.opening)
        self._hour = _Window(_HOUR_NS, opening, NS_PER_SECOND)
        self._day = _Window(24 * _HOUR_NS, opening, _HOUR_NS)
        for tick in _past(listing):
            self.add(tick)

    def add(self, tick: _Tick) -> None:
        self._hour.add(tick)
        self._day.add(tick)

    def snapshot(self, state: PoolState, at_ns: int) -> PoolSnapshot:
        for window in (self._hour, self._day):
            window.expire(at_ns)
        listing, (quote, base) = self._listing, _price(state)
        # The source values both sides: the base side at the price is worth E, the quote side what is really there.
        reserve_usd = _usd(quote + state.real_quote_reserve)
        hour, day = self._hour, self._day
        return PoolSnapshot(
            pool_id=f"solana_{listing.floor.address}",
            pool=listing.floor.address,
            dex="pumpswap",
            at_ns=at_ns,
            name=listing.name,
            base_mint=str(state.pool.base_mint),
            quote_mint=str(state.pool.quote_mint),
            created_ns=listing.created_ns,
            # lamports per base unit are thousandths of SOL per token: 9 against 6 decimals
            base_price_usd=from_units(SOL_USD * quote * 10 ** (_PRICE_DECIMALS - 3) // base, _PRICE_DECIMALS),
            base_price_quote=from_units(quote * 10 ** (_PRICE_DECIMALS - 3) // base, _PRICE_DECIMALS),
            quote_price_usd=from_units(SOL_USD, 0),
            reserve_usd=from_units(reserve_usd, 2),
            metrics={
                "volume_usd_h24": str(from_units(_usd(day.lamports), 2)),
                "reserve_in_usd": str(from_units(reserve_usd, 2)),
                "price_change_percentage_h1": _percent(hour.price_before, (quote, base)),
                "price_change_percentage_h24": _percent(day.price_before, (quote, base)),
                "transactions_h1_buys": hour.buys,
                "transactions_h1_sells": hour.sells,
                "transactions_h24_buys": day.buys,
                "transactions_h24_sells": day.sells,
            },
        )


def _past(listing: Listing) -> Iterator[_Tick]:
    """The day before the simulation, for a pool that is older than it: one figure per five minutes, oldest first."""
    if listing.created_ns >= listing.opens_ns:
        return
    dice, (quote, base) = listing.floor.dice, _price(listing.floor.opening)
    span = 5 * 60 * NS_PER_SECOND
    levels = [1_000_000]
    for _ in range(287):
        levels.append(levels[-1] * (1_000 + dice.between(-6, 6)) // 1_000)
    for age in range(288, 0, -1):
        price = quote * levels[age - 1] // 1_000_000, base
        lamports = dice.between(100, 1_500) * LAMPORTS_PER_SOL // 1_000
        yield _Tick(listing.opens_ns - age * span, price, lamports, dice.below(2), dice.below(2), -1)


def _price(state: PoolState) -> Price:
    return state.effective_quote_reserve, state.base_reserve


def _usd(lamports: int) -> int:
    """Cents."""
    return lamports * SOL_USD * 100 // LAMPORTS_PER_SOL


def _percent(before: Price, now: Price) -> str:
    thousandths = now[0] * before[1] * 100_000 // (now[1] * before[0]) - 100_000
    return str(from_units(thousandths, 3))


def _truth(listing: Listing) -> SimulatedTruth:
    floor = listing.floor
    holdings: dict[str, int] = {}
    for trader, units in floor.holdings.items():
        role = floor.roles[trader]
        holdings[role] = holdings.get(role, 0) + units
    return SimulatedTruth(
        floor.address, listing.name, listing.story, listing.kind, listing.opens_ns, floor.opening, holdings,
        tuple(floor.notes),
    )  # fmt: skip
