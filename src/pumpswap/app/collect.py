"""Composition of the collector: settings, service, score, database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pumpswap.clock import NS_PER_SECOND, Clock, SystemClock
from pumpswap.market.collect_plan import CollectTally, plan_of
from pumpswap.market.collector import Collector, CollectorParts, PoolService
from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.http_drift import DriftNote
from pumpswap.market.http_source import SourceStatistics
from pumpswap.model.collected import FollowRule, PoolScore
from pumpswap.settings import Settings
from pumpswap.signals import NewPoolsSignalAnalyzer
from pumpswap.storage.collected import CollectedMarket, open_collected
from pumpswap.storage.collected.market import Place, ScoreRule

__all__ = ["CollectOrder", "CollectReport", "CollectView", "Collection", "collect", "collector_for", "score_rule"]


@dataclass(frozen=True, slots=True)
class CollectOrder:
    """What somebody wants collected. ``target``: a database; ``watch``: addresses of pools to follow at any score."""

    target: str | Path
    cycles: int | None = None
    duration_seconds: int | None = None
    watch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What was done. ``followed``: pools that are looked at again; ``cut``: what had no room in a column, by column."""

    place: Place
    tally: CollectTally
    requests: SourceStatistics
    drift: tuple[DriftNote, ...]
    cut: Mapping[str, int]
    known: int
    followed: int
    seconds: float
    was_stopped: bool


class Collection:
    """A collector at work, for whoever shows it or ends it."""

    def __init__(self, collector: Collector, client: GeckoClient, place: Place) -> None:
        self._collector, self._client, self.place = collector, client, place

    @property
    def tally(self) -> CollectTally:
        """A copy of what has been done so far."""
        return replace(self._collector.tally)

    @property
    def requests(self) -> SourceStatistics:
        """What the service has been asked so far."""
        return self._client.statistics

    @property
    def drift(self) -> tuple[DriftNote, ...]:
        """How its answers differ from those that this version knows."""
        return self._client.drift

    def stop(self) -> None:
        """End after the unit that is under way."""
        self._collector.stop()


class CollectView(Protocol):
    """Who watches."""

    def opened(self, collection: Collection) -> None: ...

    def phase(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...


async def collect(
    settings: Settings, order: CollectOrder, view: CollectView, clock: Clock | None = None
) -> CollectReport:
    """Collect until the order is done, or somebody ends it.

    Raises ConfigError for settings that cannot be used, StorageError when the database cannot be used, and its errors
    when it refuses several units in a row. What the service does is in the report.
    """
    clock = clock or SystemClock()
    started_ns = clock.now_ns()
    network = settings.collect.network
    with open_collected(order.target, started_ns) as market:
        async with GeckoClient(settings.collect, clock) as client:
            parts = CollectorParts(clock, phase=view.phase, note=view.note)
            collector = collector_for(settings, client, market, parts)
            for address in order.watch:
                market.watch(network, address, started_ns)
            collection = Collection(collector, client, market.place)
            view.opened(collection)
            lasts_ns = None if order.duration_seconds is None else order.duration_seconds * NS_PER_SECOND
            until_ns = None if lasts_ns is None else started_ns + lasts_ns
            await collector.run(cycles=order.cycles, until_ns=until_ns)
            known, followed = market.counts(network)
            return CollectReport(
                market.place,
                collection.tally,
                client.statistics,
                client.drift,
                market.cut,
                known,
                followed,
                (clock.now_ns() - started_ns) / NS_PER_SECOND,
                collector.is_stopped,
            )


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
