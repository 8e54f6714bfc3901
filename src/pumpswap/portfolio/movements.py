"""Movements: ledger entries that belong together, because one transaction or one post of ours made them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pumpswap.model import OWN_MONEY, SOL, EntryKind, ForeignKind, LedgerEntry

__all__ = [
    "RENT_KINDS",
    "Departure",
    "Movement",
    "capital_in",
    "departures",
    "movements",
    "rent_in",
]

RENT_KINDS = frozenset({EntryKind.RENT_PAID, EntryKind.RENT_RETURNED})
_BY_HAND = frozenset({ForeignKind.MANUAL_BUY.value, ForeignKind.MANUAL_SELL.value})


@dataclass(frozen=True, slots=True)
class Movement:
    """Entries in sequence, at least one, of one order, one foreign transaction or one post without either."""

    entries: tuple[LedgerEntry, ...]

    @property
    def first(self) -> LedgerEntry:
        """What all entries share is read here: order, signature, slot, time, note."""
        return self.entries[0]

    @property
    def last_sequence(self) -> int:
        """Number of the last entry."""
        return self.entries[-1].sequence

    @property
    def traded(self) -> LedgerEntry | None:
        """The entry of the tokens that an order bought or sold; None when it filled nothing."""
        return next((entry for entry in self.entries if entry.kind is EntryKind.TRADE_BASE), None)

    def lamports(self, without: Collection[EntryKind] = ()) -> int:
        """What it changed of SOL, but for some kinds."""
        return sum(entry.units for entry in self.entries if entry.asset == SOL and entry.kind not in without)

    def foreign_lamports(self) -> int:
        """What it changed of SOL without an order of ours and that is no cost."""
        return sum(e.units for e in self.entries if e.asset == SOL and e.kind is EntryKind.FOREIGN)


@dataclass(frozen=True, slots=True)
class Departure:
    """Tokens that left the wallet without an order of ours.

    ``proceeds_lamports`` is what they brought: the SOL of a sale by hand, else 0.
    """

    mint: str
    base_units: int
    proceeds_lamports: int = 0
    is_sale: bool = False

    def proceeds_of(self, base_units: int) -> int:
        """The part of the proceeds that belongs to ``base_units`` of them, rounded down."""
        return self.proceeds_lamports * base_units // self.base_units


def departures(movement: Movement) -> list[Departure]:
    """What left of which token by foreign entries. A sale by hand has a price when it was of one token."""
    left: dict[str, int] = {}
    for entry in movement.entries:
        if entry.kind is EntryKind.FOREIGN and entry.asset != SOL:
            left[entry.asset] = left.get(entry.asset, 0) - entry.units
    gone = [(mint, units) for mint, units in left.items() if units > 0]
    is_sale = movement.first.note == ForeignKind.MANUAL_SELL.value and len(gone) == 1
    proceeds = max(movement.foreign_lamports(), 0) if is_sale else 0
    return [Departure(mint, units, proceeds, is_sale) for mint, units in gone]


def rent_in(entries: Iterable[LedgerEntry]) -> int:
    """Lamports that these entries have put into deposits, less what came back."""
    return -sum(entry.units for entry in entries if entry.kind in RENT_KINDS)


def capital_in(entries: Iterable[LedgerEntry]) -> int:
    """Lamports that these entries have put in, less what they took out: deposits and withdrawals, and the SOL of what
    the owner trades by hand, since tokens of no position are none of our results. What positions were given of a sale
    by hand is in it: whoever books it takes that out again.
    """
    return sum(entry.units for entry in entries if entry.asset == SOL and _is_capital(entry))


def _is_capital(entry: LedgerEntry) -> bool:
    return entry.kind in OWN_MONEY or (entry.kind is EntryKind.FOREIGN and entry.note in _BY_HAND)


def movements(entries: Iterable[LedgerEntry]) -> Iterator[Movement]:
    """Group entries that are read in sequence. Only one movement is held at a time.

    An order moves once, a foreign transaction too. Posts without either (deposits, differences booked on the owner's
    word) end where the time or the note changes, or where the same asset comes again.
    """
    group: list[LedgerEntry] = []
    for entry in entries:
        if group and not _belongs(entry, group):
            yield Movement(tuple(group))
            group = []
        group.append(entry)
    if group:
        yield Movement(tuple(group))


def _belongs(entry: LedgerEntry, group: list[LedgerEntry]) -> bool:
    first = group[0]
    if (entry.order_id, entry.signature) != (first.order_id, first.signature):
        return False
    if entry.order_id or entry.signature:
        return True
    same_post = (entry.at_ns, entry.slot, entry.note) == (first.at_ns, first.slot, first.note)
    return same_post and all((entry.asset, entry.kind) != (other.asset, other.kind) for other in group)
