"""SweepOutcome: what a search has found, told so that nobody fools himself: out of sample first, the best last."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import msgspec

from pumpswap.research.significance.evidence import Evidence, deflated_of, judged, out_of_sample
from pumpswap.research.significance.monte_carlo import band_of, monte_carlo
from pumpswap.research.significance.null_strategy import NullTest
from pumpswap.research.significance.overfit import overfit
from pumpswap.research.tuning.objective import returns_of
from pumpswap.research.tuning.sweep import Searched, SweepPlan, Tried
from pumpswap.research.tuning.trials import Params, TrialResult

__all__ = ["FoldOutcome", "SweepOutcome", "ValueOutcome", "outcome_of"]

_BEST = 20  # trials that are listed


class FoldOutcome(msgspec.Struct, frozen=True):
    """One test window. ``params`` None: in its training no set traded enough to be chosen, so nothing was traded.

    ``train_lamports`` is what the choice gained in its training, ``test_lamports`` what it brought after it.
    """

    number: int
    since_ns: int
    until_ns: int
    params: Params | None
    train_lamports: int | None
    test_lamports: int
    rounds: int


class ValueOutcome(msgspec.Struct, frozen=True):
    """One value of one setting over all trials that had it: a plateau is worth more than a peak."""

    key: str
    value: str
    trials: int
    median_lamports: int
    best_lamports: int


class SweepOutcome(msgspec.Struct, frozen=True):
    """``equity``: gain out of sample after each period of the test windows, one after the other. ``final``: the set
    that the whole history chooses, with what it gained there (in sample). ``best``: the trials with most gain there.
    """

    trials: int
    refused: int
    refused_why: str
    folds: tuple[FoldOutcome, ...]
    equity: tuple[int, ...]
    evidence: Evidence
    final: Params | None
    final_number: int | None
    final_lamports: int | None
    best: tuple[dict[str, Any], ...]
    values: tuple[ValueOutcome, ...]
    by_engine: int
    handed_over: dict[str, int]

    @property
    def test_lamports(self) -> int:
        """What all test windows brought together."""
        return self.evidence.out_of_sample.net_lamports


def outcome_of(
    plan: SweepPlan,
    searched: Searched,
    tested: Sequence[TrialResult],
    null: NullTest | None,
    network: Sequence[int] = (),
) -> SweepOutcome:
    """What has come out of a search, of its tests, of random entries in the same windows, and of the tests when the
    network fails others of the orders (``network``: what each of them has earned).
    """
    whole = [one for one in searched.tried if one.is_whole]
    rounds = [one for result in tested for one in result.rounds]
    traded = sum(one.kind != "failed" for one in rounds)
    outside = out_of_sample(
        traded, sum(one.net_lamports for one in tested), [one for result in tested for one in returns_of(result)]
    )
    returns = [one.returns for one in whole]
    final = searched.choices[-1] if searched.best is not None else None
    evidence = judged(
        outside,
        deflated=None if searched.best is None else deflated_of(returns_of(searched.best), returns),
        overfitting=overfit(returns),
        bands=monte_carlo(rounds, seed=plan.seed),
        null=null,
        network=band_of(network) if network else None,
    )
    return SweepOutcome(
        trials=len(searched.tried),
        refused=searched.refused,
        refused_why=searched.refused_why,
        folds=tuple(_folds(plan, searched, tested)),
        equity=_stitched(tested),
        evidence=evidence,
        final=None if final is None else final.params,
        final_number=None if final is None else final.number,
        final_lamports=None if searched.best is None else searched.best.net_lamports,
        best=tuple(_told(one) for one in sorted(whole, key=lambda one: (-one.net_lamports, one.number))[:_BEST]),
        values=tuple(_values(whole)),
        by_engine=sum(one.path == "engine" for one in searched.tried),
        handed_over=_handed_over(searched.tried),
    )


def _folds(plan: SweepPlan, searched: Searched, tested: Sequence[TrialResult]) -> list[FoldOutcome]:
    chosen = {choice.fold.number: choice for choice in searched.choices if choice.fold is not None}
    results = {one.split.window: one for one in tested}
    found = []
    for fold in plan.folds:
        choice, result = chosen.get(fold.number), results.get(fold.test)
        found.append(
            FoldOutcome(
                number=fold.number,
                since_ns=fold.test.since_ns,
                until_ns=fold.test.until_ns,
                params=None if choice is None else choice.params,
                train_lamports=None if choice is None else choice.train_lamports,
                test_lamports=0 if result is None else result.net_lamports,
                rounds=0 if result is None else sum(one.kind != "failed" for one in result.rounds),
            )
        )
    return found


def _stitched(tested: Sequence[TrialResult]) -> tuple[int, ...]:
    """Each window begins with cash alone; their gains are laid end to end."""
    gain, found = 0, [0]
    for result in tested:
        for before, after in pairwise(result.equity):
            gain += after - before
            found.append(gain)
    return tuple(found)


def _values(whole: Sequence[Tried]) -> list[ValueOutcome]:
    nets: dict[tuple[str, str], list[int]] = {}
    for one in whole:
        for key, value in one.params:
            nets.setdefault((key, value), []).append(one.net_lamports)
    # By setting as in the space, then by value as it was first tried: a grid is in order.
    keys = list(dict.fromkeys(key for key, _ in nets))
    return [
        ValueOutcome(key, value, len(found), int(median(found)), max(found))
        for wanted in keys
        for (key, value), found in nets.items()
        if key == wanted
    ]


def _told(one: Tried) -> dict[str, Any]:
    return {
        "number": one.number,
        "params": dict(one.params),
        "net_lamports": str(one.net_lamports),
        "max_drawdown_lamports": str(one.max_drawdown_lamports),
        "fills": one.fills,
        "rounds": one.rounds,
    }


def _handed_over(tried: Sequence[Tried]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in tried:
        if one.handed_over:
            found[one.handed_over] = found.get(one.handed_over, 0) + 1
    return dict(sorted(found.items()))
