"""A lake as a chronicle: swaps and other acts by slot, states as what they must lead to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import pairwise
from typing import Any

from pumpswap.amm import PoolState
from pumpswap.market.lake import Lake, LakeReader
from pumpswap.market.lake.data import collected, pl
from pumpswap.market.lake.ranges import missing_from, united
from pumpswap.market.lake.reader import TIME_ORDER
from pumpswap.market.lake.rows import FROM_ROW
from pumpswap.market.rebuild import ASSUMPTIONS
from pumpswap.model import SeenAct, Swap
from pumpswap.research.chronicle.items import Item
from pumpswap.research.chronicle.opening import opening_of
from pumpswap.research.chronicle.slots import EvenSlots, SlotTable
from pumpswap.research.chronicle.step import Range, StepTimes
from pumpswap.research.chronicle.weaver import Moment
from pumpswap.research.chronicle.window import Window
from pumpswap.research.chronicle.woven import WovenChronicle

__all__ = ["LakeChronicle"]

_KINDS = ("swaps", "acts", "states", "snapshots")
_ROWS_AT_ONCE = 100_000

_Place = tuple[int, int, int, int, int]  # when, which kind, position in its slot, and there acts before the swap
_Placed = tuple[_Place, tuple[Moment, Item]]

_EXACT = (
    "Swaps with events and other recorded acts move the recorded states to the unit.",
    "What a lake has not kept is inferred only where that explains every figure, and counted.",
    "How a pool was before its first recorded state follows from that and from everything before it.",
)
_INFERRED = ("Pools without recorded states: the depth is that of the newest snapshot.", *ASSUMPTIONS)
_NO_ACTS = (
    "This lake does not claim to have all liquidity changes, sweeps and boosts: they show in the next event; how many "
    "LP units there were before a pool's first recorded state is then not known."
)


class LakeChronicle(WovenChronicle):
    """Memory does not grow with the number of rows, only with those of pools, of slots, and of acts before the first
    state of their pool.
    """

    def __init__(self, lake: Lake, window: Window | None = None) -> None:
        wanted = window or Window()
        self._reader = LakeReader(lake)
        self._pool = wanted.pools[0] if len(wanted.pools) == 1 else None
        self._rows = {kind: self._count(kind) for kind in _KINDS}
        super().__init__(str(lake.folder), _provenance(lake), self._slot_times(), window=wanted)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the rows do not say."""
        return (
            "Times: slots keep their order; those of one second share it.",
            *(_EXACT if self._rows["states"] else ()),
            *(() if self._knows_acts() or not self._rows["states"] else (_NO_ACTS,)),
            *(_INFERRED if self._rows["snapshots"] else ()),
        )

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        """What downloads and recordings claim to have of the swaps of each pool."""
        claims = self._claims("swaps")
        every = claims.get("", [])
        return {pool: self.window.clipped(united([*every, *claims.get(pool, [])])) for pool in self._pools()}

    def _knows_acts(self) -> bool:
        """Whether acts are claimed of every pool, and wherever its swaps are."""
        swaps, acts = self._claims("swaps"), self._claims("acts")
        for pool in self._pools():
            known = united([*acts.get("", []), *acts.get(pool, [])])
            times = [*swaps.get("", []), *swaps.get(pool, [])]
            if not known or any(missing_from(known, *one) for one in times):
                return False
        return True

    def _pools(self) -> list[str]:
        frame = self._reader.swaps(self._pool).select("pool").unique()
        return sorted(pool for pool in collected(frame, streaming=True)["pool"].to_list() if self.window.wants(pool))

    def _claims(self, kind: str) -> dict[str, list[Range]]:
        """Claims of the lake by pool; "" is those of every pool."""
        found: dict[str, list[Range]] = {}
        lake = self._reader.lake
        for claim in lake.manifest().coverage:
            if (claim.kind, claim.network) == (kind, lake.network):
                found.setdefault(claim.pool, []).append((claim.start_ns, claim.end_ns))
        return found

    def _items(self) -> Iterator[tuple[Moment, Item]]:
        openings = self._openings()
        parts = (self._trades(), self._acts(), self._states(), self._snapshots())
        for _, (moment, item) in merge(*parts, key=lambda placed: placed[0]):
            if isinstance(item, Swap | SeenAct) and item.pool in openings:
                yield moment, openings.pop(item.pool)
            yield moment, item

    def _openings(self) -> dict[str, PoolState]:
        """Of pools with a history before their first recorded state: how they were before all of it."""
        states, swaps = self._reader.states(self._pool), self._reader.swaps(self._pool)
        first_states = _first_by_pool(states, ("slot",))
        first_swaps = _first_by_pool(swaps.filter(pl.col("event").is_not_null()), TIME_ORDER["swaps"])
        late = {pool: row for pool, row in first_states.items() if row["slot"] >= first_swaps.get(pool, row)["slot"]}
        late = {pool: row for pool, row in late.items() if pool in first_swaps and self.window.wants(pool)}
        acts: dict[str, list[tuple[int, SeenAct]]] = {}
        frame = self._reader.acts(self._pool).filter(pl.col("pool").is_in(sorted(late)))
        for row in collected(frame.sort(*TIME_ORDER["acts"])).iter_rows(named=True) if late else ():
            if row["slot"] <= late[row["pool"]]["slot"]:
                acts.setdefault(row["pool"], []).append((row["position"], FROM_ROW["acts"](row)))
        found = {}
        for pool, state in late.items():
            swap = first_swaps[pool]
            mine = acts.get(pool, [])
            place = swap["slot"], swap["position"]
            before = [act for position, act in mine if (act.slot, position) <= place]
            after = [act for position, act in mine if (act.slot, position) > place]
            opening = opening_of(FROM_ROW["states"](state).state, [*before, FROM_ROW["swaps"](swap), *after])
            if opening is not None:
                found[pool] = opening
        return found

    def _trades(self) -> Iterator[_Placed]:
        record = FROM_ROW["swaps"]
        for row in self._read("swaps"):
            swap: Swap = record(row)
            moment = self._moment(swap.slot, swap.at_ns)
            yield (moment.at_ns, 1, row["position"], 1, swap.index), (moment, swap)

    def _acts(self) -> Iterator[_Placed]:
        record = FROM_ROW["acts"]
        for row in self._read("acts"):
            act = record(row)
            moment = self._moment(act.slot, act.at_ns)
            yield (moment.at_ns, 1, row["position"], 0, act.index), (moment, act)

    def _states(self) -> Iterator[_Placed]:
        """States by their slots: they are seen later, and tell of the end of their slot."""
        frame, record = self._reader.states(self._pool), FROM_ROW["states"]
        edges = [0, *_cuts(frame), 2**64]
        for low, high in pairwise(edges):
            piece = frame.filter(
                (pl.col("slot") >= low) & (pl.col("slot") < high) if high < 2**64 else pl.col("slot") >= low
            )
            for row in collected(piece.sort("slot", "pool")).iter_rows(named=True):
                state = record(row).state
                moment = Moment(self.slots.time_of(state.slot), state.slot)
                yield (moment.at_ns, 2, 0, 0, 0), (moment, state)

    def _snapshots(self) -> Iterator[_Placed]:
        record = FROM_ROW["snapshots"]
        for row in self._read("snapshots"):
            snapshot = record(row)
            moment = self._moment(0, snapshot.at_ns)
            yield (moment.at_ns, 0, 0, 0, 0), (moment, snapshot)

    def _read(self, kind: str) -> Iterator[dict[str, Any]]:
        for frame in self._reader.pieces(kind, self._pool):
            yield from frame.iter_rows(named=True)

    def _moment(self, slot: int, at_ns: int) -> Moment:
        return Moment(self.slots.time_of(slot), slot) if slot else Moment(at_ns, self.slots.slot_of(at_ns))

    def _count(self, kind: str) -> int:
        frame = self._reader.frame(kind, self._pool).select(pl.len())
        return int(collected(frame, streaming=True).item())

    def _slot_times(self) -> StepTimes:
        """Of what the chain itself dates; a lake of states alone has the times at which they were seen."""
        reader = self._reader
        frames = [reader.swaps(self._pool), reader.acts(self._pool)]
        if not self._rows["swaps"] and not self._rows["acts"]:
            frames = [reader.states(self._pool)]
        rows = pl.concat([frame.select("slot", "at_ns") for frame in frames]).filter(pl.col("slot") > 0)
        seen = collected(rows.group_by("slot").agg(pl.col("at_ns").min()), streaming=True)
        return SlotTable(seen.iter_rows()) if seen.height else EvenSlots()


def _first_by_pool(frame: pl.LazyFrame, order: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The first row of every pool. Whole rows are read only of the first moment of each."""
    at = order[0]
    moments = collected(frame.select("pool", at).group_by("pool").agg(pl.col(at).min()), streaming=True)
    rows = collected(frame.join(moments.lazy(), on=["pool", at], how="semi"), streaming=True)
    first = rows.sort(*order).group_by("pool", maintain_order=True).first()
    return {row["pool"]: row for row in first.iter_rows(named=True)}


def _cuts(frame: pl.LazyFrame) -> list[int]:
    """Slots at which to divide states into pieces that are small enough."""
    counts = collected(frame.group_by("slot").len().sort("slot"), streaming=True)
    cuts, held = [], 0
    for slot, count in counts.iter_rows():
        if held and held + count > _ROWS_AT_ONCE:
            cuts.append(slot)
            held = 0
        held += count
    return cuts


def _provenance(lake: Lake) -> dict[str, str]:
    """The files of the lake that were there, by one digest of all of theirs."""
    digest, count = hashlib.sha256(), 0
    for kind in _KINDS:
        for file in lake.files(kind):
            digest.update(f"{kind} {file.sha256}\n".encode())
            count += 1
    return {"kind": "lake", "network": lake.network, "files": str(count), "sha256": digest.hexdigest()}
