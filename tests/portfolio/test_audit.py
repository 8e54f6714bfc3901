"""The audit of stored books: silent about right ones, and whatever is changed in the database is named with numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import text

from pumpswap.errors import StorageError
from pumpswap.model import SOL, EquityPoint
from pumpswap.portfolio.audit import AuditReport, audit_run
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.run import Run
from tests.portfolio.random_books import Life
from tests.support.market import START_NS
from tests.support.postgres import fresh_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "books.sqlite") as opened:
        yield opened


@pytest.fixture
def life(database: Database) -> Life:
    """A wallet with two rounds in one pool, one in another, an adoption and a sale by hand."""
    lived = Life(database, 5)
    lived.live(14)
    assert lived.counts["fills"] > 3
    return lived


def changed(database: Database, statement: str) -> None:
    with database._connections.writing("a stranger's change") as connection:
        assert connection.execute(text(statement)).rowcount == 1


def found(life: Life, run: Run | None = None) -> set[tuple[str, str]]:
    report: AuditReport = audit_run(run or life.run)
    return {(difference.check, difference.where) for difference in report.differences}


def test_right_books_differ_in_nothing_and_everything_was_looked_at(life: Life) -> None:
    report = audit_run(life.run)
    assert (report.is_right, report.differences) == (True, ())
    assert report.entries == life.reference.entries
    assert report.trades == life.counts["fills"]
    assert report.rounds == len(life.reference.rounds)
    assert report.balances == life.reference.balances()


def test_books_without_an_entry_are_right(database: Database) -> None:
    report = audit_run(database.start_run("paper", START_NS))
    assert (report.is_right, report.entries, report.balances) == (True, 0, {})


def test_a_changed_sum_is_named_with_both_figures(life: Life, database: Database) -> None:
    kind = "deposit"
    units, entries = life.reference.sums[SOL, kind]
    changed(database, f"UPDATE pumpswap_balances SET units = units + 1 WHERE asset = 'SOL' AND kind = '{kind}'")
    (difference,) = audit_run(life.run).differences
    assert (difference.check, difference.where) == ("sum", SOL)
    assert difference.text == f"deposit: stored {units + 1} in {entries} entries, counted {units} in {entries}"


def test_a_changed_entry_is_a_wrong_sum_and_a_wrong_trade(life: Life, database: Database) -> None:
    fee = next(entry for entry in life.run.ledger() if entry.kind.value == "lp_fee")
    changed(database, f"UPDATE pumpswap_ledger SET units = units - 1 WHERE sequence = {fee.sequence}")
    assert {("sum", SOL), ("trade", fee.order_id)} <= found(life)
    assert any(check == "position" for check, _ in found(life))  # its cost is another then


def test_a_changed_position_is_named_field_by_field(life: Life, database: Database) -> None:
    one = next(iter(life.run.positions()))
    changed(
        database,
        "UPDATE pumpswap_positions SET realised_lamports = realised_lamports + 7"
        f" WHERE pair_address = '{one.pool}' AND round = {one.round}",
    )
    position, profit = audit_run(life.run).differences
    assert (position.check, position.where) == ("position", f"{one.pool} round {one.round}")
    assert position.text == f"realised_lamports stored {one.realised_lamports + 7}, derived {one.realised_lamports}"
    assert (profit.check, profit.where) == ("profit", SOL)


def test_a_missing_and_a_strange_position_are_told(life: Life, database: Database) -> None:
    one = list(life.run.positions())[-1]
    changed(
        database,
        f"UPDATE pumpswap_positions SET round = 77 WHERE pair_address = '{one.pool}' AND round = {one.round}",
    )
    told = {difference.where: difference.text for difference in audit_run(life.run).differences}
    assert told[f"{one.pool} round {one.round}"] == "made by the ledger, but not stored"
    assert told[f"{one.pool} round 77"] == "stored, but nothing in the ledger makes it"


def test_a_trade_that_is_gone_ends_the_comparison_of_positions_and_not_the_counting(
    life: Life, database: Database
) -> None:
    first = next(iter(life.run.trades()))
    changed(database, f"DELETE FROM pumpswap_trades WHERE order_id = '{first.order_id}'")
    (difference,) = audit_run(life.run).differences
    assert difference.check == "replay"
    assert first.order_id in difference.text
    assert audit_run(life.run).entries == life.reference.entries


def test_a_trade_whose_entries_say_otherwise_is_named(life: Life, database: Database) -> None:
    first = next(iter(life.run.trades()))
    changed(
        database,
        "UPDATE pumpswap_trades SET network_fee_lamports = network_fee_lamports + 1, slot = slot + 1"
        f" WHERE order_id = '{first.order_id}'",
    )
    texts = [difference.text for difference in audit_run(life.run).differences]
    assert texts[0].startswith("network_fee of SOL: ledger ")
    assert len(texts) == 2


def test_a_gap_in_the_ledger_is_named_once(life: Life, database: Database) -> None:
    gone = next(entry for entry in life.run.ledger() if entry.kind.value == "network_fee")
    changed(database, f"DELETE FROM pumpswap_ledger WHERE sequence = {gone.sequence}")
    told = [difference for difference in audit_run(life.run).differences if difference.check == "sequence"]
    assert [(one.where, one.text) for one in told] == [
        (f"entry {gone.sequence + 1}", f"entry {gone.sequence + 1} came where {gone.sequence} is next")
    ]


def test_a_balance_below_nothing_is_named(life: Life, database: Database) -> None:
    first = next(iter(life.run.ledger()))
    changed(database, f"UPDATE pumpswap_ledger SET units = -5 WHERE sequence = {first.sequence}")
    assert ("balance", SOL) in found(life)


def test_equity_that_was_never_there_is_named(life: Life) -> None:
    point = life.books.portfolio.equity_at(START_NS)
    life.run.equity.add(point)
    assert found(life) == set()
    life.run.equity.add(EquityPoint(START_NS + 1, point.cash_lamports + 1, 0, point.rent_lamports))
    assert found(life) == {("equity", SOL)}


def test_books_that_somebody_writes_to_meanwhile_are_right_at_their_moment(database: Database, tmp_path: Path) -> None:
    life, looks = Life(database, 11), 0
    trader = Thread(target=life.live, args=(25,))
    with open_database(tmp_path / "books.sqlite") as looking:
        run = looking.run(life.run.run_id)
        trader.start()
        while trader.is_alive():
            with suppress(StorageError):  # it may grow at every one of five beginnings: said, and nothing told wrongly
                assert audit_run(run).differences == ()
                looks += 1
        trader.join()
        assert looks > 3
        assert audit_run(run).entries == life.reference.entries > 50


def test_the_same_on_postgresql() -> None:
    with open_database(fresh_database()) as database:
        life = Life(database, 5)
        life.live(14)
        assert found(life) == set()
        changed(database, "UPDATE pumpswap_balances SET units = units + 1 WHERE asset = 'SOL' AND kind = 'deposit'")
        assert found(life) == {("sum", SOL)}
