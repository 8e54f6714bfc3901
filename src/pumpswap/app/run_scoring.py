"""What a run thinks of its market: signals, strategy, screens, as the settings name them."""

from __future__ import annotations

from collections.abc import Callable

from pumpswap.amm import FeeSchedule
from pumpswap.app.follow import FollowDesk
from pumpswap.app.q50 import Q50Source, open_q50
from pumpswap.app.run_parts import MarketSide, ScoringSide
from pumpswap.clock import Clock
from pumpswap.engine.engine import Signaller
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.engine.strategies.named import strategy_named
from pumpswap.market.book import PoolBook
from pumpswap.settings import Settings
from pumpswap.signals.base_score import BaseScoreSignaller
from pumpswap.signals.enhanced_signaller import EnhancedScoreSignaller
from pumpswap.signals.pumpswap_analyzer import PumpSwapSignalAnalyzer

__all__ = ["analyser", "open_scoring"]


def analyser(settings: Settings, book: PoolBook, schedule_for: Callable[[int], FeeSchedule]) -> Signaller:
    """The score that the setting ``signals.score`` asks for."""
    if settings.signals.score == "base":
        return BaseScoreSignaller(settings.signals.min_score).signal
    analyzer = PumpSwapSignalAnalyzer(settings=settings.feasibility)
    return EnhancedScoreSignaller(settings.signals.min_score, book, schedule_for, analyzer).signal


async def open_scoring(
    settings: Settings, market: MarketSide, watch: WatchList, follow: FollowDesk | None, clock: Clock
) -> ScoringSide:
    """Signals and strategy of ``run.signals`` and ``run.strategy``. Raises ConfigError for a Q50 frame that is not
    there; one that cannot be read is no error: it gives no signals, and says so.
    """
    signallers: list[Signaller] = []
    if "analyser" in settings.run.signals:
        signallers.append(analyser(settings, market.book, market.schedule_for))
    if "q50" in settings.run.signals:
        loader = open_q50(settings, clock)
        await loader.load_signals()
        signallers.append(Q50Source(loader, settings))
    snapshots = watch.hearing(signallers[0]) if signallers else None
    swaps = None if follow is None else follow.follower.signal
    return ScoringSide(snapshots, swaps, [strategy_named(settings.run.strategy, settings)])
