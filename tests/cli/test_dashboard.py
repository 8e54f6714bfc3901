"""``pumpswap dashboard`` as a process: it says where it is, serves, streams, and ends in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pumpswap.model import Alert, AlertLevel
from pumpswap.settings import Settings
from pumpswap.storage import open_database
from tests.cli.running import refusal
from tests.web.serving import lived


@contextmanager
def dashboard(
    data_dir: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process, and its port."""
    command = [sys.executable, "-m", "pumpswap", "--data-dir", str(data_dir), "--json", "dashboard", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env={**os.environ, **(environment or {})}) as process:
        assert process.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            told += line
        try:
            yield process, int(json.loads(told)["url"].rstrip("/").rsplit(":", 1)[1])
        finally:
            if process.poll() is None:
                process.kill()


def test_it_serves_pages_and_changes_until_it_is_interrupted(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    lived(settings)
    with dashboard(tmp_path) as (process, port):
        page = HTTPConnection("127.0.0.1", port, timeout=120)
        page.request("GET", "/api/v1/overview")
        answer = page.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["schema"] == "pumpswap.overview"
        assert answer.getheader("server") is None
        stream = HTTPConnection("127.0.0.1", port, timeout=120)
        stream.request("GET", "/events")
        events = stream.getresponse()
        assert events.getheader("content-type", "").startswith("text/event-stream")
        first = _generation(events)
        heard = [first, _generation(events)]
        with open_database(settings.database_target) as database:
            database.alerts.add(Alert(5, AlertLevel.INFO, "engine", "", "something"))
        heard.append(_generation(events))
        assert heard == sorted(set(heard))
        process.send_signal(signal.SIGINT)  # although somebody watches
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 130, errors
        assert "Traceback" not in errors


def test_what_goes_wrong_while_it_serves_is_in_its_log(tmp_path: Path) -> None:
    with dashboard(tmp_path, {"PUMPSWAP_LOGS__FILE": "dashboard.log", "PUMPSWAP_LOGS__FORMAT": "json"}) as (
        process,
        port,
    ):
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    lines = [json.loads(line) for line in (tmp_path / "dashboard.log").read_text().splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("Invalid HTTP request received.", "warning")]


def test_forty_browsers_at_once_are_all_answered(tmp_path: Path) -> None:
    lived(Settings(data_dir=tmp_path))

    def status(port: int, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    paths = ["/", "/decisions", "/orders", "/api/v1/overview"] * 10
    with dashboard(tmp_path) as (_, port), ThreadPoolExecutor(len(paths)) as browsers:
        assert set(browsers.map(lambda path: status(port, path), paths)) == {200}


def _generation(events: object) -> int:
    while line := events.readline():  # type: ignore[attr-defined]
        if line.startswith(b"data: "):
            return int(line[6:])
    raise AssertionError("the stream has ended")


def test_a_port_that_is_taken_and_an_address_that_is_none_are_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = refusal(4, "--data-dir", str(tmp_path), "dashboard", "--port", str(port))
        assert "--port" in told["hint"]
    assert "token" in refusal(4, "--data-dir", str(tmp_path), "dashboard", "--host", "0.0.0.0")["what"]
    refusal(2, "--data-dir", str(tmp_path), "dashboard", "--port", "70000")


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_what_is_not_installed_is_named(tmp_path: Path, missing: str) -> None:
    hidden = f"import sys; sys.modules[{missing!r}] = None; from pumpswap.cli import main; main()"
    asked = ["--data-dir", str(tmp_path), "--json", "dashboard", "--port", "0"]
    ended = subprocess.run([sys.executable, "-c", hidden, *asked], capture_output=True, text=True, timeout=120)
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["code"]) == (4, "config_error")
    assert missing in told["what"] and "pumpswap[dashboard]" in told["hint"]
