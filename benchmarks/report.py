"""One area of ``make bench``: its topics measured one after the other, printed, and kept as evidence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures, PeerUnavailable
from tests.support.evidence import write_evidence
from tests.support.kept import Kept, sources_of
from tests.support.material import ROOT

__all__ = ["Area"]

FOLDER = ROOT / ".benchmarks"


class Area:
    """``topics`` are modules of ``benchmarks.<name>`` with ``measure() -> Figures``, or, when that takes very long,
    with ``measure_parts(part)``: ``part(name, measure)`` measures a part, or takes it over.
    """

    def __init__(self, name: str, about: str, topics: Sequence[str], update_page: Callable[[], Path]) -> None:
        self.name, self.about, self.topics, self.update_page = name, about, topics, update_page

    def run(self, arguments: Sequence[str]) -> int:
        """Measure, print, write the evidence; 1 when a promise is broken or a peer cannot be run.

        A topic that has held its promises is kept as it ends: ``--resume`` measures what is left.
        """
        parser = argparse.ArgumentParser(prog=f"make bench ARGS={self.name}", description=self.about)
        parser.add_argument("--only", choices=self.topics, nargs="+", help="some topics; prints only")
        parser.add_argument("--resume", action="store_true", help="take over what was measured on these very sources")
        parser.add_argument("--no-evidence", action="store_true", help="print only")
        options = parser.parse_args(arguments)
        found: dict[str, Figures] = {}
        kept = self.kept()
        for topic in options.only or self.topics:
            before = kept.found(topic) if options.resume else None
            try:
                found[topic] = _again(before) if before else self._measured(topic, kept, options.resume)
            except PeerUnavailable as missing:
                print(f"bench: {missing}", file=sys.stderr)
                return 1
            if all(held for _, held in found[topic].promises):
                kept.keep(topic, asdict(found[topic]))
            _show(found[topic])
        if not options.no_evidence and not options.only:
            figures = {topic: {"title": one.title, "table": one.table, **one.figures} for topic, one in found.items()}
            notes = [note for one in found.values() for note in one.notes]
            print(f"\n{write_evidence(f'bench-{self.name}', figures, notes)}")
            print(self.update_page())
        broken = [text for one in found.values() for text, held in one.promises if not held]
        for text in broken:
            print(f"bench: promised and not held: {text}", file=sys.stderr)
        return 1 if broken else 0

    def _measured(self, topic: str, kept: Kept, is_resumed: bool) -> Figures:
        def part(name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
            key = f"{topic}, {name}"
            found = (kept.found(key) if is_resumed else None) or measure()
            kept.keep(key, found)
            return found

        module = import_module(f"benchmarks.{self.name}.{topic}")
        figures: Figures = module.measure_parts(part) if hasattr(module, "measure_parts") else module.measure()
        return figures

    def kept(self) -> Kept:
        """What was measured on the sources as they are."""
        return Kept(FOLDER / self.name, sources_of("src", "benchmarks"))


def _again(record: dict[str, Any]) -> Figures:
    """As it was measured: in JSON a promise is a list."""
    return Figures(**{**record, "promises": [(text, held) for text, held in record["promises"]]})


def _show(one: Figures) -> None:
    print(f"\n{one.title}", *one.table, sep="\n")
    for text, held in one.promises:
        print(f"  {'held' if held else 'BROKEN'}: {text}", flush=True)
