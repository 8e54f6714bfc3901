"""ReplayMarket: a chronicle as a market that an engine trades in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pumpswap.amm import PoolState
from pumpswap.amm.acts import HopBuy, HopSell
from pumpswap.errors import BadInput, TradeRefused
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate
from pumpswap.research.backtest.book import is_complete
from pumpswap.research.backtest.holders import Holders
from pumpswap.research.backtest.tally import WorldTally
from pumpswap.research.backtest.world import Done, Impact, PoolWorld, World, paid_out
from pumpswap.research.chronicle.step import Chronicle, Exactness, Step

__all__ = ["ReplayMarket"]

Settle = Callable[[int], None]


class ReplayMarket:
    """The market trades on the states of ``book``, as ``MarketSimulator`` does: apply every update to it before taking
    the next one; our own trades are put into the same book. It can be run once.

    A pool that we have not touched goes on exactly as recorded; one that we have, by what others signed (``Impact``).
    """

    def __init__(self, book: PoolBook, chronicle: Chronicle, impact: Impact = Impact.COUNTERFACTUAL) -> None:
        self._book, self._chronicle = book, chronicle
        self._is_naive = impact is Impact.NAIVE
        self.tally = WorldTally()
        self._world = World(chronicle.schedule_for, Holders(), self.tally)
        self._pools: dict[str, PoolWorld] = {}
        self._complete = chronicle.complete

    @property
    def holders(self) -> Holders:
        """What others have more or less than in the record."""
        return self._world.holders

    def recorded(self, pool: str) -> PoolWorld | None:
        """Both states of a pool so far."""
        return self._pools.get(pool)

    def updates(self, before: Settle | None = None) -> Iterator[MarketUpdate]:
        """All updates, in the chronicle's order. ``before`` is called with the time of each step before it looks at the
        book: whatever of ours lands until then must be in the book by that moment.
        """
        steps = self._chronicle.steps()
        step = next(steps, None)
        while step is not None:
            act = step.act
            if isinstance(act, HopBuy | HopSell) and act.route.hops > 1 and not self._is_naive:
                route, since, step = _together(step, steps)
                yield from self._route(route, before)
                for other in since:
                    if before is not None:
                        before(other.at_ns)
                    yield self._update(other)
                continue
            if before is not None:
                before(step.at_ns)
            yield self._update(step)
            step = next(steps, None)

    # ---------------------------------------------------------------------------------------------- one step

    def _update(self, step: Step) -> MarketUpdate:
        tally = self.tally
        tally.steps += 1
        world = self._pools.get(step.pool)
        tally.snapshots += step.snapshot is not None
        if step.act is None and (world is not None or step.after is None):
            return self._idle(step)
        tally.told += step.exactness is Exactness.TOLD
        tally.adjusted += step.exactness is Exactness.ADJUSTED
        if world is None:
            return self._began(step)
        if self._is_untouched(step.pool, world):
            return self._as_recorded(step, world)
        if self._is_naive:
            tally.overwritten += 1
            return self._as_recorded(step, world)
        return self._told(step, world, self._world.reapply(step, self._current(step.pool, world), world.recorded))

    def _idle(self, step: Step) -> MarketUpdate:
        """Nothing was done to the pool. Its state is one of this moment where it was read, or where nothing can have
        been missed; then exits look at it too.
        """
        is_read = step.after is not None and step.snapshot is None and step.swap is None
        is_known = is_read or is_complete(self._complete.get(step.pool, ()), step.at_ns)
        state = self._book.state(step.pool) if is_known and step.after is not None else None
        return MarketUpdate(step.at_ns, step.pool, state, step.snapshot, step.swap, step.obstacle)

    def _is_untouched(self, pool: str, world: PoolWorld) -> bool:
        """Whether our world of the pool is the recorded one. What we have put into the book since is seen here."""
        if world.is_diverged:
            return False
        if self._book.state(pool) is world.ours:
            return True
        if not self._is_naive:
            self._diverges(world)
        return False

    def _began(self, step: Step) -> MarketUpdate:
        if step.after is None:
            raise BadInput(
                f"the first step of pool {step.pool} at {step.at_ns} tells no state",
                hint="`pumpswap backtest run --verify` says what is wrong with this history",
            )
        self._pools[step.pool] = PoolWorld(step.after, step.after)
        return MarketUpdate(step.at_ns, step.pool, step.after, step.snapshot, step.swap)

    def _as_recorded(self, step: Step, world: PoolWorld) -> MarketUpdate:
        after = step.after
        if after is None:
            return MarketUpdate(step.at_ns, step.pool, None, step.snapshot, step.swap)
        world.recorded = world.ours = after
        return MarketUpdate(step.at_ns, step.pool, after, step.snapshot, step.swap)

    def _told(self, step: Step, world: PoolWorld, done: Done) -> MarketUpdate:
        world.ours = done.state
        if step.after is not None:
            world.recorded = step.after
        return MarketUpdate(step.at_ns, step.pool, done.state, step.snapshot, done.swap)

    def _current(self, pool: str, world: PoolWorld) -> PoolState:
        state = self._book.state(pool)
        return world.ours if state is None else state

    # ---------------------------------------------------------------------------------------------- routes

    def _route(self, route: list[Step], before: Settle | None) -> Iterator[MarketUpdate]:
        """The hops of one transaction: each takes what the one before it paid out, and all fail when one does. What was
        inferred between them happens in any case.
        """
        if before is not None:
            before(route[0].at_ns)
        failed = self._why_route_fails(route)
        flow: int | None = None  # what the hop before paid out; None: as in the record
        for place, step in enumerate(route):
            if place and before is not None:
                before(step.at_ns)
            if not isinstance(step.act, HopBuy | HopSell):
                yield self._update(step)
                continue
            self.tally.steps += 1
            world = self._pools.get(step.pool)
            if world is None:
                yield self._began(step)
                continue
            is_changed = flow is not None and flow != step.act.amount_in
            if self._is_untouched(step.pool, world) and not failed and not is_changed:
                flow = None
                yield self._as_recorded(step, world)
                continue
            self._diverges(world)
            state = self._current(step.pool, world)
            if failed:
                done = self._world.refuse(step, state, failed)
            else:
                done = self._world.reapply(step, state, world.recorded, flow)
                # A hop that only now turns out to fail, since an order of ours landed between two hops, stops the rest.
                failed, flow = ("", paid_out(done.acted)) if done.acted is not None else ("RouteFailed", None)
            yield self._told(step, world, done)

    def _why_route_fails(self, route: list[Step]) -> str:
        """The name of the program's error of the first hop that fails now; empty where none does."""
        worlds = [self._pools.get(step.pool) for step in route]
        if all(
            world is None or self._is_untouched(step.pool, world) for step, world in zip(route, worlds, strict=True)
        ):
            return ""
        states: dict[str, PoolState] = {}
        flow: int | None = None
        for step, world in zip(route, worlds, strict=True):
            is_hop = isinstance(step.act, HopBuy | HopSell)
            if world is None:
                flow = None if is_hop else flow
                continue
            state = states.get(step.pool) or self._current(step.pool, world)
            try:
                acted = self._world.tried(step, state, flow)
            except TradeRefused as refused:
                if is_hop:
                    return refused.name
                continue
            states[step.pool] = acted.state
            flow = paid_out(acted) if is_hop else flow
        return ""

    def _diverges(self, world: PoolWorld) -> None:
        if not world.is_diverged:
            world.is_diverged = True
            self.tally.diverged_pools += 1


def _together(first: Step, steps: Iterator[Step]) -> tuple[list[Step], list[Step], Step | None]:
    """(the hops of a transaction with what was inferred between them, what was after the last one in the same moment,
    the step after that). What nobody told of a pool stands right before the hop that shows it.
    """
    route, since = [first], list[Step]()
    for step in steps:
        if _follows(step, route[-1]):
            route += [*since, step]
            since = []
        elif step.swap is None and step.act is not None and step.at_ns == first.at_ns:
            since.append(step)
        else:
            return route, since, step
    return route, since, None


def _follows(step: Step, before: Step) -> bool:
    """Whether ``step`` is the next hop of the same transaction."""
    act, last = step.act, before.act
    if not isinstance(act, HopBuy | HopSell) or not isinstance(last, HopBuy | HopSell):
        return False
    return act.route.signature == last.route.signature and act.route.hop == last.route.hop + 1
