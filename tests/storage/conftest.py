"""Databases for the tests of this folder: every test that takes one runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.storage import Database, Run, open_database
from tests.support.postgres import fresh_database

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@pytest.fixture(params=[SQLITE, POSTGRESQL], scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Which of the two."""
    return str(request.param)


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """For what only a file has: a SQLite database that does not exist yet, in a folder that does not either."""
    return tmp_path / "books" / "pumpswap.sqlite"


@pytest.fixture
def postgresql_url() -> str:
    """For what only a server has: a new, empty database."""
    return fresh_database()


@pytest.fixture
def target(backend: str, sqlite_file: Path) -> str | Path:
    """What ``open_database`` is given: a database with nothing in it."""
    return sqlite_file if backend == SQLITE else fresh_database()


@pytest.fixture
def other_target(backend: str, tmp_path: Path) -> str | Path:
    """A second one of the same kind."""
    return tmp_path / "other.sqlite" if backend == SQLITE else fresh_database()


@pytest.fixture
def database(target: str | Path) -> Iterator[Database]:
    with open_database(target) as opened:
        yield opened


@pytest.fixture
def run(database: Database) -> Run:
    return database.start_run("test", 1_000, seed=7, settings={})


@pytest.fixture(scope="module")
def shared_database(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """For property tests, which begin a new run with every example."""
    file = tmp_path_factory.mktemp("books") / "pumpswap.sqlite"
    with open_database(file if backend == SQLITE else fresh_database()) as opened:
        yield opened
