"""Every shape of a host in the field, filled with the real export: up, twice, down, and nothing of it has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.storage import migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach, look
from pumpswap.storage.host.pairs import bare_address
from pumpswap.storage.host.plan import StepState
from tests.storage import samples
from tests.storage.host.booking import book
from tests.storage.host.conftest import COMBINATIONS, Combination, FullHost
from tests.support import host_image
from tests.support.host_image import connect
from tests.support.material import requires_material

pytestmark = [requires_material("real", "host_export"), requires_material("host", "schema_sqlite.sql")]

WATCHED = "solana_F5vAiFCP82RQetoxK7ax4dNQCwqk2yez6aisAbFPenJ2"
PUMPSWAP_POOLS = 574  # 84 of them with a prefixed address


@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
def test_up_twice_and_down_changes_nothing_of_the_hosts(
    combination: Combination, full_host: FullHost, tmp_path: Path
) -> None:
    url = full_host(combination)
    pool = _lonely_pool(url)
    schema, of = host_image.schema(url), host_image.columns(url)
    rows = host_image.rows(url, of)
    queries = host_image.query_results(url, pool)
    inserts = host_image.insert_results(url, pool, WATCHED)

    planned = attach(url, 1, dry_run=True)
    assert host_image.schema(url) == schema
    done = attach(url, 1)
    assert (planned.sql, planned.counts, planned.kept, done.kept) == (done.sql, done.counts, False, True)
    assert done.counts["filled"] == PUMPSWAP_POOLS
    assert done.counts["unreadable"] == 0
    assert not attach(url, 2).changes_anything

    _check_columns(url, combination)
    assert host_image.rows(url, of) == rows
    assert host_image.query_results(url, pool) == queries
    assert host_image.insert_results(url, pool, WATCHED) == inserts

    book(url, pool.removeprefix("solana_"))
    with connect(url) as connection:
        assert connection.execute("SELECT pool_id FROM pumpswap_trades").fetchall() == [(pool,)]
        assert connection.execute("SELECT pool_id FROM pumpswap_positions").fetchall() == [(pool,)]
        assert connection.execute(f"DELETE FROM pools WHERE id = '{pool}'").rowcount == 1
        assert connection.execute("SELECT pool_id FROM pumpswap_trades").fetchall() == [(None,)]
        assert connection.execute("SELECT pool_id FROM pumpswap_positions").fetchall() == [(None,)]
        connection.rollback()

    attached = look(url)
    assert attached.rows["pumpswap_trades"] == 1
    detached = detach(url, tmp_path / "export", 3)
    assert detached.export is not None
    assert detached.export.rows == attached.rows
    assert host_image.schema(url) == schema
    assert host_image.rows(url, of) == rows
    assert host_image.query_results(url, pool) == queries
    assert host_image.insert_results(url, pool, WATCHED) == inserts


@pytest.mark.parametrize("combination", COMBINATIONS[1::4], ids=str)
def test_books_that_were_there_before_are_kept(combination: Combination, full_host: FullHost) -> None:
    url = full_host(combination)
    pool = _lonely_pool(url)
    with open_database(url) as database:
        before = database.start_run("test", 1)
    book(url, pool.removeprefix("solana_"), run_id=before.run_id)
    book(url, samples.POOL)  # no pool of the host's
    plan = attach(url, 1)
    assert (plan.counts["linked"], plan.counts["unlinked"]) == (0, 2)
    with open_database(url) as database:
        first, second = (database.run(header.run_id) for header in database.runs())
        assert len([*first.trades()]) == len([*second.trades()]) == 1
        assert [position.pool for position in second.positions()] == [samples.POOL]
    with connect(url) as connection:
        assert connection.execute("SELECT pool_id FROM pumpswap_trades ORDER BY id").fetchall() == [(pool,), (None,)]
    engine = make_engine(url)
    assert migrate.current(engine) == migrate.HEAD
    engine.dispose()


def test_pair_addresses_are_the_bare_addresses(full_host: FullHost) -> None:
    url = full_host(COMBINATIONS[0])
    attach(url, 1)
    with connect(url) as connection:
        found = connection.execute("SELECT id, address, dex_id, pumpswap_pair_address FROM pools").fetchall()
    assert sum(address.startswith("solana_") for _, address, dex, _ in found if dex == "pumpswap") == 84
    for pool, address, dex, pair in found:
        assert pair == (bare_address(address) if dex == "pumpswap" else None), pool
        assert pair is None or pool == f"solana_{pair}"


def _check_columns(url: str, combination: Combination) -> None:
    plan = attach(url, 2)
    states = {step.text: step.state for step in plan.steps}
    expected = StepState.PRESENT if combination.enhanced else StepState.SKIPPED
    assert states["column pools.pumpswap_pair_address"] is StepState.PRESENT
    assert states["column new_pools_history_enhanced.pumpswap_available"] is expected
    assert states["key pumpswap_trades.pool_id → pools.id"] is StepState.PRESENT
    assert states["key q50_trading_history.feature_vector_id → pool_feature_vectors.id"] is expected
    with connect(url) as connection:
        query = "SELECT count(*), count(pumpswap_pair_address) FROM pools WHERE dex_id = 'pumpswap'"
        assert connection.execute(query).fetchone() == (PUMPSWAP_POOLS, PUMPSWAP_POOLS)
        if combination.enhanced:
            query = "SELECT DISTINCT pumpswap_available FROM new_pools_history_enhanced"
            assert connection.execute(query).fetchall() == [(False,)]


def _lonely_pool(url: str) -> str:
    """A pool that only ``new_pools_history`` knows, which has no key: the host can delete it."""
    query = """SELECT min(p.id) FROM pools p WHERE p.dex_id = 'pumpswap'
        AND NOT EXISTS (SELECT 1 FROM watchlist w WHERE w.pool_id = p.id)
        AND NOT EXISTS (SELECT 1 FROM trades t WHERE t.pool_id = p.id)
        AND NOT EXISTS (SELECT 1 FROM ohlcv_data o WHERE o.pool_id = p.id)"""
    with connect(url) as connection:
        (pool,) = connection.execute(query).fetchone()
    return str(pool)
