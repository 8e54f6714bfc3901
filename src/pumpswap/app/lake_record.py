"""Recordings into the lake: what the chain shows from now on, with the gap since the last recording closed first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from random import SystemRandom
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.app.lake_backfill import Backfill, Backfilled, BackfillOptions
from pumpswap.app.lake_swaps import CHAIN, ends_of, last_of_a_slot
from pumpswap.chain.node import SignatureInfo
from pumpswap.chain.streams import ChainStream, SlotWatchdog, StreamParts, stream_endpoints
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.chain_feed import ChainFeed, FeedOptions, FeedParts, feed_watches, scope_of
from pumpswap.market.lake import Coverage, LakeWriter, PoolStateSeen
from pumpswap.market.live_pools import LivePools
from pumpswap.market.sequencer import FeedCounts
from pumpswap.model import MarketUpdate
from pumpswap.sdk.connection import ChainConnection
from pumpswap.units import I64_MAX

__all__ = ["LakeTap", "RecordOptions", "Recorded", "Recording"]

# How far back the history of the whole program is read when a recording goes on; a pool's own has no limit.
_MOST_PROGRAM_SLOTS = 3_000
_LINES = 1_000
_MARGIN_SLOTS = 32  # a node may be so far behind the one that was asked for its slot

Tell = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """When rows are written: after ``flush_seconds``, or as soon as ``flush_rows`` wait. What waits is lost when the
    process is killed, and is read again from the chain's history by the next recording."""

    flush_seconds: float = 30.0
    flush_rows: int = 5_000
    with_states: bool = True


@dataclass(slots=True)
class Recorded:
    """What a recording has done. ``gaps`` are the backfills that closed what lay between it and the last one."""

    swaps: int = 0
    states: int = 0
    acts: int = 0
    stored_swaps: int = 0
    stored_states: int = 0
    stored_acts: int = 0
    commits: int = 0
    broken_claims: int = 0  # how often something could not be read, so that a gap is left
    gaps: list[Backfilled] = field(default_factory=list)


class LakeTap:
    """Takes a feed's updates, writes rows, and claims what is complete: per pool, or of all where none is named.

    Block times are whole seconds: the second of the last swap may go on, so claims end before it. ``starts`` are
    moments from which on a pool ("": all) is complete; without one that is the second after the first swap.
    """

    def __init__(self, writer: LakeWriter, pools: Sequence[str], starts: dict[str, int]) -> None:
        self.recorded = Recorded()
        self.waiting = 0
        self._writer = writer
        self._names = tuple(pools) or ("",)
        self._starts = dict(starts)
        self._fresh: int | None = None
        self._last: dict[str, int] = {}
        self._last_slots: dict[str, int] = {}
        self._misread = self._misread_slot = 0
        self._before = {kind: counts.rows for kind, counts in writer.counts.items()}

    def take(self, update: MarketUpdate) -> None:
        """One update of a feed."""
        if update.swap is not None:
            at_ns = update.swap.at_ns
            self._writer.add("swaps", [update.swap], source=CHAIN)
            self.recorded.swaps += 1
            self.waiting += 1
            if self._fresh is None and update.swap.slot > self._misread_slot:
                self._fresh = at_ns + NS_PER_SECOND
            name = update.pool if self._names != ("",) else ""
            self._last[name] = max(at_ns, self._last.get(name, 0))
            self._last_slots[name] = max(update.swap.slot, self._last_slots.get(name, 0))
        if update.act is not None:
            self._writer.add("acts", [update.act], source=CHAIN)
            self.recorded.acts += 1
            self.waiting += 1
        if update.state is not None:
            self._writer.add("states", [PoolStateSeen(update.at_ns, update.state)], source=CHAIN)
            self.recorded.states += 1
            self.waiting += 1

    def flush(self, counts: FeedCounts) -> None:
        """Write what waits, with the claims. Something that could not be read leaves a gap behind, which ends after the
        first swap of a later slot.
        """
        misread = counts.unreadable + counts.malformed
        if misread > self._misread:
            self._misread, self._misread_slot = misread, counts.misread_slot
            self.recorded.broken_claims += 1
            later = {name for name, slot in self._last_slots.items() if slot > counts.misread_slot}
            self._starts = {name: last + NS_PER_SECOND for name, last in self._last.items() if name in later}
            self._fresh = max(self._starts.values(), default=None)
        for name in self._names:
            start, last = self._starts.get(name, self._fresh), self._last.get(name)
            if start is not None and last is not None and start < last:
                self._cover(name, start, last)
                self._starts[name] = last
        self._writer.commit()
        self.waiting = 0
        self.recorded.commits += 1
        stored = {kind: counts.rows - self._before.get(kind, 0) for kind, counts in self._writer.counts.items()}
        self.recorded.stored_swaps = stored.get("swaps", 0)
        self.recorded.stored_states = stored.get("states", 0)
        self.recorded.stored_acts = stored.get("acts", 0)

    def _cover(self, pool: str, start_ns: int, end_ns: int) -> None:
        network = self._writer.lake.network
        for kind in ("swaps", "acts"):
            self._writer.cover(
                Coverage(kind=kind, network=network, start_ns=start_ns, end_ns=end_ns, pool=pool, source=CHAIN)
            )


class Recording:
    """Records pools, or every pool when none is named, until ``stop`` is set."""

    def __init__(
        self, connection: ChainConnection, writer: LakeWriter, pools: Sequence[Pubkey], options: RecordOptions
    ) -> None:
        self._connection = connection
        self._writer = writer
        self._pools = tuple(pools)
        self._options = options
        self.warnings = Warnings(connection.clock)

    async def run(self, stop: asyncio.Event, tell: Tell) -> Recorded:
        """Raises ChainError when the feed cannot begin. Whatever ends it, what was heard is written."""
        stopping = asyncio.ensure_future(stop.wait())
        preparing = asyncio.ensure_future(self._prepare(tell))
        try:
            await asyncio.wait({stopping, preparing}, return_when=asyncio.FIRST_COMPLETED)
            if not preparing.done():
                return Recorded()  # stopped while a gap was being closed: its pages so far are stored
            feed, tap = preparing.result()
            return await self._record(feed, tap, stopping, tell)
        finally:
            await _ended(stopping, preparing)

    async def _prepare(self, tell: Tell) -> tuple[ChainFeed, LakeTap]:
        """Close the gaps, then make the feed that goes on behind them."""
        before = (await self._connection.node.height()).slot
        gaps, starts = await self._close_gaps(tell)
        since = await self._since(before)
        tap = LakeTap(self._writer, [str(pool) for pool in self._pools], starts if since is not None else {})
        tap.recorded.gaps = gaps
        return await self._feed(since), tap

    async def _record(self, feed: ChainFeed, tap: LakeTap, stopping: asyncio.Future[Any], tell: Tell) -> Recorded:
        tasks = (
            asyncio.ensure_future(self._listen(feed, tap, tell)),
            asyncio.ensure_future(self._flush_often(feed, tap)),
        )
        try:
            done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _ended(*tasks)
            tap.flush(feed.counts)
        return tap.recorded

    async def _listen(self, feed: ChainFeed, tap: LakeTap, tell: Tell) -> None:
        async with aclosing(feed.updates()) as updates:
            async for update in updates:
                tap.take(update)
                tell("swaps", tap.recorded.swaps, None)
                if tap.waiting >= self._options.flush_rows:
                    tap.flush(feed.counts)

    async def _flush_often(self, feed: ChainFeed, tap: LakeTap) -> None:
        while True:
            await asyncio.sleep(self._options.flush_seconds)
            tap.flush(feed.counts)

    async def _close_gaps(self, tell: Tell) -> tuple[list[Backfilled], dict[str, int]]:
        """Read what happened since each pool was recorded last; answers from where on each is complete."""
        gaps, starts = [], {}
        for pool in self._pools:
            known_ns = self._known_until(str(pool))
            if known_ns is not None:
                options = BackfillOptions(from_ns=known_ns)
                gaps.append(await Backfill(self._connection.node, self._writer, pool, tell).run(options))
                covered = self._writer.lake.covered("swaps", str(pool))
                starts[str(pool)] = covered[-1][1] if covered else known_ns
        if not self._pools:
            covered = self._writer.lake.covered("swaps")
            if covered:
                starts[""] = covered[-1][1]
        return gaps, starts

    def _known_until(self, pool: str) -> int | None:
        """Until when a pool is complete: by its claims, or by its newest swap where a recording was too short for any.

        None for a pool that nobody has recorded: its past is asked for with a backfill.
        """
        covered = self._writer.lake.covered("swaps", pool)
        if covered:
            return covered[-1][1]
        ends = ends_of(self._writer.lake, pool, (0, I64_MAX))
        return None if ends is None else ends[1].at_ns

    async def _since(self, before_slot: int) -> SignatureInfo | None:
        """The line behind which the feed begins; None where nothing was recorded, or too long ago.

        It is the last one of its slot, so that the feed tells whole slots: the lake keeps their order as it is told.
        """
        for pool in self._pools:
            if self._known_until(str(pool)) is None:
                continue
            lines = await self._connection.node.signatures_for(pool, limit=_LINES)
            older = [line for line in lines if line.slot < min(lines[0].slot, before_slot)]
            if older:
                # All gaps were closed after this slot was there. The signature tells the node of this pool where to
                # stop, the slot those of the others.
                return replace(older[0], slot=max(before_slot - _MARGIN_SLOTS, 0))
        if self._pools:
            return None
        covered = self._writer.lake.covered("swaps")
        # What single pools were filled with meanwhile does not count: behind it others would be missing.
        newest = last_of_a_slot(self._writer.lake, covered[-1][1] + NS_PER_SECOND if covered else None)
        if newest is None or newest.slot < before_slot - _MOST_PROGRAM_SLOTS:
            return None
        return newest

    async def _feed(self, since: SignatureInfo | None) -> ChainFeed:
        connection = self._connection
        chain, clock = connection.settings.chain, connection.clock
        live: LivePools | None = None
        if self._pools and self._options.with_states:
            live = LivePools()
            for state in (await connection.reader.load_many(self._pools)).values():
                live.put(state)
        watchdog = SlotWatchdog(connection.node, clock, self.warnings, stale_after_slots=chain.stale_after_slots)
        scope = scope_of(self._pools)
        watches = feed_watches(scope, live.watched() if live is not None else ())
        stream = ChainStream(
            stream_endpoints(chain.endpoints), watches, StreamParts(clock, SystemRandom(), watchdog, self.warnings)
        )
        parts = FeedParts(clock, self.warnings, pools=live, reader=connection.reader if live is not None else None)
        return ChainFeed(stream, connection.node, scope, parts, FeedOptions(since=since, tells_acts=True))


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
