"""The figures of the dashboard in docs/performance.md, written from the evidence."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.signals.page import render
from tests.support.evidence import EVIDENCE
from tests.support.material import ROOT

__all__ = ["PAGE", "render", "update_page"]

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- insight: from evidence/bench-insight.json -->", "<!-- end of insight -->"


def update_page() -> Path:
    """Write the tables between their marks; returns the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    evidence = json.loads((EVIDENCE / "bench-insight.json").read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n{render(evidence)}{END}{after}", encoding="utf-8")
    return PAGE
