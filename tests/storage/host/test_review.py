"""What others have made around our tables and the host's: it must be there afterwards, as it was."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from pumpswap.errors import StorageError
from pumpswap.market.host_database import HostDatabase
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach
from pumpswap.storage.host.pair_check import clear_pairs, stored_pairs
from pumpswap.storage.host.plan import StepState
from tests.storage.host.booking import book
from tests.storage.host.hosts import ONE, POOLS, TWO, image, pairs, pool, round_trip, step
from tests.support.host_image import connect
from tests.support.host_tables import run_script
from tests.support.postgres import fresh_database

_FILL = "pumpswap_pair_address of the pools"


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


def test_a_key_to_us_in_other_letters_is_named(file_host: str, tmp_path: Path) -> None:
    run_script(file_host, POOLS + pool(ONE))
    attach(file_host, 1)
    run_script(file_host, "CREATE TABLE notes (trade INTEGER REFERENCES PUMPSWAP_TRADES (id) ON DELETE CASCADE);")
    before = image(file_host)
    with pytest.raises(StorageError, match="the table notes has a key"):
        detach(file_host, tmp_path / "export", 2)
    assert image(file_host) == before


def test_an_index_of_the_user_on_our_column_is_named(small_host: str, tmp_path: Path) -> None:
    run_script(small_host, POOLS + pool(ONE))
    attach(small_host, 1)
    run_script(small_host, "CREATE INDEX mine ON pools (pumpswap_pair_address);")
    before = image(small_host)
    with pytest.raises(StorageError, match="mine") as refused:
        detach(small_host, tmp_path / "export", 2)
    assert "drop it first" in refused.value.hint
    assert image(small_host) == before


def test_a_rule_of_the_host_rests_as_well(tmp_path: Path) -> None:
    url = fresh_database()
    rule = "CREATE RULE seen AS ON UPDATE TO pools DO ALSO INSERT INTO log VALUES (new.id);"
    run_script(url, f"{POOLS}CREATE TABLE log (id TEXT);{rule}{pool(ONE)}")
    assert round_trip(url, tmp_path).counts["filled"] == 1
    with connect(url) as connection:
        connection.execute("UPDATE pools SET name = 'x'")
        assert connection.execute("SELECT count(*) FROM log").fetchall() == [(1,)]


@pytest.mark.parametrize(("names", "filled"), [("'pumpswap', 'heaven'", 1), ("'heaven'", 0)])
def test_exchanges_that_are_an_enumeration(tmp_path: Path, names: str, filled: int) -> None:
    url = fresh_database()
    table = "CREATE TABLE pools (id TEXT PRIMARY KEY, address TEXT, dex_id dex);"
    run_script(url, f"CREATE TYPE dex AS ENUM ({names});{table}{pool(ONE, 'pumpswap' if filled else 'heaven')}")
    assert round_trip(url, tmp_path).counts["filled"] == filled


def test_addresses_that_are_no_texts(file_host: str, tmp_path: Path) -> None:
    run_script(file_host, "CREATE TABLE pools (id TEXT PRIMARY KEY, address, dex_id TEXT);" + pool(ONE))
    run_script(file_host, "INSERT INTO pools VALUES ('number', 5, 'pumpswap'), ('bytes', X'00ff', 'pumpswap');")
    plan = round_trip(file_host, tmp_path)
    assert (plan.counts["filled"], plan.counts["unreadable"]) == (1, 2)


# ---------------------------------------------------------------- a column of the user's own

_OWN = (
    "CREATE TABLE pools (id VARCHAR(200){key}, address VARCHAR(100), dex_id VARCHAR(100), pumpswap_pair_address {own});"
)


@pytest.mark.parametrize("own", ["VARCHAR(44) UNIQUE", "VARCHAR(44) CHECK (length(pumpswap_pair_address) < 9)"])
def test_a_constraint_that_refuses_an_address_is_named(small_host: str, own: str) -> None:
    run_script(small_host, _OWN.format(key=" PRIMARY KEY", own=own) + pool(ONE) + pool(f"solana_{ONE}", pool_id=ONE))
    before = image(small_host)
    with pytest.raises(StorageError, match=r"pools\.pumpswap_pair_address does not take every address") as refused:
        attach(small_host, 1)
    assert "drop the constraint" in refused.value.hint
    assert image(small_host) == before


def test_a_column_that_is_too_short_is_named() -> None:
    url = fresh_database()
    run_script(url, _OWN.format(key=" PRIMARY KEY", own="VARCHAR(20)") + pool(ONE))
    with pytest.raises(StorageError, match="value too long") as refused:
        attach(url, 1)
    assert "make it wider" in refused.value.hint


def test_a_column_that_the_database_computes_is_left_alone(small_host: str, tmp_path: Path) -> None:
    own = "VARCHAR(100) GENERATED ALWAYS AS (CASE WHEN dex_id = 'x' THEN address END) STORED"
    run_script(small_host, _OWN.format(key=" PRIMARY KEY", own=own) + pool(ONE))
    fill = step(round_trip(small_host, tmp_path), _FILL)
    assert (fill.state, fill.note) == (
        StepState.SKIPPED,
        "pools.pumpswap_pair_address is computed by the database",
    )


def test_a_column_that_cannot_be_null_is_filled_where_it_is_blank(small_host: str, tmp_path: Path) -> None:
    run_script(small_host, _OWN.format(key=" PRIMARY KEY", own="VARCHAR(44) NOT NULL DEFAULT ''"))
    run_script(small_host, pool(ONE) + pool(TWO) + pool("heaven", dex="heaven"))
    assert round_trip(small_host, tmp_path).counts["filled"] == 2
    attach(small_host, 1)
    filled = {f"solana_{ONE}": ONE, f"solana_{TWO}": TWO, "solana_heaven": ""}
    assert pairs(small_host) == filled
    assert [one.is_ours for one in stored_pairs(small_host)] == [True, True]
    assert clear_pairs(small_host, {f"solana_{ONE}"}, 2) == 1
    assert not attach(small_host, 3).changes_anything
    assert pairs(small_host) == filled | {f"solana_{ONE}": ""}
    assert [one.address for one in stored_pairs(small_host)] == [TWO]


def test_what_could_not_be_taken_back_is_not_filled(small_host: str, tmp_path: Path) -> None:
    run_script(small_host, _OWN.format(key="", own="VARCHAR(100)") + pool(ONE, pool_id="x") + pool(TWO, pool_id="x"))
    fill = step(round_trip(small_host, tmp_path), _FILL)
    assert fill.state is StepState.SKIPPED
    assert "could not be taken back" in fill.note


def test_a_pool_without_an_id_is_none(file_host: str, tmp_path: Path) -> None:
    """SQLite has primary keys that are NULL."""
    run_script(file_host, _OWN.format(key=" PRIMARY KEY", own="TEXT") + pool(ONE))
    run_script(file_host, f"INSERT INTO pools (address, dex_id) VALUES ('{TWO}', 'pumpswap');")
    assert round_trip(file_host, tmp_path).counts["filled"] == 1
    attach(file_host, 1)
    assert pairs(file_host) == {f"solana_{ONE}": ONE, None: None}


@pytest.mark.parametrize("driver", ["postgres", "postgresql+psycopg2", "postgresql+asyncpg"])
def test_the_collectors_own_url_will_do(driver: str) -> None:
    url = fresh_database()
    run_script(url, POOLS + pool(ONE))
    assert attach(url.replace("postgresql", driver, 1), 1).counts["filled"] == 1


def test_the_reader_finds_names_in_other_letters_too(file_host: str) -> None:
    run_script(file_host, "CREATE TABLE Pools (ID TEXT PRIMARY KEY, Address TEXT, DEX_ID TEXT);" + pool(ONE))
    attach(file_host, 1)
    (found,) = HostDatabase(file_host).pools()
    assert (found.address, found.dex, found.stored_pair) == (ONE, "pumpswap", ONE)


# ---------------------------------------------------------------- a collector at work


@pytest.mark.parametrize("action", ["attach", "detach"])
def test_the_collector_is_never_in_a_deadlock(tmp_path: Path, action: str) -> None:
    """It has begun to write when we come, and goes on into a table that we want as well."""
    url = fresh_database()
    run_script(url, f"{POOLS}CREATE TABLE new_pools_history_enhanced (id BIGINT PRIMARY KEY);{pool(ONE)}{pool(TWO)}")
    before = image(url)
    if action == "detach":
        attach(url, 1)
        book(url, ONE)
        first, then = "UPDATE pools SET name = 'x'", "DELETE FROM pools"
    else:
        first, then = "SELECT 1 FROM new_pools_history_enhanced", "UPDATE pools SET name = name"
    with psycopg.connect(url) as collector, ThreadPoolExecutor(1) as background:
        collector.execute("SET LOCAL deadlock_timeout = '1ms'")  # it, not we, would be the one that is ended
        collector.execute(first)
        if action == "detach":
            ours: Future[object] = background.submit(detach, url, tmp_path / "export", 2)
        else:
            ours = background.submit(attach, url, 1)
        with psycopg.connect(url, autocommit=True) as looking:
            while not looking.execute("SELECT 1 FROM pg_locks WHERE relation IS NOT NULL AND NOT granted").fetchone():
                assert not ours.done()
        collector.execute(then)
        collector.rollback()
        ours.result()
    if action == "detach":
        assert image(url) == before
