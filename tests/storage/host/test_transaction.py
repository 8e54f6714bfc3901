"""All or nothing, once, and printed before."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pumpswap.errors import NotFound, StorageError, TimedOut
from pumpswap.storage import open_database
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach
from pumpswap.storage.host.plan import Plan
from tests.storage.host.hosts import ONE, POOLS, image, pool
from tests.support.host_image import connect
from tests.support.host_tables import run_script
from tests.support.postgres import fresh_database


def test_two_attach_at_once_do_it_once(small_host: str) -> None:
    run_script(small_host, POOLS + pool(ONE))
    plans: list[Plan] = []
    threads = [threading.Thread(target=lambda: plans.append(attach(small_host, 1))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(plan.changes_anything for plan in plans) == [False, False, True]


def test_somebody_elses_open_transaction_is_a_named_error(small_host: str, tmp_path: Path) -> None:
    run_script(small_host, POOLS + pool(ONE))
    commands: list[Callable[[], object]] = [
        lambda: attach(small_host, 1, dry_run=True, lock_ms=200),
        lambda: attach(small_host, 1, lock_ms=200),
        lambda: detach(small_host, tmp_path / "export", 1, lock_ms=200),
    ]
    for command in commands:
        with connect(small_host) as connection:
            connection.execute("UPDATE pools SET name = 'busy'")
            with pytest.raises(TimedOut, match="a lock that somebody else holds") as refused:
                command()
            assert "nothing was changed" in refused.value.what
            connection.rollback()
        if command is not commands[0]:
            attach(small_host, 1)
    assert not (tmp_path / "export").exists()
    assert not (tmp_path / "export.partial").exists()


def test_a_file_that_can_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "host.sqlite"
    run_script(f"sqlite:///{file}", POOLS)
    before = file.read_bytes()
    # Root may write everywhere; what the system answers to others is said by its own function.
    monkeypatch.setattr("pumpswap.storage.engines.os.access", lambda path, _mode: Path(path).is_dir())
    with pytest.raises(StorageError, match="cannot be written"):
        attach(file, 1)
    assert file.read_bytes() == before


def test_a_dry_run_leaves_a_file_as_it_was_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "host.sqlite"
    run_script(f"sqlite:///{file}", POOLS + pool(ONE))
    before = file.read_bytes()
    assert attach(file, 1, dry_run=True).changes_anything
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_the_journal_mode_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "host.sqlite"
    run_script(f"sqlite:///{file}", POOLS)
    attach(file, 1)
    open_database(file).close()  # makes it WAL
    attach(file, 2)
    assert detach(file, tmp_path / "export", 3).journal_mode == "delete"
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_a_file_that_somebody_has_open_stays_in_wal_and_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "host.sqlite"
    run_script(f"sqlite:///{file}", POOLS)
    attach(file, 1)
    open_database(file).close()
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM pools").fetchone() == (0,)
    assert detach(file, tmp_path / "export", 3, lock_ms=100).journal_mode == "wal"
    reader.close()


def test_the_printed_sql_does_the_same(small_host: str, tmp_path: Path) -> None:
    """What --dry-run prints, run by hand, makes what attach makes."""
    script = POOLS + pool(ONE) + pool("it''s") + pool("? 100 %s\n x")
    script += "CREATE TABLE new_pools_history_enhanced (id INTEGER);"
    other = f"sqlite:///{tmp_path / 'other.sqlite'}" if small_host.startswith("sqlite") else fresh_database()
    for url in (small_host, other):
        run_script(url, script)
    run_script(other, ";\n".join(attach(other, 1, dry_run=True).sql) + ";")
    attach(small_host, 1)
    assert image(other) == image(small_host)
    assert not attach(other, 2).changes_anything


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for command in (
        lambda: attach(tmp_path / "no" / "host.sqlite", 1),
        lambda: detach(tmp_path / "no.db", tmp_path, 1),
    ):
        with pytest.raises(NotFound, match="does not exist"):
            command()
    assert list(tmp_path.iterdir()) == []
