"""Stored books read beside each other: each list once, from its beginning, however long it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from typing import Generic, TypeVar

from pumpswap.portfolio.lots import TaxLot, tax_lots_of
from pumpswap.storage.history import StoredTrade
from pumpswap.storage.run import Run

__all__ = ["Begun", "Beside", "tax_lots", "trades_of"]

T = TypeVar("T")
K = TypeVar("K")

_MOST_SKIPPED = 10_000


class Begun(Iterator[T]):
    """The same elements, of the moment when this was made and not of the first use. Close it: it holds a connection."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._first = list(islice(items, 1))

    def __next__(self) -> T:
        return self._first.pop() if self._first else next(self._items)

    def close(self) -> None:
        """Give the connection back. Nothing can be read any more."""
        close = getattr(self._items, "close", None)  # a generator has it
        if close is not None:
            close()


class Beside(Generic[K, T]):
    """A stored list in about the order in which it is asked for. What comes early is kept until it is asked for, up to
    a limit, so that damaged books are told without reading all of them into memory. Close it like ``Begun``.
    """

    def __init__(self, items: Iterator[T], key: Callable[[T], K]) -> None:
        self._items, self._key = Begun(items), key
        self._skipped: dict[K, T] = {}

    def take(self, key: K) -> T | None:
        """The element of a key, once; None when there is none near."""
        while key not in self._skipped and len(self._skipped) < _MOST_SKIPPED:
            item = next(self._items, None)
            if item is None:
                break
            self._skipped[self._key(item)] = item
        return self._skipped.pop(key, None)

    def rest(self) -> Iterator[T]:
        """What nobody has asked for."""
        yield from self._skipped.values()
        yield from self._items

    def close(self) -> None:
        """Give the connection back."""
        self._items.close()


def trades_of(run: Run) -> Beside[str, StoredTrade]:
    """The trades of a run by order."""
    return Beside(run.history.trades(), lambda trade: trade.order.order_id)


def tax_lots(run: Run) -> Iterator[TaxLot]:
    """Lots of a stored run for the export: see ``tax_lots_of``. A run that goes on meanwhile does no harm."""
    # The ledger before the trades: each fill in it has its trade then.
    with closing(Begun(run.ledger())) as entries, closing(trades_of(run)) as trades:

        def order_of(order_id: str) -> tuple[str, str, str] | None:
            trade = trades.take(order_id)
            return None if trade is None else (trade.order.pool, trade.order.mint, "")

        yield from tax_lots_of(entries, order_of, run.owned.adoptions())
