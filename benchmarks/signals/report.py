"""``make bench ARGS=signals``: what signals and market data cost, one topic after the other."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.report import Area
from benchmarks.signals.page import update_page

__all__ = ["TOPICS", "main"]

TOPICS = ("features", "screens", "answers", "q50", "lake", "qlib")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write the evidence; 1 when a promise is broken."""
    return Area("signals", (__doc__ or "").splitlines()[0], TOPICS, update_page).run(arguments)
