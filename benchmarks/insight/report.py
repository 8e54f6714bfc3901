"""``make bench ARGS=insight``: the pages of the dashboard over large books, and an engine that is watched by fifty."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.insight.page import update_page
from benchmarks.report import Area

__all__ = ["TOPICS", "main"]

TOPICS = ("pages", "viewers")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write the evidence; 1 when a promise is broken."""
    return Area("insight", (__doc__ or "").splitlines()[0], TOPICS, update_page).run(arguments)
