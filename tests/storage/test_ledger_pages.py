"""LedgerPages: every entry once, whatever is asked for; what is rare is found without reading all of it at once."""

from __future__ import annotations

import pytest

from pumpswap.model import SOL, EntryKind, LedgerEntry
from pumpswap.storage import Database, Run, ledger_pages
from pumpswap.storage.ledger_pages import LedgerPages, LedgerWish
from tests.storage import samples

KINDS = (EntryKind.LP_FEE, EntryKind.TRADE_QUOTE, EntryKind.TIP)
COUNT = 60


@pytest.fixture
def run(database: Database) -> Run:
    made = database.start_run("paper", samples.NS)
    for number in range(1, COUNT // 3 + 1):
        made.save_decision(samples.decision(number))
        made.save_order(samples.order(number))
    made.append_entries([entry(number) for number in range(1, COUNT + 1)])
    other = database.start_run("paper", samples.NS)
    other.append_entries([samples.entry(1), samples.entry(2)])
    return made


def entry(number: int) -> LedgerEntry:
    """The first is a deposit; then three of each order."""
    kind = EntryKind.DEPOSIT if number == 1 else KINDS[number % 3]
    asset = "M" if number % 5 == 0 else SOL
    order = "" if number == 1 else f"o{(number + 2) // 3:06d}"
    return samples.entry(number, number, kind=kind, asset=asset, order_id=order, at_ns=samples.NS + number)


def joined(pages: LedgerPages, wish: LedgerWish, most: int) -> list[LedgerEntry]:
    found, before = list[LedgerEntry](), None
    for _ in range(10 * COUNT):
        page, before = pages.page(wish, most, before)
        assert len(page) <= most
        found += page
        if before is None:
            return found
    raise AssertionError("it never ends")


WISHES = (LedgerWish(), LedgerWish(EntryKind.TIP), LedgerWish(EntryKind.DEPOSIT), LedgerWish(EntryKind.RENT_PAID),
          LedgerWish(asset="M"), LedgerWish(EntryKind.TIP, SOL), LedgerWish(asset="none"),
          LedgerWish(order_id="o000003"), LedgerWish(order_id="none"), LedgerWish(since_ns=samples.NS + 41),
          LedgerWish(EntryKind.TIP, SOL, "", samples.NS + 9), LedgerWish(since_ns=samples.NS + COUNT + 1))  # fmt: skip


def is_wished(wish: LedgerWish, one: LedgerEntry) -> bool:
    kind, asset, order_id = wish.kind in (None, one.kind), wish.asset in ("", one.asset), wish.order_id
    return kind and asset and order_id in ("", one.order_id) and one.at_ns >= wish.since_ns


def test_pages_join_to_what_was_asked_for(database: Database, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pages, newest = database.ledger_pages(run.run_id), [entry(number) for number in range(COUNT, 0, -1)]
    for window, most in ((7, 4), (7, 100), (10_000, 4)):
        monkeypatch.setattr(ledger_pages, "_WINDOW", window)
        for wish in WISHES:
            assert joined(pages, wish, most) == [one for one in newest if is_wished(wish, one)], (window, most, wish)


def test_a_run_without_entries_has_none(database: Database) -> None:
    run = database.start_run("paper", samples.NS)
    assert database.ledger_pages(run.run_id).page(LedgerWish(), 5) == ([], None)
