"""Verdict: what the figures show, in words, and no more than they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from pumpswap.analytics.comparison.returns import HorizonReturns, Picks, Traded, deciding_pools
from pumpswap.clock import NS_PER_SECOND

__all__ = [
    "LEAST_DECIDING",
    "LEAST_POOLS",
    "Verdict",
    "VerdictKind",
    "horizon_text",
    "is_enough",
    "overall",
    "points_text",
    "verdict_of",
]

# Below these, intervals by resampling are too narrow, and a few coins decide what looks like a law.
LEAST_POOLS = 20
LEAST_DECIDING = 10

_LONG = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class VerdictKind(Enum):
    """What a comparison of returns can end with."""

    ENHANCED = "enhanced better"
    BASE = "base better"
    NO_DIFFERENCE = "no difference shown"
    MIXED = "it depends on the horizon"
    NOT_SHOWN = "not shown by this data"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``sentence`` gives the figures behind the kind, for people, and begins with a small letter; ``horizon`` is the
    time that it is about, ``observations`` how many outcomes there were.
    """

    kind: VerdictKind
    sentence: str
    horizon: str = ""
    observations: int = 0


def is_enough(rows: Sequence[Traded], threshold: float) -> bool:
    """Whether outcomes over a horizon can decide anything: enough pools by each score, enough that differ."""
    by_base = {one.pool for one, _, _ in rows if one.base >= threshold}
    by_enhanced = {one.pool for one, _, _ in rows if one.enhanced >= threshold}
    deciding = deciding_pools(rows, threshold)
    return min(len(by_base), len(by_enhanced)) >= LEAST_POOLS and (deciding >= LEAST_DECIDING or deciding == 0)


def verdict_of(returns: HorizonReturns) -> Verdict:
    """The verdict of one horizon, by the mean return after costs."""
    difference = returns.mean_difference

    def said(kind: VerdictKind, text: str) -> Verdict:
        horizon = horizon_text(returns.horizon_ns)
        return Verdict(kind, f"over {horizon} {text}", horizon, returns.observations)

    enough = min(returns.base.pools, returns.enhanced.pools) >= LEAST_POOLS
    if not enough or difference is None or 0 < returns.deciding < LEAST_DECIDING:
        return said(VerdictKind.NOT_SHOWN, _too_little(returns))
    if returns.deciding == 0:
        return said(VerdictKind.NO_DIFFERENCE, f"both scores pick the same {returns.base.count:,} snapshots")
    figures = (
        f"the picks of the enhanced score returned {_more(difference.point)} than those of the base score"
        f" ({_level(difference.level)} interval {points_text(100 * difference.low)} to"
        f" {points_text(100 * difference.high)};"
        f" {_count(returns.enhanced)} against {_count(returns.base)})"
    )
    if difference.low <= 0 <= difference.high:
        unseen = f"a difference below {100 * difference.half_width:.1f} points would not have been seen"
        return said(VerdictKind.NO_DIFFERENCE, f"{figures}; {unseen}")
    kind = VerdictKind.ENHANCED if difference.point > 0 else VerdictKind.BASE
    return said(kind, figures + _losing(returns))


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict over all horizons: those that show nothing do not outvote those that do, and contradictions are told.

    Its sentence is that of the horizon with the most outcomes among those of its kind, and names the others.
    """
    if not verdicts:
        return Verdict(VerdictKind.NOT_SHOWN, "no horizon was asked for")
    kinds = [verdict.kind for verdict in verdicts]
    better = [kind for kind in (VerdictKind.ENHANCED, VerdictKind.BASE) if kind in kinds]
    if len(better) == 2:
        both = [f"{one.kind.value}: {one.sentence}" for one in verdicts if one.kind in better]
        return Verdict(VerdictKind.MIXED, "; ".join(both))
    kind = next((one for one in (*better, VerdictKind.NO_DIFFERENCE) if one in kinds), VerdictKind.NOT_SHOWN)
    told = max((one for one in verdicts if one.kind is kind), key=lambda one: one.observations)
    others = []
    for other in VerdictKind:
        horizons = [one.horizon for one in verdicts if one.kind is other and one is not told]
        if horizons:
            others.append(f"{'the same' if other is kind else other.value} over {' and '.join(horizons)}")
    return replace(told, sentence="; ".join([told.sentence, *others]))


def horizon_text(horizon_ns: int) -> str:
    """``5 min``, ``90 s``, ``24 h``: the largest unit that divides it, hours up to two days."""
    seconds = horizon_ns // NS_PER_SECOND
    if seconds % 3_600 == 0 and seconds <= 2 * 86_400:
        return f"{seconds // 3_600} h"
    return next(f"{seconds // unit} {name}" for unit, name in _LONG if seconds % unit == 0)


def points_text(points: float) -> str:
    """``+1.3``, ``−0.04``: signed, one decimal; what is not zero is not shown as zero."""
    decimals = next((each for each in (1, 2, 3) if abs(points) >= 0.5 * 10**-each), 4) if points else 1
    return f"{points:+.{decimals}f}".replace("-", "−") if points else "0.0"


def _too_little(returns: HorizonReturns) -> str:
    needed = f"at least {LEAST_POOLS} pools picked by each score are needed"
    if not returns.observations:
        return f"no snapshot has an outcome; {needed}"
    if min(returns.base.pools, returns.enhanced.pools) >= LEAST_POOLS:
        needed = f"the two differ in {_pools(returns.deciding)}, at least {LEAST_DECIDING} are needed"
    one = returns.observations == 1
    rows = f"{returns.observations:,} snapshot{' has' if one else 's have'} an outcome, in {_pools(returns.pools)}"
    return f"{rows} (picked by base: {_count(returns.base)}; by enhanced: {_count(returns.enhanced)}); {needed}"


def _losing(returns: HorizonReturns) -> str:
    means = (returns.base.mean, returns.enhanced.mean)
    if any(one is None or one > 0 for one in means):
        return ""
    return "; both lose money after costs"


def _count(picks: Picks) -> str:
    if not picks.count:
        return "none"
    return f"{picks.count:,} in {_pools(picks.pools)}"


def _pools(number: int) -> str:
    return f"{number:,} pool{'' if number == 1 else 's'}"


def _more(share: float) -> str:
    return f"{100 * abs(share):.1f} points {'less' if share < 0 else 'more'}"


def _level(level: float) -> str:
    return f"{100 * level:.3g} %"
