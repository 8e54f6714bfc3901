"""The figures of the books in docs/performance.md, written from the evidence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.books.queries import QUERIES
from tests.support.evidence import EVIDENCE
from tests.support.material import ROOT

__all__ = ["PAGE", "render", "update_page"]

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- books: from evidence/bench-books.json -->", "<!-- end of books -->"
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def update_page() -> Path:
    """Write the tables between their marks; returns the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    evidence = json.loads((EVIDENCE / "bench-books.json").read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n{render(evidence)}{END}{after}", encoding="utf-8")
    return PAGE


def render(evidence: dict[str, Any]) -> str:
    """The tables of the record that ``write_evidence`` has made."""
    sizes, machine = evidence["figures"]["sizes"], evidence["machine"]
    lines = [f"Commit {evidence['commit']}, {evidence['date'][:10]}: {machine['cores']} cores, {machine['python']}."]
    for engine in ("sqlite", "postgresql"):
        found = {rows: engines[engine] for rows, engines in sizes.items() if engine in engines}
        if found:
            facts = ", ".join(f"{name} {value}" for name, value in sorted(evidence["figures"][engine].items()))
            lines += ["", f"**{_NAMES[engine]}** ({facts}); p50 / p99 in milliseconds", "", *_table(found)]
    return "\n".join(lines) + "\n"


def _table(found: dict[str, Any]) -> list[str]:
    sizes = sorted(found, key=int)
    largest = found[sizes[-1]]
    head = [f"{int(rows):,} rows" for rows in sizes]
    lines = [
        f"| | {' | '.join(head)} | rows of an answer | bare driver, p50 |",
        "|---" * (len(sizes) + 3) + "|",
    ]
    for name, query in QUERIES.items():
        cells = [_pair(found[rows]["queries_ms"][name]) for rows in sizes]
        last = largest["queries_ms"][name]
        label = query.label + (" (p99 ≤ 20)" if query.limited else "")
        lines.append(f"| {label} | {' | '.join(cells)} | {last['rows']:,} | {last['bare_p50']:g} |")
    cells = [_pair(found[rows]["commit_ms"]) for rows in sizes]
    lines.append(f"| commit of a fill (p50 ≤ 2) | {' | '.join(cells)} | | {largest['commit_ms']['bare_p50']:g} |")
    rates = [f"{found[rows]['ingest_per_second']['rows_per_second']:,}" for rows in sizes]
    bare = largest["ingest_per_second"]["bare"]
    lines.append(f"| ledger entries per second, in bulk | {' | '.join(rates)} | | {bare:,} |")
    volumes = [f"{found[rows]['megabytes']:,} MB" for rows in sizes]
    lines.append(f"| size of the database | {' | '.join(volumes)} | | |")
    return lines


def _pair(figures: dict[str, float]) -> str:
    return f"{figures['p50']:g} / {figures['p99']:g}"


if __name__ == "__main__":
    print(update_page(), file=sys.stderr)
