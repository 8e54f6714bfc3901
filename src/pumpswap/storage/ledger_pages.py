"""LedgerPages: a run's ledger page by page, the newest first, for people who look for what is behind a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from pumpswap.model import EntryKind, LedgerEntry
from pumpswap.storage import rows
from pumpswap.storage.connections import Connections
from pumpswap.storage.tables import LEDGER

__all__ = ["LedgerPages", "LedgerWish"]

# No index knows kinds: so many entries are looked through at a time, and so many times, then the page ends.
_WINDOW, _WINDOWS = 10_000, 5


@dataclass(frozen=True, slots=True)
class LedgerWish:
    """Which entries; None or empty: all. ``since_ns``: those of then and later."""

    kind: EntryKind | None = None
    asset: str = ""
    order_id: str = ""
    since_ns: int = 0

    @property
    def is_indexed(self) -> bool:
        """Whether an index finds them at once; what an order has moved is little in any case."""
        return bool(self.order_id) or (bool(self.asset) and self.kind is None and not self.since_ns)


class LedgerPages:
    """Readers; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def page(self, wish: LedgerWish, most: int, before: int | None = None) -> tuple[list[LedgerEntry], int | None]:
        """At most ``most`` entries of numbers below ``before``, and below which number it goes on; None: there are no
        more. A page may have fewer entries than it could, or none, and go on all the same.
        """
        top = self._last() + 1 if before is None else before
        if wish.is_indexed:
            found = self._entries(self._query(wish).where(LEDGER.c.sequence < top), most + 1)
            return found[:most], found[most - 1].sequence if len(found) > most else None
        found, low = [], top
        for _ in range(_WINDOWS):
            if low <= 1 or len(found) > most:
                break
            high, low = low, max(low - _WINDOW, 1)
            query = self._query(wish).where(LEDGER.c.sequence < high, LEDGER.c.sequence >= low)
            found += self._entries(query, most + 1 - len(found))
        if len(found) > most:
            return found[:most], found[most - 1].sequence
        return found, None if low <= 1 or self._is_over(wish, low) else low

    def _query(self, wish: LedgerWish) -> Select[Any]:
        query = select(LEDGER).where(LEDGER.c.run_id == self._run_id)
        if wish.order_id:
            query = query.where(LEDGER.c.order_id == wish.order_id)
        if wish.kind is not None:
            query = query.where(LEDGER.c.kind == wish.kind.value)
        if wish.asset:
            query = query.where(LEDGER.c.asset == wish.asset)
        return query if not wish.since_ns else query.where(LEDGER.c.at_ns >= wish.since_ns)

    def _entries(self, query: Select[Any], most: int) -> list[LedgerEntry]:
        return list(self._connections.all_rows(query.order_by(LEDGER.c.sequence.desc()).limit(most), rows.entry_of))

    def _last(self) -> int:
        query = select(func.max(LEDGER.c.sequence)).where(LEDGER.c.run_id == self._run_id)
        with self._connections.reading() as connection:
            return connection.execute(query).scalar() or 0

    def _is_over(self, wish: LedgerWish, below: int) -> bool:
        """Whether nothing of the time that is wished was booked before this number."""
        if not wish.since_ns:
            return False
        earlier = (LEDGER.c.run_id == self._run_id, LEDGER.c.at_ns >= wish.since_ns)
        query = select(func.min(LEDGER.c.sequence)).where(*earlier)
        with self._connections.reading() as connection:
            first = connection.execute(query).scalar()
        return first is None or first >= below
