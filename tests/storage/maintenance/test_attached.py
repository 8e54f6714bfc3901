"""Care of books that live in the database of a collector: its tables and the keys to them are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.storage import open_database
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.journal import ATTACHMENTS
from pumpswap.storage.maintenance import Status, check, restore, vacuum, write_backup
from pumpswap.storage.maintenance.revisions import _ATTACHMENTS
from tests.storage import samples, stranger
from tests.storage.conftest import SQLITE
from tests.storage.maintenance.full_books import fill, stored
from tests.support.host_tables import create_shape, insert_rows
from tests.support.material import requires_material
from tests.support.postgres import fresh_database


@pytest.fixture
def host(backend: str, tmp_path: Path) -> tuple[str, str | Path]:
    """An attached collector's database with one pool: its URL, and as the stranger wants it."""
    file = tmp_path / "host.sqlite"
    url = f"sqlite:///{file}" if backend == SQLITE else fresh_database()
    create_shape(url, "start-up", True, False)
    pool = {"id": "solana_Pool1111", "address": "Pool1111", "name": "TEST / SOL", "dex_id": "pumpswap"}
    insert_rows(url, "dexes", [{"id": "pumpswap", "name": "PumpSwap", "network": "solana"}])
    insert_rows(url, "pools", [pool])
    attach(url, samples.NS)
    return url, file if backend == SQLITE else url


def test_the_name_of_the_journal_is_that_of_attach() -> None:
    assert ATTACHMENTS.name == _ATTACHMENTS


@requires_material("host")
def test_a_backup_is_restored_into_an_attached_database_whose_keys_and_tables_stay(
    host: tuple[str, str | Path], tmp_path: Path
) -> None:
    url, shown = host
    plain = tmp_path / "plain.sqlite"
    with open_database(plain) as database:
        fill(database, plain)
    stranger.execute(
        plain, "INSERT INTO q50_trading_history (run_id, pool_id, timestamp) VALUES (1, 'solana_Unknown', 1)"
    )
    keys, foreign = stranger.schema(shown), stranger.query(shown, "SELECT * FROM pools")
    journal = stranger.query(shown, "SELECT kind, name FROM pumpswap_attachments ORDER BY id")
    path = write_backup(plain, tmp_path / "plain.zip", samples.NS).path
    for _ in range(2):
        restore(url, path, replace=True)
        assert stranger.schema(shown) == keys
        assert stranger.query(shown, "SELECT * FROM pools") == foreign
        assert stranger.query(shown, "SELECT kind, name FROM pumpswap_attachments ORDER BY id") == journal
        linked = stranger.query(shown, "SELECT pool_id FROM q50_trading_history ORDER BY id")
        assert linked == [("solana_Pool1111",), (None,)]
        assert {finding.status for finding in check(url)} == {Status.OK}
    stranger.execute(shown, "PRAGMA foreign_keys = ON" if shown != url else "SELECT 1", "DELETE FROM pools")
    assert stranger.query(shown, "SELECT pool_id FROM pumpswap_trades") == [(None,)]


@requires_material("host")
def test_a_backup_of_an_attached_database_holds_our_tables_only_and_restores_without_it(
    host: tuple[str, str | Path], tmp_path: Path
) -> None:
    url, shown = host
    with open_database(url) as database:
        fill(database, shown)
    written = write_backup(url, tmp_path / "books.zip", samples.NS)
    assert {table.name for table in written.manifest.tables} == set(stored(shown))
    restore(tmp_path / "plain.sqlite", written.path)
    with open_database(tmp_path / "plain.sqlite") as plain, open_database(url) as attached:
        assert [*plain.run(1).ledger()] == [*attached.run(1).ledger()]
        assert [*plain.run(1).orders()] == [*attached.run(1).orders()]
    before = stored(shown)
    vacuum(url)
    assert stored(shown) == before
