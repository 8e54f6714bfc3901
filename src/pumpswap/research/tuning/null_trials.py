"""Random entries as trials: many, on the same workers, with the same settings as the choice beside them."""

from __future__ import annotations

from collections.abc import Sequence

from pumpswap.engine.strategies.random_entries import RandomEntries
from pumpswap.research.significance.null_strategy import NullTest, null_plan, null_test
from pumpswap.research.tuning.space import NULL
from pumpswap.research.tuning.sweep import Tell, TrialStore, results_of
from pumpswap.research.tuning.trials import Job, Params, Round, Split, TrialResult, Workers

__all__ = [
    "FIRST_NETWORK", "FIRST_NULL", "network_jobs", "null_jobs", "other_seed", "random_entries", "run_network",
    "run_null",
]  # fmt: skip

FIRST_NULL, FIRST_NETWORK = 2_000_000_000, 3_000_000_000  # numbers of these trials begin here
_MOST_DRAWS = 100_000
_MOST_TIMES = 200  # of holding times that a draw chooses from: as many ranks of them
COMPARING, OTHER_LUCK = "random entries", "other luck of the network"


def null_jobs(tested: Sequence[TrialResult], draws: int, seed: int) -> list[Job]:
    """For each tested window with rounds, ``draws`` trials that enter as often at random and hold as long."""
    jobs = []
    for fold, result in enumerate(tested):
        plan = null_plan(result)
        if plan is None:
            continue
        held = sorted(plan.held_seconds)
        some = held if len(held) <= _MOST_TIMES else [held[len(held) * at // _MOST_TIMES] for at in range(_MOST_TIMES)]
        for draw in range(draws):
            params: Params = (
                *result.params,
                (f"{NULL}.seed", str(seed + draw)),
                (f"{NULL}.entries", str(plan.entries)),
                (f"{NULL}.held_seconds", " ".join(map(str, some))),
            )
            split = Split(result.split.window, 0, "null")  # chance remembers nothing: there is nothing to warm up
            jobs.append(Job(FIRST_NULL + fold * _MOST_DRAWS + draw, params, split))
    return jobs


def random_entries(params: Params, split: Split) -> RandomEntries | None:
    """The strategy of such a trial; None for any other."""
    told = dict(params)
    if f"{NULL}.seed" not in told:
        return None
    return RandomEntries(
        seed=int(told[f"{NULL}.seed"]),
        since_ns=split.window.since_ns,
        until_ns=split.window.until_ns,
        entries=int(told[f"{NULL}.entries"]),
        held_seconds=tuple(map(int, told[f"{NULL}.held_seconds"].split())),
    )


def network_jobs(tested: Sequence[TrialResult], draws: int, seed: int) -> list[Job]:
    """The tests again with other luck of the network: which orders fail, what priority they pay, where they land."""
    return [
        Job(
            FIRST_NETWORK + fold * _MOST_DRAWS + draw,
            (*result.params, (f"{NULL}.network", str(seed + 1 + draw))),
            Split(result.split.window, result.split.warm_ns, "network"),
        )
        for fold, result in enumerate(tested)
        if result.fills
        for draw in range(draws)
    ]


def other_seed(params: Params) -> int | None:
    """The seed of the network's luck in such a trial; None for any other."""
    told = dict(params).get(f"{NULL}.network")
    return None if told is None else int(told)


def run_network(jobs: Sequence[Job], workers: Workers, store: TrialStore, tell: Tell) -> list[int]:
    """What all windows together earn in each draw."""
    draws: dict[int, int] = {}
    for result in results_of(jobs, 1, workers, store, lambda count: tell(OTHER_LUCK, count, len(jobs))):
        draw = (result.number - FIRST_NETWORK) % _MOST_DRAWS
        draws[draw] = draws.get(draw, 0) + result.net_lamports
    return list(draws.values())


def run_null(
    tested: Sequence[TrialResult], jobs: Sequence[Job], workers: Workers, store: TrialStore, tell: Tell
) -> NullTest | None:
    """What was earned on the tested windows beside what random entries earn there. None without rounds or draws."""
    draws: dict[int, list[Round]] = {}
    size = max(1, len(jobs) // 64)
    for result in results_of(jobs, size, workers, store, lambda count: tell(COMPARING, count, len(jobs))):
        draws.setdefault((result.number - FIRST_NULL) % _MOST_DRAWS, []).extend(result.rounds)
    return null_test([one for result in tested for one in result.rounds], list(draws.values()))
