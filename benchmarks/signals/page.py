"""The figures of signals and market data in docs/performance.md, written from the evidence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.support.evidence import EVIDENCE
from tests.support.material import ROOT

__all__ = ["PAGE", "render", "update_page"]

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- signals: from evidence/bench-signals.json -->", "<!-- end of signals -->"


def update_page() -> Path:
    """Write the tables between their marks; returns the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    evidence = json.loads((EVIDENCE / "bench-signals.json").read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n{render(evidence)}{END}{after}", encoding="utf-8")
    return PAGE


def render(evidence: dict[str, Any]) -> str:
    """The tables of the record that ``write_evidence`` has made, as they were printed."""
    machine = evidence["machine"]
    lines = [f"Commit {evidence['commit']}, {evidence['date'][:10]}: {machine['cores']} cores, {machine['python']}."]
    for topic in evidence["figures"].values():
        lines += ["", f"**{topic['title']}**", "", "```text", *(line.rstrip() for line in topic["table"]), "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(update_page(), file=sys.stderr)
