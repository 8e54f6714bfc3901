"""Swaps of sources that do not number the trades of a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pumpswap.model import Swap

__all__ = ["numbered"]


def numbered(swaps: Iterable[Swap]) -> Iterator[Swap]:
    """The same swaps, with ``index`` counting those of one pool and one transaction, from 0.

    For whole transactions only: the numbers follow from what the trades of a transaction did, not from the order in
    which they come, so that the same transaction gets the same numbers again. Memory grows with the swaps.
    """
    rows = list(swaps)
    groups: dict[tuple[str, str], list[int]] = {}
    for place, swap in enumerate(rows):
        groups.setdefault((swap.pool, swap.signature), []).append(place)
    for places in groups.values():
        if len(places) > 1:
            by_deed = sorted(places, key=lambda place: _deed(rows[place]))
            for index, place in enumerate(by_deed):
                rows[place] = replace(rows[place], index=index)
        else:
            rows[places[0]] = replace(rows[places[0]], index=0)
    yield from rows


def _deed(swap: Swap) -> tuple[int, bool, int, int, str]:
    return swap.slot, not swap.is_buy, swap.quote_units, swap.base_units, swap.trader
