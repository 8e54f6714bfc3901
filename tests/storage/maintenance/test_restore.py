"""A restore is all or nothing, also in the eyes of others, and crosses engines without a loss."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from pumpswap.errors import StorageError
from pumpswap.model import Decision, LedgerEntry, Mark, Order, Outcome, Position
from pumpswap.storage import Database, Run, open_database
from pumpswap.storage.engines import make_engine, write_options
from pumpswap.storage.maintenance import plan_restore, restore, write_backup
from pumpswap.storage.maintenance.backup_file import BackupFile, StoredTable
from pumpswap.storage.maintenance.filling import fill as fill_table
from pumpswap.storage.tables import ALERTS, ATTEMPTS, BALANCES, Q50_HISTORY
from tests.storage import samples, stranger, strategies
from tests.storage.maintenance.full_books import fill, stored
from tests.support.postgres import fresh_database

NOW = samples.NS
I64 = st.integers(-(2**63), 2**63 - 1)
LAST_DIGIT = 1e-18  # PostgreSQL's columns for people hold 18 decimals


@pytest.fixture
def backup(database: Database, target: str | Path, tmp_path: Path) -> Path:
    fill(database, target)
    return write_backup(target, tmp_path / "books.zip", NOW).path


def test_a_database_that_holds_something_is_left_alone_unless_it_is_to_be_replaced(
    backup: Path, other_target: str | Path
) -> None:
    with open_database(other_target) as database:
        database.start_run("precious", 0)
        database.start_run("precious", 1)
    before = stored(other_target)
    assert plan_restore(other_target, backup).removed == {"pumpswap_runs": 2}
    with pytest.raises(StorageError, match="is not empty: 2 rows in 1 tables") as refused:
        restore(other_target, backup)
    assert "--replace" in refused.value.hint
    assert stored(other_target) == before
    assert restore(other_target, backup, replace=True).removed == {"pumpswap_runs": 2}
    with open_database(other_target) as database:
        assert [header.kind for header in database.runs()] == ["live"]


def test_books_are_restored_over_themselves(backup: Path, database: Database, target: str | Path) -> None:
    before = stored(target)
    database.run(1).append_entries([samples.entry(4)])
    assert stored(target) != before
    restore(target, backup, replace=True)
    assert stored(target) == before


def test_an_empty_database_of_ours_needs_no_replacing(
    backup: Path, other_target: str | Path, target: str | Path
) -> None:
    open_database(other_target).close()
    restore(other_target, backup)
    assert stored(other_target) == stored(target)


def test_readers_see_the_books_of_before_until_all_is_there(
    backup: Path, database: Database, target: str | Path
) -> None:
    run = database.run(1)
    run.append_entries([samples.entry(number) for number in range(4, 2_500)])
    reader = run.ledger()
    assert next(reader).sequence == 1
    restore(target, backup, replace=True)
    assert sum(1 for _ in reader) == 2_498
    assert sum(1 for _ in run.ledger()) == 3


def test_a_restore_that_fails_changes_nothing(
    backup: Path, other_target: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(other_target) as database:
        database.start_run("precious", 0)
    before = stored(other_target)

    def fail(connection: Connection, backup: BackupFile, stored: StoredTable) -> None:
        if stored.name == "pumpswap_ledger":
            raise OSError("the disk is full")
        fill_table(connection, backup, stored)

    with monkeypatch.context() as patched:
        patched.setattr("pumpswap.storage.maintenance.restoration.fill", fail)
        with pytest.raises(OSError, match="disk is full"):
            restore(other_target, backup, replace=True)
    assert stored(other_target) == before


def test_a_key_to_a_row_that_the_host_does_not_have_becomes_null(
    database: Database, postgresql_url: str, target: str | Path, tmp_path: Path
) -> None:
    fill(database, target)
    stranger.execute(
        target, "INSERT INTO q50_trading_history (run_id, pool_id, timestamp) VALUES (1, 'solana_Unknown', 1)"
    )
    path = write_backup(target, tmp_path / "books.zip", NOW).path
    open_database(postgresql_url).close()
    keys = [
        f"ALTER TABLE {table} ADD FOREIGN KEY (pool_id) REFERENCES pools (id) ON DELETE SET NULL"
        for table in ("pumpswap_trades", "pumpswap_positions", "q50_trading_history")
    ]
    stranger.execute(
        postgresql_url,
        "CREATE TABLE pools (id VARCHAR(80) PRIMARY KEY)",
        "INSERT INTO pools VALUES ('solana_Pool1111')",
        *keys,
    )
    restore(postgresql_url, path)
    shown = stranger.query(postgresql_url, "SELECT pool_id FROM q50_trading_history ORDER BY id")
    assert shown == [("solana_Pool1111",), (None,)]
    assert stranger.query(postgresql_url, "SELECT pool_id FROM pumpswap_trades") == [("solana_Pool1111",)]


# ---------------------------------------------------------------- from one engine to the other


class Three(NamedTuple):
    """Where the books travel: SQLite, PostgreSQL, SQLite."""

    first: Path
    server: str
    last: Path
    folder: Path
    database: Database


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    folder = tmp_path_factory.mktemp("travel")
    first = folder / "first.sqlite"
    with open_database(first) as database:
        yield Three(first, fresh_database(), folder / "last.sqlite", folder, database)


def travel(three: Three) -> None:
    """From the first to the server to the last."""
    for source, goal in ((three.first, three.server), (three.server, three.last)):
        path = write_backup(source, three.folder / "travel.zip", NOW).path
        restore(goal, path, replace=True)


@settings(max_examples=8)
@given(
    story=strategies.stories(),
    entries=strategies.ledgers(),
    position=strategies.positions,
    marks=st.lists(strategies.marks, max_size=3),
    seed=st.integers(-(2**200), 2**200),
)
def test_what_the_books_take_comes_back_equal_over_postgresql(
    three: Three,
    story: tuple[Decision, Order, Outcome],
    entries: list[LedgerEntry],
    position: Position,
    marks: list[Mark],
    seed: int,
) -> None:
    run = three.database.start_run("travel", 0, seed)
    decision, order, outcome = story
    with run.batch():
        run.save_decision(decision)
        run.save_order(order)
        run.save_outcome(outcome)
        run.append_entries(entries)
        run.save_position(position)
        for mark in marks:
            run.save_mark(mark)
    before = everything(run)
    travel(three)
    for target in (three.server, three.last):
        with open_database(target) as database:
            assert everything(database.run(run.run_id)) == before
    compare(stored(three.first), stored(three.last))


def everything(run: Run) -> list[object]:
    readers = (run.decisions, run.orders, run.outcomes, run.trades, run.ledger, run.positions, run.marks)
    return [run.header(), run.books.counted(), *([*reader()] for reader in readers)]


def compare(first: dict[str, list[tuple[Any, ...]]], last: dict[str, list[tuple[Any, ...]]]) -> None:
    """Equal in every value; figures for people to their last decimal."""
    assert first.keys() == last.keys()
    for table, rows in first.items():
        assert len(rows) == len(last[table])
        for one, other in zip(rows, last[table], strict=True):
            for value, again in zip(one, other, strict=True):
                is_figure = isinstance(value, float) or isinstance(again, float)
                assert again == (pytest.approx(value, rel=1e-15, abs=LAST_DIGIT) if is_figure else value), table


raw_rows = st.fixed_dictionaries(
    {
        "units": st.integers(-(10**77), 10**77),
        "entries": I64,
        "raw": st.binary(max_size=300),
        "timestamp": I64,
        "q50_signal": st.floats(-1e6, 1e6),
        "pool_id": st.none() | strategies.texts,
        "created_at": st.none() | st.datetimes(),
        "text": strategies.texts,
        "acknowledged_ns": st.none() | I64,
    }
)


@settings(max_examples=12)
@given(row=raw_rows)
def test_every_kind_of_column_comes_back_equal_over_postgresql(three: Three, row: dict[str, Any]) -> None:
    run_id = three.database.start_run("raw", 0).run_id
    engine = make_engine(three.first)
    with engine.connect().execution_options(**write_options(engine)) as connection, connection.begin():
        sums = {"asset": "a", "kind": "b", "units": row["units"], "entries": row["entries"]}
        connection.execute(insert(BALANCES), {"run_id": run_id} | sums)
        numbers = dict.fromkeys(
            [column.name for column in ATTEMPTS.columns if column.name.endswith(("s", "t", "r"))], 1
        )
        texts = {"order_id": "o", "signature": f"{run_id}", "blockhash": "", "state": "sent", "note": row["text"]}
        numbers |= {"created_ns": 1, "created_slot": 1, "last_valid_block_height": 1, "number": 1, "run_id": run_id}
        numbers |= {"compute_unit_limit": 1, "compute_unit_price_micro_lamports": 1, "tip_lamports": 1}
        connection.execute(insert(ATTEMPTS), numbers | texts | {"raw": row["raw"]})
        names = ("timestamp", "q50_signal", "pool_id", "created_at")
        connection.execute(insert(Q50_HISTORY), {"run_id": run_id} | {name: row[name] for name in names})
        alert = {"at_ns": row["timestamp"], "level": "info", "topic": "t", "subject": row["text"], "text": row["text"]}
        connection.execute(insert(ALERTS), {"run_id": run_id, "acknowledged_ns": row["acknowledged_ns"]} | alert)
    engine.dispose()
    travel(three)
    compare(stored(three.first), stored(three.last))
    engine = make_engine(three.server)
    with engine.connect() as connection:
        units = connection.execute(select(BALANCES.c.units).where(BALANCES.c.run_id == run_id)).scalar()
    engine.dispose()
    assert units == row["units"]


def test_figures_of_postgresql_lose_nothing_that_a_float_holds(postgresql_url: str, tmp_path: Path) -> None:
    with open_database(postgresql_url) as database:
        database.start_run("test", 0)
    stranger.execute(
        postgresql_url, "INSERT INTO q50_trading_history (timestamp, q50_signal) VALUES (1, 0.123456789012345678)"
    )
    path = write_backup(postgresql_url, tmp_path / "books.zip", NOW).path
    restore(tmp_path / "books.sqlite", path)
    again = fresh_database()
    restore(again, path)
    query = "SELECT q50_signal FROM q50_trading_history"
    assert stranger.query(tmp_path / "books.sqlite", query) == [(0.123456789012345678,)]
    assert stranger.query(again, query) == [(Decimal("0.123456789012345678"),)]


def test_hostile_texts_survive_between_files_and_lose_only_their_nul_on_postgresql(
    sqlite_file: Path, postgresql_url: str, tmp_path: Path
) -> None:
    hostile = "a\0b \u202e \U0001f4a9 '; DROP TABLE pumpswap_runs; -- \n\r\t\\ \x7f \ufeff \uffff"
    with open_database(sqlite_file) as database:
        run = database.start_run("test", 0)
        run.save_position(samples.position(name=hostile + "\ud800"))
        engine = make_engine(sqlite_file)
        with engine.connect().execution_options(**write_options(engine)) as connection, connection.begin():
            row = {"at_ns": 1, "level": "info", "topic": "t", "subject": hostile, "text": ""}
            connection.execute(insert(ALERTS), row)
        engine.dispose()
    path = write_backup(sqlite_file, tmp_path / "books.zip", NOW).path
    restore(tmp_path / "copy.sqlite", path)
    restore(postgresql_url, path)
    cleaned = hostile.replace("\0", "\ufffd")
    for target, text in ((tmp_path / "copy.sqlite", hostile), (postgresql_url, cleaned)):
        assert stranger.query(target, "SELECT subject FROM pumpswap_alerts") == [(text,)]
        with open_database(target) as database:
            assert [position.name for position in database.run(1).positions()] == [cleaned + "\ufffd"]
