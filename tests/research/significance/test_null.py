"""A random strategy shows no significance; a planted edge is found."""

from __future__ import annotations

from math import comb
from random import Random

import msgspec
import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.research.significance.evidence import OutOfSample, deflated_of, judged, out_of_sample
from pumpswap.research.significance.monte_carlo import Band, MonteCarlo, monte_carlo
from pumpswap.research.significance.null_strategy import NullTest, null_plan, null_test
from pumpswap.research.significance.overfit import Overfit, overfit
from pumpswap.research.significance.sharpe import moments_of, probabilistic_sharpe
from pumpswap.research.tuning.engine_runner import EngineRunner
from pumpswap.research.tuning.null_trials import null_jobs, run_null
from pumpswap.research.tuning.objective import returns_of
from pumpswap.research.tuning.pool import InProcess
from pumpswap.research.tuning.trials import Params, Round, Split, TrialResult, Window
from tests.research.tuning.played import MemoryStore, factory, history, window

DAY_NS = 86_400 * NS_PER_SECOND
PERIODS = 200


def at_random(count: int, seed: int, edge: float = 0.0) -> list[list[float]]:
    """Returns without drift, of many strategies that know nothing; ``edge`` is given to the last."""
    chance = Random(seed)
    found = [[chance.gauss(0, 0.01) for _ in range(PERIODS)] for _ in range(count)]
    found[-1] = [one + edge for one in found[-1]]
    return found


def binomial_most(trials: int, share: float) -> int:
    """What a binomial count exceeds once in ten thousand."""
    total = 0.0
    for count in range(trials + 1):
        total += comb(trials, count) * share**count * (1 - share) ** (trials - count)
        if total > 0.9999:
            return count
    return trials


def test_of_two_hundred_random_strategies_few_look_sure() -> None:
    sure = 0
    for returns in at_random(200, 1):
        moments = moments_of(returns)
        assert moments is not None
        sure += probabilistic_sharpe(moments) > 0.95
    assert 0 < sure <= binomial_most(200, 0.05)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_of_many_random_strategies_is_no_evidence(seed: int) -> None:
    """It looks splendid by itself; that it was chosen from fifty takes it all back."""
    returns = at_random(50, seed)
    best = max(returns, key=sum)
    deflated = deflated_of(best, returns)
    assert deflated is not None
    assert deflated.undeflated > 0.9
    assert deflated.probability < 0.95
    after = at_random(1, 1_000 + seed)[0]  # what it does from then on
    rounds = [Round("p", day * DAY_NS, day * DAY_NS + 1, 10**9, round(one * 10**9)) for day, one in enumerate(after)]
    evidence = judged(
        out_of_sample(PERIODS, sum(one.net_lamports for one in rounds), after),
        deflated=deflated,
        overfitting=overfit(returns),
        bands=monte_carlo(rounds, draws=200),
        null=null_test(rounds, [_rounds(draw) for draw in range(50)]),
    )
    assert evidence.verdict != "holds out of sample"
    assert evidence.reasons


def _rounds(seed: int) -> list[Round]:
    (series,) = at_random(1, 5_000 + seed)
    return [Round("p", day * DAY_NS, day * DAY_NS + 1, 10**9, round(one * 10**9)) for day, one in enumerate(series)]


def test_a_planted_edge_is_found() -> None:
    returns = at_random(50, 3, edge=0.006)
    (after,) = at_random(1, 77, edge=0.006)
    rounds = [Round("p", day * DAY_NS, day * DAY_NS + 1, 10**9, round(one * 10**9)) for day, one in enumerate(after)]
    evidence = judged(
        out_of_sample(PERIODS, sum(one.net_lamports for one in rounds), after),
        deflated=deflated_of(returns[-1], returns),
        overfitting=overfit(returns),
        bands=monte_carlo(rounds, draws=200),
        null=null_test(rounds, [_rounds(draw) for draw in range(100)]),
        network=Band(1, 2, 3),
    )
    assert evidence.verdict == "holds out of sample", evidence.reasons


# ------------------------------------------------------------------------------------------------- verdicts

GOOD = OutOfSample(40, 10**9, 200, 0.3, 0.1, 0.5, 0.999, 30.0)
GOOD_NULL = NullTest(200, 0.01, 0.05, 0.0)


def good(**changes: object) -> dict[str, object]:
    deflated = deflated_of([0.01, 0.02, 0.015, 0.02] * 20, [[0.01, 0.02, 0.015, 0.02] * 20])
    bands = MonteCarlo(100, 0, 40, 10, Band(1, 2, 3), Band(0, 1, 2), Band(0, 1, 2), 0.0)
    tests = {"deflated": deflated, "overfitting": Overfit(0.1, 0.1, 70, 9, 8), "bands": bands, "null": GOOD_NULL}
    return {**tests, "network": Band(1, 2, 3), **changes}


def test_only_what_passes_every_test_holds() -> None:
    assert judged(GOOD, **good()).verdict == "holds out of sample"  # type: ignore[arg-type]
    few = OutOfSample(29, 10**9, 200, 0.3, 0.1, 0.5, 0.999, 30.0)
    assert judged(few, **good()).verdict == "no evidence"  # type: ignore[arg-type]
    zero_inside = OutOfSample(40, 10**9, 200, 0.3, -0.1, 0.5, 0.96, 90.0)
    assert judged(zero_inside, **good()).verdict == "weak"  # type: ignore[arg-type]
    loss = OutOfSample(40, -1, 200, 0.3, 0.1, 0.5, 0.99, 90.0)
    assert judged(loss, **good()).verdict == "no evidence"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"deflated": None}, "weak"),
        ({"null": None}, "weak"),
        ({"overfitting": None}, "weak"),
        ({"bands": None}, "weak"),
        ({"network": None}, "weak"),
        ({"network": Band(-1, 2, 3)}, "weak"),
        ({"null": NullTest(100, 0.08, 0.1, 0.0)}, "weak"),
        ({"null": NullTest(100, 0.4, 0.1, 0.0)}, "no evidence"),
        ({"overfitting": Overfit(0.5, 0.4, 70, 9, 8)}, "no evidence"),
        ({"bands": MonteCarlo(9, 0, 40, 10, Band(-1, 2, 3), Band(0, 1, 2), Band(0, 1, 2), 0.1)}, "weak"),
        ({"deflated": deflated_of(at_random(9, 4)[0], at_random(9, 4))}, "no evidence"),
    ],
)
def test_one_failed_test_is_enough(changes: dict[str, object], verdict: str) -> None:
    assert judged(GOOD, **good(**changes)).verdict == verdict  # type: ignore[arg-type]


def test_a_p_value_is_never_zero_and_a_size_proves_nothing() -> None:
    own = [Round("p", 0, 1, 1_000, 100)]
    small = [[Round("p", 0, 1, 10, 0)] for _ in range(9)]
    found = null_test(own, small)
    assert found is not None
    assert found.p_value == 0.1
    assert null_test(own, [[Round("p", 0, 1, 10, 1)]] * 9) == NullTest(9, 1.0, 0.1, 0.1)
    assert null_test([], small) is None
    assert null_test(own, []) is None


# ------------------------------------------------------------------------------------------------- the engine's own


def test_random_entries_copy_number_and_holding_times() -> None:
    whole = window(history())
    result = TrialResult(
        0, (), Split(whole), 10**9, 0, 0, 0, 0, 10, (10**9, 10**9),
        (Round("p", 0, 30 * NS_PER_SECOND, 5, 1), Round("q", 0, 90 * NS_PER_SECOND, 5, 1),
         Round("p", 0, 0, 0, -1, "failed")),
    )  # fmt: skip
    plan = null_plan(result)
    assert plan is not None
    assert (plan.entries, plan.held_seconds) == (2, (30, 90))
    jobs = null_jobs([result], 4, 100)
    assert len({job.number for job in jobs}) == 4
    assert dict(jobs[2].params) == {"null.seed": "102", "null.entries": "2", "null.held_seconds": "30 90"}
    assert null_jobs([msgspec.structs.replace(result, rounds=())], 4, 0) == []


def test_a_random_strategy_is_no_better_than_random_ones() -> None:
    """The whole path: random entries are tuned, tested, compared with others of their kind: nothing is left of them."""
    whole = window(history())
    runner = factory().open()
    results = []
    for seed in range(10):
        params: Params = (("null.seed", str(seed)), ("null.entries", "12"), ("null.held_seconds", "30 60 90"))
        results.append(runner.run(seed, params, Split(whole, 0, "null")))
    assert sum(result.fills for result in results) > 10 * 5
    returns = [returns_of(result) for result in results]
    best = max(results, key=lambda one: one.net_lamports)
    half = Window(whole.since_ns + whole.length_ns // 2, whole.until_ns)
    tested = [runner.run(99, best.params, Split(half, 0, "test"))]
    null = run_null(tested, null_jobs(tested, 12, 500), InProcess(_Same(runner)), MemoryStore(), lambda *_: None)
    evidence = judged(
        out_of_sample(len(tested[0].rounds), tested[0].net_lamports, returns_of(tested[0])),
        deflated=deflated_of(returns_of(best), returns),
        overfitting=overfit(returns, 8),
        bands=monte_carlo(tested[0].rounds, draws=100),
        null=null,
    )
    assert evidence.verdict == "no evidence", evidence


class _Same:
    """The runner that is there already."""

    def __init__(self, runner: EngineRunner) -> None:
        self._runner = runner

    def open(self) -> EngineRunner:
        return self._runner
