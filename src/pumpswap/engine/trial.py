"""Trying strategies out: the simulated market, exact fills on paper, the real gate, exits and books, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pumpswap.amm import FeeSchedule, current_schedule
from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.summary import RunSummary, summarise
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Engine, EngineParts, Signaller
from pumpswap.engine.strategy import Strategy
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator
from pumpswap.model import RunObserver
from pumpswap.settings import Settings
from pumpswap.signals.enhanced_signaller import EnhancedScoreSignaller
from pumpswap.signals.pumpswap_analyzer import PumpSwapSignalAnalyzer

__all__ = ["Trial", "try_strategies"]

TRIAL_START_NS = 1_793_577_600 * NS_PER_SECOND  # 2026-11-02 00:00 UTC: today's rules of the program


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out. ``faults`` are strategies that failed, with their error: from then on nothing was bought."""

    summary: RunSummary
    record: RunRecord
    faults: dict[str, str]


def try_strategies(
    strategies: Sequence[Strategy],
    settings: Settings | None = None,
    *,
    seed: int = 7,
    minutes: int = 30,
    pools: int = 6,
    observers: Sequence[RunObserver] = (),
) -> Trial:
    """Run ``strategies`` on a simulated market; the same seed gives the same market. They hear the enhanced score of
    every snapshot, every swap, their positions and the time. Nothing is stored and nothing leaves this process.

    The participants of this market are invented: it shows that a strategy works as written, never that it pays.
    """
    used, book = settings or Settings(), PoolBook()
    market = MarketSimulator(book, seed=seed, start_ns=TRIAL_START_NS, duration_s=minutes * 60, pools=pools)
    venue = PaperVenue(book, used.paper, _schedule, max_state_age_seconds=used.risk.max_state_age_seconds)
    parts = EngineParts(
        book, venue, _signaller(used, book), _schedule, used, equity_every_seconds=5, strategies=strategies
    )
    record = RunRecord()
    engine = Engine(parts, (record, *observers))
    engine.run(market.updates(engine.settle), TRIAL_START_NS, used.paper.lamports("start_sol"))
    summary = summarise(record, engine.portfolio, venue.wallet.balances())
    return Trial(summary, record, dict(engine.risk.state.faults))


def _signaller(settings: Settings, book: PoolBook) -> Signaller:
    analyzer = PumpSwapSignalAnalyzer(settings=settings.feasibility)
    return EnhancedScoreSignaller(settings.signals.min_score, book, _schedule, analyzer).signal


def _schedule(_unix_seconds: int) -> FeeSchedule:
    return current_schedule()
