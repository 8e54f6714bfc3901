"""LakeRecording: the lake as a feed, in time order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from heapq import merge

import msgspec

from pumpswap.amm import PoolState
from pumpswap.market.data_row import SkippedRow
from pumpswap.market.lake.exporting import count_rows
from pumpswap.market.lake.lake import Lake
from pumpswap.market.lake.reader import LakeReader
from pumpswap.market.lake.rows import PoolStateSeen
from pumpswap.market.rebuild import ASSUMPTIONS, anchored, rebuild
from pumpswap.market.swaps_of import generation_of, reserves_after
from pumpswap.model import MarketUpdate, PoolSnapshot, Swap

__all__ = ["LakeRecording", "state_after"]

_EXACT = (
    "Pools with recorded states: a swap that tells its event moves the state exactly; other swaps leave it as it was.",
    "Between recorded states nobody boosted these pools or changed their fees; deposits show in the next event.",
)
_INFERRED = (
    "Other pools: the depth is that of the newest snapshot, and trades move the price along its curve.",
    *ASSUMPTIONS,
)
_UNSEEN = "no state and no snapshot of this pool has come before, so its depth is not known"
_NO_CURVE = "at this price the pool would be empty"
_NO_FIT = "its events do not fit to the state that was recorded before"

_Event = PoolSnapshot | Swap | PoolStateSeen


class LakeRecording:
    """Snapshots, swaps and states from ``start_ns`` until before ``end_ns`` as market updates.

    Memory does not grow with the number of rows, only with the number of pools. ``location``, ``counts``, ``skipped``
    and ``assumptions`` are those of every recording. Candles are not replayed: they tell no depth.
    """

    def __init__(
        self, lake: Lake, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> None:
        self.location = str(lake.folder)
        self.skipped: tuple[SkippedRow, ...] = ()
        self._reader = LakeReader(lake)
        self._range = (pool, start_ns, end_ns)
        rows = {kind: count_rows(self._reader, kind, *self._range) for kind in ("snapshots", "swaps", "states")}
        self.counts = {"snapshots": rows["snapshots"], "trades": rows["swaps"], "states": rows["states"]}
        self.assumptions: tuple[str, ...] = (
            "Times: a swap counts at the time of its block, a state when it was seen.",
            *(_EXACT if rows["states"] else ()),
            *(_INFERRED if rows["snapshots"] else ()),
        )

    def updates(self) -> Iterator[MarketUpdate]:
        """The market from its first to its last moment. Every call starts anew and yields the same."""
        replay = _Replay()
        for _, event in self._events():
            if isinstance(event, PoolSnapshot):
                yield replay.snapshot(event)
            elif isinstance(event, Swap):
                yield replay.swap(event)
            elif (update := replay.state(event)) is not None:
                yield update

    def _events(self) -> Iterator[tuple[tuple[int, int], _Event]]:
        # At one moment what a collector saw comes first, and states last: they tell what swaps have done.
        reader = self._reader
        return merge(
            (((one.at_ns, 0), one) for one in reader.read_snapshots(*self._range)),
            (((one.at_ns, 1), one) for one in reader.read_swaps(*self._range)),
            (((one.at_ns, 2), one) for one in reader.read_states(*self._range)),
            key=lambda pair: pair[0],
        )


class _Replay:
    """What is known of every pool so far."""

    def __init__(self) -> None:
        self._states: dict[str, PoolState] = {}
        self._obstacles: dict[str, str] = {}
        self._read_slots: dict[str, int] = {}  # of pools with recorded states, the slot of the newest one

    def snapshot(self, snapshot: PoolSnapshot) -> MarketUpdate:
        pool, at_ns = snapshot.pool, snapshot.at_ns
        if pool in self._read_slots:
            return MarketUpdate(at_ns, pool, snapshot=snapshot, obstacle=self._obstacles.get(pool, ""))
        result = rebuild(snapshot)
        if isinstance(result, str):
            self._forget(pool, result)
            return MarketUpdate(at_ns, pool, snapshot=snapshot, obstacle=result)
        self._states[pool] = result
        return MarketUpdate(at_ns, pool, result, snapshot)

    def state(self, seen: PoolStateSeen) -> MarketUpdate | None:
        """None for a state that later swaps have overtaken."""
        pool = str(seen.state.address)
        known = self._states.get(pool)
        if pool in self._read_slots and known is not None and seen.state.slot < known.slot:
            return None
        self._read_slots[pool] = seen.state.slot
        self._obstacles.pop(pool, None)
        self._states[pool] = seen.state
        return MarketUpdate(seen.at_ns, pool, seen.state)

    def swap(self, swap: Swap) -> MarketUpdate:
        pool = swap.pool
        state = self._states.get(pool)
        if state is None:
            return MarketUpdate(swap.at_ns, pool, swap=swap, obstacle=self._obstacles.get(pool, _UNSEEN))
        if pool not in self._read_slots:
            moved, obstacle = self._anchored(state, swap)
            return MarketUpdate(swap.at_ns, pool, moved, swap=swap, obstacle=obstacle)
        # A recorded state is that of the end of its slot: swaps of this slot are in it.
        if swap.event is None or swap.slot <= self._read_slots[pool]:
            return MarketUpdate(swap.at_ns, pool, swap=swap)
        after = state_after(state, swap)
        if after is None:
            self._forget(pool, _NO_FIT)
            return MarketUpdate(swap.at_ns, pool, swap=swap, obstacle=_NO_FIT)
        self._states[pool] = after
        return MarketUpdate(swap.at_ns, pool, after, swap=swap)

    def _anchored(self, state: PoolState, swap: Swap) -> tuple[PoolState | None, str]:
        price = Fraction(swap.quote_units, swap.base_units) if swap.base_units else Fraction(0)
        moved = anchored(state, price, swap.slot)
        if moved is None:
            return None, _NO_CURVE
        self._states[swap.pool] = moved
        return moved, ""

    def _forget(self, pool: str, obstacle: str) -> None:
        self._states.pop(pool, None)
        self._obstacles[pool] = obstacle


def state_after(state: PoolState, swap: Swap) -> PoolState | None:
    """The state after a swap that tells its event; reserves, virtual reserves and supply are the event's own.

    The fees owed follow from what boosts leave constant (virtual reserves and both buckets); how a sweep divided them
    is not told, then the creator's bucket is taken as it was. None when the event cannot follow on ``state``.
    """
    event, pool = swap.event, state.pool
    if event is None:
        return None
    owed = pool.boost_reserves - event.virtual_quote_reserves
    if owed < 0:
        return None
    creator = min(pool.creator_fees, owed)
    protocol = owed - creator
    if generation_of(event) == 2:
        protocol += event.protocol_fee - event.buyback_fee
        creator += event.coin_creator_fee
        pool = pool.grown()
    reserves = reserves_after(swap)
    if min(reserves.base_reserve, reserves.quote_vault, protocol) < 0:
        return None
    changed = pool.with_changes(
        virtual_quote_reserves=reserves.virtual_quote_reserves, protocol_fees=protocol, creator_fees=creator
    )
    return msgspec.structs.replace(
        state,
        pool=changed,
        base_reserve=reserves.base_reserve,
        quote_vault=reserves.quote_vault,
        base_supply=event.base_supply or state.base_supply,
        slot=max(swap.slot, state.slot),
    )
