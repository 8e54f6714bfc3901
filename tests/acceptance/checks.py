"""All long checks, and running several of them at once."""

from __future__ import annotations

import atexit
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.acceptance.book_crashes import BOOK_CRASHES
from tests.acceptance.check import Check, Findings, Progress
from tests.acceptance.collector import COLLECTOR
from tests.acceptance.crashes import CRASHES
from tests.acceptance.kernel import KERNEL
from tests.acceptance.kernel_trials import KERNEL_TRIALS
from tests.acceptance.lake import LAKE
from tests.acceptance.largest_sizes import LARGEST_SIZES
from tests.acceptance.ledger_sequences import LEDGER_SEQUENCES
from tests.acceptance.limits import LIMITS
from tests.acceptance.live_crashes import LIVE_CRASHES
from tests.acceptance.live_scenarios import LIVE_SCENARIOS
from tests.acceptance.long_day import LONG_DAY
from tests.acceptance.nautilus import NAUTILUS_1_221, NAUTILUS_1_231
from tests.acceptance.on_ray import ON_RAY
from tests.acceptance.outside_lives import OUTSIDE_LIVES
from tests.acceptance.paper_crashes import PAPER_CRASHES
from tests.acceptance.paper_thousand import PAPER_THOUSAND
from tests.acceptance.q50_frames import Q50_FRAMES
from tests.acceptance.qlib_export import QLIB_EXPORT
from tests.acceptance.replay_day import REPLAY_DAY
from tests.acceptance.scores import SCORES
from tests.acceptance.sender_schedules import SENDER_SCHEDULES
from tests.acceptance.svm_trades import SVM_TRADES

__all__ = ["CHECKS", "run_all"]

CHECKS = (
    COLLECTOR,  # the longest go first, so that no core waits for them at the end
    REPLAY_DAY,
    LONG_DAY,
    PAPER_THOUSAND,
    SVM_TRADES,
    NAUTILUS_1_221,
    NAUTILUS_1_231,
    SENDER_SCHEDULES,
    CRASHES,
    LIVE_CRASHES,
    BOOK_CRASHES,
    PAPER_CRASHES,
    LEDGER_SEQUENCES,
    LIMITS,
    OUTSIDE_LIVES,
    LIVE_SCENARIOS,
    LARGEST_SIZES,
    KERNEL,
    KERNEL_TRIALS,
    ON_RAY,
    Q50_FRAMES,
    LAKE,
    QLIB_EXPORT,
    SCORES,
)


def run_all(
    checks: list[Check], seed: int, jobs: int, progress_of: Callable[[Check], Progress]
) -> Iterator[tuple[Check, Findings]]:
    """What each check has found; several at once in processes of their own, and then as they end, so that a run that is
    interrupted has kept what had held by then.
    """
    if jobs == 1:
        yield from ((check, check.run(seed, progress_of(check))) for check in checks)
        return
    # Spawned: a process that has run LiteSVM, or threads, is no good parent.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        running = {pool.submit(_run, check.name, seed): check for check in checks}
        for future in as_completed(running):
            yield running[future], future.result()


def _run(name: str, seed: int) -> Findings:
    (check,) = (one for one in CHECKS if one.name == name)
    try:
        return check.run(seed, lambda _done, _of: None)
    except Exception:  # a check that breaks has failed; what the others find is not lost
        return Findings({}, failures=[traceback.format_exc()])
    finally:
        # A worker ends without them, and would leave its database server running.
        atexit._run_exitfuncs()
