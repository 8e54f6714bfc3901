"""A collector survives kill -9: nothing is lost, nothing is doubled; and the judge can say no."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.crash.collect_kills import POOLS, BrokenMarket, judge, run_collect_kills
from tests.storage import stranger
from tests.support.gecko_world import GeckoWorld
from tests.support.postgres import fresh_database


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_killed_collector_goes_on_where_it_was(engine: str, tmp_path: Path) -> None:
    target = tmp_path / "collected.sqlite" if engine == "sqlite" else fresh_database()
    done = run_collect_kills(target, 7, 3)
    assert done.kills == 3
    assert done.snapshots >= POOLS
    assert done.trades >= POOLS
    assert done.candles >= POOLS * 20


def test_the_judge_sees_what_is_lost_and_what_is_doubled(tmp_path: Path) -> None:
    target, began = tmp_path / "collected.sqlite", int(time.time())
    run_collect_kills(target, 7, 0)
    world = GeckoWorld(pool_count=POOLS, seed=7, dexes=("pumpswap",), traded_seconds=2_400, at_seconds=began)
    judge(target, world, began, until=began - 120)
    one = "(SELECT id FROM trades ORDER BY block_timestamp LIMIT 1 OFFSET 40)"
    doubled = (
        "INSERT INTO trades SELECT id || '9', pool_id, block_number, tx_hash, tx_from_address, from_token_amount,"
        " to_token_amount, price_usd, volume_usd, side, block_timestamp, created_at FROM trades LIMIT 1"
    )
    again = "INSERT INTO new_pools_history (pool_id, collected_at) SELECT pool_id, '2026-01-0' || id FROM {0}"
    for damage, what in (
        (f"DELETE FROM trades WHERE id = {one}", "are lost"),
        (doubled, "doubled"),
        ("DELETE FROM ohlcv_data WHERE id = (SELECT id FROM ohlcv_data ORDER BY id LIMIT 1 OFFSET 5)", "candles of"),
        ("DELETE FROM new_pools_history", "do not belong together"),
        (again.format("new_pools_history"), "finished of"),
    ):
        copy = tmp_path / "copy.sqlite"
        copy.unlink(missing_ok=True)
        stranger.execute(target, f"VACUUM INTO '{copy}'")
        stranger.execute(copy, damage)
        with pytest.raises(BrokenMarket, match=what):
            judge(copy, world, began, until=began - 120)
