"""The file that the plan's keys make: each line says where it comes from, and what has no line says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumpswap.settings.plan_import import PlanImport
from pumpswap.settings.plan_rows import Fate
from pumpswap.settings.yaml_edit import rendered

__all__ = ["plan_text"]


def plan_text(result: PlanImport, source: str) -> str:
    """``pumpswap.yaml`` for what was translated, and below it, as comments, every key that has become nothing."""
    origins: dict[str, list[str]] = {}
    for row in result.rows:
        if row.fate is Fate.TAKEN:
            for key in row.keys:
                origins.setdefault(key, []).append(f"{row.plan}{f' ({row.note})' if row.note else ''}")
    lines = [f"# pumpswap.yaml, translated from {source}. All keys: docs/settings.md.", ""]
    _section(result.document, "", 0, lines, origins)
    left = [row for row in result.rows if row.fate is not Fate.TAKEN]
    if left:
        lines += ["", "# What has become no key here, and why:"]
        lines += [f"# {row.line}" for row in left]
    return "\n".join(lines) + "\n"


def _section(body: Mapping[str, Any], path: str, depth: int, lines: list[str], origins: dict[str, list[str]]) -> None:
    for name, value in body.items():
        here = f"{path}{name}"
        margin = "  " * depth
        if isinstance(value, Mapping) and value:
            lines.append(f"{margin}{name}:")
            _section(value, f"{here}.", depth + 1, lines, origins)
            continue
        where = ", ".join(origins.get(here, ()))
        lines.append(f"{margin}{name}: {rendered(value)}{f'  # {where}' if where else ''}")
