"""A made-up chain with a node and sockets that lose, double, mix up and cut what they tell, all drawn from one seed."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.chain.node import Commitment, ConfirmedTransaction, Height, SignatureInfo
from pumpswap.chain.streams import (
    ChainStream,
    LogsSeen,
    LogsWatch,
    SlotSeen,
    SlotWatchdog,
    StreamEndpoint,
    StreamOptions,
    StreamParts,
    StreamRecord,
    Watch,
)
from pumpswap.chain.streams.socket import SocketOptions
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.clock import ManualClock
from pumpswap.errors import EndpointDown, NotServed
from pumpswap.market.chain_feed import ChainFeed, FeedOptions, FeedParts, InputRecorder, feed_watches, scope_of
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import MarketUpdate, Swap
from tests.market.test_swaps_of import BUY, SELL, confirmed

POOLS = tuple(Pubkey.from_bytes(bytes([number]) * 32) for number in (21, 22, 23))
SLOT_NS = 400_000_000
ENDPOINTS = (StreamEndpoint("one", "ws://one"), StreamEndpoint("two", "ws://two"))
NEVER_SECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances in per mille; ``quiet_slots`` at the end have none."""

    drop: int = 0
    double: int = 0
    shuffle: int = 0
    cut: int = 0
    disconnect: int = 0
    refuse_connection: int = 0
    node_down: int = 0
    transaction_absent: int = 0
    lag_slots: int = 0


EVERYTHING = Faults(
    drop=150, double=150, shuffle=400, cut=150, disconnect=60, refuse_connection=300, node_down=150,
    transaction_absent=200, lag_slots=6,
)  # fmt: skip


class World:
    """``swaps()`` is what a perfect feed tells. Time goes on only while somebody listens or tries to connect."""

    def __init__(self, seed: int, faults: Faults = Faults(), *, slots: int = 60, first_transactions: int = 0) -> None:
        self.rng = random.Random(seed)
        self.faults = faults
        self.slot = 1_000
        self.clock = ManualClock(self.slot * SLOT_NS)
        self.warnings = Warnings(self.clock)
        self.chain: list[ConfirmedTransaction] = []
        self.asked = {"signatures": 0, "transaction": 0}
        self.watches: tuple[Watch, ...] = ()
        self._last_slot = self.slot + slots
        self._end_slot = self._last_slot + 70
        self.stream: ChainStream | None = None
        for _ in range(first_transactions):
            self._land()
        self.before = len(self.chain)

    # What happens

    @property
    def is_quiet(self) -> bool:
        return self.slot > self._last_slot

    def chance(self, per_mille: int) -> bool:
        return not self.is_quiet and self.rng.randrange(1_000) < per_mille

    def advance(self) -> list[ConfirmedTransaction]:
        """One slot, and what landed in it."""
        self.slot += 1
        self.clock.advance_to(self.slot * SLOT_NS)
        return [] if self.is_quiet else [self._land() for _ in range(self.rng.choice((0, 0, 1, 2, 4)))]

    def _land(self) -> ConfirmedTransaction:
        number = len(self.chain)
        events = []
        for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
            pool = self.rng.choice(POOLS)
            event = self.rng.choice((BUY, SELL))
            events.append(msgspec.structs.replace(event, pool=pool, timestamp=self.slot))
        err = {"InstructionError": [2, {"Custom": 6004}]} if self.rng.randrange(5) == 0 else None
        touched = tuple(dict.fromkeys(event.pool for event in events))
        landed = confirmed(*events, signature=f"tx{number}", slot=self.slot, err=err, keys=(AMM_PROGRAM, *touched))
        self.chain.append(landed)
        return landed

    def swaps(self, pools: Sequence[Pubkey] = POOLS) -> list[Swap]:
        names = {str(pool) for pool in pools}
        return [swap for one in self.chain[self.before :] for swap in swaps_of(one) if swap.pool in names]

    # The node

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        return Height(self.slot, self.slot - 10)

    def _visible(self) -> list[ConfirmedTransaction]:
        lag = self.rng.randrange(self.faults.lag_slots + 1) if self.watches and not self.is_quiet else 0
        return [one for one in self.chain if one.slot <= self.slot - lag]

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1_000,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]:
        self.asked["signatures"] += 1
        if self.watches and self.chance(self.faults.node_down):  # a feed may begin in peace
            raise EndpointDown("the node is down")
        newest_first = [one for one in reversed(self._visible()) if address in one.keys]
        names = [one.signature for one in newest_first]
        first = names.index(before) + 1 if before in names else 0
        last = names.index(until) if until in names else len(names)
        found = newest_first[first:last][:limit]
        return tuple(SignatureInfo(one.signature, one.slot, one.err) for one in found)

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        self.asked["transaction"] += 1
        if self.chance(self.faults.node_down):
            raise EndpointDown("the node is down")
        if self.chance(self.faults.transaction_absent):
            return None
        return next((one for one in self._visible() if one.signature == signature), None)

    # The sockets

    async def open(self, endpoint: StreamEndpoint, options: SocketOptions) -> WorldSocket:
        for _ in range(self.rng.randrange(4) if self.faults.disconnect and not self.is_quiet else 0):
            self.advance()
        if self.chance(self.faults.refuse_connection):
            raise EndpointDown(f"{endpoint.name}: no websocket connection")
        return WorldSocket(self)

    async def sleep(self, seconds: float) -> None:
        if seconds >= NEVER_SECONDS:
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    def notifications(self, landed: list[ConfirmedTransaction]) -> list[StreamRecord]:
        told: list[StreamRecord] = []
        for one in landed:
            for watch in self.watches:
                if not isinstance(watch, LogsWatch) or watch.mentions not in one.keys or self.chance(self.faults.drop):
                    continue
                logs = (*one.logs[: self.rng.randrange(len(one.logs))], "Log truncated")
                told.append(
                    LogsSeen(one.slot, one.signature, one.err, logs if self.chance(self.faults.cut) else one.logs)
                )
                if self.chance(self.faults.double):
                    told.append(told[-1])
        if self.chance(self.faults.shuffle):
            self.rng.shuffle(told)
        return told

    # The feed

    def feed(
        self,
        pools: Sequence[Pubkey] = (),
        *,
        options: FeedOptions | None = None,
        recorder: InputRecorder | None = None,
        most_addresses: int = 16,
    ) -> ChainFeed:
        scope = scope_of(pools, most_addresses=most_addresses)
        watchdog = SlotWatchdog(self, self.clock, self.warnings, stale_after_slots=50)
        parts = StreamParts(self.clock, random.Random(1), watchdog, self.warnings, self.sleep, self.open)
        stream_options = StreamOptions(check_seconds=NEVER_SECONDS)
        self.stream = ChainStream(ENDPOINTS, feed_watches(scope), parts, stream_options)
        return ChainFeed(self.stream, self, scope, FeedParts(self.clock, self.warnings, recorder), options)

    async def listen(self, feed: ChainFeed) -> list[MarketUpdate]:
        return [update async for update in feed.updates()]


class WorldSocket:
    """One connection to the world. Notifications may come a few slots late."""

    def __init__(self, world: World) -> None:
        self.malformed = 0
        self._world = world
        self._queue: deque[StreamRecord] = deque()
        self._held: list[StreamRecord] = []
        self._reason = ""

    async def subscribe(self, watches: Sequence[Watch]) -> None:
        self._world.watches = tuple(watches)

    async def unsubscribe(self, watch: Watch) -> None:
        raise NotServed("not here")

    async def next(self) -> StreamRecord:
        while not self._queue:
            if self._reason:
                raise EndpointDown(self._reason)
            await asyncio.sleep(0)
            self._more()
        return self._queue.popleft()

    def _more(self) -> None:
        world = self._world
        if world.slot >= world._end_slot:
            assert world.stream is not None
            world.stream._is_closed = True
            self._reason = "the end"
            return
        told = [*self._held, *world.notifications(world.advance())]
        self._held = []
        if world.chance(world.faults.shuffle):
            self._held, told = told[::2], told[1::2]
        self._queue.extend(told)
        if world.chance(world.faults.disconnect):
            self._reason = "connection lost"
            return
        self._queue.append(SlotSeen(world.slot, world.slot - 1, world.slot - 32))

    def abort(self, reason: str) -> None:
        self._reason = self._reason or reason

    async def close(self) -> None:
        self.abort("closed")


def without_events(swaps: Sequence[Swap]) -> list[tuple[str, int, str, int]]:
    """Short names of swaps, for readable differences."""
    return [(one.signature, one.index, one.pool[:4], one.slot) for one in swaps]


def cut(transaction: ConfirmedTransaction) -> ConfirmedTransaction:
    """The same with its logs cut."""
    return replace(transaction, logs=(*transaction.logs[:1], "Log truncated"))
