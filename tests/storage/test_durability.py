"""What a power cut cannot take: commits of orders and attempts wait for the disk. Counted, not believed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.storage.commit_process import COMMITS
from tests.support.material import ROOT

STRACE = shutil.which("strace")
_MARK = re.compile(r'write\(\d+<[^>]*>, "commit (\d+)')
_SYNC = re.compile(r"(fsync|fdatasync)\(\d+<([^>]*)>\)\s+= 0")


def may_trace() -> bool:
    return (
        STRACE is not None and subprocess.run([STRACE, "-o", os.devnull, "true"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not may_trace(), reason="strace is not installed, or may not trace here")
def test_every_commit_of_an_order_and_of_an_attempt_syncs_the_write_ahead_log(
    sqlite_file: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    command = [str(STRACE), "-f", "-y", "-e", "trace=fsync,fdatasync,write", "-s", "40", "-o", str(trace)]
    command += [sys.executable, "-m", "tests.storage.commit_process", str(sqlite_file)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    synced: dict[int, list[str]] = {}
    number = None
    for line in trace.read_text().splitlines():
        if mark := _MARK.search(line):
            number = int(mark[1])
        elif number is not None and (sync := _SYNC.search(line)):
            synced.setdefault(number, []).append(Path(sync[2]).name)
    # Between the mark of a commit and the mark of the next one.
    assert {
        number: synced.get(number, []).count(f"{sqlite_file.name}-wal") for number in range(COMMITS)
    } == dict.fromkeys(range(COMMITS), 1)
