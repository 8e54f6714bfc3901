"""NewPoolFeed: pools as they are made, each once, gaps filled from the chain's history."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from solders.pubkey import Pubkey

from pumpswap.amm.events import TransactionEvents, events_from_logs
from pumpswap.chain.node import Commitment, Node, SignatureInfo
from pumpswap.chain.streams import Connected, LogsSeen, SlotSeen, StreamRecord
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.errors import ChainError, NotFound, UsageError
from pumpswap.market.gap_fill import fetch_transactions, history_since
from pumpswap.market.new_pools import NewPool, PoolOrigin, judge, pools_of, pools_reported, reported_by, unread

__all__ = ["NewPoolCounts", "NewPoolFeed", "NewPoolOptions", "latest_pools"]

_START_LINES: Final = 1_000
# What a creation starts with in a log: base64 of the event's discriminator. Swaps, by far the most, do not have it.
_CREATED: Final = "Program data: sTEM0qB2p3"
_CUT: Final = "Log truncated"


class Streams(Protocol):
    """The part of a ChainStream that is used."""

    def records(self) -> AsyncGenerator[StreamRecord, None]: ...


@dataclass(frozen=True, slots=True)
class NewPoolOptions:
    """How often history is asked, and how long a node may take.

    ``idle_slots``: history is read after each connection and once in so many slots, since a lost notification leaves no
    other trace. ``overlap_slots``: how far back it is read again, for lines that a lagging node had not yet.
    ``missing_limit``: how often a transaction that no node has is asked for before it is given up, loudly.
    ``judge_limit``: how often the accounts of a pool are asked for before it is told without them.
    """

    idle_slots: int = 25
    overlap_slots: int = 64
    missing_limit: int = 30
    judge_limit: int = 25
    commitment: Commitment = Commitment.CONFIRMED


@dataclass(slots=True)
class NewPoolCounts:
    """What a feed has met. ``filled``: transactions that no notification told; ``unreadable``: given up, or known by a
    cut log only; ``unknown``: events of the AMM that this version cannot read, in transactions that were looked at.
    """

    pools: int = 0
    transactions: int = 0
    duplicates: int = 0
    filled: int = 0
    unreadable: int = 0
    unknown: int = 0
    failed_audits: int = 0


@dataclass(frozen=True, slots=True)
class _Unjudged:
    """A pool whose accounts could not be read so far."""

    pool: NewPool
    tries: int = 0
    asked_slot: int = -1


class NewPoolFeed:
    """Iterate ``pools`` once. The stream must watch the logs of ``address`` at the commitment of the options.

    ``address`` decides what is seen: the AMM program for all pools, ``new_pools.migration_authority`` for graduates
    only, which is a small part of the chain's traffic. A pool is told when its transaction is confirmed; its accounts
    are read before it is told. An endpoint that fails or is slow delays the feed, it never makes it skip.
    """

    def __init__(
        self, stream: Streams, node: Node, address: Pubkey, warnings: Warnings, options: NewPoolOptions | None = None
    ) -> None:
        self._options = options or NewPoolOptions()
        if self._options.commitment is Commitment.PROCESSED:
            raise UsageError("a feed of processed transactions", hint="confirmed or finalized: others may be undone")
        self._stream, self._node, self._address, self._warnings = stream, node, address, warnings
        self.counts = NewPoolCounts()
        self._slot = self._asked_slot = 0
        self._is_behind = True  # history must be read, whatever was told
        self._anchor: SignatureInfo | None = None
        self._done: dict[str, int] = {}  # by signature, with its slot
        self._wanted: dict[str, int] = {}  # transactions to ask for, and how often they were not there
        self._wanted_at: dict[str, int] = {}  # in which slot they were asked for last
        self._told: set[Pubkey] = set()
        self._unjudged: list[_Unjudged] = []

    async def pools(self) -> AsyncGenerator[NewPool, None]:
        """Pools from now on. Raises ChainError only when it cannot even begin."""
        await self._start()
        async with aclosing(self._stream.records()) as records:
            async for record in records:
                found: list[NewPool] = []
                match record:
                    case LogsSeen():
                        found = self._notified(record)
                    case SlotSeen(slot=slot):
                        self._slot = max(self._slot, slot)
                    case Connected():
                        self._is_behind = True
                        self._asked_slot = min(self._asked_slot, self._slot - 1)
                if self._is_history_due():
                    await self._read_history()
                found += await self._fetch()
                for pool in await self._judged(self._fresh(found)):
                    yield pool

    async def _start(self) -> None:
        lines = await self._node.signatures_for(self._address, limit=_START_LINES, commitment=self._options.commitment)
        self._done = {line.signature: line.slot for line in lines}
        if len(lines) == _START_LINES:
            self._anchor = lines[-1]  # a busy program has a thousand lines in a slot or two
        self._move_anchor(tuple(reversed(lines)))

    def _notified(self, seen: LogsSeen) -> list[NewPool]:
        self._slot = max(self._slot, seen.slot)
        if seen.signature in self._done or seen.signature in self._wanted:
            self.counts.duplicates += 1
            return []
        has_creation = any(line.startswith(_CREATED) for line in seen.logs)
        if seen.err is not None or not (has_creation or _CUT in seen.logs):
            self._finish(seen.signature, seen.slot)
            return []
        pools = pools_reported(events_from_logs(seen.logs), seen.signature, seen.slot)
        is_clear = all(pool.is_migration or pool.origin is PoolOrigin.PERMISSIONLESS for pool in pools)
        if pools and is_clear and _CUT not in seen.logs:
            self._finish(seen.signature, seen.slot)
            return list(pools)
        # A cut log may hide a creation, or the migration that belongs to one.
        self._wanted[seen.signature] = 0
        return []

    def _is_history_due(self) -> bool:
        """Once in so many slots; while it could not be read, once in each."""
        pause = 1 if self._is_behind else self._options.idle_slots
        return self._slot >= self._asked_slot + pause

    async def _read_history(self) -> None:
        self._asked_slot = self._slot
        self._is_behind = True
        try:
            lines = await history_since(self._node, self._address, self._anchor, self._options.commitment)
        except ChainError as failed:
            self.counts.failed_audits += 1
            self._warnings.tell("history", f"the history cannot be read, the feed waits: {failed.what}")
            return
        self._is_behind = False
        for line in lines:
            if line.signature in self._done or line.signature in self._wanted:
                continue
            if line.err is not None:
                self._finish(line.signature, line.slot)
            else:
                self.counts.filled += 1
                self._wanted[line.signature] = 0
        self._move_anchor(lines)

    async def _fetch(self) -> list[NewPool]:
        """Look at the transactions that are wanted: each at once, and again when another slot has passed."""
        found: list[NewPool] = []
        wanted = [one for one in self._wanted if self._wanted_at.get(one, -1) < self._slot]
        if not wanted:
            return []
        self._wanted_at.update(dict.fromkeys(wanted, self._slot))
        answers = await fetch_transactions(self._node, wanted, self._options.commitment)
        for signature, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, ChainError):
                self._warnings.tell("transaction", f"a transaction cannot be read, the feed waits: {answer.what}")
            elif answer is None:
                self._lacks(signature)
            else:
                events = reported_by(answer)
                self._complain(events, signature)
                found += pools_reported(events, signature, answer.slot)
                self._finish(signature, answer.slot)
        return found

    def _complain(self, events: TransactionEvents, signature: str) -> None:
        """What may hide a creation must not be overlooked."""
        if events.malformed or events.unknown:
            text = f"transaction {signature} has events of the AMM that cannot be read: compare with a newer version"
            self._warnings.tell("unknown events", text)
            self.counts.unknown += events.malformed + events.unknown
        elif events.truncated or events.unattributed:
            self.counts.unreadable += 1
            text = f"transaction {signature} is known by a cut log only: a new pool may be missing here"
            self._warnings.tell("cut log", text)

    def _lacks(self, signature: str) -> None:
        self._wanted[signature] += 1
        if self._wanted[signature] >= self._options.missing_limit:
            self.counts.unreadable += 1
            self._warnings.tell("unreadable", f"no node gives transaction {signature}: a new pool may be missing here")
            self._finish(signature, self._slot)

    def _finish(self, signature: str, slot: int) -> None:
        self.counts.transactions += 1
        self._wanted.pop(signature, None)
        self._wanted_at.pop(signature, None)
        self._done[signature] = slot

    def _fresh(self, found: Sequence[NewPool]) -> list[NewPool]:
        fresh = []
        for pool in sorted(found, key=lambda one: one.slot):
            if pool.address not in self._told:
                self._told.add(pool.address)
                self.counts.pools += 1
                fresh.append(pool)
        return fresh

    async def _judged(self, fresh: Sequence[NewPool]) -> list[NewPool]:
        """Pools whose accounts were read; the others are tried again in later slots, and told all the same in time."""
        again = [one for one in self._unjudged if one.asked_slot < self._slot]
        self._unjudged = [one for one in self._unjudged if one.asked_slot >= self._slot]
        told = []
        for one in [*again, *(_Unjudged(pool) for pool in fresh)]:
            try:
                told.append(await judge(self._node, one.pool, self._options.commitment))
            except ChainError as failed:
                self._warnings.tell("accounts", f"a new pool's accounts cannot be read: {failed.what}")
                if one.tries + 1 >= self._options.judge_limit:
                    told.append(unread(one.pool, failed))
                else:
                    self._unjudged.append(_Unjudged(one.pool, one.tries + 1, self._slot))
        return told

    def _move_anchor(self, lines: Sequence[SignatureInfo]) -> None:
        """Read on from the last line that is old enough that nothing can come before it any more."""
        if not lines:
            return
        edge = lines[-1].slot - self._options.overlap_slots
        old = [line for line in lines if line.slot <= edge]
        if old:
            self._anchor = old[-1]
        if self._anchor is not None:
            floor = self._anchor.slot
            self._done = {signature: slot for signature, slot in self._done.items() if slot >= floor}


async def latest_pools(
    node: Node, address: Pubkey, *, lines: int, commitment: Commitment = Commitment.CONFIRMED
) -> tuple[NewPool, ...]:
    """Pools made in the last ``lines`` transactions of an address's history, from old to new, judged.

    Raises ChainError or NotFound when a page or a transaction cannot be read: a list with holes would not say so.
    """
    newest_first: list[SignatureInfo] = []
    while len(newest_first) < lines:
        before = newest_first[-1].signature if newest_first else None
        limit = min(lines - len(newest_first), _START_LINES)
        page = await node.signatures_for(address, before=before, limit=limit, commitment=commitment)
        newest_first += page
        if len(page) < limit:
            break
    signatures = [line.signature for line in reversed(newest_first) if line.err is None]
    pools: dict[Pubkey, NewPool] = {}
    for signature, answer in zip(signatures, await fetch_transactions(node, signatures, commitment), strict=True):
        if isinstance(answer, ChainError):
            raise answer
        if answer is None:
            raise NotFound(f"the node lists {signature} and does not have it", hint="ask another endpoint")
        for pool in pools_of(answer):
            pools.setdefault(pool.address, pool)
    return tuple([await judge(node, pool, commitment) for pool in pools.values()])
