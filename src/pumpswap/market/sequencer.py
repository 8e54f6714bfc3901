"""Sequencer: from what a feed sees, in whatever order and however often, to market updates in the order of the chain.

Pure: it asks nothing and knows no time but that of its inputs. The same inputs give the same updates, so a recording of
them replays exactly.

The rule: history decides. Notifications can be lost, doubled and mixed up, and only say early what will be in the
history of an address; a swap is told when the history lists its transaction, in the order of the history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.chain.node import SignatureInfo
from pumpswap.chain.streams import AccountChanged, Disconnected, LogsSeen, SlotSeen
from pumpswap.market.feed_inputs import FeedInput, HistorySeen, PoolRead, TransactionMissing, TransactionSeen
from pumpswap.market.gap_fill import merged
from pumpswap.market.live_pools import LivePools
from pumpswap.market.swaps_of import Normalised, in_order, normalise_logs, reserves_after
from pumpswap.model import MarketUpdate, SeenAct, Swap

__all__ = ["FeedCounts", "FeedScope", "Sequencer"]

_LIVE_LIMIT = 50_000


class FeedScope(msgspec.Struct, frozen=True):
    """What a feed tells about, and how patient it is.

    ``addresses``: whose histories are read: the AMM program, or single pools. ``pools``: whose swaps are told; empty
    means all. ``settle_slots``: a history without a newer line is taken as complete up to so many slots ago.
    ``overlap_slots``: how far back a history is read again, for lines that a lagging node had not yet.
    ``forget_slots``: a transaction that was told but is in no history for so long has been undone.
    ``grace_slots``: how long notifications of a slot may come after the stream has told of the slot: only then are its
    accounts complete, and a transaction that was not told is asked for.
    ``missing_limit``: how often a transaction that no node has is asked for before it is given up, loudly.
    """

    addresses: tuple[str, ...]
    pools: tuple[str, ...] = ()
    settle_slots: int = 32
    overlap_slots: int = 32
    forget_slots: int = 150
    grace_slots: int = 3
    missing_limit: int = 30


@dataclass(slots=True)
class FeedCounts:
    """What a feed has met. Everything that may mean a missing or misread swap is here, never only in a log.

    ``filled``: transactions that no notification told (in time); ``late``: told after newer slots, because a node
    had hidden them; ``unreadable``: given up; ``vanished``: told by a notification but never in the history;
    ``misread_slot``: the newest slot of which something was unreadable or malformed.
    """

    swaps: int = 0
    transactions: int = 0
    failed: int = 0
    duplicates: int = 0
    filled: int = 0
    late: int = 0
    behind: int = 0
    vanished: int = 0
    unreadable: int = 0
    burns: int = 0
    unknown: int = 0
    malformed: int = 0
    unknown_lengths: int = 0
    misread_slot: int = 0


class Sequencer:
    """Feed it with ``take``; ``wanted`` and ``anchors`` say what to ask. ``tells_acts``: also what happened besides
    swaps.
    """

    def __init__(
        self,
        scope: FeedScope,
        pools: LivePools | None = None,
        warn: Callable[[str, str], None] | None = None,
        *,
        tells_acts: bool = False,
    ) -> None:
        self.scope = scope
        self._tells_acts = tells_acts
        self.counts = FeedCounts()
        self.slot = 0
        self.settled_slot = 0
        self.wanted: tuple[str, ...] = ()
        self.doubted: dict[Pubkey, int] = {}
        self.anchors: list[SignatureInfo | None] = [None] * len(scope.addresses)
        self._pools = frozenset(scope.pools)
        self._live_pools = pools
        self._warn = warn or (lambda _key, _text: None)
        self._done: dict[str, int] = {}
        self._live: dict[str, LogsSeen] = {}
        self._found: dict[str, Normalised] = {}
        self._missing: dict[str, int] = {}
        self._states: dict[tuple[int, str], PoolState] = {}
        self._last_swaps: dict[str, Swap] = {}
        self._pages: tuple[tuple[SignatureInfo, ...], ...] = ()
        self._batch: list[SignatureInfo] = []
        self._through = 0
        self._asked_slot = 0
        self._is_waiting = False
        self._floor = 0

    @property
    def has_unsettled(self) -> bool:
        """Whether something was told that the history has not confirmed yet."""
        return bool(self._live or self.wanted or self._is_waiting)

    def take(self, entry: FeedInput, at_ns: int) -> list[MarketUpdate]:
        """The updates that an input completes, with ``at_ns`` as the moment they became known."""
        match entry:
            case SlotSeen(slot=slot):
                self.slot = max(self.slot, slot)
                return self._ripe_states(at_ns)
            case LogsSeen():
                self._notified(entry)
            case AccountChanged() | PoolRead() | Disconnected():
                self._pool_told(entry)
            case HistorySeen(is_start=True):
                self._start(entry)
            case HistorySeen():
                return self._history(entry, at_ns)
            case TransactionSeen():
                if entry.err is None:
                    self._found[entry.signature] = entry.normalised()
                    return self._settle(at_ns)
            case TransactionMissing(signature=signature):
                return self._lacks(signature, at_ns)
            case _:
                pass
        return []

    def _notified(self, seen: LogsSeen) -> None:
        self.slot = max(self.slot, seen.slot)
        if seen.signature in self._done or seen.signature in self._live or seen.slot < self._floor:
            self.counts.duplicates += 1
            return
        if len(self._live) >= _LIVE_LIMIT:
            del self._live[next(iter(self._live))]  # its transaction will be fetched instead
        self._live[seen.signature] = seen

    def _pool_told(self, entry: AccountChanged | PoolRead | Disconnected) -> None:
        pools = self._live_pools
        if pools is None:
            return
        match entry:
            case AccountChanged(slot=slot, account=account):
                self._moved(pools.apply(account, slot))
            case PoolRead():
                pools.put(entry.state())
                self.doubted.pop(entry.address, None)
                self._moved([entry.address])
            case Disconnected():
                pools.doubt_all("the stream was disconnected")

    def _moved(self, addresses: Iterable[Pubkey]) -> None:
        """Keep the new states of these pools until their slot is settled."""
        for address in addresses:
            state = self._live_pools.state(address) if self._live_pools is not None else None
            if state is not None:
                self._states[state.slot, str(address)] = state

    def _start(self, history: HistorySeen) -> None:
        for at, page in enumerate(history.pages):
            for line in page:
                self._done[line.signature] = line.slot
            if page:
                self.settled_slot = max(self.settled_slot, page[-1].slot)
                self.anchors[at] = _anchor(page, page[-1].slot - self.scope.overlap_slots) or page[0]
        self._set_floor()

    def _history(self, history: HistorySeen, at_ns: int) -> list[MarketUpdate]:
        lines = merged(history.pages)
        listed = {line.signature for line in lines}
        newest = lines[-1].slot if lines else 0
        through = max(newest, history.asked_slot - self.scope.settle_slots, self.settled_slot)
        for seen in list(self._live.values()):
            if seen.slot > through or seen.signature in listed:
                continue
            if seen.slot < history.asked_slot - self.scope.forget_slots:
                del self._live[seen.signature]
                self.counts.vanished += 1
                self._warn("vanished", f"transaction {seen.signature} was told but is not in the chain's history")
                continue
            # What was told must be there: this node is behind, so nothing from that slot on is complete.
            through = seen.slot - 1
            self.counts.behind += 1
        self._asked_slot = history.asked_slot
        self._pages, self._through = history.pages, max(through, self.settled_slot)
        self._batch = [line for line in lines if line.signature not in self._done and line.slot <= through]
        return self._settle(at_ns)

    def _lacks(self, signature: str, at_ns: int) -> list[MarketUpdate]:
        tries = self._missing[signature] = self._missing.get(signature, 0) + 1
        if tries < self.scope.missing_limit:
            return []
        live = self._live.get(signature)
        self.counts.unreadable += 1
        slots = (line.slot for line in self._batch if line.signature == signature)
        self.counts.misread_slot = max(self.counts.misread_slot, live.slot if live is not None else 0, *slots)
        self._warn("unreadable", f"no node gives transaction {signature}: its swaps may be missing here")
        self._found[signature] = normalise_logs(live or LogsSeen(0, signature, None, ()))
        return self._settle(at_ns)

    def _settle(self, at_ns: int) -> list[MarketUpdate]:
        """Tell the batch when every one of its transactions can be read."""
        wanted = []
        self._is_waiting = False
        for line in self._batch:
            if line.err is not None or line.signature in self._found:
                continue
            live = self._live.get(line.signature)
            if live is None and line.slot > self._asked_slot - self.scope.grace_slots:
                self._is_waiting = True  # history may be faster than the notification
                self._cut_at(line.slot)
                break
            found = normalise_logs(live) if live is not None and live.err is None else None
            if found is None or found.is_partial or found.failed:
                wanted.append(line.signature)
            else:
                self._found[line.signature] = found
        listed = {line.signature for line in self._batch}
        self.wanted = tuple(signature for signature in wanted if signature in listed)
        if self.wanted:
            return []
        self._hold_back()
        return self._tell(at_ns)

    def _hold_back(self) -> None:
        """With several histories: a transaction of two pools that only one of them lists shows that the other one is
        behind, and swaps of that pool may be missing before it.
        """
        if len(self._pages) < 2:
            return
        listed = {
            address: {line.signature for line in page}
            for address, page in zip(self.scope.addresses, self._pages, strict=True)
        }
        patience = self._asked_slot - self.scope.forget_slots
        for line in self._batch:
            found = self._found.get(line.signature)
            if line.err is not None or found is None or line.slot < patience:
                continue
            if any(swap.pool in listed and line.signature not in listed[swap.pool] for swap in found.swaps):
                self.counts.behind += 1
                self._cut_at(line.slot)
                return

    def _cut_at(self, slot: int) -> None:
        """Nothing from this slot on is told yet."""
        self._batch = [line for line in self._batch if line.slot < slot]
        self._through = max(min(self._through, slot - 1), self.settled_slot)

    def _tell(self, at_ns: int) -> list[MarketUpdate]:
        updates: list[MarketUpdate] = []
        last_swaps: dict[str, Swap] = {}
        for slot, lines in groupby(self._batch, key=lambda line: line.slot):
            updates += self._states_until(slot - 1, at_ns)
            for line in lines:
                self.counts.late += slot <= self.settled_slot
                for one in self._told_of(line):
                    if isinstance(one, SeenAct):
                        updates.append(MarketUpdate(at_ns, one.pool, act=one))
                        continue
                    last_swaps[one.pool] = one
                    updates.append(MarketUpdate(at_ns, one.pool, swap=one))
        self.settled_slot = max(self.settled_slot, self._through)
        if self._live_pools is not None:
            self._last_swaps.update(last_swaps)
        updates += self._ripe_states(at_ns)
        self._batch = []
        for at, page in enumerate(self._pages):
            self.anchors[at] = _anchor(page, self.settled_slot - self.scope.overlap_slots) or self.anchors[at]
        self._pages = ()
        self._set_floor()
        return updates

    def _told_of(self, line: SignatureInfo) -> list[Swap | SeenAct]:
        counts = self.counts
        self._done[line.signature] = line.slot
        self._missing.pop(line.signature, None)
        if self._live.pop(line.signature, None) is None:
            counts.filled += 1
        if line.err is not None:
            counts.failed += 1
            return []
        found = self._found.pop(line.signature)
        counts.transactions += 1
        counts.burns += found.burns
        self._complain(found, line)
        told = in_order(found) if self._tells_acts else found.swaps
        mine = [one for one in told if not self._pools or one.pool in self._pools]
        counts.swaps += sum(isinstance(one, Swap) for one in mine)
        return mine

    def _complain(self, found: Normalised, line: SignatureInfo) -> None:
        for key, number, text in (
            ("unknown events", found.unknown, "events of the AMM that this version does not know"),
            ("malformed events", found.malformed, "events that cannot be read"),
            ("unknown lengths", found.unknown_lengths, "swap events of a length that this version has never seen"),
        ):
            if number:
                self._warn(key, f"transaction {line.signature} has {number} {text}: compare with a newer version")
        self.counts.unknown += found.unknown
        self.counts.malformed += found.malformed
        if found.malformed:
            self.counts.misread_slot = max(self.counts.misread_slot, line.slot)
        self.counts.unknown_lengths += found.unknown_lengths

    def _ripe_states(self, at_ns: int) -> list[MarketUpdate]:
        """States of settled slots whose accounts have all been told."""
        pools = self._live_pools
        if pools is None:
            return []
        self._moved(pools.advance(min(self.settled_slot + 1, self.slot - self.scope.grace_slots)))
        self._compare(pools)
        for address in pools.in_doubt():
            self.doubted.setdefault(address, self.settled_slot)
        return self._states_until(self.settled_slot, at_ns)

    def _states_until(self, slot: int, at_ns: int) -> list[MarketUpdate]:
        ripe = sorted(key for key in self._states if key[0] <= slot)
        return [MarketUpdate(at_ns, pool, self._states.pop((seen, pool))) for seen, pool in ripe]

    def _compare(self, pools: LivePools) -> None:
        """A swap tells what its pool held afterwards: a state of its slot that disagrees has missed a notification."""
        due = [pool for pool, swap in self._last_swaps.items() if swap.slot < pools.slot]
        for pool in due:
            swap = self._last_swaps.pop(pool)
            address = Pubkey.from_string(pool)
            state = pools.state(address)
            if state is None or state.slot > swap.slot or swap.event is None:
                continue
            after = reserves_after(swap)
            if (state.base_reserve, state.quote_vault) != (after.base_reserve, after.quote_vault):
                self.doubted[address] = swap.slot

    def _set_floor(self) -> None:
        floor = min((one.slot if one else 0 for one in self.anchors), default=0)
        if floor > self._floor:
            self._floor = floor
            self._done = {signature: slot for signature, slot in self._done.items() if slot >= floor}


def _anchor(page: Sequence[SignatureInfo], slot: int) -> SignatureInfo | None:
    """The newest line that is no newer than ``slot``."""
    return next((line for line in reversed(page) if line.slot <= slot), None)
