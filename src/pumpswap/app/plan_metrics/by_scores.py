"""M2: whether the enhanced score picks better than the base score, from a market of the past."""

from __future__ import annotations

from pumpswap.analytics.comparison import VerdictKind
from pumpswap.app.plan_metrics.evidence import Record
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


_YOURS = "--market names a market of yours: a collector's database, or a recording."


def signal_accuracy(found: SignalComparison | None, checks: Record | None = None) -> PlanMetric:
    """The verdict of `signal compare`: return after costs of what each score picks, with its interval. Without a market
    of the user's it is that of the recorded export, where ``checks`` has it.
    """
    if found is None:
        return _recorded(checks)
    verdict = found.comparison.verdict
    lines = (
        f"{found.source}: {found.snapshots:,} snapshots.",
        f"{verdict.sentence[:1].upper()}{verdict.sentence[1:]}.",
    )
    figures = {"verdict": verdict.kind.value, "snapshots": found.snapshots, "observations": verdict.observations}
    return PlanMetric("M2", _STANDING[verdict.kind], verdict.kind.value, lines, figures)


def _recorded(checks: Record | None) -> PlanMetric:
    told = None if checks is None else checks.get("scores")
    kinds = {kind.value: kind for kind in VerdictKind}
    if checks is None or not isinstance(told, dict) or told.get("verdict") not in kinds:
        return unmeasured("M2", _YOURS, "Or `make acceptance`, which compares over the recorded export.")
    kind = kinds[told["verdict"]]
    lines = (f"The recorded export, {told.get('compared')} snapshots: {told.get('sentence')} ({checks.where}).", _YOURS)
    figures = {"verdict": kind.value, "snapshots": told.get("compared"), "pools": told.get("pools")}
    return PlanMetric("M2", _STANDING[kind], kind.value, lines, figures)
