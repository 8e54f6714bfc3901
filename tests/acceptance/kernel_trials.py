"""Whole trials by the compiled kernel against the engine: random settings, and pools that our trades have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from pumpswap.research.tuning.trials import TrialResult
from tests.acceptance.check import Check, Findings, Progress
from tests.research.kernel.test_changed_world import changed_world
from tests.research.kernel.test_trials import HandedOver, random_trial

TRIALS, WORLDS = 600, 40
_LEAST_BY_KERNEL = 0.9


def run(seed: int, progress: Progress) -> Findings:
    """Every trial has a seed of its own, so that a difference can be found again."""
    failures: list[str] = []
    trials: Counter[str] = Counter()
    met: Counter[str] = Counter()

    def trial(number: int) -> None:
        try:
            found: TrialResult = random_trial(number)
        except HandedOver:
            trials["handed over"] += 1
            return
        trials.update(equal=1, fills=found.fills, failed=found.failed)

    def world(number: int) -> None:
        try:
            met.update(changed_world(number))
        except HandedOver:
            met["handed over"] += 1

    jobs: list[tuple[str, Callable[[int], None], int]] = [
        *(("random settings", trial, seed + number) for number in range(TRIALS)),
        *(("changed pools", world, seed + number) for number in range(WORLDS)),
    ]
    for done, (what, play, number) in enumerate(jobs):
        try:
            play(number)
        except AssertionError as error:
            failures.append(f"{what}, seed {number}: {str(error)[:300]}")
        progress(done + 1, len(jobs))
    if trials["equal"] < TRIALS * _LEAST_BY_KERNEL:
        failures.append(f"only {trials['equal']} of {TRIALS} trials were played by the kernel")
    table = [f"{'trials: ' + name:<36} {count:>10,}" for name, count in sorted(trials.items())]
    table += [f"{'acts of others: ' + name:<36} {count:>10,}" for name, count in sorted(met.items())]
    figures = {"trials": dict(sorted(trials.items())), "worlds": WORLDS, "acts_of_others": dict(sorted(met.items()))}
    return Findings(figures, table, failures, ["fills, failures, money, drawdown, equity and rounds are the engine's"])


KERNEL_TRIALS = Check(
    "kernel-trials",
    f"{TRIALS} trials with random settings and {WORLDS} changed histories have the engine's figures",
    lambda: None,
    run,
)
