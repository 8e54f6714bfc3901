"""M2: whether the enhanced score picks better than the base score, from a market of the past."""

from __future__ import annotations

from pumpswap.analytics.comparison import VerdictKind
from pumpswap.app.plan_metrics.metric import PlanMetric, Standing, unmeasured
from pumpswap.app.signal_compare import SignalComparison

__all__ = ["signal_accuracy"]

_STANDING = {
    VerdictKind.ENHANCED: Standing.MET,
    VerdictKind.BASE: Standing.MISSED,
    VerdictKind.NO_DIFFERENCE: Standing.NOT_SHOWN,
    VerdictKind.MIXED: Standing.NOT_SHOWN,
    VerdictKind.NOT_SHOWN: Standing.NOT_SHOWN,
}


def signal_accuracy(found: SignalComparison | None) -> PlanMetric:
    """The verdict of `signal compare`: return after costs of what each score picks, with its interval."""
    if found is None:
        return unmeasured(
            "M2",
            "Name a market of the past with --market: your collector's database, or a recording.",
            "`pumpswap signal compare` shows the same with its charts.",
        )
    verdict = found.comparison.verdict
    lines = (
        f"{found.source}: {found.snapshots:,} snapshots.",
        f"{verdict.sentence[:1].upper()}{verdict.sentence[1:]}.",
    )
    figures = {"verdict": verdict.kind.value, "snapshots": found.snapshots, "observations": verdict.observations}
    return PlanMetric("M2", _STANDING[verdict.kind], verdict.kind.value, lines, figures)
