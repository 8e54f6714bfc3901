"""A week of 1,000 pools collected in minutes, to the last row and the last sum; and kill -9 of the real command."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

from pumpswap.app.collect import collector_for
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import PumpSwapError
from pumpswap.market.collect_plan import CollectTally
from pumpswap.market.collector import CollectorParts
from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.http_source import SourceParts
from pumpswap.settings import CollectSettings, Settings
from pumpswap.storage.collected import open_collected
from tests.acceptance.check import Check, Findings, Progress
from tests.crash.collect_kills import BrokenMarket, run_collect_kills
from tests.storage import stranger
from tests.support.gecko_week import HOUR, GeckoWeek
from tests.support.postgres import fresh_database

__all__ = ["COLLECTOR", "collect_week", "expected_week"]

HOURS = 7 * 24
KILLS = {"SQLite": 35, "PostgreSQL": 20}
_PER_DATABASE = 5  # its first moments are moments too


def collect_week(target: str | Path, week: GeckoWeek, hours: int = HOURS) -> CollectTally:
    """One collector over all the hours, on a clock that only waits."""
    return asyncio.run(_collect(target, week, hours))


async def _collect(target: str | Path, week: GeckoWeek, hours: int) -> CollectTally:
    clock = ManualClock(week.at_seconds * NS_PER_SECOND)

    async def sleep(seconds: float) -> None:
        clock.advance_to(clock.now_ns() + round(seconds * NS_PER_SECOND))
        week.at_seconds = clock.now_ns() // NS_PER_SECOND
        await asyncio.sleep(0)

    collect = CollectSettings(
        interval_seconds=HOUR, pages=10, follow_seconds=HOUR, follow_hours=hours + 1, timeframes=("5m",),
        requests_per_minute=100_000,
    )  # fmt: skip
    with open_collected(target, clock.now_ns()) as market:
        async with GeckoClient(collect, clock, SourceParts(sleep=sleep, transport=week.transport())) as client:
            parts = CollectorParts(clock, sleep)
            return await collector_for(Settings(collect=collect), client, market, parts).run(cycles=hours)


def expected_week(week: GeckoWeek, hours: int = HOURS) -> dict[str, Any]:
    """Counts and sums by hand: pool ``n`` is there from hour ``n // 200`` on."""
    pools = range(min(week.pool_count, 200 * hours))
    seen = {number: hours - number // 200 for number in pools}
    well = [number for number in pools if week.scores_well(number)]
    last = (hours - 1) * 12 + 1  # candles from the first one of the week to that which the last round saw open
    return {
        "pools": len(pools),
        "tokens": len(pools) + 1,
        "snapshots": sum(seen.values()),
        "reserves": sum((Fraction(1_000 + n) + Fraction(1, 4) + 10**6 * (n % 10 == 0)) * seen[n] for n in pools),
        "buys": sum(sum(range(n // 200 + 1, hours + 1)) for n in pools),
        "candles": len(well) * last,
        "closes": Fraction(len(well) * sum(range(1, last + 1))),
        "watchlist": len(well),
    }


def found_week(target: str | Path) -> dict[str, Any]:
    """The same of the database."""
    queries = {
        "pools": "SELECT count(*) FROM pools",
        "tokens": "SELECT count(*) FROM tokens",
        "snapshots": "SELECT count(*) FROM new_pools_history",
        "reserves": "SELECT sum(reserve_in_usd) FROM new_pools_history",
        "buys": "SELECT sum(transactions_h1_buys) FROM new_pools_history",
        "candles": "SELECT count(*) FROM ohlcv_data",
        "closes": "SELECT sum(close_price) FROM ohlcv_data",
        "watchlist": "SELECT count(*) FROM watchlist",
    }
    exact = {"reserves", "closes"}
    found = {}
    for name, query in queries.items():
        ((value,),) = stranger.query(target, query)
        found[name] = Fraction(value) if name in exact else int(value)
    return found


def run(seed: int, progress: Progress) -> Findings:
    """Stops at the first thing that is lost, doubled or wrong."""
    of, done = sum(KILLS.values()) + 2, 0
    figures: dict[str, Any] = {}
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="pumpswap-collector-") as folder:
        for engine in KILLS:
            target = Path(folder, "week.sqlite") if engine == "SQLite" else fresh_database()
            figures |= _week_on(engine, target, failures)
            done += 1
            progress(done, of)
        for engine, kills in KILLS.items():
            killed: Counter[str] = Counter()
            try:
                for number in range(kills // _PER_DATABASE):
                    target = Path(folder, f"{number}.sqlite") if engine == "SQLite" else fresh_database()
                    killed.update(run_collect_kills(target, seed + number, _PER_DATABASE).killed_in)
                    done += _PER_DATABASE
                    progress(done, of)
            except (BrokenMarket, PumpSwapError) as broken:
                failures.append(f"{engine}: {type(broken).__name__}: {broken}")
            figures[f"kills on {engine}"] = dict(sorted(killed.items()))
    table = [f"{name:<34} {value}" for name, value in figures.items()]
    notes = ["a week: 1,000 pools, hourly snapshots, 5-minute candles of each tenth; counts and sums equal by hand"]
    return Findings(figures, table, failures, notes)


def _week_on(engine: str, target: str | Path, failures: list[str]) -> dict[str, Any]:
    week = GeckoWeek()
    began = time.perf_counter()
    tally = collect_week(target, week)
    seconds = time.perf_counter() - began
    found, expected = found_week(target), expected_week(week)
    if found != expected or tally.errors:
        failures.append(f"{engine}: {found} is not {expected}, {tally.errors} errors")
    return {
        f"week on {engine}: rows": tally.rows,
        f"week on {engine}: requests": week.requests,
        f"week on {engine}: seconds": round(seconds, 1),
        f"week on {engine}: rows per second": round(tally.rows / seconds),
    }


COLLECTOR = Check(
    "collector", f"a week of 1,000 pools collected exactly, {sum(KILLS.values())} times kill -9", lambda: None, run
)
