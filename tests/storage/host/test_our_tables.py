"""Tables with our names: made by others, changed by others, or of an older version of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.errors import StorageError
from pumpswap.storage import migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.plan import StepState
from tests.storage.host.booking import book
from tests.storage.host.hosts import ONE, POOLS, TWO, image, pool, step
from tests.support.host_image import connect
from tests.support.host_tables import run_script


@pytest.mark.parametrize("name", ["pumpswap_trades", "pumpswap_positions", "q50_trading_history"])
def test_a_table_made_by_hand_from_the_plan_is_refused(small_host: str, name: str) -> None:
    by_hand = f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, pool_id VARCHAR(200) REFERENCES pools (id), n INTEGER);"
    run_script(small_host, f"{POOLS}{by_hand} INSERT INTO {name} (id) VALUES (7);")
    before = image(small_host)
    for dry_run in (True, False):
        with pytest.raises(StorageError, match=f"there is a table {name} that pumpswap has not made") as refused:
            attach(small_host, 1, dry_run=dry_run)
        assert image(small_host) == before
    run_script(small_host, refused.value.hint.split(": ")[1].split(";")[0])  # what the hint says
    attach(small_host, 1)
    with connect(small_host) as connection:
        assert connection.execute(f"SELECT id FROM {name}_by_hand").fetchall() == [(7,)]


def test_an_index_with_a_name_of_ours_is_refused(small_host: str) -> None:
    index = "CREATE INDEX idx_pumpswap_trades_timestamp ON elsewhere (t);"
    run_script(small_host, f"{POOLS} CREATE TABLE elsewhere (t INTEGER); {index}")
    with pytest.raises(StorageError, match="the index idx_pumpswap_trades_timestamp of the table elsewhere") as refused:
        attach(small_host, 1)
    run_script(small_host, refused.value.hint.split(";")[0])
    attach(small_host, 1)


PLAN = """
CREATE TABLE pumpswap_trades (id INTEGER PRIMARY KEY, pool_id VARCHAR(200) REFERENCES pools (id), mint_address VARCHAR
    NOT NULL, pair_address VARCHAR, action VARCHAR NOT NULL, sol_amount DECIMAL, block_timestamp BIGINT);
CREATE INDEX idx_pumpswap_trades_pool_id ON pumpswap_trades (pool_id);
CREATE INDEX idx_pumpswap_trades_timestamp ON pumpswap_trades (block_timestamp);
CREATE TABLE pumpswap_positions (id INTEGER PRIMARY KEY, mint_address VARCHAR NOT NULL UNIQUE, is_active BOOLEAN);
CREATE INDEX idx_pumpswap_positions_active ON pumpswap_positions (is_active);
INSERT INTO pumpswap_trades (id, mint_address, action) VALUES (7, 'm', 'buy');
INSERT INTO pumpswap_positions (id, mint_address) VALUES (8, 'm');
"""


def test_who_follows_the_hints_gets_there(small_host: str) -> None:
    """From the tables and indexes of the plan, made by hand, to an attached database: nothing of them is lost."""
    run_script(small_host, POOLS + PLAN)
    for _ in range(10):
        try:
            attach(small_host, 1)
        except StorageError as refused:
            run_script(small_host, refused.hint.removeprefix("keep its rows: ").split(";")[0])
        else:
            break
    book(small_host, ONE)
    with connect(small_host) as connection:
        assert connection.execute("SELECT id FROM pumpswap_trades_by_hand").fetchall() == [(7,)]
        assert connection.execute("SELECT id FROM pumpswap_positions_by_hand").fetchall() == [(8,)]
        assert connection.execute("SELECT count(*) FROM pumpswap_trades").fetchone() == (1,)


def test_what_others_have_added_to_our_tables_stays(small_host: str) -> None:
    """SQLite makes them anew: indexes and triggers of the user move along, columns that we do not know are refused."""
    open_database(small_host).close()
    run_script(small_host, POOLS + "CREATE TABLE log (n INTEGER); CREATE INDEX mine ON pumpswap_trades (mint_address);")
    if small_host.startswith("sqlite"):
        run_script(small_host, "CREATE TRIGGER t AFTER INSERT ON pumpswap_trades BEGIN INSERT INTO log VALUES (1); END")
    attach(small_host, 1)
    book(small_host, ONE)
    with connect(small_host) as connection:
        if small_host.startswith("sqlite"):
            assert connection.execute("SELECT count(*) FROM log").fetchone() == (1,)
        connection.execute("DROP INDEX mine")


def test_a_column_added_to_our_table_is_refused_where_it_would_be_lost(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'host.sqlite'}"
    open_database(url).close()
    run_script(url, POOLS + "ALTER TABLE pumpswap_trades ADD COLUMN note TEXT;")
    before = image(url)
    with pytest.raises(StorageError, match="other columns than it should: note"):
        attach(url, 1)
    assert image(url) == before


def test_vectors_that_the_host_does_not_have_are_forgotten(small_host: str) -> None:
    open_database(small_host).close()
    run_script(small_host, POOLS + pool(ONE) + pool(TWO, pool_id=TWO))
    run_script(small_host, "CREATE TABLE pool_feature_vectors (id BIGINT PRIMARY KEY);")
    run_script(small_host, "INSERT INTO pool_feature_vectors VALUES (1), (2)")
    rows = [(1, ONE, 1), (2, f"solana_{TWO}", 3), (3, "nowhere", 2)]
    for number, known, vector in rows:
        values = f"({number}, '{known}', {number}, {vector})"
        run_script(
            small_host, f"INSERT INTO q50_trading_history (id, pool_id, timestamp, feature_vector_id) VALUES {values}"
        )
    plan = attach(small_host, 1)
    assert (plan.counts["linked"], plan.counts["unlinked"]) == (2, 2)
    query = "SELECT pool_id, feature_vector_id FROM q50_trading_history ORDER BY id"
    with connect(small_host) as connection:
        assert connection.execute(query).fetchall() == [(f"solana_{ONE}", 1), (TWO, None), (None, 2)]
        connection.execute("DELETE FROM pool_feature_vectors")
        assert connection.execute(query).fetchall() == [(f"solana_{ONE}", None), (TWO, None), (None, None)]


def test_an_older_database_of_ours_is_brought_forward_on_the_way(small_host: str) -> None:
    engine = make_engine(small_host)
    migrate.upgrade(engine, "0001")
    engine.dispose()
    run_script(small_host, POOLS + pool(ONE))
    assert "ALTER TABLE pumpswap_runs ADD COLUMN wallet VARCHAR" in attach(small_host, 1, dry_run=True).sql
    attach(small_host, 1)
    book(small_host, ONE)


def test_down_and_up_again_and_attached_again(small_host: str) -> None:
    run_script(small_host, POOLS + pool(ONE))
    attach(small_host, 1)
    engine = make_engine(small_host)
    migrate.downgrade(engine, "0002")
    migrate.upgrade(engine)
    engine.dispose()
    plan = attach(small_host, 2)
    assert step(plan, "key q50_trading_history.pool_id").state is StepState.DONE
    assert step(plan, "key pumpswap_trades.pool_id").state is StepState.PRESENT
    assert not attach(small_host, 3).changes_anything
