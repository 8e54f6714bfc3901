"""HorizonReturns: what the picks of each score earned after costs over one horizon, and how the two differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import fsum
from random import Random

from pumpswap.analytics.comparison.observation import Observation
from pumpswap.analytics.comparison.outcomes import RoundTrip
from pumpswap.analytics.comparison.stats import Interval, bootstrap, groups_of, mean, quantile, spearman
from pumpswap.clock import NS_PER_SECOND

__all__ = ["Band", "HorizonReturns", "Picks", "Sampling", "deciding_pools", "horizon_returns", "traded"]

MOST_BANDS = 10
LEAST_CLUSTERS = 5  # resampling fewer pools than this tells nothing
POINTWISE = 0.95

Score = Callable[[Observation], float]
Traded = tuple[Observation, RoundTrip, float]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How intervals are made: by how many draws, from which seed."""

    draws: int = 2_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Picks:
    """What a rule would have bought. Returns are shares of what was paid. ``separate`` picks do not overlap in time
    with another one of the same pool; ``unsellable`` ones lost everything. Intervals are None for too few pools.
    """

    count: int
    pools: int
    separate: int
    unsellable: int
    mean: float | None
    median: float | None
    worst: float | None
    best: float | None
    hit_rate: float | None
    mean_interval: Interval | None = None
    hit_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """About a tenth of the observations, by score: what they returned."""

    lowest: float
    highest: float
    mean_score: float
    count: int
    pools: int
    mean: float
    hit_rate: float
    mean_interval: Interval | None


@dataclass(frozen=True, slots=True)
class HorizonReturns:
    """One horizon. ``everything`` is what buying each observation would have brought: a score has to beat that.
    ``as_many`` are the picks of the enhanced score at ``as_many_threshold``, the highest one at which it picks at least
    as many as the base score does: the same threshold means another share of the two.

    ``mean_difference`` and ``hit_difference`` are enhanced less base. ``deciding`` counts the pools in which one score
    picks what the other does not; ``base_rank`` and ``enhanced_rank`` are rank correlations of score and return, which
    need no threshold. ``missing`` counts why observations have no outcome.
    ``median_wait_s`` is how long after the decision the purchase was made, ``median_price_age_s`` how old the price was
    at which it was sold again.
    """

    horizon_ns: int
    level: float
    observations: int
    pools: int
    missing: Mapping[str, int]
    median_wait_s: float | None
    median_price_age_s: float | None
    base: Picks
    enhanced: Picks
    as_many: Picks
    as_many_threshold: float | None
    everything: Picks
    deciding: int
    mean_difference: Interval | None
    hit_difference: Interval | None
    base_rank: float | None
    enhanced_rank: float | None
    base_bands: tuple[Band, ...]
    enhanced_bands: tuple[Band, ...]

    @property
    def has_few_prices(self) -> bool:
        """Whether in half of the cases the purchase came late or the price was old, by more than a tenth of the
        horizon.
        """
        late_s = max(self.median_wait_s or 0.0, self.median_price_age_s or 0.0)
        return late_s > self.horizon_ns / (10 * NS_PER_SECOND)


def traded(observations: Sequence[Observation], horizon: int) -> list[Traded]:
    """Observations that have an outcome over a horizon, with their returns."""
    found = ((one, one.trips[horizon]) for one in observations if horizon < len(one.trips))
    return [(one, trip, float(trip.result)) for one, trip in found if trip is not None]


def deciding_pools(rows: Sequence[Traded], threshold: float) -> int:
    """Pools of which one score picks something that the other does not: only they can make a difference."""
    return len({one.pool for one, _, _ in rows if (one.base >= threshold) != (one.enhanced >= threshold)})


def horizon_returns(
    rows: Sequence[Traded],
    horizon_ns: int,
    threshold: float,
    *,
    level: float,
    missing: Mapping[str, int],
    sampling: Sampling,
) -> HorizonReturns:
    """Figures of one horizon from ``rows`` in order (see ``in_order``); ``level`` is that of the two differences."""
    by_base = [row for row in rows if row[0].base >= threshold]
    by_enhanced = [row for row in rows if row[0].enhanced >= threshold]
    pairs = _difference(rows, threshold, level, sampling)
    mean_difference, hit_difference = pairs if pairs is not None else (None, None)
    as_many_threshold = _as_many(rows, len(by_base))
    as_many = [row for row in rows if as_many_threshold is not None and row[0].enhanced >= as_many_threshold]
    returns = [result for _, _, result in rows]
    waits = [(trip.entry_ns - one.at_ns) / NS_PER_SECOND for one, trip, _ in rows]
    ages = [trip.price_age_ns / NS_PER_SECOND for _, trip, _ in rows]
    return HorizonReturns(
        horizon_ns=horizon_ns,
        level=level,
        observations=len(rows),
        pools=len({one.pool for one, _, _ in rows}),
        missing=dict(Counter(missing).most_common()),
        median_wait_s=quantile(waits, 0.5) if waits else None,
        median_price_age_s=quantile(ages, 0.5) if ages else None,
        base=_picks(by_base, sampling),
        enhanced=_picks(by_enhanced, sampling),
        as_many=_picks(as_many, sampling),
        as_many_threshold=as_many_threshold,
        everything=_picks(rows, sampling),
        deciding=deciding_pools(rows, threshold),
        mean_difference=mean_difference,
        hit_difference=hit_difference,
        base_rank=spearman([one.base for one, _, _ in rows], returns),
        enhanced_rank=spearman([one.enhanced for one, _, _ in rows], returns),
        base_bands=_bands(rows, lambda one: one.base, sampling),
        enhanced_bands=_bands(rows, lambda one: one.enhanced, sampling),
    )


def _as_many(rows: Sequence[Traded], count: int) -> float | None:
    """The enhanced score that at least ``count`` rows reach; more of them where scores are equal."""
    return sorted((one.enhanced for one, _, _ in rows), reverse=True)[count - 1] if count else None


def _picks(rows: Sequence[Traded], sampling: Sampling) -> Picks:
    returns = [result for _, _, result in rows]
    if not returns:
        return Picks(0, 0, 0, 0, None, None, None, None, None)
    intervals = _mean_and_hits(rows, sampling)
    return Picks(
        count=len(rows),
        pools=len({one.pool for one, _, _ in rows}),
        separate=_separate(rows),
        unsellable=sum(not trip.is_sellable for _, trip, _ in rows),
        mean=mean(returns),
        median=quantile(returns, 0.5),
        worst=min(returns),
        best=max(returns),
        hit_rate=sum(result > 0 for result in returns) / len(returns),
        mean_interval=intervals[0] if intervals else None,
        hit_interval=intervals[1] if intervals else None,
    )


def _separate(rows: Sequence[Traded]) -> int:
    """How many of the picks somebody could have made who holds a pool once at a time."""
    count = 0
    free_ns: dict[str, int] = {}
    for one, trip, _ in rows:
        if one.at_ns >= free_ns.get(one.pool, one.at_ns):
            count, free_ns[one.pool] = count + 1, trip.deadline_ns
    return count


def _clusters(rows: Sequence[Traded]) -> list[tuple[float, ...]]:
    """For each pool: observations, sum of returns, number of gains."""
    clusters: list[tuple[float, ...]] = []
    for _, same in groupby(rows, key=lambda row: row[0].pool):
        returns = [result for _, _, result in same]
        clusters.append((float(len(returns)), fsum(returns), float(sum(result > 0 for result in returns))))
    return clusters


def _mean_and_hits(rows: Sequence[Traded], sampling: Sampling) -> tuple[Interval, ...] | None:
    clusters = _clusters(rows)
    if len(clusters) < LEAST_CLUSTERS:
        return None

    def statistics(totals: tuple[float, ...]) -> tuple[float, ...]:
        count, total, hits = totals
        return total / count, hits / count

    return bootstrap(clusters, statistics, level=POINTWISE, draws=sampling.draws, random=Random(sampling.seed))


def _difference(
    rows: Sequence[Traded], threshold: float, level: float, sampling: Sampling
) -> tuple[Interval, ...] | None:
    """Enhanced less base, of mean return and hit rate. Pools that neither picks have no part in it."""
    clusters: list[tuple[float, ...]] = []
    for _, same in groupby(rows, key=lambda row: row[0].pool):
        own = list(same)
        sums: list[float] = []
        for chosen in (
            [r for o, _, r in own if o.base >= threshold],
            [r for o, _, r in own if o.enhanced >= threshold],
        ):
            sums += [float(len(chosen)), fsum(chosen), float(sum(result > 0 for result in chosen))]
        if sums[0] or sums[3]:
            clusters.append(tuple(sums))
    if len(clusters) < LEAST_CLUSTERS:
        return None

    def statistics(totals: tuple[float, ...]) -> tuple[float, ...] | None:
        base_count, base_sum, base_hits, count, total, hits = totals
        if not base_count or not count:
            return None
        return total / count - base_sum / base_count, hits / count - base_hits / base_count

    return bootstrap(clusters, statistics, level=level, draws=sampling.draws, random=Random(sampling.seed))


def _bands(rows: Sequence[Traded], score: Score, sampling: Sampling) -> tuple[Band, ...]:
    """Calibration: do higher scores return more? As many bands as there are pools for them, ten at most."""
    pools = len({one.pool for one, _, _ in rows})
    count = min(MOST_BANDS, pools // LEAST_CLUSTERS)
    if count < 2:
        return ()
    places = groups_of([score(one) for one, _, _ in rows], count)
    bands = []
    for number in range(count):
        own = [row for row, place in zip(rows, places, strict=True) if place == number]
        if own:
            scores, returns = [score(one) for one, _, _ in own], [result for _, _, result in own]
            intervals = _mean_and_hits(own, sampling)
            bands.append(
                Band(
                    lowest=min(scores),
                    highest=max(scores),
                    mean_score=mean(scores),
                    count=len(own),
                    pools=len({one.pool for one, _, _ in own}),
                    mean=mean(returns),
                    hit_rate=sum(result > 0 for result in returns) / len(returns),
                    mean_interval=intervals[0] if intervals else None,
                )
            )
    return tuple(bands)
