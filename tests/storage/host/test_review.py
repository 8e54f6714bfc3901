"""What others have made around our tables and the host's: it must be there afterwards, as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.storage.host.attach import attach
from tests.storage.host.booking import book
from tests.storage.host.hosts import ONE, POOLS, image, pool, round_trip
from tests.support.host_tables import run_script


@pytest.fixture
def file_host(tmp_path: Path) -> str:
    """URL of an empty SQLite host."""
    return f"sqlite:///{tmp_path / 'host.sqlite'}"


def test_rows_of_the_user_that_belong_to_ours_stay(small_host: str) -> None:
    """SQLite makes our table anew, and dropping the old one is a DELETE for those who have keys to it."""
    run_script(small_host, POOLS + pool(ONE))
    book(small_host, ONE)
    run_script(
        small_host,
        "CREATE TABLE notes (trade BIGINT REFERENCES pumpswap_trades (id) ON DELETE CASCADE, text TEXT);"
        "CREATE TABLE tags (trade BIGINT REFERENCES pumpswap_trades (id) ON DELETE SET NULL, text TEXT);"
        "INSERT INTO notes VALUES (1, 'mine'); INSERT INTO tags VALUES (1, 'mine');",
    )
    _, before = image(small_host)
    attach(small_host, 1)
    schema, after = image(small_host)
    for table in [name for name in before if "notes" in name or "tags" in name]:
        assert after[table] == before[table] == ["(1, 'mine')"]
    assert "_before" not in repr(schema)


def test_a_trigger_in_other_letters_rests_as_well(file_host: str, tmp_path: Path) -> None:
    trigger = "CREATE TRIGGER seen AFTER UPDATE ON POOLS BEGIN INSERT INTO log VALUES (new.id); END;"
    run_script(file_host, f"{POOLS}CREATE TABLE log (id TEXT);{pool(ONE)}{trigger}")
    assert round_trip(file_host, tmp_path).counts["filled"] == 1
