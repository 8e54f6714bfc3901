"""What a run thinks of its market: signals, strategy, screens, as the settings name them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pumpswap.amm import FeeSchedule
from pumpswap.app.follow import FollowDesk
from pumpswap.app.q50 import Q50Source, open_q50
from pumpswap.app.run_needs import needs_frame
from pumpswap.app.run_parts import MarketSide, ScoringSide
from pumpswap.clock import Clock
from pumpswap.engine.engine import Signaller
from pumpswap.engine.feed import FeedTools
from pumpswap.engine.feeds.errand import Errand
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.engine.health import Monitor
from pumpswap.engine.strategies.named import strategy_named
from pumpswap.engine.strategies.q50 import FrameSignaller, Q50Strategy
from pumpswap.market.book import PoolBook
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.settings import Settings
from pumpswap.settings.nearest import shown_path
from pumpswap.signals.base_score import BaseScoreSignaller
from pumpswap.signals.combined import CombinedSignaller
from pumpswap.signals.enhanced_signaller import EnhancedScoreSignaller
from pumpswap.signals.pumpswap_analyzer import PumpSwapSignalAnalyzer

__all__ = ["analyser", "open_scoring"]

_FRAME_SECONDS = 30  # between two looks whether the model's file has changed


def analyser(settings: Settings, book: PoolBook, schedule_for: Callable[[int], FeeSchedule]) -> Signaller:
    """The score that the setting ``signals.score`` asks for."""
    if settings.signals.score == "base":
        return BaseScoreSignaller(settings.signals.min_score).signal
    return _enhanced(settings, book, schedule_for).signal


def _enhanced(settings: Settings, book: PoolBook, schedule_for: Callable[[int], FeeSchedule]) -> EnhancedScoreSignaller:
    analyzer = PumpSwapSignalAnalyzer(settings=settings.feasibility)
    return EnhancedScoreSignaller(settings.signals.min_score, book, schedule_for, analyzer)


async def open_scoring(
    settings: Settings, market: MarketSide, watch: WatchList, follow: FollowDesk | None, clock: Clock
) -> ScoringSide:
    """Signals and strategy of ``run.signals`` and ``run.strategy``. Raises ConfigError without a path of a Q50 frame;
    one that cannot be read is a fault until it can: it gives no signals, and says so. Model and analyser together make
    one signal: the model says where to and how much, the score whether the pool is worth it.
    """
    signaller: Signaller | None = None
    helpers: list[Errand] = []
    monitors: list[Monitor] = []
    if "analyser" in settings.run.signals:
        signaller = analyser(settings, market.book, market.schedule_for)
    loader: Q50SignalLoader | None = None
    if needs_frame(settings):
        loader = open_q50(settings, clock)
        await loader.load_signals()
        tools = FeedTools(clock)
        helpers.append(Errand("q50 frame", _FRAME_SECONDS, lambda: tools.in_thread(loader.refresh), tools))
        monitors.append(Monitor("q50", partial(_no_frame, FrameSignaller(loader, settings))))
    if loader is not None and "q50" in settings.run.signals:
        source = Q50Source(loader, settings)
        scores = _enhanced(settings, market.book, market.schedule_for)
        signaller = source if signaller is None else CombinedSignaller(source, scores, settings.signals.score)
    snapshots = None if signaller is None else watch.hearing(signaller)
    swaps = None if follow is None else follow.follower.signal
    is_q50 = settings.run.strategy == Q50Strategy.name
    strategy = Q50Strategy.of_settings(settings, loader) if is_q50 else strategy_named(settings.run.strategy, settings)
    return ScoringSide(snapshots, swaps, [strategy], helpers, monitors)


def _no_frame(frames: FrameSignaller) -> str:
    """Why the file of the model, as it is now, is not in use: what is remembered of it grows old."""
    failure = frames.loader.failure or frames.why_none
    return f"the Q50 frame {shown_path(frames.loader.path)} cannot be used: {failure}" if failure else ""
