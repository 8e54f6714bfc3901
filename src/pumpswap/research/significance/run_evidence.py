"""What a single back-test is worth: its own rounds and periods, against the best that so many tries would have shown.

A back-test does not know whether its settings were chosen on this very history, so it never says more than ``weak``:
what holds beyond the history is for a search to show (``tune``), which keeps test windows for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from math import sqrt

import msgspec

from pumpswap.research.backtest.runner import Backtest
from pumpswap.research.significance.evidence import Evidence, deflated_among, judged_single, out_of_sample_of
from pumpswap.research.significance.monte_carlo import MonteCarlo, monte_carlo
from pumpswap.research.significance.sharpe import Moments, moments_of
from pumpswap.research.tuning.engine_runner import equity_at, rounds_of
from pumpswap.research.tuning.objective import returns_between
from pumpswap.research.tuning.trials import Window

__all__ = ["JudgedBy", "Try", "judged_by", "judged_run"]


class JudgedBy(msgspec.Struct, frozen=True):
    """What a back-test is judged by; it is kept beside its run. ``moments``: of the returns of ``periods`` periods of
    ``period_seconds``; None where too few moved. ``bands`` None: too few rounds, or no numpy here.
    """

    period_seconds: int
    periods: int
    rounds: int
    net_lamports: int
    moments: Moments | None
    bands: MonteCarlo | None = None


class Try(msgspec.Struct, frozen=True):
    """Something else that was tried on the same history: its ratio of a period so long; None where nothing moved."""

    period_seconds: int
    sharpe: float | None


def judged_by(done: Backtest) -> JudgedBy:
    """Of a finished back-test."""
    summary, spec = done.summary, done.result.spec
    window = Window(summary.started_ns, summary.finished_ns + 1)
    returns = returns_between(equity_at(done.record.equity, window, spec.period_seconds), spec.start_lamports)
    rounds = rounds_of(done.record, summary, window)
    return JudgedBy(
        period_seconds=spec.period_seconds,
        periods=len(returns),
        rounds=sum(one.kind != "failed" for one in rounds),
        net_lamports=summary.equity_change_lamports,
        moments=moments_of(returns),
        bands=monte_carlo(rounds) if find_spec("numpy") else None,
    )


def judged_run(found: JudgedBy, others: Sequence[Try]) -> Evidence:
    """The verdict. ``others``: everything else that was tried on this history; each is one more chance to be lucky."""
    deflated = None
    if found.moments is not None:
        # A ratio grows with the root of its period: those of other periods are brought to this one.
        ratios = [
            one.sharpe * sqrt(found.period_seconds / one.period_seconds) for one in others if one.sharpe is not None
        ]
        deflated = deflated_among(found.moments, [found.moments.sharpe, *ratios], 1 + len(others))
    outside = out_of_sample_of(found.rounds, found.net_lamports, found.periods, found.moments)
    return judged_single(outside, deflated, found.bands)
