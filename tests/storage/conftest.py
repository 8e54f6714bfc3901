"""Databases for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.storage import Database, Run, open_database


@pytest.fixture
def target(tmp_path: Path) -> str | Path:
    """What ``open_database`` is given: a database that does not exist yet."""
    return tmp_path / "books" / "pumpswap.sqlite"


@pytest.fixture
def database(target: str | Path) -> Iterator[Database]:
    with open_database(target) as opened:
        yield opened


@pytest.fixture
def run(database: Database) -> Run:
    return database.start_run("test", 1_000, seed=7, settings={})


@pytest.fixture(scope="module")
def shared_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """For property tests, which begin a new run with every example."""
    with open_database(tmp_path_factory.mktemp("books") / "pumpswap.sqlite") as opened:
        yield opened
