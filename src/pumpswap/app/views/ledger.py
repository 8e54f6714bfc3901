"""The ledger: the entries behind a figure, each with the order that moved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.app.views.page import Page, PageWish, place_text
from pumpswap.app.views.sight import RunFacts, Sight
from pumpswap.errors import UsageError
from pumpswap.model import SOL, EntryKind, LedgerEntry
from pumpswap.storage.browse import Place
from pumpswap.storage.ledger_pages import LedgerWish

__all__ = ["Ledger", "LedgerFilter", "LedgerRow", "ledger"]

_LONGEST = 64
_MOST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which entries; what is None or empty does not matter. ``asset``: ``SOL`` or a mint. ``order``: an order's id."""

    kind: EntryKind | None = None
    asset: str = ""
    order: str = ""
    since_ns: int = 0

    def __post_init__(self) -> None:
        """Raises UsageError for what cannot be the name of anything."""
        for text in (self.asset, self.order):
            if len(text) > _LONGEST or not text.isprintable():
                raise UsageError(
                    "that is no asset, or no id of an order", hint="`SOL`, a mint, or as the lists have it"
                )
        if not 0 <= self.since_ns <= _MOST_NS:
            raise UsageError("that is no moment", hint="`since` is a time in nanoseconds")


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """``units`` are signed: lamports for SOL, raw units for a mint. ``decimals`` are the mint's, where they are known.
    ``note`` says what a movement without an order of ours was.
    """

    sequence: int
    at_ns: int
    kind: EntryKind
    asset: str
    decimals: int | None
    units: int
    slot: int
    order_id: str
    signature: str
    note: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """``sums`` are over all entries of the asset, by kind, where one asset is asked for and nothing narrower: what the
    figures are that have led here.
    """

    run: RunFacts
    as_of_ns: int
    filter: LedgerFilter
    sums: Mapping[EntryKind, int]
    rows: Page[LedgerRow]


def ledger(sight: Sight, chosen: LedgerFilter | None = None, wish: PageWish | None = None) -> Ledger:
    """One page, the newest first; a page may be shorter than it could be, and go on all the same."""
    chosen, wish = chosen or LedgerFilter(), wish or PageWish()
    pages = sight.books.database.ledger_pages(sight.facts.run_id)
    before = None if wish.before is None else wish.before.number
    wanted = LedgerWish(chosen.kind, chosen.asset, chosen.order, chosen.since_ns)
    found, below = pages.page(wanted, wish.size, before)
    history = sight.books.run.history
    decimals = {mint: history.decimals(mint) for mint in {one.asset for one in found} - {SOL}}
    last_ns = found[-1].at_ns if found else sight.as_of_ns
    rows = tuple(_row(one, decimals.get(one.asset)) for one in found)
    after = None if below is None else place_text(Place(max(last_ns, 0), below))
    return Ledger(sight.facts, sight.as_of_ns, chosen, _sums(sight, chosen), Page(rows, after))


def _row(entry: LedgerEntry, decimals: int | None) -> LedgerRow:
    return LedgerRow(
        entry.sequence, entry.at_ns, entry.kind, entry.asset, decimals, entry.units, entry.slot, entry.order_id,
        entry.signature, entry.note,
    )  # fmt: skip


def _sums(sight: Sight, chosen: LedgerFilter) -> dict[EntryKind, int]:
    if not chosen.asset or chosen.order or chosen.since_ns:
        return {}
    moved = sight.browse.moved(chosen.asset)
    return {kind: units for kind, units in moved.items() if units and chosen.kind in (None, kind)}
