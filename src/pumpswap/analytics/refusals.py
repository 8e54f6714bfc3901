"""What refused buys would have earned, by rule and horizon: does a rule save money, or cost it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from pumpswap.analytics.performance.estimate import Estimate
from pumpswap.analytics.performance.intervals import mean_of, share_of
from pumpswap.model import WhatIf

__all__ = ["ALL_RULES", "RefusedFigures", "refused_figures"]

ALL_RULES = ""
_NONE = "no refused buy was measured"


@dataclass(frozen=True, slots=True)
class RefusedFigures:
    """Refused buys of one rule (``ALL_RULES``: of all), sold again after ``horizon_seconds``, after the venue's fees
    and before transaction costs.

    ``followed`` is ``measured`` (a value is known), ``waiting`` (its time has not come) and ``unknown`` (the state of
    its pool was not known then). ``mean_return`` and ``won`` are over pools: what befalls a pool befalls all of its
    refusals, so that each counts once. Shares of what would have been spent; lamports are sums over what was measured.
    """

    rule: str
    horizon_seconds: int
    followed: int
    measured: int
    waiting: int
    unknown: int
    pools: int
    spent_lamports: int
    gain_lamports: int
    mean_return: Estimate
    won: Estimate

    @property
    def verdict(self) -> str:
        """What it shows, and no more."""
        low, high = self.mean_return.low, self.mean_return.high
        if self.mean_return.value is None:
            return "none measured"
        if low is None or high is None or low <= 0 <= high:
            return "too few" if self.pools < _ENOUGH else "no difference shown"
        return "would have earned" if low > 0 else "would have lost"


_ENOUGH = 20


def refused_figures(what_ifs: Iterable[WhatIf]) -> Sequence[RefusedFigures]:
    """All rules together first, then each rule, the most frequent first; of each the shortest horizon first."""
    groups: dict[tuple[str, int], list[WhatIf]] = {}
    counts: dict[str, int] = {}
    for one in what_ifs:
        for rule in (ALL_RULES, one.rule):
            groups.setdefault((rule, one.horizon_seconds), []).append(one)
        counts[one.rule] = counts.get(one.rule, 0) + 1

    def place(key: tuple[str, int]) -> tuple[bool, int, str, int]:
        rule, seconds = key
        return rule != ALL_RULES, -counts.get(rule, 0), rule, seconds

    return [_figures(rule, seconds, groups[rule, seconds]) for rule, seconds in sorted(groups, key=place)]


def _figures(rule: str, horizon_seconds: int, found: Sequence[WhatIf]) -> RefusedFigures:
    returns: dict[str, list[float]] = {}
    spent = gain = measured = 0
    for one in found:
        earned = one.gain_lamports
        if earned is None or not one.spent_lamports:
            continue
        measured, spent, gain = measured + 1, spent + one.spent_lamports, gain + earned
        returns.setdefault(one.pool, []).append(earned / one.spent_lamports)
    by_pool = [fsum(values) / len(values) for values in returns.values()]
    waiting = sum(one.is_open for one in found)
    return RefusedFigures(
        *(rule, horizon_seconds, len(found), measured, waiting, len(found) - measured - waiting, len(by_pool)),
        *(spent, gain),
        mean_return=mean_of(by_pool, _NONE),
        won=share_of(sum(value > 0 for value in by_pool), len(by_pool), _NONE),
    )
