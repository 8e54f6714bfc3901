"""SnapshotFeed: what a collector writes, each row once, with the state of its pool where a chain can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import FeedTools, Place, Sink
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.engine.feeds.states import ReadsPools, read_states
from pumpswap.errors import BadInput, ChainError
from pumpswap.market.snapshot_tail import SnapshotTail, TailPlace, TailRow
from pumpswap.model import AlertLevel, MarketUpdate

__all__ = ["SnapshotFeed"]

_FUTURE_NS = 60 * NS_PER_SECOND
_SILENT_SECONDS = 900  # a collector that writes nothing for so long has probably stopped


class SnapshotFeed:
    """Begins with what is written from now on, or where ``place`` says that an earlier process has stopped. The rows of
    the last hours before that are only remembered: scores look back at them.

    ``reader`` None: nothing is known of states, so nothing can be bought.
    """

    name = "snapshots"

    def __init__(
        self,
        tail: SnapshotTail,
        engine: Engine,
        place: Place | None,
        tools: FeedTools,
        reader: ReadsPools | None = None,
        slots: SlotTimes | None = None,
    ) -> None:
        settings = engine.parts.settings
        self._tail, self._engine, self._reader = tail, engine, reader
        self._tools = tools
        self._times = SlotTimes(tools.clock) if slots is None else slots
        self._every_seconds = settings.run.snapshot_poll_seconds
        self._history_ns = settings.signals.history_hours * 3_600 * NS_PER_SECOND
        self._place = None if place is None else TailPlace.from_document(place)
        self._is_warm = False
        self._last_row_at: float | None = None
        self.stale_seconds = max(60.0, 6.0 * self._every_seconds)

    async def run(self, sink: Sink) -> None:
        if not self._is_warm:
            await self._warm_up(sink)
        while True:
            rows = await self._tools.in_thread(self._tail.read, self._place)
            if rows:
                await self._hand_over(rows, sink)
            self._notice_silence(bool(rows))
            sink.alive()
            await self._tools.sleep(self._every_seconds)

    async def _warm_up(self, sink: Sink) -> None:
        since = self._tools.clock.now_ns() - self._history_ns
        past: Sequence[TailRow] = await self._tools.in_thread(self._tail.past, since)
        if self._place is None:
            self._place = TailPlace(max((row.number for row in past), default=self._tail.newest()))
        known = self._place

        def remember() -> None:
            for row in past:
                if row.number <= known.last and row.number not in known.gaps:
                    self._engine.remember(row.snapshot)

        await sink.turn(remember)
        self._is_warm = True

    async def _hand_over(self, rows: Sequence[TailRow], sink: Sink) -> None:
        now = self._tools.clock.now_ns()
        states = await self._states(rows)
        for row in rows:
            snapshot = row.snapshot
            if snapshot.at_ns > now + _FUTURE_NS:
                raise BadInput(
                    f"row {row.number} of {self._tail.location} is from the future",
                    hint="the collector's clock or its time zone is wrong; nothing is traded on such times",
                )
            self._place = (self._place or TailPlace(0)).after(row.number)
            state = states.get(snapshot.pool)
            known_ns = None if state is None else self._times.hear(state.slot)
            update = MarketUpdate(now, snapshot.pool, state, snapshot, state_ns=known_ns)
            await sink.put(update, self._place.to_document())

    async def _states(self, rows: Sequence[TailRow]) -> dict[str, PoolState]:
        """States of the pools that were seen; without an answer the rows are scored without, and refused."""
        if self._reader is None:
            return {}
        pools = dict.fromkeys(row.snapshot.pool for row in rows if row.snapshot.dex == "pumpswap")
        try:
            states, _ = await read_states(self._reader, pools)
        except ChainError:
            return {}  # the feed of states has noticed it too, and says so
        return dict(states)

    def _notice_silence(self, has_rows: bool) -> None:
        now = asyncio.get_running_loop().time()
        if has_rows or self._last_row_at is None:
            self._last_row_at = now
        elif now - self._last_row_at > _SILENT_SECONDS:
            self._last_row_at = now
            text = f"no new row in {self._tail.location} for {_SILENT_SECONDS // 60} minutes: is the collector running?"
            self._engine.desk.alert(AlertLevel.WARNING, "collector", self._tail.location, text)
