"""Objectives: one number for how well a set did in its training time, and the returns behind the statistics."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Literal

from pumpswap.clock import NS_PER_SECOND
from pumpswap.research.significance.sharpe import moments_of
from pumpswap.research.tuning.splits import Fold, purged
from pumpswap.research.tuning.trials import TrialResult, Window

__all__ = ["LEAST_ROUNDS", "Objective", "net_of", "returns_between", "returns_of", "score"]

Objective = Literal["net", "sharpe", "calmar", "median-window"]
LEAST_ROUNDS = 5  # in training: a set with fewer has shown nothing that could be chosen
_PARTS = 8  # of the training time, for the median
_SMALLEST_FALL_BPS = 1  # of the start: a smaller drawdown counts as this one, or a lucky first round were infinite


def returns_of(result: TrialResult, windows: Sequence[Window] = (), fold: Fold | None = None) -> list[float]:
    """Change of equity over the start's, period by period: those within ``windows`` (all where there are none), and not
    within the test of ``fold`` nor its embargo.
    """
    since, step = result.split.window.since_ns, result.period_seconds * NS_PER_SECOND
    found = []
    for place, (before, after) in enumerate(pairwise(result.equity)):
        begins = since + place * step
        ends = min(begins + step, result.split.window.until_ns)
        if _counts(begins, ends, windows, fold):
            found.append((after - before) / max(result.start_lamports, 1))
    return found


def returns_between(equity: Sequence[int], start_lamports: int) -> list[float]:
    """Change of equity over the start's, from each measurement to the next; of no money there is no return: 0."""
    return [(after - before) / max(start_lamports, 1) for before, after in pairwise(equity)]


def net_of(result: TrialResult, fold: Fold | None) -> int:
    """Gain of the rounds that may be learnt from, failed orders taken off; of all where there is no fold."""
    rounds = result.rounds if fold is None else purged(result.rounds, fold.train, fold.test, fold.embargo_ns)
    return sum(one.net_lamports for one in rounds)


def score(result: TrialResult, fold: Fold | None, objective: Objective) -> float | None:
    """More is better. None: too few rounds in training to be chosen, or nothing that can be measured.

    ``median-window`` is the median gain of eight equal parts of the training time: a set that owes all to one lucky
    hour has nothing of it there.
    """
    windows = (result.split.window,) if fold is None else fold.train
    rounds = list(result.rounds) if fold is None else purged(result.rounds, windows, fold.test, fold.embargo_ns)
    if sum(one.kind != "failed" for one in rounds) < LEAST_ROUNDS:
        return None
    if objective == "net":
        return float(sum(one.net_lamports for one in rounds))
    if objective == "median-window":
        parts = [part for window in windows for part in _parts(window, _PARTS)]
        nets = [sum(one.net_lamports for one in rounds if part.holds(one.opened_ns)) for part in parts]
        return float(median(nets))
    returns = returns_of(result, windows, fold)
    if objective == "sharpe":
        found = moments_of(returns)
        return None if found is None else found.sharpe
    path = peak = fall = 0.0
    for one in returns:
        path += one
        peak = max(peak, path)
        fall = max(fall, peak - path)
    return path / max(fall, _SMALLEST_FALL_BPS / 10_000)


def _counts(begins: int, ends: int, windows: Sequence[Window], fold: Fold | None) -> bool:
    if windows and not any(one.since_ns <= begins and ends <= one.until_ns for one in windows):
        return False
    if fold is None:
        return True
    return ends <= fold.test.since_ns - fold.embargo_ns or begins >= fold.test.until_ns + fold.embargo_ns


def _parts(window: Window, parts: int) -> list[Window]:
    borders = [window.since_ns + window.length_ns * place // parts for place in range(parts + 1)]
    return [Window(since, until) for since, until in pairwise(borders)]
