"""RankChanges: how the enhanced score reorders what the base score had ordered, and which part of it did so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pumpswap.analytics.comparison.observation import Observation
from pumpswap.analytics.comparison.stats import kendall, mean, midranks, spearman

__all__ = ["Mover", "RankChanges", "rank_changes"]


@dataclass(frozen=True, slots=True)
class Mover:
    """A pool that changed places; rank 1 is the best. ``part`` moved it furthest against the others: it gave the pool
    ``part_points``, and the average pool ``average_points``.
    """

    observation: Observation
    base_rank: float
    enhanced_rank: float
    part: str
    part_points: float
    average_points: float

    @property
    def places(self) -> float:
        """Places gained; negative when lost."""
        return self.base_rank - self.enhanced_rank


@dataclass(frozen=True, slots=True)
class RankChanges:
    """Correlations of the two orders (None without an order), and those who moved most, one row for a pool."""

    count: int
    spearman: float | None
    kendall: float | None
    risen: tuple[Mover, ...]
    fallen: tuple[Mover, ...]


def rank_changes(observations: Sequence[Observation], *, most: int = 5) -> RankChanges:
    """Ranks of ``observations`` by both scores, with the ``most`` who rose and fell furthest."""
    base, enhanced = [one.base for one in observations], [one.enhanced for one in observations]
    before, after = midranks([-score for score in base]), midranks([-score for score in enhanced])
    averages = _averages(observations)
    furthest: dict[str, Mover] = {}
    for one, old, new in zip(observations, before, after, strict=True):
        mover = _mover(one, old, new, averages)
        known = furthest.get(one.pool)
        if known is None or abs(mover.places) > abs(known.places):
            furthest[one.pool] = mover
    ordered = sorted(furthest.values(), key=lambda mover: (-mover.places, mover.observation.pool))
    return RankChanges(
        count=len(observations),
        spearman=spearman(base, enhanced),
        kendall=kendall(base, enhanced),
        risen=tuple(mover for mover in ordered[:most] if mover.places > 0),
        fallen=tuple(mover for mover in ordered[::-1][:most] if mover.places < 0),
    )


def _averages(observations: Sequence[Observation]) -> dict[str, float]:
    """What each part gave on average. A part that moves everybody alike moves nobody's rank."""
    names = sorted({name for one in observations for name in one.shifts})
    return {name: mean([one.shifts.get(name, 0.0) for one in observations]) for name in names}


def _mover(one: Observation, old: float, new: float, averages: dict[str, float]) -> Mover:
    sign = 1 if new <= old else -1

    def push(name: str) -> float:
        return sign * (one.shifts.get(name, 0.0) - averages[name])

    part = max(averages, key=push, default="")
    return Mover(one, old, new, part, one.shifts.get(part, 0.0), averages.get(part, 0.0))
