"""ChainFeed: the market as the chain shows it: every swap once and in order, and the states of chosen pools."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.chain.node import Commitment, SignatureInfo
from pumpswap.chain.streams import AccountWatch, ChainStream, Connected, LogsWatch, SlotSeen, Watch
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.clock import Clock
from pumpswap.errors import ChainError, PumpSwapError, UsageError
from pumpswap.market.feed_inputs import FeedInput, HistorySeen, PoolRead, TransactionMissing, TransactionSeen
from pumpswap.market.gap_fill import FeedNode, fetch_transactions, history_since
from pumpswap.market.live_pools import LivePools
from pumpswap.market.sequencer import FeedCounts, FeedScope, Sequencer
from pumpswap.model import MarketUpdate

__all__ = ["ChainFeed", "FeedOptions", "FeedParts", "InputRecorder", "feed_watches", "scope_of"]

_START_LINES = 1_000

Refusal = Callable[[Pubkey, PumpSwapError], None]


class InputRecorder(Protocol):
    """Who keeps the inputs of a feed: see StreamRecorder."""

    def write(self, at_ns: int, entry: FeedInput) -> None: ...


class ReadsPools(Protocol):
    """Who reads pools from the chain: see PoolReader."""

    async def load_many(
        self, addresses: Iterable[Pubkey], *, min_context_slot: int = 0, on_refusal: Refusal | None = None
    ) -> dict[Pubkey, PoolState]: ...


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """How often history is asked.

    ``busy_slots``: at most once in so many slots while something was told that history has not confirmed.
    ``idle_slots``: also when nothing was told: a notification that was lost leaves no other trace.
    ``doubt_slots``: while the state of a pool is in doubt, and the pool is to be read again.
    ``since``: the last line that a former feed has settled; None begins with what happens from now on.
    ``tells_acts``: tell also what happens to pools besides swaps.
    ``stale_after_slots``: without an answer for so long the feed calls itself stale.
    """

    busy_slots: int = 1
    idle_slots: int = 25
    doubt_slots: int = 4
    since: SignatureInfo | None = None
    stale_after_slots: int = 50
    commitment: Commitment = Commitment.CONFIRMED
    tells_acts: bool = False


@dataclass(frozen=True, slots=True)
class FeedParts:
    """What a feed works with.

    ``pools`` holds the states of the pools that it was filled with, and the feed tells them too; ``reader`` reads them
    again after a gap and when a notification was lost. One is no use without the other.
    """

    clock: Clock
    warnings: Warnings
    recorder: InputRecorder | None = None
    pools: LivePools | None = None
    reader: ReadsPools | None = None


def scope_of(pools: Sequence[Pubkey] = (), *, most_addresses: int = 16) -> FeedScope:
    """The swaps of these pools, or of all. Many pools are read from the program's history, which costs one question
    for all instead of one each. With several pools each keeps its own exact order; between them a node that is behind
    with one of them may make its swaps come after newer ones of another (``FeedCounts.late``).
    """
    names = tuple(dict.fromkeys(str(pool) for pool in pools))
    single = names and len(names) <= most_addresses
    return FeedScope(names if single else (str(AMM_PROGRAM),), names)


def feed_watches(scope: FeedScope, state_accounts: Sequence[Pubkey] = ()) -> list[Watch]:
    """The subscriptions that a feed of this scope needs; for the states of ``LivePools`` its ``watched()`` too."""
    logs: list[Watch] = [LogsWatch(Pubkey.from_string(address)) for address in scope.addresses]
    return [*logs, *(AccountWatch(address) for address in state_accounts)]


class ChainFeed:
    """Iterate ``updates`` once. The stream must have the watches of ``feed_watches`` and the commitment of the options.

    A swap is told when the chain's history lists it, usually one slot after its notification, and the states of
    ``pools`` behind the swaps of their slot. An endpoint that does not answer delays the feed, it never makes it skip:
    after each connection, and every ``idle_slots``, the history since the last settled line is read. ``is_stale`` says
    when not to rely on it.
    """

    def __init__(
        self,
        stream: ChainStream,
        node: FeedNode,
        scope: FeedScope,
        parts: FeedParts,
        options: FeedOptions | None = None,
    ) -> None:
        self._options = options or FeedOptions()
        if self._options.commitment is Commitment.PROCESSED:
            raise UsageError("a feed of processed transactions", hint="confirmed or finalized: others may be undone")
        self._stream = stream
        self._node = node
        self._parts = parts
        if (parts.pools is None) is not (parts.reader is None):
            raise UsageError("a feed of pool states needs pools and their reader", hint="pass both, or none")
        self._sequencer = Sequencer(scope, parts.pools, parts.warnings.tell, tells_acts=self._options.tells_acts)
        self._asked_slot = 0
        self._answered_slot = 0

    @property
    def counts(self) -> FeedCounts:
        """What the feed has met so far."""
        return self._sequencer.counts

    @property
    def settled_slot(self) -> int:
        """Everything up to this slot has been told."""
        return self._sequencer.settled_slot

    @property
    def is_stale(self) -> bool:
        """Whether what the feed tells may be too old to open a position on."""
        lag = self._sequencer.slot - self._answered_slot
        return self._stream.watchdog.is_stale or lag > self._options.stale_after_slots

    async def updates(self) -> AsyncGenerator[MarketUpdate, None]:
        """Swaps and states in slot order. Raises ChainError only when it cannot even begin."""
        self._take(HistorySeen(0, await self._first_pages(), is_start=True))
        for state in list(self._parts.pools.states()) if self._parts.pools is not None else ():
            self._take(PoolRead.of(state))  # so that a recording knows what the feed began with
        async with aclosing(self._stream.records()) as records:
            async for record in records:
                told = self._take(record)
                if isinstance(record, Connected):
                    told += await self._read_watched()
                if self._is_due(record):
                    told += await self._audit()
                for update in told:
                    yield update

    def _take(self, entry: FeedInput) -> list[MarketUpdate]:
        at_ns = self._parts.clock.now_ns()
        if self._parts.recorder is not None:
            self._parts.recorder.write(at_ns, entry)
        return self._sequencer.take(entry, at_ns)

    async def _first_pages(self) -> tuple[tuple[SignatureInfo, ...], ...]:
        since = self._options.since
        addresses = self._sequencer.scope.addresses
        if since is not None:
            return ((since,),) * len(addresses)
        pages = []
        for address in addresses:
            lines = await self._node.signatures_for(
                Pubkey.from_string(address), limit=_START_LINES, commitment=self._options.commitment
            )
            pages.append(tuple(reversed(lines)))
        return tuple(pages)

    def _is_due(self, record: FeedInput) -> bool:
        if isinstance(record, Connected):
            return True
        if not isinstance(record, SlotSeen):
            return False
        options = self._options
        pause = options.idle_slots
        if self._sequencer.has_unsettled:
            pause = options.busy_slots
        elif self._sequencer.doubted:
            pause = options.doubt_slots
        return self._sequencer.slot >= self._asked_slot + pause

    async def _audit(self) -> list[MarketUpdate]:
        """Read the histories, then what they list and nobody has told."""
        sequencer = self._sequencer
        self._asked_slot = sequencer.slot
        try:
            pages = [
                await history_since(self._node, Pubkey.from_string(address), anchor, self._options.commitment)
                for address, anchor in zip(sequencer.scope.addresses, sequencer.anchors, strict=True)
            ]
        except ChainError as failed:
            self._parts.warnings.tell("history", f"the history cannot be read, the feed waits: {failed.what}")
            return []
        told = self._take(HistorySeen(self._asked_slot, tuple(pages)))
        told += await self._fetch_wanted()
        if not sequencer.wanted:
            self._answered_slot = self._asked_slot
        if sequencer.doubted:
            told += await self._read_pools(sequencer.doubted, max(sequencer.doubted.values()))
        return told

    async def _fetch_wanted(self) -> list[MarketUpdate]:
        told: list[MarketUpdate] = []
        wanted = self._sequencer.wanted
        answers = await fetch_transactions(self._node, wanted, self._options.commitment)
        for signature, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, ChainError):
                text = f"a transaction cannot be read, the feed waits: {answer.what}"
                self._parts.warnings.tell("transaction", text)
            elif answer is None:
                told += self._take(TransactionMissing(signature))
            else:
                told += self._take(TransactionSeen.of(answer))
        return told

    async def _read_watched(self) -> list[MarketUpdate]:
        """Read all pools: anything may have happened while nobody looked."""
        pools = self._parts.pools
        if pools is None:
            return []
        known = {*pools.in_doubt(), *(state.address for state in pools.states())}
        return await self._read_pools(known, self._sequencer.settled_slot)

    async def _read_pools(self, addresses: Iterable[Pubkey], least_slot: int) -> list[MarketUpdate]:
        """Read pools as of ``least_slot`` or later; one that cannot be read stays in doubt."""
        reader, warnings = self._parts.reader, self._parts.warnings
        if reader is None:
            return []

        def refused(address: Pubkey, why: PumpSwapError) -> None:
            warnings.tell(f"pool {address}", f"pool {address} cannot be read and stays in doubt: {why.what}")

        wanted = sorted(addresses, key=bytes)
        try:
            states = await reader.load_many(wanted, min_context_slot=least_slot, on_refusal=refused)
        except ChainError as failed:
            warnings.tell("pools", f"pools cannot be read and stay in doubt: {failed.what}")
            return []
        told: list[MarketUpdate] = []
        for address in wanted:
            if address in states:
                told += self._take(PoolRead.of(states[address]))
        return told
