"""A file that begins anew when it is full, shared by processes, kept from others."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pumpswap.app.logs.log_file import LogFile
from pumpswap.errors import ConfigError
from tests.cli.running import environment


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("pumpswap", logging.INFO, "", 0, text, None, None)


def test_a_full_file_is_put_away_and_so_many_are_kept(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "deep" / "a.log", 100, 2)
    for number in range(40):
        file.emit(record(f"line {number:04}"))
    file.close()
    names = sorted(path.name for path in (tmp_path / "deep").glob("a.log*"))
    assert names == ["a.log", "a.log.1", "a.log.2", "a.log.lock"]
    kept = [(tmp_path / "deep" / name).read_text() for name in ("a.log.2", "a.log.1", "a.log")]
    assert all(len(text) <= 100 for text in kept)
    lines = "".join(kept).splitlines()
    assert lines[-1] == "line 0039"
    assert lines == [f"line {number:04}" for number in range(40 - len(lines), 40)]


def test_with_nothing_to_keep_the_file_is_emptied(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "a.log", 50, 0)
    for number in range(20):
        file.emit(record(f"line {number:04}"))
    file.close()
    assert len((tmp_path / "a.log").read_text()) <= 50
    assert (tmp_path / "a.log").read_text().endswith("line 0019\n")
    assert not (tmp_path / "a.log.1").exists()


def test_others_cannot_read_it(tmp_path: Path) -> None:
    LogFile(tmp_path / "a.log", 50, 0).close()
    assert stat.S_IMODE((tmp_path / "a.log").stat().st_mode) == 0o600


def test_a_file_that_was_put_away_by_another_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    file = LogFile(path, 10_000, 1)
    file.emit(record("before"))
    path.rename(tmp_path / "a.log.1")
    file.emit(record("after"))
    path.unlink()
    file.emit(record("again"))
    file.close()
    assert (tmp_path / "a.log.1").read_text() == "before\n"
    assert path.read_text() == "again\n"


_WRITER = """
import logging, sys
from pathlib import Path
from pumpswap.app.logs.log_file import LogFile
file = LogFile(Path(sys.argv[1]), 2_000, 50)
for number in range(300):
    file.emit(logging.LogRecord("x", 20, "", 0, f"{sys.argv[2]} {number:04}", None, None))
"""


def test_no_line_of_several_processes_is_lost_or_torn(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name], env=environment()) for name in ("a", "b")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    lines = [line for each in tmp_path.glob("a.log*") for line in each.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name} {number:04}" for name in "ab" for number in range(300))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as refused:
        LogFile(tmp_path / "file" / "a.log", 100, 1)
    assert "logs.file" in refused.value.hint


def test_a_disk_that_is_full_is_told_once_and_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    file = LogFile(tmp_path / "a.log", 0, 1)
    file.stream.close()
    file.stream = open("/dev/full", "a", encoding="utf-8")  # noqa: SIM115  # the handler closes it
    file._follow = lambda: None  # type: ignore[method-assign]  # it would open the named file again
    file.emit(record("lost"))
    file.emit(record("lost too"))
    assert capsys.readouterr().err.count("cannot be written any more: No space left on device") == 1
