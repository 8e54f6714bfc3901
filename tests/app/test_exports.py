"""Rows of an export: of one moment, one by one, whoever writes meanwhile; and costs that manual buys propose."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pumpswap.app.books import Books
from pumpswap.app.exports import COLUMNS, Export, Period, export_rows
from pumpswap.app.owning import proposed_cost
from pumpswap.model import SOL, Adoption, EntryKind, LedgerEntry, TradeSide
from pumpswap.storage import Database, Run, open_database
from tests.storage import samples
from tests.support.postgres import fresh_database

OPEN = Period()


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    return fresh_database() if request.param == "postgres" else tmp_path / "books.sqlite"


@pytest.fixture
def database(target: str | Path) -> Iterator[Database]:
    with open_database(target) as opened:
        yield opened


@pytest.fixture
def run(database: Database) -> Run:
    return database.start_run("test", 1_000)


def deposits(first: int, last: int) -> list[LedgerEntry]:
    return [samples.entry(number, number, at_ns=samples.NS + number) for number in range(first, last + 1)]


def sale(run: Run, number: int = 1) -> None:
    """A stored sale, its order and its decision."""
    quote = samples.sell_quote()
    run.save_decision(samples.decision(number))
    run.save_order(samples.order(number, side=TradeSide.SELL, quote=quote, base_units=quote.base_in, quote_lamports=0))
    run.save_outcome(samples.filled(number, executed=samples.sell_quote(user_quote_out=484_120_000)))


def test_an_export_is_of_the_moment_in_which_it_began(run: Run, target: str | Path) -> None:
    run.append_entries(deposits(1, 3_000))
    rows = export_rows(run, Export.LEDGER, OPEN)
    seen = [next(rows)]
    with open_database(target) as other:
        other.run(run.run_id).append_entries(deposits(3_001, 3_010))
    seen += rows
    assert [row["sequence"] for row in seen] == list(range(1, 3_001))
    assert len(list(export_rows(run, Export.LEDGER, OPEN))) == 3_010


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("test", 1_000)
        peaks = []
        for last in (2_000, 40_000):
            first = 1 if last == 2_000 else 2_001
            run.append_entries(deposits(first, last))
            tracemalloc.start()
            assert sum(1 for _ in export_rows(run, Export.LEDGER, OPEN)) == last
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def test_a_period_holds_its_beginning_and_not_its_end(run: Run) -> None:
    run.append_entries(deposits(1, 5))
    period = Period(samples.NS + 2, samples.NS + 4)
    assert [row["sequence"] for row in export_rows(run, Export.LEDGER, period)] == [2, 3]
    assert [row["sequence"] for row in export_rows(run, Export.LEDGER, Period(until_ns=samples.NS + 2))] == [1]
    assert [row["sequence"] for row in export_rows(run, Export.LEDGER, Period(since_ns=samples.NS + 5))] == [5]


def test_rows_have_the_columns_of_their_export(run: Run) -> None:
    run.append_entries(deposits(1, 1))
    sale(run)
    for export in (Export.LEDGER, Export.TRADES):
        (row,) = export_rows(run, export, OPEN)
        assert tuple(row) == COLUMNS[export]


def test_a_trade_says_what_the_wallet_got_and_what_latency_cost(run: Run) -> None:
    run.know_decimals(samples.MINT, 6)
    sale(run)
    (row,) = export_rows(run, Export.TRADES, OPEN)
    assert row["tokens"] == Decimal("900000")
    # 484 120 000 received, 35 000 paid to the network, 2 039 280 of rent deposited.
    assert row["wallet_change_lamports"] == 482_045_720
    assert row["wallet_change_sol"] == Decimal("0.482045720")
    assert row["price_sol_per_token"] == Decimal("5.37911111111E-7")
    assert row["slippage_bps"] == Decimal("200.00")
    assert row["time_utc"] == "2026-11-02T00:00:00Z"


def test_without_decimals_the_columns_for_people_stay_empty(run: Run) -> None:
    sale(run)
    (row,) = export_rows(run, Export.TRADES, OPEN)
    assert (row["base_decimals"], row["tokens"], row["price_sol_per_token"]) == (None, None, None)
    assert row["base_units"] == 900_000_000_000


# ---------------------------------------------------------------------------------------------- proposed costs


def bought_by_hand(run: Run, signature: str, units: int, lamports: int) -> None:
    """The ledger entries of a manual buy, a fee of 5 000 and a rent of 2 000 000 beside it."""
    last = run.books.last()
    number = last.sequence if last else 0
    moves = [
        (samples.MINT, units, EntryKind.FOREIGN),
        (SOL, -lamports, EntryKind.FOREIGN),
        (SOL, -5_000, EntryKind.NETWORK_FEE),
        (SOL, -2_000_000, EntryKind.RENT_PAID),
    ]
    run.append_entries(
        [
            samples.entry(number + place, moved, asset=asset, kind=kind, signature=signature, note="manual buy")
            for place, (asset, moved, kind) in enumerate(moves, 1)
        ]
    )


def adoption(units: int, **changes: int) -> Adoption:
    fields = {"at_ns": 1, "after_sequence": 0, "base_units": units, "cost_lamports": 0}
    return Adoption(pool=samples.POOL, mint=samples.MINT, **(fields | changes))


def test_the_proposed_cost_is_what_manual_buys_have_paid_without_rent_and_fees(run: Run, database: Database) -> None:
    books = Books(database, run, run.header())
    assert proposed_cost(books, adoption(100)) is None
    run.append_entries([samples.entry(1, 10**9)])
    bought_by_hand(run, "one", 100, 1_000_000)
    bought_by_hand(run, "two", 300, 2_000_000)
    assert proposed_cost(books, adoption(400)) == 3_000_000  # the fees are costs of upkeep already
    assert proposed_cost(books, adoption(100)) == 3_000_000 // 4
    assert proposed_cost(books, adoption(1_000)) == 3_000_000


def test_what_was_adopted_before_is_not_proposed_again(run: Run, database: Database) -> None:
    books = Books(database, run, run.header())
    bought_by_hand(run, "one", 100, 1_000_000)
    last = run.books.last()
    assert last is not None
    run.owned.adopt(adoption(100, after_sequence=last.sequence))
    assert proposed_cost(books, adoption(100)) is None
    bought_by_hand(run, "two", 300, 2_000_000)
    assert proposed_cost(books, adoption(300)) == 2_000_000
