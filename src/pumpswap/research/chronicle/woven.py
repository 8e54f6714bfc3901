"""WovenChronicle: a chronicle out of what a source tells, item by item."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from pumpswap.amm import PoolState
from pumpswap.amm.acts import PoolAct
from pumpswap.market.acts_of import routed
from pumpswap.model import PoolSnapshot, SeenAct, Swap
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.items import Item, whole_transactions
from pumpswap.research.chronicle.step import Step
from pumpswap.research.chronicle.weaver import Moment, Weavers

__all__ = ["WovenChronicle"]


class WovenChronicle(BaseChronicle):
    """``_items`` tells everything in the order of the chain, from the first moment that the source knows on: what is
    before the window decides what is known at its beginning.
    """

    @abstractmethod
    def _items(self) -> Iterator[tuple[Moment, Item]]: ...

    def _weave(self, tally: Counter[str]) -> Iterator[Step]:
        weavers, last_ns = Weavers(self.schedule_for, tally), 0
        for moment, item, act in _with_acts(whole_transactions(self._wanted())):
            # Where a source mixes up its times, its order counts.
            if moment.at_ns < last_ns:
                moment = Moment(last_ns, moment.slot)
                tally["times that fell"] += 1
            last_ns = moment.at_ns
            if isinstance(item, Swap):
                yield from weavers.of(item.pool).trade(item, act, moment)
            elif isinstance(item, SeenAct):
                yield from weavers.of(item.pool).act(item, moment)
            elif isinstance(item, PoolSnapshot):
                yield from weavers.of(item.pool).look(item, moment)
            else:
                yield from weavers.of(str(item.address)).tell(item, moment)

    def _wanted(self) -> Iterator[tuple[Moment, Item]]:
        until_ns = self.window.until_ns
        for moment, item in self._items():
            if until_ns is not None and moment.at_ns >= until_ns:
                return
            if self.window.wants(str(item.address) if isinstance(item, PoolState) else item.pool):
                yield moment, item


def _with_acts(items: Iterator[tuple[Moment, Item]]) -> Iterator[tuple[Moment, Item, PoolAct | None]]:
    """Items with the acts behind their swaps: hops of one transaction are one route."""
    for signature, group in groupby(items, key=_signature):
        if signature is None:
            for moment, item in group:
                yield moment, item, routed([item])[0] if isinstance(item, Swap) else None
            continue
        together = list(group)
        acts = iter(routed([item for _, item in together if isinstance(item, Swap)]))
        for moment, item in together:
            yield moment, item, next(acts) if isinstance(item, Swap) else None


def _signature(pair: tuple[Moment, Item]) -> str | None:
    item = pair[1]
    return item.signature or None if isinstance(item, Swap | SeenAct) else None
