"""Many simulated pools traded on paper with latency, and the recorded export: what became of every signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from pumpswap.amm import FeeSchedule, current_schedule, schedule_at
from pumpswap.analytics.execution_quality import ExecutionQuality
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Engine, EngineParts, Signaller
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.paper_model import PaperModel
from pumpswap.market.book import PoolBook
from pumpswap.market.host_export import HostExport
from pumpswap.market.simulator import MarketSimulator, Pace
from pumpswap.model import MarketUpdate, Q50Frame, Side
from pumpswap.settings import Settings
from pumpswap.signals.combined import CombinedSignaller
from pumpswap.signals.enhanced_signaller import EnhancedScoreSignaller
from pumpswap.signals.q50_signal import Q50Signaller
from tests.support.market import START_NS
from tests.support.q50 import HOUR_NS, frame_of
from tests.support.reference_keeper import ReferenceKeeper

__all__ = ["SOURCES", "PaperReport", "paper_export", "paper_market"]

SOURCES = ("analyser", "q50", "q50+analyser")
FRAME_ROWS = 73_000  # hourly since August 2018, as the published frame, until after the simulated market
MIN_SCORE = 60.0


@dataclass(frozen=True)
class PaperReport:
    """``quality`` is the report of the package; ``keeper`` holds the reference ledger."""

    source: str
    swaps: int
    pools: int
    quality: ExecutionQuality
    keeper: ReferenceKeeper
    open_positions: int
    differences: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Figures for the evidence."""
        return {
            "pools": self.pools,
            "swaps": self.swaps,
            **self.quality.to_json(),
            "positions_compared": self.keeper.compared,
            "position_accuracy": self.keeper.accuracy,
            "open_at_the_end": self.open_positions,
        }


def paper_market(seed: int, source: str, *, pools: int, minutes: int) -> PaperReport:
    """The simulator at its natural pace, a snapshot of each pool a minute, on the observed failures of the network."""
    settings = Settings(**_settings())
    book = PoolBook()
    start_ns = START_NS if source == "analyser" else _start_of_a_long_hour(minutes)
    pace = Pace(snapshot_seconds=60, openings=250)
    market = MarketSimulator(book, seed=seed, start_ns=start_ns, duration_s=60 * minutes, pools=pools, pace=pace)
    signaller = _signaller(source, book, settings, lambda _: current_schedule())
    run = _Run(settings, book, signaller, lambda _: current_schedule(), seed)
    return run.played(source, market.updates(run.engine.settle), start_ns)


def paper_export(folder: Path, seed: int) -> PaperReport:
    """The recorded export of the host, with the analyser's signals."""
    settings = Settings(**_settings())
    book, export = PoolBook(), HostExport(folder)
    run = _Run(settings, book, _signaller("analyser", book, settings, schedule_at), schedule_at, seed)
    updates = list(export.updates())
    return run.played("analyser", updates, updates[0].at_ns)


def _settings() -> dict[str, Any]:
    """The default limits of one trade; those of all together are wide enough for a thousand pools."""
    return {
        "paper": {"latency_ms": 1_200, "start_sol": "500"},
        "signals": {"min_score": MIN_SCORE, "history_hours": 2},
        "risk": {
            "base_position_fraction": "0.002", "max_open_positions": 1_000, "max_trades_per_minute": 1_000,
            "max_trades_per_hour": 10_000, "max_trades_per_day": 100_000, "max_losses_in_a_row": 1_000,
            "max_daily_loss_fraction": "1", "max_drawdown_fraction": "1",
        },
    }  # fmt: skip


class _Run:
    def __init__(
        self,
        settings: Settings,
        book: PoolBook,
        signaller: Signaller,
        schedule_for: Callable[[int], FeeSchedule],
        seed: int,
    ) -> None:
        self._lamports = settings.paper.lamports("start_sol")
        self.venue = PaperVenue(
            book,
            settings.paper,
            schedule_for,
            max_state_age_seconds=settings.risk.max_state_age_seconds,
            model=PaperModel(settings.paper, Random(seed)),
        )
        self.quality, self.keeper = ExecutionQuality(), ReferenceKeeper()
        parts = EngineParts(book, self.venue, signaller, schedule_for, settings)
        self.engine = Engine(parts, (self.quality, self.keeper))

    def played(self, source: str, updates: Iterable[MarketUpdate], start_ns: int) -> PaperReport:
        swaps, pools = 0, set[str]()
        self.engine.clock.advance_to(start_ns)
        self.engine.deposit(self._lamports)
        self.keeper.deposit(self._lamports)
        for update in updates:
            self.engine.step(update)
            swaps += update.swap is not None
            pools.add(update.pool)
        self.engine.finish()
        return PaperReport(
            source=source,
            swaps=swaps,
            pools=len(pools),
            quality=self.quality,
            keeper=self.keeper,
            open_positions=len(self.engine.portfolio.positions.open_positions()),
            differences=tuple(self._differences()),
        )

    def _differences(self) -> list[str]:
        wallet, reference = self.venue.wallet.balances(), self.keeper.reference.balances()
        ledger = self.engine.portfolio.ledger.balances()
        found = list(self.keeper.differences[:5])
        if ledger != wallet:
            found.append("ledger and wallet differ")
        if ledger != reference:
            found.append("ledger and reference differ")
        return found


def _signaller(
    source: str, book: PoolBook, settings: Settings, schedule_for: Callable[[int], FeeSchedule]
) -> Signaller:
    scores = EnhancedScoreSignaller(MIN_SCORE, book, schedule_for)
    if source == "analyser":
        return scores.signal
    q50 = Q50Signaller(_frame())
    return q50.signal if source == "q50" else CombinedSignaller(q50.signal, scores).signal


@cache
def _frame() -> Q50Frame:
    return frame_of(FRAME_ROWS)


def _start_of_a_long_hour(minutes: int) -> int:
    """A moment at which the model turns to long after a third of the time, in the weeks of the simulated market."""
    signaller = Q50Signaller(_frame())
    last = _frame().chosen().times_ns[-1]
    hour = last - 24 * 30 * HOUR_NS
    hour -= hour % HOUR_NS
    while hour < last:
        if signaller.decide(hour).side is Side.LONG and signaller.decide(hour - 1).side is not Side.LONG:
            return hour - minutes * 60 * NS_PER_SECOND // 3
        hour += HOUR_NS
    raise AssertionError("the frame never turns to long")
