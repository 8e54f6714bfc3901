"""``make bench ARGS=signals``: what signals and market data cost, one topic after the other.

A topic is a module of this folder with ``measure() -> Figures``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.signals.figures import Figures
from benchmarks.signals.page import update_page
from tests.support.evidence import write_evidence

__all__ = ["TOPICS", "main"]

TOPICS = ("features", "screens", "answers", "q50", "lake", "qlib")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write the evidence; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=signals", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=TOPICS, nargs="+", help="some topics; prints only")
    parser.add_argument("--no-evidence", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    found: dict[str, Figures] = {}
    for topic in options.only or TOPICS:
        found[topic] = import_module(f"benchmarks.signals.{topic}").measure()
        _show(found[topic])
    if not options.no_evidence and not options.only:
        figures = {topic: {"title": one.title, "table": one.table, **one.figures} for topic, one in found.items()}
        notes = [note for one in found.values() for note in one.notes]
        print(f"\n{write_evidence('bench-signals', figures, notes)}")
        print(update_page())
    broken = [text for one in found.values() for text, held in one.promises if not held]
    for text in broken:
        print(f"bench: promised and not held: {text}", file=sys.stderr)
    return 1 if broken else 0


def _show(one: Figures) -> None:
    print(f"\n{one.title}", *one.table, sep="\n")
    for text, held in one.promises:
        print(f"  {'held' if held else 'BROKEN'}: {text}", flush=True)
