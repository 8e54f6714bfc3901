"""The figures of back-tests in docs/performance.md, written from the evidence of their benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.signals.page import render
from benchmarks.trading.page import PAGE
from tests.support.evidence import EVIDENCE

__all__ = ["BEGIN", "END", "update_page"]

BEGIN, END = "<!-- backtest: from evidence/bench-backtest.json -->", "<!-- end of backtest -->"


def update_page() -> Path:
    """Write the tables between their marks; returns the page."""
    source = EVIDENCE / "bench-backtest.json"
    if source.exists():
        evidence: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        _, after = rest.split(END)
        PAGE.write_text(f"{before}{BEGIN}\n{render(evidence)}{END}{after}", encoding="utf-8")
    return PAGE
