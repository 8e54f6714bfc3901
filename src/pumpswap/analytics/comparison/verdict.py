"""Verdict: what the figures show, in words, and no more than they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """``sentence`` gives the figures behind the kind, for people; ``observations`` is how many outcomes there were."""

    kind: VerdictKind
    sentence: str
    observations: int = 0


def is_enough(rows: Sequence[Traded], threshold: float) -> bool:
    """Whether outcomes over a horizon can decide anything: enough pools by each score, enough that differ."""
    by_base = {one.pool for one, _, _ in rows if one.base >= threshold}
    by_enhanced = {one.pool for one, _, _ in rows if one.enhanced >= threshold}
    deciding = deciding_pools(rows, threshold)
    return min(len(by_base), len(by_enhanced)) >= LEAST_POOLS and (deciding >= LEAST_DECIDING or deciding == 0)


def verdict_of(returns: HorizonReturns) -> Verdict:
    """The verdict of one horizon, by the mean return after costs."""
    where, difference = f"over {horizon_text(returns.horizon_ns)}", returns.mean_difference
    enough = min(returns.base.pools, returns.enhanced.pools) >= LEAST_POOLS
    if not enough or difference is None or 0 < returns.deciding < LEAST_DECIDING:
        return Verdict(VerdictKind.NOT_SHOWN, f"{where}: {_too_little(returns)}", returns.observations)
    if returns.deciding == 0:
        text = f"{where}: both scores pick the same {returns.base.count:,} observations"
        return Verdict(VerdictKind.NO_DIFFERENCE, text, returns.observations)
    figures = (
        f"{where}: the enhanced score's picks returned {_points(difference.point)} against the base score's"
        f" ({_level(difference.level)} interval {_points(difference.low)} to {_points(difference.high)};"
        f" {_count(returns.enhanced)} against {_count(returns.base)})"
    )
    if difference.low <= 0 <= difference.high:
        unseen = f"a difference below {100 * difference.half_width:.1f} points would not have been seen"
        return Verdict(VerdictKind.NO_DIFFERENCE, f"{figures}; {unseen}", returns.observations)
    kind = VerdictKind.ENHANCED if difference.point > 0 else VerdictKind.BASE
    return Verdict(kind, figures + _losing(returns), returns.observations)


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict over all horizons: those that show nothing do not outvote those that do, and contradictions are told.

    Its sentence is that of the horizon with the most outcomes among those of its kind.
    """
    if not verdicts:
        return Verdict(VerdictKind.NOT_SHOWN, "no horizon was asked for")
    kinds = [verdict.kind for verdict in verdicts]
    better = [kind for kind in (VerdictKind.ENHANCED, VerdictKind.BASE) if kind in kinds]
    if len(better) == 2:
        told = [verdict for verdict in verdicts if verdict.kind in better]
        return Verdict(VerdictKind.MIXED, "; ".join(f"{one.kind.value} {one.sentence}" for one in told))
    kind = next((one for one in (*better, VerdictKind.NO_DIFFERENCE) if one in kinds), VerdictKind.NOT_SHOWN)
    return max((one for one in verdicts if one.kind is kind), key=lambda one: one.observations)


def horizon_text(horizon_ns: int) -> str:
    """``5 min``, ``90 s``, ``24 h``: the largest unit that divides it, hours up to two days."""
    seconds = horizon_ns // NS_PER_SECOND
    if seconds % 3_600 == 0 and seconds <= 2 * 86_400:
        return f"{seconds // 3_600} h"
    return next(f"{seconds // unit} {name}" for unit, name in _LONG if seconds % unit == 0)


def _too_little(returns: HorizonReturns) -> str:
    rows = f"{returns.observations:,} observation{'' if returns.observations == 1 else 's'} with an outcome"
    pools = f"in {returns.pools:,} pool{'' if returns.pools == 1 else 's'}"
    picked = f"the base score picks {_count(returns.base)}, the enhanced {_count(returns.enhanced)}"
    needed = f"at least {LEAST_POOLS} pools picked by each score are needed"
    if min(returns.base.pools, returns.enhanced.pools) >= LEAST_POOLS:
        needed = f"the two differ in {returns.deciding} of them, at least {LEAST_DECIDING} are needed"
    return f"{rows} {pools} ({picked}); {needed}" if returns.observations else f"{rows}; {needed}"


def _losing(returns: HorizonReturns) -> str:
    means = (returns.base.mean, returns.enhanced.mean)
    if any(one is None or one > 0 for one in means):
        return ""
    return "; both lose money after costs"


def _count(picks: Picks) -> str:
    if not picks.count:
        return "none"
    return f"{picks.count:,} in {picks.pools:,} pool{'' if picks.pools == 1 else 's'}"


def _points(share: float) -> str:
    """A difference of returns in percentage points."""
    return f"{100 * share:+.1f} points".replace("-", "−")


def _level(level: float) -> str:
    return f"{100 * level:.3g} %"
