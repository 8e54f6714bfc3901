"""Opening: what is made, and what is refused by name."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from pumpswap.errors import ConfigError, StorageError
from pumpswap.storage import open_database
from pumpswap.storage.engines import WRITES, make_engine, write_options
from tests.storage import stranger


def test_a_path_becomes_a_database_with_the_folders_above_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b %20 c" / "books.sqlite"
    with open_database(path) as database:
        database.start_run("test", 0)
    with open_database(str(path)) as database:
        assert len(database.runs()) == 1


def test_a_url_names_the_same_file_as_its_path(sqlite_file: Path) -> None:
    with open_database(sqlite_file) as database:
        database.start_run("test", 0)
    with open_database(f"sqlite:///{sqlite_file}") as database:
        assert len(database.runs()) == 1
        assert database.location == str(sqlite_file)


def test_a_relative_path_and_a_home_folder_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    open_database("relative.sqlite").close()
    open_database("~/books/mine.sqlite").close()
    assert (tmp_path / "relative.sqlite").is_file()
    assert (tmp_path / "home" / "books" / "mine.sqlite").is_file()


def test_every_pooled_connection_to_sqlite_is_safe(sqlite_file: Path) -> None:
    engine = make_engine(sqlite_file)
    with ExitStack() as stack:
        for options in ({}, WRITES, {}, {}):  # all at once: four connections
            connection = stack.enter_context(engine.connect().execution_options(**options))
            pragmas = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
            }
            assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 30_000}
    engine.dispose()


@pytest.mark.parametrize(
    ("configured", "ours"),
    [("off", "on"), ("local", "on"), ("remote_write", "on"), ("on", "on"), ("remote_apply", "remote_apply")],
)
def test_every_pooled_connection_to_postgresql_commits_to_the_disk(
    postgresql_url: str, configured: str, ours: str
) -> None:
    (name,) = stranger.query(postgresql_url, "SELECT current_database()")[0]
    stranger.execute(postgresql_url, f"ALTER DATABASE {name} SET synchronous_commit = '{configured}'")
    engine = make_engine(postgresql_url)
    with ExitStack() as stack:
        for options in ({}, write_options(engine), {}):
            connection = stack.enter_context(engine.connect().execution_options(**options))
            with connection.begin() as transaction:
                assert connection.execute(text("SHOW synchronous_commit")).scalar() == ours
                transaction.rollback()  # which must not take the setting with it
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == ours
    engine.dispose()


def test_an_empty_file_is_a_new_database(sqlite_file: Path) -> None:
    sqlite_file.parent.mkdir()
    sqlite_file.touch()
    with open_database(sqlite_file) as database:
        assert database.runs() == ()


@pytest.mark.parametrize(
    "content",
    [b"name,score\nTEST,82.5\n", b"x", b"SQLite format 2\0" * 100, b"SQLite format 3\0" + b"\xff" * 5_000],
    ids=["csv", "one byte", "old", "broken"],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(sqlite_file: Path, content: bytes) -> None:
    sqlite_file.parent.mkdir()
    sqlite_file.write_bytes(content)
    with pytest.raises(StorageError, match=r"not a database|malformed") as refused:
        open_database(sqlite_file)
    assert refused.value.hint
    assert sqlite_file.read_bytes() == content
    assert [path.name for path in sqlite_file.parent.iterdir()] == [sqlite_file.name]


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is a folder"):
        open_database(tmp_path)


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be opened") as refused:
        open_database(tmp_path / "file" / "books.sqlite")
    assert refused.value.hint


def test_a_folder_without_permission_to_write_is_refused(sqlite_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_file.parent.mkdir(mode=0o500)
    if os.access(sqlite_file.parent, os.W_OK):  # root may write everywhere
        monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StorageError, match="cannot be written") as refused:
        open_database(sqlite_file)
    assert "who owns" in refused.value.hint
    assert not sqlite_file.exists()


@pytest.mark.parametrize("target", ["", ":memory:", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"])
def test_books_in_memory_are_refused(target: str) -> None:
    with pytest.raises(ConfigError) as refused:
        open_database(target)
    assert refused.value.exit_code == 4
    assert refused.value.hint


@pytest.mark.parametrize("target", ["mysql://host/x", "nonsense://x", "sqlite+aiosqlite:///x.db", "http://[broken"])
def test_other_databases_are_refused(target: str) -> None:
    with pytest.raises(ConfigError) as refused:
        open_database(target)
    assert refused.value.hint


def test_a_password_is_never_shown() -> None:
    with pytest.raises(StorageError) as refused:
        open_database("postgresql://me:open-sesame@127.0.0.1:1/books")
    assert "open-sesame" not in f"{refused.value} {refused.value.hint}"
    assert "Connection refused Is the server running" in refused.value.what  # one line of what it says in several


def test_the_driver_of_postgresql_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match="driver is not installed") as refused:
        open_database("postgresql://me@127.0.0.1:1/books")
    assert "pumpswap[postgres]" in refused.value.hint


def test_a_row_that_somebody_else_has_damaged_is_named(target: str | Path) -> None:
    with open_database(target) as database:
        run = database.start_run("test", 0)
        stranger.execute(
            target, "INSERT INTO pumpswap_ledger VALUES (1, 1, 0, 'SOL', 5, 'a new kind', 0, NULL, NULL, NULL)"
        )
        with pytest.raises(StorageError, match="a new kind") as refused:
            list(run.ledger())
        assert refused.value.hint


def test_opening_again_does_not_load_alembic(target: str | Path) -> None:
    open_database(target).close()
    code = (
        "import sys; from pumpswap.storage import open_database; open_database(sys.argv[1]).close();"
        "print('alembic' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(target)], check=True, capture_output=True, text=True)
    assert (answer.stdout.strip(), answer.stderr) == ("False", "")


def test_a_new_database_is_its_owners_alone_and_an_old_one_keeps_its_rights(tmp_path: Path) -> None:
    new, old = tmp_path / "new.sqlite", tmp_path / "old.sqlite"
    before = os.umask(0o022)
    try:
        open_database(new).close()
        open_database(old).close()
        assert stat.S_IMODE(new.stat().st_mode) == 0o600
        old.chmod(0o640)
        open_database(old).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
