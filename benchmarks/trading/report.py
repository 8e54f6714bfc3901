"""``make bench ARGS=trading``: how long a decision takes, and how many trades the engine takes in a second."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.signals.figures import Figures
from benchmarks.trading.page import update_page
from benchmarks.trading.throughput import PeerUnavailable
from tests.support.evidence import write_evidence

__all__ = ["TOPICS", "main"]

TOPICS = ("decisions", "throughput")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write the evidence; 1 when a promise is broken or the peer cannot be run."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=trading", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=TOPICS, nargs="+", help="some topics; prints only")
    parser.add_argument("--no-evidence", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    found: dict[str, Figures] = {}
    for topic in options.only or TOPICS:
        try:
            found[topic] = import_module(f"benchmarks.trading.{topic}").measure()
        except PeerUnavailable as missing:
            print(f"bench: {missing}", file=sys.stderr)
            return 1
        _show(found[topic])
    if not options.no_evidence and not options.only:
        figures = {topic: {"title": one.title, "table": one.table, **one.figures} for topic, one in found.items()}
        notes = [note for one in found.values() for note in one.notes]
        print(f"\n{write_evidence('bench-trading', figures, notes)}")
        print(update_page())
    broken = [text for one in found.values() for text, held in one.promises if not held]
    for text in broken:
        print(f"bench: promised and not held: {text}", file=sys.stderr)
    return 1 if broken else 0


def _show(one: Figures) -> None:
    print(f"\n{one.title}", *one.table, sep="\n")
    for text, held in one.promises:
        print(f"  {'held' if held else 'BROKEN'}: {text}", flush=True)
