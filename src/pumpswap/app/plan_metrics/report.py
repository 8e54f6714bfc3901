"""The report: every metric of the plan, from a run, from evidence, or with the reason why it has no value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pumpswap.app.books import Books
from pumpswap.app.plan_metrics.by_checks import database_time, tests_of, tests_passing
from pumpswap.app.plan_metrics.by_run import accuracy, executed, execution_time, slippage, uptime, violations
from pumpswap.app.plan_metrics.by_scores import signal_accuracy
from pumpswap.app.plan_metrics.evidence import Evidence
from pumpswap.app.plan_metrics.from_books import read_run
from pumpswap.app.plan_metrics.metric import PlanMetric
from pumpswap.app.signal_compare import SignalComparison

__all__ = ["plan_metrics"]


def plan_metrics(
    books: Books | None, evidence: Evidence, scores: SignalComparison | None = None, *, now_ns: int
) -> list[PlanMetric]:
    """M1 to M12. ``books``: the run that M3 to M8 are read of; ``scores``: what M2 is read of; ``now_ns``: the
    machine's time.

    Raises BadInput for evidence that cannot be read, StorageError for books that cannot.
    """
    record = None if books is None else read_run(books, now_ns)
    tests = evidence.record("tests")
    of_run: Sequence[Callable[..., PlanMetric]] = (execution_time, uptime, executed, slippage, accuracy, violations)
    return [
        tests_of("M1", tests),
        signal_accuracy(scores, evidence.record("acceptance")),
        *(metric(record, evidence) for metric in of_run),
        tests_passing(tests),
        database_time(evidence),
        tests_of("M11", tests),
        tests_of("M12", tests),
    ]
