"""Swaps per second through a back-test, untouched, in pools that we have changed, and with orders; next to
NautilusTrader's back-test engine over the same trades.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.environments import environment_python
from benchmarks.figures import Figures, PeerUnavailable
from benchmarks.trading.recorded_market import RecordedMarket, write_ticks
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.market.simulator import Pace
from pumpswap.model import Intent, MarketUpdate, Side, Signal, Swap
from pumpswap.research.backtest.runner import Players, run_backtest
from pumpswap.research.backtest.spec import SourceRef, StrategyRef, new_spec
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle, SimulatedPlan
from pumpswap.research.chronicle.step import Range, Step
from pumpswap.settings import PaperVenueSettings, RiskLimits, Settings

__all__ = ["measure"]

SWAPS, POOLS, ROUNDS = 100_000, 100, 3
ORDER_EVERY = 100
_SIDE = Path(__file__).with_name("nautilus_side.py")
_RUN_SECONDS = 900
_SETTINGS = Settings(
    paper=PaperVenueSettings(start_sol=Decimal(1_000), failed_bps=0, priority="fixed"),
    risk=RiskLimits(
        base_position_fraction=Decimal("0.0001"), max_open_positions=POOLS, cooldown_seconds=0,
        max_trades_per_minute=10**6, max_trades_per_hour=10**6, max_trades_per_day=10**6, max_losses_in_a_row=1_000,
        allow_permissionless_pools=True, max_daily_loss_fraction=Decimal(1), max_drawdown_fraction=Decimal(1),
        breaker_failures=1_000, min_liquidity_sol=Decimal(1),
    ),
)  # fmt: skip


class CountAndRemember(Strategy):
    """Counts trades and remembers the last price of each pool; ``every``: buys, or sells what it holds. ``each_pool``:
    buys once in every pool, and again there until it is held.
    """

    name = "count-and-remember"

    def __init__(self, every: int = 0, *, each_pool: bool = False) -> None:
        self.count = 0
        self.last: dict[str, tuple[int, int]] = {}
        self._every, self._each_pool = every, each_pool
        self._bought: set[str] = set()

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        self.count += 1
        self.last[swap.pool] = (swap.quote_units, swap.base_units)
        if self._each_pool:
            if swap.pool in self._bought:
                return ()
            if desk.position(swap.pool) is not None:
                self._bought.add(swap.pool)
                return ()
        elif not self._every or self.count % self._every:
            return ()
        elif (held := desk.position(swap.pool)) is not None:
            return (desk.sell(held, "as planned"),)
        return (desk.buy(Signal(swap.pool, swap.at_ns, Side.LONG, 100.0, 1.0, self.name, ("as planned",))),)


class Held(BaseChronicle):
    """A history in memory: only the back-test is timed, not where its steps come from."""

    def __init__(self, steps: list[Step], whole: SimulatedChronicle) -> None:
        super().__init__("held", {"kind": "held"}, whole.slots, whole.schedule_for)
        self._steps, self._whole = steps, whole

    @property
    def assumptions(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        """As the market says."""
        return self._whole.complete

    def _weave(self, tally: Counter[str]) -> Iterator[Step]:
        return iter(self._steps)


def measure() -> Figures:
    """The same trades through both, the best of three rounds of each. Raises PeerUnavailable."""
    history, market = recorded(SWAPS)
    plans = {
        "nothing is bought": (lambda: CountAndRemember(), 0),
        "after a purchase in every pool": (lambda: CountAndRemember(each_pool=True), 0),
        f"an order every {ORDER_EVERY} trades": (lambda: CountAndRemember(ORDER_EVERY), ORDER_EVERY),
    }
    table = [f"{'':<34}{'ours, trades/s':>16}{'orders':>8}{'Nautilus':>12}{'orders':>8}{'ratio':>8}"]
    figures: dict[str, Any] = {"swaps": SWAPS, "pools": POOLS}
    with tempfile.TemporaryDirectory(prefix="pumpswap-ticks-") as folder:
        ticks, python = Path(folder, "ticks.csv"), environment_python("nautilus-1.221")
        write_ticks(ticks, market)
        peers = {every: _through_nautilus(python, ticks, every) for every in (0, ORDER_EVERY)}
        for name, (make, every) in plans.items():
            seconds, fills, changed, pools = min(_through_ours(history, make()) for _ in range(ROUNDS))
            peer = peers[every]
            rate, peer_rate = round(SWAPS / seconds), round(SWAPS / peer["seconds"])
            ratio = round(rate / peer_rate, 2)
            table.append(f"{name:<34}{rate:16,}{fills:8,}{peer_rate:12,}{peer['fills']:8,}{ratio:8}")
            figures[name] = {
                "per_second": rate, "fills": fills, "computed_again": changed, "changed_pools": pools,
                "nautilus_per_second": peer_rate, "nautilus_fills": peer["fills"], "ratio": ratio,
            }  # fmt: skip
        figures["nautilus"] = peers[0]["version"]
    market_felt = (
        "ours computes every later trade of a pool in which it has bought again, on the exact curve; the peer matches"
        " orders against the last trade, and its market does not feel them"
    )
    notes = [f"{SWAPS:,} trades of {POOLS} simulated pools, held in memory; best of {ROUNDS}", market_felt]
    return Figures("Trades through a back-test", table, figures, [], notes)


def recorded(swaps: int) -> tuple[Held, RecordedMarket]:
    """The first trades of a market of many pools, as a history and as ticks."""
    plan = SimulatedPlan(seed=1, minutes=120, pools=POOLS, pace=Pace(snapshot_seconds=86_400, openings=1))
    whole, steps, ticks = SimulatedChronicle(plan), [], []
    for step in whole.steps():
        steps.append(step)
        if step.swap is not None:
            ticks.append(MarketUpdate(step.at_ns, step.pool, None, swap=step.swap))
        if len(ticks) == swaps:
            break
    pools = list(dict.fromkeys(step.pool for step in steps))
    return Held(steps, whole), RecordedMarket(pools, [], ticks)


def _through_ours(history: Held, strategy: CountAndRemember) -> tuple[float, int, int, int]:
    spec = new_spec(history, SourceRef("held", "held"), StrategyRef(strategy.name), _SETTINGS)
    gc.collect()
    gc.freeze()
    began = time.perf_counter()
    done = run_backtest(spec, history, lambda _book, _fees: Players([strategy]))
    seconds = time.perf_counter() - began
    gc.unfreeze()
    world = done.result.world
    return seconds, done.summary.fills, int(world["reapplied"]), int(world["diverged_pools"])


def _through_nautilus(python: Path, ticks: Path, every: int) -> dict[str, Any]:
    """The best of so many runs, each in a process of its own."""
    command = [str(python), str(_SIDE), str(ticks), str(POOLS), str(every)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    told = []
    for _ in range(ROUNDS):
        done = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_SECONDS, env=clean, check=False)
        if done.returncode:
            raise PeerUnavailable(f"NautilusTrader has failed: {done.stderr.strip()[-500:]}")
        told.append(json.loads(done.stdout.splitlines()[-1]))
    return min(told, key=lambda one: float(one["seconds"]))
