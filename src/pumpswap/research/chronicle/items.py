"""Items: what sources tell, and the order of those of one slot when several pools were recorded apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import groupby, pairwise

from pumpswap.amm import PoolState
from pumpswap.model import PoolSnapshot, SeenAct, Swap
from pumpswap.research.chronicle.weaver import Moment

__all__ = ["Item", "whole_transactions"]

Item = Swap | SeenAct | PoolState | PoolSnapshot
Placed = tuple[Moment, Item]


def whole_transactions(items: Iterator[Placed]) -> Iterator[Placed]:
    """The same items with those of one transaction together, in the order of its trades.

    A transaction of two pools that were read one after the other has a place among those of each pool: both are kept.
    """
    for _, group in groupby(items, key=lambda pair: pair[0].slot):
        together = list(group)
        yield from _mended(together) if len(together) > 1 and _is_torn(together) else together


def _is_torn(items: Sequence[Placed]) -> bool:
    """Whether a transaction comes in more than one part, or not in its own order."""
    seen: set[str] = set()
    for signature, group in groupby((item for _, item in items), key=_signature):
        if not signature:
            continue
        places = [_place(item) for item in group]
        if signature in seen or any(one > other for one, other in pairwise(places)):
            return True
        seen.add(signature)
    return False


def _signature(item: Item) -> str:
    return item.signature if isinstance(item, Swap | SeenAct) else ""


def _mended(items: list[Placed]) -> Iterator[Placed]:
    """Transactions as wholes, each pool in its order; as they came where that cannot be."""
    names = [_signature(item) or f"alone {at}" for at, (_, item) in enumerate(items)]
    first = {name: at for at, name in reversed(list(enumerate(names)))}
    later: dict[str, set[str]] = {name: set() for name in first}
    last_of_pool: dict[str, str] = {}
    for name, (_, item) in zip(names, items, strict=True):
        pool = str(item.address) if isinstance(item, PoolState) else item.pool
        before = last_of_pool.get(pool, name)
        if before != name:
            later[before].add(name)
        last_of_pool[pool] = name
    waits = Counter(name for every in later.values() for name in every)
    ready = [(at, name) for name, at in first.items() if not waits[name]]
    heapify(ready)
    order: list[str] = []
    while ready:
        _, name = heappop(ready)
        order.append(name)
        for other in later[name]:
            waits[other] -= 1
            if not waits[other]:
                heappush(ready, (first[other], other))
    if len(order) < len(first):
        yield from items  # two sources that contradict each other
        return
    members: dict[str, list[tuple[tuple[int, int, int], int]]] = {}
    for at, (name, (_, item)) in enumerate(zip(names, items, strict=True)):
        members.setdefault(name, []).append((_place(item), at))
    for name in order:
        yield from (items[at] for _, at in sorted(members[name]))


def _place(item: Item) -> tuple[int, int, int]:
    """Within a transaction: trades by their number, other acts before the trade that follows them."""
    if isinstance(item, Swap):
        return item.index, 1, 0
    return (item.trades_before, 0, item.index) if isinstance(item, SeenAct) else (0, 0, 0)
