"""Answers: what reading a service's answers costs, beside decoding their JSON without looking at it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from benchmarks.figures import Figures
from pumpswap.market.gecko.convert import snapshot_of
from pumpswap.market.gecko.parse import parse_pools, parse_trades
from pumpswap.market.gecko.parse_candles import parse_candles
from tests.support.gecko_world import GeckoWorld, dumped

__all__ = ["measure"]

_ROUNDS = 15


def measure() -> Figures:
    """A page of 20 pools, 300 trades, 1,000 candles; the best of fifteen rounds each."""
    world = GeckoWorld(pool_count=20, traded_seconds=86_400)
    pools, trades = dumped(world.pools(world.newest_first())), dumped(world.trades(3))
    candles = dumped(world.candles(3, 60, None, 1_000))
    page = parse_pools(pools)
    found = {
        "pools_ms": _best(lambda: parse_pools(pools)),
        "trades_ms": _best(lambda: parse_trades(trades)),
        "candles_ms": _best(lambda: parse_candles(candles, "1m")),
        "snapshots_ms": _best(lambda: [snapshot_of(one, 1) for one in page.pools]),
        "pools_json_ms": _best(lambda: json.loads(pools)),
        "trades_json_ms": _best(lambda: json.loads(trades)),
        "candles_json_ms": _best(lambda: json.loads(candles)),
    }
    rows = [
        _row("20 new pools", found, "pools", len(pools)),
        _row("300 trades", found, "trades", len(trades)),
        _row("1,000 candles", found, "candles", len(candles)),
        f"{'20 snapshots of the pools':36}{found['snapshots_ms']:8.2f} ms",
    ]
    # Thirty answers a minute is all that the free service gives: reading them must be nothing beside that.
    share = 30 * max(found["pools_ms"], found["trades_ms"], found["candles_ms"]) / 60_000
    return Figures(
        title="answers of GeckoTerminal, every field checked, every digit kept",
        table=rows,
        figures=found | {"share_of_one_core_at_30_a_minute": share},
        promises=[("reading 30 answers a minute takes less than 2 % of one core", share < 0.02)],
        notes=["Made-up answers in the shape of the real ones; json.loads keeps 17 digits and checks nothing."],
    )


def _row(what: str, found: dict[str, float], kind: str, size: int) -> str:
    plain = found[f"{kind}_json_ms"]
    times = found[f"{kind}_ms"] / plain
    return f"{what:36}{found[f'{kind}_ms']:8.2f} ms   {size / 1e3:6.1f} kB   {times:5.1f} × json.loads ({plain:.2f} ms)"


def _best(run: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best * 1_000
