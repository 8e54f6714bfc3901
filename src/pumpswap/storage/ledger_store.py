"""LedgerStore: the stored ledger of one run. Entries are appended together with their sums by asset and kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import ColumnElement, Integer, func, literal_column, select, true, union_all

from pumpswap.errors import StorageError
from pumpswap.model import EntryKind, LedgerEntry
from pumpswap.storage import rows
from pumpswap.storage.connections import Connections
from pumpswap.storage.ledger_writer import last_sequence, write_entries
from pumpswap.storage.tables import BALANCES, CHORES, LEDGER, ORDERS

__all__ = ["LedgerStore", "check_follow_each_other", "out_of_sequence"]


class LedgerStore:
    """Writers and readers of one run's ledger; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Append, all or none. Sequence numbers go on where the stored ones end, without a gap."""
        if not entries:
            return
        check_follow_each_other(entries)
        with self._connections.writing("the ledger entries") as connection:
            if not write_entries(connection, self._run_id, entries):
                raise out_of_sequence(entries[0].sequence, last_sequence(connection, self._run_id) + 1)

    def entries(self, after: int = 0) -> Iterator[LedgerEntry]:
        """Entries in sequence, those after number ``after``."""
        query = select(LEDGER).where(LEDGER.c.run_id == self._run_id, LEDGER.c.sequence > after)
        return self._connections.rows(query.order_by(LEDGER.c.sequence), rows.entry_of)

    def of_asset(self, asset: str) -> Iterator[LedgerEntry]:
        """Every movement of one asset."""
        query = select(LEDGER).where(LEDGER.c.run_id == self._run_id, LEDGER.c.asset == asset)
        return self._connections.rows(query.order_by(LEDGER.c.sequence), rows.entry_of)

    def of_order(self, order_id: str) -> Iterator[LedgerEntry]:
        """What one order has moved."""
        query = select(LEDGER).where(LEDGER.c.run_id == self._run_id, LEDGER.c.order_id == order_id)
        return self._connections.rows(query.order_by(LEDGER.c.sequence), rows.entry_of)

    def between(self, since_ns: int, until_ns: int) -> Iterator[LedgerEntry]:
        """Entries of a time, the end not included."""
        query = select(LEDGER).where(
            LEDGER.c.run_id == self._run_id, LEDGER.c.at_ns >= since_ns, LEDGER.c.at_ns < until_ns
        )
        return self._connections.rows(query.order_by(LEDGER.c.sequence), rows.entry_of)

    def of_orders_since(self, since_ns: int) -> Iterator[LedgerEntry]:
        """Entries of orders that were made, or booked, since then."""
        made = (
            select(table.c.order_id).where(table.c.run_id == self._run_id, table.c.created_ns >= since_ns)
            for table in (ORDERS, CHORES)
        )
        booked = select(LEDGER.c.order_id).where(
            LEDGER.c.run_id == self._run_id, LEDGER.c.at_ns >= since_ns, LEDGER.c.order_id.is_not(None)
        )
        query = select(LEDGER).where(LEDGER.c.run_id == self._run_id, LEDGER.c.order_id.in_(union_all(*made, booked)))
        # Sorted by a sum: for the order of the bare column SQLite would read the whole ledger by its key.
        return self._connections.rows(query.order_by(LEDGER.c.sequence + 0), rows.entry_of)

    def foreign_signatures(self) -> frozenset[str]:
        """Signatures of transactions of others that are booked."""
        query = select(LEDGER.c.signature).where(
            LEDGER.c.run_id == self._run_id, LEDGER.c.order_id.is_(None), LEDGER.c.signature.is_not(None)
        )
        with self._connections.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def last(self) -> LedgerEntry | None:
        """The newest entry."""
        query = select(LEDGER).where(LEDGER.c.run_id == self._run_id).order_by(LEDGER.c.sequence.desc()).limit(1)
        return next(self._connections.rows(query, rows.entry_of), None)

    def first_of(self, kind: EntryKind) -> LedgerEntry | None:
        """The oldest entry of a kind."""
        query = select(LEDGER).where(LEDGER.c.run_id == self._run_id, LEDGER.c.kind == kind.value)
        return next(iter(self._connections.all_rows(query.order_by(LEDGER.c.sequence).limit(1), rows.entry_of)), None)

    def moved_by_orders_of(self, mint: str, kinds: Sequence[EntryKind]) -> int:
        """Sum of what the orders that traded a coin have moved under these kinds."""
        orders = select(LEDGER.c.order_id).where(
            LEDGER.c.run_id == self._run_id, LEDGER.c.asset == mint, LEDGER.c.kind == EntryKind.TRADE_BASE.value
        )
        query = select(LEDGER.c.units).where(
            LEDGER.c.run_id == self._run_id,
            LEDGER.c.kind.in_([kind.value for kind in kinds]),
            LEDGER.c.order_id.in_(orders),
        )
        with self._connections.reading() as connection:
            return sum(connection.execute(query).scalars())

    def balances(self) -> dict[str, int]:
        """What is held by asset, exactly, however large; assets that were moved and are gone are 0."""
        return self._sums(true())

    def balance(self, asset: str) -> int:
        """What is held of one asset, exactly, however large."""
        query = select(BALANCES.c.units).where(BALANCES.c.run_id == self._run_id, BALANCES.c.asset == asset)
        with self._connections.reading() as connection:
            return sum(connection.execute(query).scalars())

    def held(self) -> dict[str, int]:
        """Balances without what is gone: as quick as few tokens are held, however many were ever traded."""
        return {asset: units for asset, units in self._sums(BALANCES.c.units != 0).items() if units}

    def totals(self) -> dict[tuple[str, EntryKind], int]:
        """Sum by asset and kind: what was ever paid in fees, put in, taken out."""
        query = select(BALANCES.c.asset, BALANCES.c.kind, BALANCES.c.units).where(BALANCES.c.run_id == self._run_id)
        with self._connections.reading() as connection:
            return {(asset, EntryKind(kind)): units for asset, kind, units in connection.execute(query)}

    def recount(self) -> dict[tuple[str, EntryKind], tuple[int, int]]:
        """(sum, number of entries) by asset and kind, counted anew from every entry: for checks, not for queries."""
        # A 64-bit sum of 64-bit numbers can overflow on the way even if it ends small: add both halves apart.
        high = func.sum(LEDGER.c.units.bitwise_rshift(literal_column("32", Integer)))
        low = func.sum(LEDGER.c.units.bitwise_and(literal_column("4294967295", Integer)))
        query = (
            select(LEDGER.c.asset, LEDGER.c.kind, high, low, func.count())
            .where(LEDGER.c.run_id == self._run_id)
            .group_by(LEDGER.c.asset, LEDGER.c.kind)
        )
        with self._connections.reading() as connection:
            return {
                (asset, EntryKind(kind)): ((int(above) << 32) + int(below), count)
                for asset, kind, above, below, count in connection.execute(query)
            }

    def counted(self) -> dict[tuple[str, EntryKind], tuple[int, int]]:
        """The stored (sum, number of entries); equal to ``recount`` or somebody else has written here."""
        query = select(BALANCES).where(BALANCES.c.run_id == self._run_id)
        with self._connections.reading() as connection:
            return {(row.asset, EntryKind(row.kind)): (row.units, row.entries) for row in connection.execute(query)}

    def _sums(self, which: ColumnElement[bool]) -> dict[str, int]:
        query = select(BALANCES.c.asset, BALANCES.c.units).where(BALANCES.c.run_id == self._run_id, which)
        sums: dict[str, int] = {}
        with self._connections.reading() as connection:
            for asset, units in connection.execute(query):
                sums[asset] = sums.get(asset, 0) + units
        return dict(sorted(sums.items()))


def check_follow_each_other(entries: Sequence[LedgerEntry]) -> None:
    """Raises StorageError for entries with a gap between them."""
    for before, entry in pairwise(entries):
        if entry.sequence != before.sequence + 1:
            raise out_of_sequence(entry.sequence, before.sequence + 1)


def out_of_sequence(came: int, expected: int) -> StorageError:
    return StorageError(
        f"ledger entry {came} came where {expected} is next", hint="entries are appended once, in sequence"
    )
