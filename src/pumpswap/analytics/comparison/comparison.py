"""Comparison: the base score against the enhanced one over a set of snapshots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pumpswap.analytics.comparison.observation import PUMPSWAP, Observation, in_order
from pumpswap.analytics.comparison.ranks import RankChanges, rank_changes
from pumpswap.analytics.comparison.returns import HorizonReturns, Sampling, horizon_returns, traded
from pumpswap.analytics.comparison.stats import mean, quantile
from pumpswap.analytics.comparison.verdict import Verdict, is_enough, overall, verdict_of

__all__ = ["QUANTILES", "Agreement", "Comparison", "ComparisonRules", "Distribution", "compare"]

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
FAMILY_LEVEL = 0.95
_BINS = 10


@dataclass(frozen=True, slots=True)
class ComparisonRules:
    """``threshold`` is the score from which a snapshot counts as picked; ``missing`` has, for each horizon, the reasons
    why observations have no outcome, with their numbers.
    """

    threshold: float = 75.0
    horizons_ns: tuple[int, ...] = ()
    missing: tuple[Mapping[str, int], ...] = ()
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a score is spread. ``quantiles`` are those of QUANTILES; ``bins`` count tenths of the scale, the last one
    with its upper end; ``at_highest`` is how many share the highest score, which says nothing about their order.
    """

    count: int
    mean: float
    quantiles: tuple[float, ...]
    at_or_above: int
    at_highest: int
    bins: tuple[int, ...]

    @property
    def share(self) -> float:
        """Share at or above the threshold."""
        return self.at_or_above / self.count


@dataclass(frozen=True, slots=True)
class Agreement:
    """Which of the two scores reach the threshold."""

    both: int
    only_base: int
    only_enhanced: int
    neither: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``observations`` are the snapshots of PumpSwap pools in order; ``elsewhere`` counts the others by exchange: they
    keep their base score, so that comparing them would only say that a number equals itself. ``unavailable`` counts why
    PumpSwap data are missing, among the former. ``base`` and ``enhanced`` are None without observations.
    """

    rules: ComparisonRules
    observations: tuple[Observation, ...]
    pools: int
    elsewhere: Mapping[str, int]
    unavailable: Mapping[str, int]
    base: Distribution | None
    enhanced: Distribution | None
    agreement: Agreement
    ranks: RankChanges
    horizons: tuple[HorizonReturns, ...]
    verdicts: tuple[Verdict, ...]
    verdict: Verdict


def compare(observations: Iterable[Observation], rules: ComparisonRules) -> Comparison:
    """Compare; the order of ``observations`` decides nothing.

    With several horizons, differences are judged by stricter intervals (Bonferroni over the horizons that have enough
    outcomes), so that all of them together are right with 95 %: who asks three times is not three times as sure.
    """
    every = in_order(observations)
    own = [one for one in every if one.dex == PUMPSWAP]
    rows = [traded(own, number) for number in range(len(rules.horizons_ns))]
    asked = sum(is_enough(each, rules.threshold) for each in rows)
    level = 1 - (1 - FAMILY_LEVEL) / max(asked, 1)
    missing = rules.missing or tuple({} for _ in rules.horizons_ns)
    horizons = tuple(
        horizon_returns(each, length, rules.threshold, level=level, missing=why, sampling=rules.sampling)
        for each, length, why in zip(rows, rules.horizons_ns, missing, strict=True)
    )
    verdicts = tuple(map(verdict_of, horizons))
    return Comparison(
        rules=rules,
        observations=tuple(own),
        pools=len({one.pool for one in own}),
        elsewhere=dict(Counter(one.dex or "unknown" for one in every if one.dex != PUMPSWAP).most_common()),
        unavailable=dict(Counter(one.missing for one in own if not one.is_available).most_common()),
        base=_distribution([one.base for one in own], rules.threshold),
        enhanced=_distribution([one.enhanced for one in own], rules.threshold),
        agreement=_agreement(own, rules.threshold),
        ranks=rank_changes(own),
        horizons=horizons,
        verdicts=verdicts,
        verdict=overall(verdicts),
    )


def _distribution(scores: list[float], threshold: float) -> Distribution | None:
    if not scores:
        return None
    bins = Counter(min(int(score * _BINS / 100), _BINS - 1) for score in scores)
    return Distribution(
        count=len(scores),
        mean=mean(scores),
        quantiles=tuple(quantile(scores, share) for share in QUANTILES),
        at_or_above=sum(score >= threshold for score in scores),
        at_highest=scores.count(max(scores)),
        bins=tuple(bins[number] for number in range(_BINS)),
    )


def _agreement(observations: Sequence[Observation], threshold: float) -> Agreement:
    found = Counter((one.base >= threshold, one.enhanced >= threshold) for one in observations)
    return Agreement(found[True, True], found[True, False], found[False, True], found[False, False])
