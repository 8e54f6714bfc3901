"""``make bench ARGS=trading``: how long a decision takes, and how many trades the engine takes in a second."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.report import Area
from benchmarks.trading.page import update_page

__all__ = ["TOPICS", "main"]

TOPICS = ("decisions", "throughput")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write the evidence; 1 when a promise is broken or the peer cannot be run."""
    return Area("trading", (__doc__ or "").splitlines()[0], TOPICS, update_page).run(arguments)
