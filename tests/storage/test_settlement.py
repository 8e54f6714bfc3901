"""A fill in one piece is stored as its parts are, one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from pumpswap.errors import AmountOutOfRange, StorageError
from pumpswap.model import EntryKind, RealisedGain
from pumpswap.storage import Database, Run
from pumpswap.storage.settlement import Settlement
from pumpswap.storage.tables import BALANCES, LEDGER, ORDERS, POSITIONS, TRADES
from tests.storage import samples

TABLES = (ORDERS, TRADES, LEDGER, BALANCES, POSITIONS)


def settlement(**changes: Any) -> Settlement:
    """The fill of the sample order: nine entries, a new position."""
    kinds = [EntryKind.TRADE_QUOTE, EntryKind.LP_FEE, EntryKind.PROTOCOL_FEE, EntryKind.CREATOR_FEE]
    kinds += [EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE, EntryKind.TIP, EntryKind.RENT_PAID]
    told: dict[str, Any] = {"order_id": "o000001", "signature": "s", "slot": 7}
    entries = [samples.entry(number, -number, kind=kind, **told) for number, kind in enumerate(kinds, 2)]
    entries.append(samples.entry(10, 5, kind=EntryKind.TRADE_BASE, asset=samples.MINT, **told))
    fields: dict[str, Any] = {
        "order": samples.order(),
        "filled": samples.filled(),
        "gain": None,
        "entries": entries,
        "position": samples.position(),
    }
    return Settlement(**{**fields, **changes})


def begun(database: Database, **decision: Any) -> Run:
    run = database.start_run("test", 0)
    run.save_decision(samples.decision(**decision))
    run.save_order(samples.order())
    run.append_entries([samples.entry(1, 10**12)])
    return run


def contents(database: Database, run: Run) -> list[list[dict[str, Any]]]:
    """Every row of the run, without the numbers that the database gives."""
    found = []
    with database._connections.reading() as connection:
        for table in TABLES:
            rows = connection.execute(select(table).where(table.c.run_id == run.run_id)).mappings()
            plain = [{name: row[name] for name in row if name not in ("id", "run_id")} for row in rows]
            found.append(sorted(plain, key=str))
    return found


def in_parts(run: Run, one: Settlement) -> None:
    with run.batch():
        assert run.save_outcome(one.filled, one.gain)
        run.append_entries(one.entries)
        run.save_position(one.position)


@pytest.mark.parametrize("decimals", [None, 6])
def test_at_once_is_as_in_parts(database: Database, decimals: int | None) -> None:
    gain = RealisedGain(-5, 3, 7_200 * 10**9)
    for one in (settlement(), settlement(gain=gain)):
        ours, theirs = begun(database), begun(database)
        for run in (ours, theirs):
            if decimals is not None:
                run.know_decimals(samples.MINT, decimals)
        ours.settle(one)
        in_parts(theirs, one)
        assert contents(database, ours) == contents(database, theirs)
        assert [*ours.trades()] == [one.filled] and [*ours.positions()] == [one.position]
        assert ours.books.recount() == ours.books.counted()


@pytest.mark.parametrize("score", [float("nan"), 1e21, -1e21, 82.5, 0.0])
def test_figures_of_the_signal_are_those_of_its_decision(database: Database, score: float) -> None:
    intent = replace(samples.decision().intent, signal=replace(samples.SIGNAL, score=score, strength=-score))
    ours, theirs = begun(database, intent=intent), begun(database, intent=intent)
    ours.settle(settlement())
    in_parts(theirs, settlement())
    assert contents(database, ours) == contents(database, theirs)


def test_a_round_that_goes_on_is_replaced(database: Database) -> None:
    ours, theirs = begun(database), begun(database)
    for run in (ours, theirs):
        run.save_position(samples.position(base_units=1, buys=0))
    ours.settle(settlement())
    in_parts(theirs, settlement())
    assert contents(database, ours) == contents(database, theirs)


def test_an_order_that_has_ended_is_not_filled_again(database: Database) -> None:
    run = begun(database)
    run.settle(settlement())
    before = contents(database, run)
    again = [replace(entry, sequence=entry.sequence + 9) for entry in settlement().entries]
    with pytest.raises(StorageError, match="has ended already"):
        run.settle(settlement(entries=again))
    with pytest.raises(StorageError, match="is not stored"):
        run.settle(settlement(order=samples.order(5), filled=samples.filled(5), entries=again))
    assert contents(database, run) == before


@pytest.mark.parametrize("shift", [-1, 1])
def test_entries_that_do_not_follow_are_refused_with_all_the_rest(database: Database, shift: int) -> None:
    run = begun(database)
    before = contents(database, run)
    shifted = [replace(entry, sequence=entry.sequence + shift) for entry in settlement().entries]
    with pytest.raises(StorageError, match=rf"ledger entry {2 + shift} came where 2 is next"):
        run.settle(settlement(entries=shifted))
    gap = [*settlement().entries[:3], *settlement().entries[4:]]
    with pytest.raises(StorageError, match="ledger entry 6 came where 5 is next"):
        run.settle(settlement(entries=gap))
    assert contents(database, run) == before


def test_what_the_books_cannot_hold_leaves_nothing(database: Database) -> None:
    run = begun(database)
    before = contents(database, run)
    for one in (
        settlement(filled=samples.filled(executed=samples.buy_quote(total_quote=2**63))),
        settlement(position=samples.position(cost_lamports=2**63)),
        settlement(entries=[*settlement().entries[:-1], samples.entry(10, 2**63)]),
    ):
        with pytest.raises(AmountOutOfRange):
            run.settle(one)
    assert contents(database, run) == before
