"""The base score against the enhanced one over the recorded export: what it shows about which predicts better (M2)."""

from __future__ import annotations

from pumpswap.app.signal_compare import CompareRequest, compare_recording
from pumpswap.settings import Settings
from tests.acceptance.check import Check, Findings, Progress
from tests.support.material import material

__all__ = ["SCORES"]

EXPORT = ("real", "host_export")


def absent() -> str | None:
    """Why it cannot run here."""
    return None if material(*EXPORT) else "recorded mainnet material is not here"


def run(_seed: int, progress: Progress) -> Findings:
    """One comparison; "not shown by this data" is a finding like any other."""
    path = material(*EXPORT)
    assert path is not None
    settings = Settings()
    found = compare_recording(path, settings, CompareRequest(threshold=settings.signals.min_score))
    progress(1, 1)
    compared, verdict = found.comparison, found.comparison.verdict
    figures = {
        "snapshots": found.snapshots,
        "compared": len(compared.observations),
        "pools": compared.pools,
        "with_a_price_later": found.later_pools,
        "verdict": verdict.kind.value,
        "sentence": verdict.sentence,
    }
    return Findings(figures, [f"{name:<20} {value}" for name, value in figures.items()])


SCORES = Check("scores", "both scores over the recorded export, and what came of their picks", absent, run)
