"""The figures of trading in docs/performance.md, written from the evidence of the benchmark and of the long checks.

python -m benchmarks.trading.page    after `make acceptance` has written new evidence
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.signals.page import render
from tests.support.evidence import EVIDENCE
from tests.support.material import ROOT

__all__ = ["PAGE", "SECTIONS", "render", "render_checks", "update_page"]

PAGE = ROOT / "docs" / "performance.md"


def render_checks(evidence: dict[str, Any]) -> str:
    """What the long checks of trading have measured."""
    machine, figures = evidence["machine"], evidence["figures"]
    lines = [f"Commit {evidence['commit']}, {evidence['date'][:10]}: {machine['cores']} cores, {machine['python']}."]
    for name, rendered in (("long-day", _long_day), ("paper-thousand", _paper), ("limits", _limits)):
        if name in figures:
            lines += ["", *rendered(figures[name])]
    return "\n".join(lines) + "\n"


def _long_day(day: dict[str, Any]) -> list[str]:
    by_hour = sorted((int(hour), megabytes) for hour, megabytes in day["memory_mb_by_hour"].items())  # JSON: by text
    memory = ", ".join(f"{megabytes:g} MB at {hour} h" for hour, megabytes in by_hour)
    seen = f"{day['swaps']:,} trades and {day['snapshots']:,} snapshots"
    rows = {
        "updates per second": f"{day['updates_per_second']:,}",
        "decisions, fills, marks": f"{day['decisions']:,}, {day['fills']:,}, {day['marks']:,}",
        "memory": memory,
        "growth after the warm-up": f"{day['memory_growth_mb_per_hour']:g} MB an hour",
        "longest queue": f"{day['longest_queue']:,}",
        "size of the database": f"{day['database_mb']:,.0f} MB",
    }
    return [
        f"**A day of {day['pools']:,} pools**: {day['hours']} hours with {seen} in {day['minutes']:g} minutes, stored.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
    ]


_STAGES = ("signals", "tradeable", "available", "accepted", "executed")
_COLUMNS = (
    "signals of", "put to the gate", *_STAGES[1:], "of the accepted", "of all", "mean slippage", "p5 / p50 / p95",
    "positions exact",
)  # fmt: skip


def _paper(paper: dict[str, Any]) -> list[str]:
    told = "how many were a reason to trade, could be traded, were accepted by every limit, and were executed"
    lines = [
        f"**Signals on paper**, 1.2 s after the decision, with transactions that fail as observed: {told}.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
    ]
    for name, one in paper.items():
        if isinstance(one, dict):
            lines.append(_paper_row(name, one))
    return [*lines, "", f"Note: {paper['what_the_export_cannot_show']}."]


def _paper_row(name: str, one: dict[str, Any]) -> str:
    slippage = one["slippage"] or {"mean": 0.0, "p5": 0.0, "p50": 0.0, "p95": 0.0}
    spread = " / ".join(f"{slippage[part]:+.2%}" for part in ("p5", "p50", "p95"))
    stages = " | ".join(f"{one[stage]:,}" for stage in _STAGES)
    shares = f"{one['executed_share']:.1%} | {one['raw_share']:.2%}"
    exact = f"{one['position_accuracy']:.0%} of {one['positions_compared']:,}"
    return f"| {name} | {stages} | {shares} | {slippage['mean']:+.3%} | {spread} | {exact} |"


def _limits(limits: dict[str, Any]) -> list[str]:
    where = f"{limits['episodes']:,} wild markets with {limits['restarts']:,} restarts"
    most = f"up to {limits['orders_in_flight_at_most']} orders on their way at once"
    ends = f"{limits['accepted']:,} accepted, {limits['violations_or_unexplained']} violations of any limit"
    return [f"**Limits**: {limits['signals']:,} random signals in {where}, {most}: {ends}."]


# (first mark, last mark, evidence, what makes the text of it)
SECTIONS: tuple[tuple[str, str, str, Callable[[dict[str, Any]], str]], ...] = (
    ("<!-- trading: from evidence/bench-trading.json -->", "<!-- end of trading -->", "bench-trading", render),
    ("<!-- trading checks: from evidence/acceptance.json -->", "<!-- end of checks -->", "acceptance", render_checks),
)


def update_page() -> Path:
    """Write the tables between their marks; returns the page."""
    text = PAGE.read_text(encoding="utf-8")
    for begin, end, name, rendered in SECTIONS:
        source = EVIDENCE / f"{name}.json"
        if source.exists():
            before, rest = text.split(begin)
            _, after = rest.split(end)
            evidence: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
            text = f"{before}{begin}\n{rendered(evidence)}{end}{after}"
    PAGE.write_text(text, encoding="utf-8")
    return PAGE


if __name__ == "__main__":
    print(update_page(), file=sys.stderr)
