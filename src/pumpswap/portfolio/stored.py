"""Stored books read beside each other: each list once, from its beginning, however long it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Generic, TypeVar

from pumpswap.portfolio.lots import TaxLot, tax_lots_of
from pumpswap.storage.history import StoredTrade
from pumpswap.storage.run import Run

__all__ = ["Beside", "begun", "tax_lots", "trades_of"]

T = TypeVar("T")
K = TypeVar("K")

_MOST_SKIPPED = 10_000


class Beside(Generic[K, T]):
    """A stored list in about the order in which it is asked for. What comes early is kept until it is asked for, up to
    a limit, so that damaged books are told without reading all of them into memory.

    The first element is read at once: that fixes the moment of the database.
    """

    def __init__(self, items: Iterator[T], key: Callable[[T], K]) -> None:
        self._items, self._key = items, key
        self._skipped: dict[K, T] = {}
        self._pull()

    def take(self, key: K) -> T | None:
        """The element of a key, once; None when there is none near."""
        while key not in self._skipped and len(self._skipped) < _MOST_SKIPPED and self._pull():
            pass
        return self._skipped.pop(key, None)

    def rest(self) -> Iterator[T]:
        """What nobody has asked for."""
        yield from self._skipped.values()
        yield from self._items

    def _pull(self) -> bool:
        item = next(self._items, None)
        if item is None:
            return False
        self._skipped[self._key(item)] = item
        return True


def trades_of(run: Run) -> Beside[str, StoredTrade]:
    """The trades of a run by order."""
    return Beside(run.history.trades(), lambda trade: trade.order.order_id)


def begun(items: Iterator[T]) -> Iterator[T]:
    """The same elements, of the moment of this call and not of the first use."""
    first = list(islice(items, 1))
    return chain(first, items)


def tax_lots(run: Run) -> Iterator[TaxLot]:
    """Lots of a stored run for the export: see ``tax_lots_of``. A run that goes on meanwhile does no harm."""
    entries = begun(run.ledger())  # before the trades: each fill in it has its trade then
    trades = trades_of(run)

    def order_of(order_id: str) -> tuple[str, str, str] | None:
        trade = trades.take(order_id)
        return None if trade is None else (trade.order.pool, trade.order.mint, "")

    return tax_lots_of(entries, order_of, run.owned.adoptions())
