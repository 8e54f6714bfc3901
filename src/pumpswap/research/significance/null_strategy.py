"""The null strategy: what the same number of entries at random moments, held as long, brings on the same history.

A result that random entries reach as well says nothing about a strategy, however good it looks: the market rose.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from pumpswap.clock import NS_PER_SECOND
from pumpswap.research.tuning.trials import Round, TrialResult

__all__ = ["NullPlan", "NullTest", "null_plan", "null_test", "return_of"]


class NullPlan(msgspec.Struct, frozen=True):
    """What random entries copy from a strategy: how many rounds, and how long they were held, in seconds."""

    entries: int
    held_seconds: tuple[int, ...]


class NullTest(msgspec.Struct, frozen=True):
    """``p_value``: the share of random results that were as good or better, the strategy itself counted among them (so
    it is never 0). ``strategy`` and ``random_middle``: gain over what was put in.
    """

    draws: int
    p_value: float
    strategy: float
    random_middle: float


def null_plan(result: TrialResult) -> NullPlan | None:
    """Of a result with at least one round; None otherwise."""
    rounds = [one for one in result.rounds if one.kind != "failed"]
    if not rounds:
        return None
    held = tuple((one.closed_ns - one.opened_ns) // NS_PER_SECOND for one in rounds)
    return NullPlan(len(rounds), held)


def return_of(rounds: Sequence[Round]) -> Fraction:
    """Gain of all rounds over all that was put in, exactly; 0 where nothing was."""
    cost = sum(one.cost_lamports for one in rounds)
    return Fraction(sum(one.net_lamports for one in rounds), cost) if cost else Fraction(0)


def null_test(strategy: Sequence[Round], random: Sequence[Sequence[Round]]) -> NullTest | None:
    """The strategy's rounds against those of random strategies; None without any of either.

    Compared is the gain over what was put in, so that a different size alone proves nothing.
    """
    if not strategy or not random:
        return None
    own, others = return_of(strategy), sorted(map(return_of, random))
    as_good = sum(other >= own for other in others)
    return NullTest(
        draws=len(others),
        p_value=(as_good + 1) / (len(others) + 1),
        strategy=float(own),
        random_middle=float(others[len(others) // 2]),
    )
