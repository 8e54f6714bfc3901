"""Checks on a screen: one line each as it comes in, the hint below what is not in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from pumpswap.cli.output import Output

if TYPE_CHECKING:
    from pumpswap.app.checks import Check

__all__ = ["check_json", "show_check"]

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "bold red")}


def show_check(out: Output, check: Check) -> None:
    """One check for people."""
    mark, style = _MARKS[check.status.value]
    out.show(Text.assemble((f"{mark} ", style), (f"{check.name:<18}", "cyan"), check.text))
    if check.hint:
        out.show(Text(f"  {'':<18}{check.hint}", "dim"))


def check_json(check: Check) -> dict[str, Any]:
    """One check for scripts."""
    return {"name": check.name, "status": check.status.value, "text": check.text, "hint": check.hint}
