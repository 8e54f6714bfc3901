"""The chain's own history of pools as a chronicle: every act is an event, nothing is inferred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pumpswap.amm import PoolState
from pumpswap.errors import ChainError, EndpointDown
from pumpswap.market.acts_of import acts_of
from pumpswap.market.gap_fill import FeedNode, fetch_transactions, history_since, merged
from pumpswap.model import SeenAct, Swap
from pumpswap.research.chronicle.items import Item
from pumpswap.research.chronicle.opening import opening_of
from pumpswap.research.chronicle.slots import SlotTable
from pumpswap.research.chronicle.step import Range, ScheduleFor
from pumpswap.research.chronicle.weaver import Moment
from pumpswap.research.chronicle.window import Window
from pumpswap.research.chronicle.woven import WovenChronicle

__all__ = ["ChainChronicle", "read_history"]


async def read_history(node: FeedNode, states: Sequence[PoolState]) -> tuple[Swap | SeenAct, ...]:
    """Everything that happened to these pools until their states were read, in the order of the chain.

    Raises ChainError when a part of it cannot be read: a history with a hole is none.
    """
    pools = {str(state.address): state.slot for state in states}
    pages = [await history_since(node, state.address, None) for state in states]
    signatures = [line.signature for line in merged(pages) if line.err is None]
    found: list[Swap | SeenAct] = []
    for signature, answer in zip(signatures, await fetch_transactions(node, signatures), strict=True):
        if isinstance(answer, ChainError):
            raise answer
        if answer is None:
            hint = "ask an archive endpoint"
            raise EndpointDown(f"the node lists transaction {signature} and does not have it", hint=hint)
        found += [one for one in acts_of(answer) if one.slot <= pools.get(one.pool, -1)]
    return tuple(found)


class ChainChronicle(WovenChronicle):
    """Pools whose states were read now, with their history until then: where each began follows from where it ended."""

    def __init__(
        self,
        states: Sequence[PoolState],
        history: Sequence[Swap | SeenAct],
        schedule_for: ScheduleFor,
        window: Window | None = None,
    ) -> None:
        slots = SlotTable((one.slot, one.at_ns) for one in history)
        super().__init__("chain", {"kind": "chain"}, slots, schedule_for, window)
        self._history = tuple(history)
        self._finals = {str(state.address): state for state in sorted(states, key=lambda state: state.slot)}
        self._openings = {pool: opening_of(final, self._of(pool)) for pool, final in self._finals.items()}

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is worked out."""
        return ("A pool's first state follows from its last one and everything that happened to it.",)

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        """From the first event of each pool to the reading of its state."""
        found = {}
        for pool, final in self._finals.items():
            mine = self._of(pool)
            first = mine[0].slot if mine else final.slot
            found[pool] = self.window.clipped([(self.slots.time_of(first), self.slots.time_of(final.slot + 1))])
        return found

    def _of(self, pool: str) -> list[Swap | SeenAct]:
        return [one for one in self._history if one.pool == pool]

    def _items(self) -> Iterator[tuple[Moment, Item]]:
        begun: set[str] = set()
        finals = list(self._finals.values())
        for one in self._history:
            while finals and finals[0].slot < one.slot:
                yield self._final(finals.pop(0))
            moment = Moment(self.slots.time_of(one.slot), one.slot)
            opening = self._openings.get(one.pool)
            if one.pool not in begun and opening is not None:
                begun.add(one.pool)
                yield moment, opening
            yield moment, one
        for final in finals:
            yield self._final(final)

    def _final(self, state: PoolState) -> tuple[Moment, Item]:
        return Moment(self.slots.time_of(state.slot), state.slot), state
