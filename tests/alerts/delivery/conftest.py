"""Where alerts are delivered from: a database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.delivery.desk import Desk
from tests.support.postgres import fresh_database


@pytest.fixture
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    is_server = getattr(request, "param", "sqlite") == "postgresql"
    made = Desk(fresh_database() if is_server else tmp_path / "books.sqlite")
    yield made
    made.database.close()
