"""Swaps per second through the engine with a trivial strategy, next to NautilusTrader's back-test engine."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.environments import environment_python
from benchmarks.figures import Figures, PeerUnavailable
from benchmarks.trading.recorded_market import RecordedMarket, record_market, write_ticks
from pumpswap.amm import current_schedule
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import Intent, Swap
from pumpswap.settings import Settings

__all__ = ["PeerUnavailable", "measure"]

SWAPS, POOLS, ROUNDS = 100_000, 100, 5
_SIDE = Path(__file__).with_name("nautilus_side.py")
_RUN_SECONDS = 600


class CountAndRemember(Strategy):
    """Counts trades and remembers the last price of each pool."""

    name = "count-and-remember"

    def __init__(self) -> None:
        self.count = 0
        self.last: dict[str, tuple[int, int]] = {}

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        self.count += 1
        self.last[swap.pool] = (swap.quote_units, swap.base_units)
        return ()


def measure() -> Figures:
    """The same trades through both, the best of five rounds of each. Raises PeerUnavailable."""
    market = record_market(SWAPS, pools=POOLS)
    ours, theirs, version = [], [], ""
    with tempfile.TemporaryDirectory(prefix="pumpswap-ticks-") as folder:
        ticks = Path(folder, "ticks.csv")
        write_ticks(ticks, market)
        python = environment_python("nautilus-1.221")
        for _ in range(ROUNDS):  # in turns, so that a busy moment of the machine meets both
            ours.append(_through_the_engine(market))
            seconds, version = _through_nautilus(python, ticks, market)
            theirs.append(seconds)
    best, best_peer = min(ours), min(theirs)
    rate, peer_rate = round(SWAPS / best), round(SWAPS / best_peer)
    ratio = round(best_peer / best, 2)
    table = [
        f"{'':<36}{'swaps/s':>12}{'µs each':>10}",
        f"{'our engine, paper':<36}{rate:12,}{best / SWAPS * 1e6:10.2f}",
        f"{'NautilusTrader ' + version + ', back-test':<36}{peer_rate:12,}{best_peer / SWAPS * 1e6:10.2f}",
        f"{'ratio':<36}{ratio:>12}×",
    ]
    figures: dict[str, Any] = {
        "swaps": SWAPS,
        "pools": POOLS,
        "ours_per_second": rate,
        "nautilus_per_second": peer_rate,
        "ratio": ratio,
        "nautilus": version,
        "ours_seconds": [round(one, 4) for one in ours],
        "nautilus_seconds": [round(one, 4) for one in theirs],
    }
    notes = [
        f"{SWAPS:,} trades of {POOLS} simulated pools, made before; only each engine's run is timed, best of {ROUNDS}",
        "the strategy of both counts trades and remembers the last price of each pool; nothing is bought",
        "ours takes the exact state of the pool with each trade; the peer takes trade ticks, and has a matching engine",
    ]
    promise = (f"the engine takes {ratio}× as many trades per second as NautilusTrader, at least as many", ratio >= 1)
    return Figures("Trades through the engine", table, figures, [promise], notes)


def _through_the_engine(market: RecordedMarket) -> float:
    settings, book, schedule = Settings(), PoolBook(), current_schedule()
    venue = PaperVenue(book, settings.paper, lambda _: schedule, max_state_age_seconds=60)
    strategy = CountAndRemember()
    engine = Engine(EngineParts(book, venue, None, lambda _: schedule, settings, strategies=(strategy,)))
    engine.clock.advance_to(market.openings[0].at_ns)
    engine.deposit(settings.paper.lamports("start_sol"))
    for opening in market.openings:
        engine.step(opening)
    gc.collect()
    gc.freeze()  # the recorded market is not garbage; the peer gets the same
    began = time.perf_counter()
    for update in market.swaps:
        engine.step(update)
    engine.finish()
    seconds = time.perf_counter() - began
    gc.unfreeze()
    assert strategy.count == len(market.swaps), "not every trade was heard"
    return seconds


def _through_nautilus(python: Path, ticks: Path, market: RecordedMarket) -> tuple[float, str]:
    """(seconds, version) of one run in a process of its own."""
    command = [str(python), str(_SIDE), str(ticks), str(POOLS)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_SECONDS, env=clean, check=False)
    if done.returncode:
        raise PeerUnavailable(f"NautilusTrader has failed: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if (told["count"], told["pools"]) != (len(market.swaps), len({update.pool for update in market.swaps})):
        raise PeerUnavailable(f"NautilusTrader has heard something else: {told}")
    return told["seconds"], told["version"]
