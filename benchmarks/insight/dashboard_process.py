"""A dashboard as its user starts it: a process of its own, asked over its port."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil

from tests.support.material import ROOT

__all__ = ["RunningDashboard", "running_dashboard"]

_START_SECONDS = 60


@dataclass
class RunningDashboard:
    """``port`` on loopback."""

    port: int
    process: psutil.Process

    def get(self, path: str, headers: dict[str, str] | None = None) -> bytes:
        """The body of an answer of 200, over a connection of its own. Raises RuntimeError for any other."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}: {body[:300]!r}")
        return body

    def megabytes(self) -> float:
        """What it holds in memory now."""
        return float(self.process.memory_info().rss) / 2**20

    def processor_seconds(self) -> float:
        """How long it has worked since its start, on all cores together."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def running_dashboard(data_dir: Path) -> Iterator[RunningDashboard]:
    """Over the books in a folder, until the end of the block."""
    command = [sys.executable, "-m", "pumpswap", "--data-dir", str(data_dir), "--json", "dashboard", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            told = ""
            while not told.rstrip().endswith("}"):
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError("the dashboard has not started")
                told += line
            port = int(json.loads(told)["url"].rstrip("/").rsplit(":", 1)[1])
            yield RunningDashboard(port, psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_START_SECONDS)
