"""The check finds whatever is wrong with a database, and nothing wrong with a right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.errors import NotFound, StorageError
from pumpswap.storage import Database, migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.maintenance import Finding, Status, check
from tests.storage import stranger
from tests.storage.maintenance.full_books import fill, stored

INVARIANTS = ("ledger", "sums", "orders", "trades", "attempts", "positions")


def found(target: str | Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in check(target)}


def test_full_books_are_sound_and_stay_as_they_are(database: Database, target: str | Path, backend: str) -> None:
    fill(database, target)
    before = stored(target)
    findings = found(target)
    first = ("file", "keys") if backend == "sqlite" else ("fsync", "full_page_writes", "synchronous_commit", "keys")
    assert tuple(findings) == ("revision", *first, *INVARIANTS)
    assert {finding.status for finding in findings.values()} == {Status.OK}
    assert {finding.hint for finding in findings.values()} == {""}
    assert stored(target) == before


def test_empty_books_are_sound(database: Database, target: str | Path) -> None:
    assert {finding.status for finding in check(target)} == {Status.OK}


FREE = {  # what the database itself forbids: a stranger would have to take that away first
    "sqlite": ("PRAGMA foreign_keys = OFF", "DROP INDEX {index}"),
    "postgresql": ("SET session_replication_role = replica", "DROP INDEX {index}"),
}
TAMPERED = [
    ("ledger", "DELETE FROM pumpswap_ledger WHERE sequence = 2", "run 1 has 2 entries, numbered 1 to 3"),
    (
        "sums",
        "UPDATE pumpswap_ledger SET units = units - 1 WHERE sequence = 1",
        "deposit of SOL is 18446744073709551613",
    ),
    ("sums", "UPDATE pumpswap_balances SET entries = 9 WHERE asset = 'M'", "noted is -5 in 9"),
    ("sums", "DELETE FROM pumpswap_balances WHERE asset = 'M'", "noted is 0 in 0"),
    ("orders", "UPDATE pumpswap_orders SET outcome_ns = NULL WHERE order_id = 'o000001'", "o000001 of run 1 is filled"),
    ("orders", "UPDATE pumpswap_orders SET outcome_ns = 5 WHERE order_id = 'o000002'", "o000002 of run 1 is pending"),
    ("trades", "DELETE FROM pumpswap_trades", "o000001 of run 1 is filled and not traded"),
    ("trades", "UPDATE pumpswap_orders SET status = 'denied', outcome = '{}' WHERE id = 1", "is traded and not filled"),
    ("trades", "DELETE FROM pumpswap_orders WHERE order_id = 'o000001'", "is traded and is not stored"),
    (
        "attempts",
        "DELETE FROM pumpswap_orders WHERE order_id = 'o000002'",
        "an attempt of o000002 of run 1 belongs to no",
    ),
    ("attempts", "UPDATE pumpswap_attempts SET number = 2 WHERE id = 1", "1 attempts, numbered 2 to 2"),
]


@pytest.mark.parametrize(("name", "statement", "text"), TAMPERED)
def test_whatever_was_changed_by_hand_is_found(
    database: Database, target: str | Path, backend: str, name: str, statement: str, text: str
) -> None:
    fill(database, target)
    stranger.execute(target, FREE[backend][0], statement)
    finding = found(target)[name]
    assert (finding.status, text in finding.text) == (Status.FAILED, True), finding
    assert "db restore" in finding.hint


def test_a_second_open_round_is_found(database: Database, target: str | Path) -> None:
    fill(database, target)
    columns = [name for name in stranger.columns_of(target, "pumpswap_positions") if name not in ("id", "round")]
    names = ", ".join(columns)
    copy = f"INSERT INTO pumpswap_positions (round, {names}) SELECT 2, {names} FROM pumpswap_positions"
    stranger.execute(target, "DROP INDEX ix_pumpswap_positions_open", copy)
    finding = found(target)["positions"]
    assert (finding.status, finding.text) == (Status.FAILED, "pool Pool1111 of run 1 has 2 open rounds")


def test_rows_that_belong_to_nothing_are_found_on_sqlite(sqlite_file: Path) -> None:
    with open_database(sqlite_file) as database:
        fill(database, sqlite_file)
    stranger.execute(sqlite_file, "PRAGMA foreign_keys = OFF", "UPDATE pumpswap_marks SET run_id = 9")
    finding = found(sqlite_file)["keys"]
    assert (finding.status, finding.text) == (
        Status.FAILED,
        "row 1 of pumpswap_marks belongs to nothing in pumpswap_runs",
    )


def test_a_damaged_file_is_found(sqlite_file: Path) -> None:
    with open_database(sqlite_file) as database:
        run = fill(database, sqlite_file)
        for number in range(300):
            database.start_run("x" * 100, number)
        assert run.run_id == 1
    content = bytearray(sqlite_file.read_bytes())
    for at in range(len(content) // 2, len(content), 4_096):
        content[at : at + 64] = bytes(64)
    sqlite_file.write_bytes(content)
    try:
        findings = list(check(sqlite_file))
    except StorageError as error:
        findings = [Finding("file", Status.FAILED, error.what, error.hint)]
    assert any(finding.name == "file" and finding.status is Status.FAILED and finding.hint for finding in findings)


def test_an_older_revision_is_told_and_left_as_it_is(target: str | Path) -> None:
    engine = make_engine(target)
    migrate.upgrade(engine, "0002")
    finding = found(target)["revision"]
    assert (finding.status, finding.hint) == (Status.WARNING, "bring it forward: pumpswap db upgrade")
    assert set(found(target)).isdisjoint(INVARIANTS)
    assert migrate.current(engine) == "0002"
    engine.dispose()


def test_what_is_not_there_is_not_made(target: str | Path, sqlite_file: Path) -> None:
    with pytest.raises(NotFound) as missing:
        list(check(target))
    assert missing.value.hint
    assert not sqlite_file.exists()
    assert stranger.is_postgresql(target) is False or stranger.tables(target) == set()


def test_a_server_that_may_lose_commits_is_warned_about(postgresql_url: str) -> None:
    open_database(postgresql_url).close()
    (name,) = stranger.query(postgresql_url, "SELECT current_database()")[0]
    stranger.execute(postgresql_url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    finding = found(postgresql_url)["synchronous_commit"]
    assert (finding.status, finding.hint) == (Status.WARNING, "set it to on in postgresql.conf")
    assert finding.text.startswith("off: pumpswap switches it on for itself")
