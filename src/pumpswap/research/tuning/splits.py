"""Splits of time: what may be learnt from, and what it is tested on. No test window is ever part of its own training.

Rounds that reach over a border would carry what happened behind it into the training: they are purged, and so is what
lies within the embargo after a test window (López de Prado 2018, chapter 7).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.research.tuning.trials import Round, Window

__all__ = ["Fold", "hold_out", "parse_walk_forward", "purged", "purged_kfold", "seconds_of", "walk_forward"]

_DURATION = re.compile(r"(\d+)([smhd])")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
MOST_FOLDS = 1_000


class Fold(msgspec.Struct, frozen=True):
    """One test window and what may be learnt from for it. ``embargo_ns`` keeps training apart from the test."""

    number: int
    train: tuple[Window, ...]
    test: Window
    embargo_ns: int = 0


def hold_out(whole: Window, test_share: int = 30, embargo_ns: int = 0) -> tuple[Fold, ...]:
    """One fold: the last ``test_share`` per cent are the test. Raises UsageError where nothing is left to either."""
    if not 1 <= test_share <= 99:
        raise UsageError(f"a test of {test_share} per cent", hint="1 to 99")
    border = whole.until_ns - whole.length_ns * test_share // 100
    return (_fold(0, (Window(whole.since_ns, border),), Window(border, whole.until_ns), embargo_ns),)


def walk_forward(
    whole: Window, train_ns: int, test_ns: int, *, anchored: bool = False, embargo_ns: int = 0
) -> tuple[Fold, ...]:
    """Learn from ``train_ns``, test on the ``test_ns`` that follow, go on by the length of a test. Anchored: training
    always begins at the start of all. A last test that would be shorter than half of the others is left out.
    """
    if train_ns <= 0 or test_ns <= 0:
        raise UsageError("a window without length", hint="training and test need a time each, as 12h:2h")
    folds: list[Fold] = []
    border = whole.since_ns + train_ns
    while border + (test_ns + 1) // 2 <= whole.until_ns:
        if len(folds) == MOST_FOLDS:
            raise UsageError(f"more than {MOST_FOLDS} test windows", hint="make them longer")
        since = whole.since_ns if anchored else border - train_ns
        test = Window(border, min(border + test_ns, whole.until_ns))
        folds.append(_fold(len(folds), (Window(since, border),), test, embargo_ns))
        border += test_ns
    if not folds:
        raise UsageError(
            f"{whole.length_ns // NS_PER_SECOND} s of history are too short for that walk forward",
            hint="shorter windows, or more history",
        )
    return tuple(folds)


def purged_kfold(whole: Window, folds: int, embargo_ns: int = 0) -> tuple[Fold, ...]:
    """``folds`` equal test windows; all the rest, before and after, is the training of each."""
    if not 2 <= folds <= MOST_FOLDS or whole.length_ns < folds:
        raise UsageError(f"{folds} folds", hint=f"2 to {MOST_FOLDS}, and history for each")
    borders = [whole.since_ns + whole.length_ns * place // folds for place in range(folds + 1)]
    found = []
    for number in range(folds):
        test = Window(borders[number], borders[number + 1])
        sides = (Window(whole.since_ns, test.since_ns), Window(test.until_ns, whole.until_ns))
        found.append(_fold(number, tuple(side for side in sides if side.length_ns > 0), test, embargo_ns))
    return tuple(found)


def purged(rounds: Sequence[Round], windows: Sequence[Window], test: Window | None, embargo_ns: int) -> list[Round]:
    """The rounds that may be learnt from: opened and closed within one of ``windows``, and neither open during the test
    nor within the embargo on either side of it.
    """
    kept = []
    for one in rounds:
        # A failed order has no length: it belongs where it happened.
        inside = any(window.holds(one.opened_ns) and one.closed_ns <= window.until_ns for window in windows)
        if inside and (test is None or not _overlaps(one, test, embargo_ns)):
            kept.append(one)
    return kept


def parse_walk_forward(text: str) -> tuple[int, int]:
    """``12h:2h`` → nanoseconds of training and of test. Raises UsageError for anything else."""
    parts = text.split(":")
    if len(parts) != 2:
        raise UsageError(f"{_shown(text)} is no walk forward", hint="TRAIN:TEST, as 12h:2h or 7d:1d")
    train, test = (seconds_of(part) * NS_PER_SECOND for part in parts)
    return train, test


def seconds_of(text: str) -> int:
    """``90s``, ``30m``, ``12h``, ``7d`` → seconds. Raises UsageError for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise UsageError(
            f"{_shown(text)} is no length of time", hint="a whole number and s, m, h or d: 90s, 30m, 12h, 7d"
        )
    return int(match[1]) * _UNIT_SECONDS[match[2]]


def _shown(text: str) -> str:
    """What is long may be a secret that was pasted by mistake."""
    return repr(text) if len(text) <= 20 else "that"


def _overlaps(one: Round, test: Window, embargo_ns: int) -> bool:
    return one.opened_ns < test.until_ns + embargo_ns and one.closed_ns > test.since_ns - embargo_ns


def _fold(number: int, train: tuple[Window, ...], test: Window, embargo_ns: int) -> Fold:
    if test.length_ns <= 0 or not any(window.length_ns > 0 for window in train):
        raise UsageError("nothing is left to learn from or to test on", hint="more history, or other windows")
    return Fold(number, train, test, embargo_ns)
