"""A file that is open here is opened once more: whatever looks at it must not let go of the locks that hold it.

POSIX drops all locks of a process on a file as soon as the process closes any descriptor of it. Then somebody else
takes himself for the last one, removes the write-ahead log under whoever writes, and the books are broken.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pumpswap.errors import StorageError
from pumpswap.storage import open_database
from pumpswap.storage.engines import is_held
from pumpswap.storage.host_reader import HostReader, is_database

_STRANGER = """
import sqlite3, sys
opened = sqlite3.connect(sys.argv[1])
opened.execute("SELECT count(*) FROM pumpswap_runs").fetchall()
opened.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="locks of Windows belong to the descriptor")
def test_opening_the_same_books_again_leaves_those_that_are_open_locked(tmp_path: Path) -> None:
    target = tmp_path / "books.sqlite"
    with open_database(target) as database:
        database.start_run("paper", 1)
        with open_database(target) as again:
            assert len(again.runs()) == 1
        subprocess.run([sys.executable, "-c", _STRANGER, str(target)], check=True)
        assert target.with_name("books.sqlite-wal").exists()
        database.start_run("paper", 2)
        assert len(database.runs()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="locks of Windows belong to the descriptor")
def test_reading_the_collectors_tables_in_the_file_of_our_books_leaves_it_locked(tmp_path: Path) -> None:
    target = tmp_path / "both.sqlite"
    with open_database(target) as database:
        database.start_run("paper", 1)
        assert is_database(target)
        with HostReader(target).moment() as moment:
            assert moment is not None
        subprocess.run([sys.executable, "-c", _STRANGER, str(target)], check=True)
        assert target.with_name("both.sqlite-wal").exists()
    assert not is_held(target)
    assert is_database(target)


@pytest.mark.parametrize("content", [b"x", b"name,price\n", b"SQLite format 2\0" + bytes(4_096), bytes(5_000)])
def test_what_is_no_database_is_named_and_not_touched(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "prices.csv"
    target.write_bytes(content)
    with pytest.raises(StorageError, match="is not a database"):
        open_database(target)
    assert target.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["prices.csv"]
