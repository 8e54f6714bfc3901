"""Composition of the collector: settings, service, score, database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.collect_plan import plan_of
from pumpswap.market.collector import Collector, CollectorParts, PoolService
from pumpswap.model.collected import FollowRule, PoolScore
from pumpswap.settings import Settings
from pumpswap.signals import NewPoolsSignalAnalyzer
from pumpswap.storage.collected import CollectedMarket
from pumpswap.storage.collected.market import ScoreRule

__all__ = ["collector_for", "score_rule"]


def score_rule(settings: Settings) -> ScoreRule:
    """The host's score with the host's history, and what follows from it."""
    analyzer = NewPoolsSignalAnalyzer()

    def score(current: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> PoolScore:
        known = {name: value for name, value in current.items() if value is not None}
        result = analyzer.analyze_pool_signals(known, history)
        return PoolScore(
            result.signal_score,
            result.volume_trend,
            result.liquidity_trend,
            result.momentum_indicator,
            result.activity_score,
            result.volatility_score,
        )

    collect, bound = settings.collect, settings.signals.min_score
    follow = FollowRule(
        collect.follow_seconds * NS_PER_SECOND,
        collect.follow_hours * 3_600 * NS_PER_SECOND,
        bound,
        bound if collect.watch else None,
    )
    return ScoreRule(score, settings.signals.history_hours, follow)


def collector_for(
    settings: Settings, service: PoolService, market: CollectedMarket, parts: CollectorParts
) -> Collector:
    """A collector that is ready to run. Raises ConfigError for settings that the service cannot serve."""
    return Collector(service, market, plan_of(settings.collect), score_rule(settings), parts)
