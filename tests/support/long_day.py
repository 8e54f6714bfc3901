"""A simulated day through the real engine under its supervisor, stored in SQLite, and what it took of memory."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from pumpswap.amm import current_schedule
from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.feed import Sink
from pumpswap.engine.outbox import Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.supervisor import Ending, Supervisor, SupervisorParts
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator, Pace
from pumpswap.model import SOL, Filled, MarketUpdate, Order, Outcome, Position, RunObserver
from pumpswap.settings import Settings
from pumpswap.signals.base_score import BaseScoreSignaller
from pumpswap.storage import open_database
from pumpswap.storage.run import Run
from tests.support.market import START_NS

__all__ = ["DAY_PACE", "DayFigures", "Sample", "growth_mb_per_hour", "run_day"]

# A collector's pace for the snapshots; participants fourteen times slower than in the demonstration, and all pools are
# open after two hours.
DAY_PACE = Pace(snapshot_seconds=300, slowness=14, openings=60, most_holders=250)
MB = 1_048_576


@dataclass(frozen=True)
class Sample:
    """What was seen at one moment of the day. ``waiting`` is the longest queue of updates so far, ``to_store``
    the most that waited for the database since the sample before.
    """

    hour: float
    resident_mb: float
    tasks: int
    waiting: int
    to_store: int
    orders: int
    open_positions: int
    objects: int


@dataclass
class DayFigures:
    """``longest_queue`` is the most updates that ever waited; ``computing_seconds`` are of this process alone."""

    swaps: int = 0
    snapshots: int = 0
    updates: int = 0
    seconds: float = 0.0
    computing_seconds: float = 0.0
    fills: int = 0
    other_outcomes: int = 0
    rounds: int = 0
    decisions: int = 0
    marks: int = 0
    longest_queue: int = 0
    most_to_store: int = 0
    tasks_before: int = 0
    tasks_after: int = 0
    database_mb: float = 0.0
    ending: str = ""
    differences: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


class _Watch(RunObserver):
    """Counts what passes by, and takes a sample every half hour of the market's time."""

    def __init__(self, figures: DayFigures) -> None:
        self.figures = figures
        self.supervisor: Supervisor | None = None
        self.outbox: Outbox | None = None
        self.most_to_store = self._to_store = 0
        self._next_ns = START_NS

    def on_update(self, update: MarketUpdate) -> None:
        figures = self.figures
        figures.updates += 1
        figures.swaps += update.swap is not None
        figures.snapshots += update.snapshot is not None
        if self.outbox is not None:
            self._to_store = max(self._to_store, len(self.outbox))
        if update.at_ns >= self._next_ns:
            self._next_ns += 1_800 * NS_PER_SECOND
            self._sample(update.at_ns)

    def on_decision(self, _decision: object) -> None:
        self.figures.decisions += 1

    def on_mark(self, _mark: object) -> None:
        self.figures.marks += 1

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self.figures.fills += isinstance(outcome, Filled)
        self.figures.other_outcomes += not isinstance(outcome, Filled)
        self.figures.rounds += position is not None and not position.is_open

    def _sample(self, at_ns: int) -> None:
        assert self.supervisor is not None
        gc.collect()
        to_store, self._to_store = self._to_store, 0
        self.most_to_store = max(self.most_to_store, to_store)
        engine = self.supervisor.parts.engine
        self.figures.samples.append(
            Sample(
                hour=round((at_ns - START_NS) / (3_600 * NS_PER_SECOND), 2),
                resident_mb=round(resident_bytes() / MB, 1),
                tasks=len(asyncio.all_tasks()),
                waiting=self.supervisor.longest_queue,
                to_store=to_store,
                orders=len(engine.desk.orders),
                open_positions=len(engine.portfolio.positions.open_positions()),
                objects=len(gc.get_objects()),
            )
        )


class _SimulatorFeed:
    """The simulator's market, one arrival at each turn: it looks at our book."""

    name = "simulator"
    stale_seconds = 0.0

    def __init__(self, updates: Iterator[MarketUpdate]) -> None:
        self._updates = updates

    async def run(self, sink: Sink) -> None:
        while await sink.turn(lambda: next(self._updates, None)):
            pass


def run_day(
    database: Path, *, seed: int, pools: int = 1_000, hours: float = 24, pace: Pace = DAY_PACE, latency_ms: int = 1_200
) -> DayFigures:
    """The day, to its last order. ``differences`` is what does not add up afterwards."""
    return asyncio.run(_day(database, Settings(**_settings(latency_ms)), seed, pools, hours, pace))


def _settings(latency_ms: int) -> dict[str, object]:
    """The default limits, on a wallet that a thousand pools can use; scores look two hours back."""
    return {
        "paper": {"latency_ms": latency_ms, "start_sol": "100"},
        "signals": {"history_hours": 2, "min_score": 70.0},
        "risk": {"max_trades_per_day": 5_000, "max_daily_loss_fraction": "1", "max_drawdown_fraction": "1"},
        "run": {"queue_size": 1_000},
    }


async def _day(database: Path, settings: Settings, seed: int, pools: int, hours: float, pace: Pace) -> DayFigures:
    figures, book, clock = DayFigures(), PoolBook(), SystemClock()
    figures.tasks_before = len(asyncio.all_tasks())
    venue = PaperVenue(
        book, settings.paper, lambda _: current_schedule(), max_state_age_seconds=settings.risk.max_state_age_seconds
    )
    market = MarketSimulator(
        book, seed=seed, start_ns=START_NS, duration_s=round(hours * 3_600), pools=pools, pace=pace
    )
    signaller = BaseScoreSignaller(settings.signals.min_score).signal
    watch = _Watch(figures)
    with open_database(database) as stored_in:
        run = stored_in.start_run("paper", clock.now_ns(), seed, settings.to_store())
        outbox = Outbox(run, StoreRecorder(run))
        parts = EngineParts(book, venue, signaller, lambda _: current_schedule(), settings)
        engine = Engine(parts, (watch, outbox))
        engine.clock.advance_to(START_NS)
        engine.deposit(settings.paper.lamports("start_sol"))
        feed = _SimulatorFeed(market.updates(engine.settle))
        supervisor = Supervisor(
            SupervisorParts(engine, (feed,), outbox, settings.run, engine.clock, clock, Random(seed), ticks=False)
        )
        watch.supervisor, watch.outbox = supervisor, outbox
        began, computed = time.perf_counter(), time.process_time()
        ending = await supervisor.run()
        figures.seconds = round(time.perf_counter() - began, 1)
        figures.computing_seconds = round(time.process_time() - computed, 1)
        figures.most_to_store = watch.most_to_store
        figures.longest_queue, figures.ending = supervisor.longest_queue, ending.value
        figures.differences += _differences(engine, run, venue.wallet.balances())
        if ending is not Ending.MARKET_IS_OVER:
            figures.differences.append(f"the run ended because {ending.value}")
    figures.tasks_after = len(asyncio.all_tasks())
    figures.database_mb = round(database.stat().st_size / MB, 1)
    return figures


def _differences(engine: Engine, run: Run, wallet: dict[str, int]) -> list[str]:
    """Ledger, wallet and the stored books, pairwise."""
    found = []
    ours = engine.portfolio.ledger.balances()
    if ours != wallet:
        found.append(f"ledger {ours.get(SOL)} lamports, wallet {wallet.get(SOL)}")
    if engine.desk.orders:
        found.append(f"{len(engine.desk.orders)} orders have not ended")
    stored = {asset: units for asset, units in run.books.balances().items() if units}
    if stored != wallet:
        found.append("the stored sums are not the wallet")
    held = {(one.pool, one.round): one.base_units for one in engine.portfolio.positions.open_positions()}
    if {(one.pool, one.round): one.base_units for one in run.open_positions()} != held:
        found.append("the stored open positions are not those of the engine")
    return found


def growth_mb_per_hour(samples: list[Sample], from_hour: float) -> float:
    """Slope of the resident memory, by Theil and Sen: the median over all pairs, which no single jump can bend."""
    late = [sample for sample in samples if sample.hour >= from_hour]
    slopes = [
        (after.resident_mb - before.resident_mb) / (after.hour - before.hour)
        for place, before in enumerate(late)
        for after in late[place + 1 :]
    ]
    return round(median(slopes), 2) if slopes else 0.0


def resident_bytes() -> int:
    """Memory that this process occupies now; the peak where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
    return pages * resource.getpagesize()
