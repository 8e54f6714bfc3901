"""What the collector does next: pure, so that every case of a restart can be tested without a service or a clock."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ConfigError, DataSourceError, PumpSwapError, SourceRefused, UnreadableAnswer
from pumpswap.market.candle_file import TIMEFRAMES
from pumpswap.market.gecko.client import MOST_CANDLES, SETTLE_SECONDS
from pumpswap.market.gecko.records import PoolPage
from pumpswap.model.collected import Cycle, FollowedPool
from pumpswap.settings import CollectSettings

__all__ = [
    "CollectPlan",
    "CollectTally",
    "candles_needed",
    "has_settled",
    "is_of_pool",
    "missing_in",
    "next_cycle",
    "plan_of",
    "retry_at",
]

MOST_FAILURES = 5  # a pool that the service refuses so often in a row is given up
_OF_POOL = frozenset({400, 404, 410, 422})  # others (a key, a block, another address) are about whoever asks


@dataclass(frozen=True, slots=True)
class CollectPlan:
    """The settings, in the units of the loop."""

    network: str
    dexes: frozenset[str]
    interval_ns: int
    pages: int
    follow_ns: int
    timeframes: tuple[str, ...]
    min_trade_usd: Decimal


@dataclass(slots=True)
class CollectTally:
    """What one run of the collector has done so far. ``other_dexes``: new pools of exchanges that are not wanted."""

    cycles: int = 0
    new_pools: int = 0
    known_pools: int = 0
    other_dexes: int = 0
    snapshots: int = 0
    watched: int = 0
    candles: int = 0
    candles_changed: int = 0
    trades: int = 0
    refused: int = 0  # elements of answers that could not be used
    skipped: int = 0  # what the tables could not take
    errors: int = 0

    @property
    def rows(self) -> int:
        """Snapshots, candles and trades that are stored."""
        return self.snapshots + self.candles + self.trades


def plan_of(settings: CollectSettings) -> CollectPlan:
    """Raises ConfigError for a length of candles that the service does not have."""
    unknown = [one for one in settings.timeframes if one not in TIMEFRAMES]
    if unknown:
        raise ConfigError(f"collect.timeframes: {unknown[0][:20]!r} is no length", hint=f"of {', '.join(TIMEFRAMES)}")
    return CollectPlan(
        settings.network,
        frozenset(settings.dexes),
        settings.interval_seconds * NS_PER_SECOND,
        settings.pages,
        settings.follow_seconds * NS_PER_SECOND,
        settings.timeframes,
        settings.min_trade_usd,
    )


def next_cycle(before: Cycle | None, network: str, now_ns: int, interval_ns: int) -> Cycle:
    """The round to do now: the one that was interrupted, while it is not older than a round lasts; else a new one.

    An older one is not resumed: its list of new pools has moved on since.
    """
    if before is None:
        return Cycle(network, 1, now_ns)
    if before.finished_ns is None and 0 <= now_ns - before.started_ns < interval_ns:
        return before
    return Cycle(network, before.number + 1, now_ns)


def candles_needed(newest_seconds: int | None, timeframe: str, now_ns: int) -> int:
    """How many candles have begun since the newest stored one, itself included; all that one answer has for none."""
    if newest_seconds is None:
        return MOST_CANDLES
    length = TIMEFRAMES[timeframe]
    return max((now_ns // NS_PER_SECOND - newest_seconds) // length + 1, 1)


def has_settled(start_seconds: int, timeframe: str, now_ns: int) -> bool:
    """Whether a candle does not grow any more."""
    return start_seconds + TIMEFRAMES[timeframe] + SETTLE_SECONDS <= now_ns // NS_PER_SECOND


def is_of_pool(error: PumpSwapError) -> bool:
    """Whether the service refuses this pool, rather than everybody or us."""
    return isinstance(error, SourceRefused) and error.status in _OF_POOL


def missing_in(page: PoolPage, pool: FollowedPool) -> DataSourceError:
    """Why a pool is not in an answer: it may be among what could not be read."""
    if page.refused:
        what = f"{pool.pool_id} may be in what cannot be read: {page.refused[0]}"
        return UnreadableAnswer(what, hint="the service has changed: upgrade pumpswap")
    return SourceRefused(f"{pool.pool_id} is missing in the service's answer", status=404, hint="it is not known there")


def retry_at(started_ns: int, every_ns: int, failures: int, *, is_refused: bool) -> int | None:
    """When to try a pool again after ``failures`` failures in a row; None when it is given up.

    Only refusals of the pool itself lead there: a service that is down says nothing about a pool.
    """
    return None if is_refused and failures >= MOST_FAILURES else started_ns + every_ns
