"""``pumpswap db``: check, backup, restore, revisions, space."""

from __future__ import annotations

from pathlib import Path

import pytest
from solders.keypair import Keypair

from pumpswap.sdk.wallet_lock import WalletLock
from pumpswap.settings import DATABASE_FILE
from pumpswap.storage import migrate, open_database
from pumpswap.storage.tables import METADATA
from tests.cli.running import answer, refusal, run
from tests.storage import stranger
from tests.storage.maintenance.full_books import fill, stored
from tests.support.postgres import fresh_database


@pytest.fixture(autouse=True)
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of the settings, with full books in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "data" / DATABASE_FILE
    with open_database(path) as database:
        fill(database, path)
    return path


def test_a_sound_database_is_told_line_by_line(books: Path) -> None:
    result = run("db", "check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "✓ sums              the stored sums are those of the ledger\n" in result.stdout
    document = answer("db", "check")
    assert document["healthy"] is True
    assert {check["status"] for check in document["checks"]} == {"ok"}


def test_books_that_disagree_end_with_one_and_say_what_to_do(books: Path) -> None:
    stranger.execute(books, "UPDATE pumpswap_ledger SET units = units + 1 WHERE sequence = 3")
    result = run("db", "check")
    assert result.exit_code == 1
    assert "✗ sums              run 1: deposit of M is -4 in 1 entries, noted is -5 in 1\n" in result.stdout
    assert "pumpswap db restore" in result.stdout


def test_books_travel_to_a_server_and_back(books: Path, tmp_path: Path) -> None:
    server = fresh_database()
    written = answer("db", "backup", "books.zip")
    assert written["tables"]["pumpswap_orders"] == "2"
    assert written["path"] == str(tmp_path / "books.zip")
    assert answer("db", "restore", "books.zip", server)["removed"] == {}
    assert answer("db", "check", server)["healthy"] is True
    run("db", "backup", "server.zip", server)
    before = stored(books)
    shown = run("db", "restore", "server.zip", "again.sqlite")
    rows = sum(map(int, written["tables"].values()))
    assert f"again.sqlite: {rows} rows restored, as of 20" in shown.stdout
    assert [header.kind for header in open_database("again.sqlite").runs()] == ["live"]
    assert stored(books) == before


def test_nothing_is_replaced_without_a_yes(books: Path) -> None:
    answer("db", "backup", "books.zip")
    before = stored(books)
    assert "is not empty" in refusal(1, "db", "restore", "books.zip")["what"]
    assert "needs --yes" in run("db", "restore", "books.zip", "--replace", "--json").stdout
    refused = run("db", "restore", "books.zip", "--replace", input="n\n")
    assert refused.exit_code == 130
    assert "pumpswap_orders                       2 rows" in refused.stdout
    assert stored(books) == before
    stranger.execute(books, "DELETE FROM pumpswap_marks")
    replaced = run("db", "restore", "books.zip", "--replace", input="y\n")
    assert replaced.exit_code == 0, replaced.output
    assert stored(books) == before


def test_a_downgrade_shows_what_goes_and_asks(books: Path) -> None:
    refused = run("db", "downgrade", "0002", input="n\n")
    assert refused.exit_code == 130
    assert "table   pumpswap_balances                     2 rows" in refused.stdout
    assert "column  pumpswap_ledger.note                  0 filled" in refused.stdout
    assert stored(books)["pumpswap_balances"]
    document = answer("db", "downgrade", "base", "--yes")
    assert (document["before"], document["after"]) == (migrate.HEAD, "base")
    assert document["tables"]["pumpswap_orders"] == "2"
    assert stranger.tables(books) == set()
    assert answer("db", "upgrade")["before"] is None
    assert stranger.tables(books) == {*METADATA.tables, migrate.VERSION_TABLE}
    assert run("db", "upgrade").stdout == f"{books}: at revision {migrate.HEAD}, the newest\n"


@pytest.mark.parametrize("command", [("restore", "books.zip", "--replace"), ("downgrade", "0002")])
def test_nothing_is_taken_away_under_a_trader(books: Path, command: tuple[str, ...]) -> None:
    wallet = Keypair.from_seed(bytes(32)).pubkey()
    with open_database(books) as database:
        database.start_run("live", 1, wallet=str(wallet), network="net")
    assert run("db", "backup", "books.zip").exit_code == 0
    before = stored(books)
    lock = WalletLock(books.parent / "locks", wallet)
    lock.take()
    assert f"another process is trading with wallet {wallet}" in refusal(1, "db", *command, "--yes")["what"]
    assert stored(books) == before
    lock.release()
    assert run("db", *command, "--yes").exit_code == 0


def test_a_vacuum_tells_both_sizes(books: Path) -> None:
    document = answer("db", "vacuum")
    assert int(document["before_bytes"]) >= int(document["after_bytes"]) == books.stat().st_size


def test_mistakes_are_named(books: Path, tmp_path: Path) -> None:
    assert refusal(3, "db", "check", "nothing.sqlite")["code"] == "not_found"
    assert not (tmp_path / "nothing.sqlite").exists()
    assert refusal(3, "db", "restore", "nothing.zip")["code"] == "not_found"
    assert refusal(1, "db", "restore", str(books), "new.sqlite")["code"] == "bad_input"
    assert not (tmp_path / "new.sqlite").exists()
    assert refusal(1, "db", "backup", str(books))["code"] == "storage_error"
    assert refusal(2, "db", "downgrade", "0099")["code"] == "usage_error"
    assert refusal(4, "db", "check", "mysql://host/x")["code"] == "config_error"


def test_a_password_is_shown_nowhere(books: Path) -> None:
    url = "postgresql://me:open-sesame@127.0.0.1:1/books?sslpassword=open-sesame"
    for arguments in (("check",), ("upgrade",), ("vacuum",), ("backup", "b.zip"), ("downgrade", "0001")):
        result = run("db", *arguments, url)
        assert result.exit_code == 1
        assert "open-sesame" not in result.output
        assert "***" in result.output
