"""``make bench ARGS=backtest``: how fast histories are played, and settings searched."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.backtest.page import update_page
from benchmarks.report import Area

__all__ = ["TOPICS", "main"]

TOPICS = ("engine", "quotes", "replay", "sweep")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write the evidence; 1 when a promise is broken or the peer cannot be run."""
    return Area("backtest", (__doc__ or "").splitlines()[0], TOPICS, update_page).run(arguments)
