"""The figures of trading in docs/performance.md, written from the evidence of the benchmark and of the long checks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.signals.page import render
from tests.support.evidence import EVIDENCE, ROOT

__all__ = ["PAGE", "render", "update_page"]

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- trading: from evidence/bench-trading.json -->", "<!-- end of trading -->"


def update_page() -> Path:
    """Write the tables between their marks; returns the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    evidence: dict[str, Any] = json.loads((EVIDENCE / "bench-trading.json").read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n{render(evidence)}{END}{after}", encoding="utf-8")
    return PAGE


if __name__ == "__main__":
    print(update_page(), file=sys.stderr)
