"""How much of a result is luck, as the commands print it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pumpswap.cli.books_view import books_table
from pumpswap.research.significance.told import luck_line, luck_rows

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from pumpswap.cli.output import Output
    from pumpswap.research.significance.evidence import Evidence

__all__ = ["luck_table", "short_json", "show_worth", "verdict_text", "worth_cells", "worth_json"]

_COLOURS = {"holds out of sample": "green", "weak": "yellow", "no evidence": "red"}


def verdict_text(before: str, verdict: str, after: str = "") -> Text:
    """The verdict in its colour."""
    from rich.text import Text

    return Text(before) + Text(verdict, style=f"bold {_COLOURS[verdict]}") + Text(after)


def luck_table(evidence: Evidence, where: str = "out of sample") -> Table:
    """Every test that was made."""
    table = books_table()
    table.add_column("test of luck")
    table.add_column("figure", justify="right")
    table.add_column("says")
    for row in luck_rows(evidence, where):
        table.add_row(row.label, row.figure, row.says)
    return table


def show_worth(out: Output, sides: Sequence[tuple[str, Evidence | None]], *, is_full: bool) -> None:
    """Of each result, by its impact: a line, or with every reason and test."""
    for impact, evidence in sides:
        if evidence is None:
            out.show(f"Worth, {impact}: nothing was kept to judge it by; run it again.")
        elif not is_full:
            out.show(verdict_text(f"Worth, {impact}: ", evidence.verdict, f". {luck_line(evidence)}."))
        else:
            out.show(verdict_text(f"Worth, {impact}: ", evidence.verdict))
            out.show(*(f"  · {reason}" for reason in evidence.reasons), "")
            if luck_rows(evidence):
                out.show(luck_table(evidence, "this back-test"), "")
    if not is_full:
        out.show("")


def worth_cells(evidence: Evidence | None) -> tuple[str | Text, str | Text, str | Text]:
    """Both probabilities and the verdict, for a list."""
    if evidence is None:
        return "", "", ""
    above, deflated = evidence.out_of_sample.probability, evidence.deflated
    return (
        "–" if above is None else f"{above:.3f}",
        "–" if deflated is None else f"{deflated.probability:.3f}",
        verdict_text("", evidence.verdict),
    )


def short_json(evidence: Evidence | None) -> dict[str, Any]:
    """The same for scripts."""
    if evidence is None:
        return {"verdict": None, "probabilistic_sharpe": None, "deflated_sharpe": None, "tries": None}
    deflated = evidence.deflated
    return {
        "verdict": evidence.verdict,
        "probabilistic_sharpe": evidence.out_of_sample.probability,
        "deflated_sharpe": None if deflated is None else deflated.probability,
        "tries": None if deflated is None else deflated.trials,
    }


def worth_json(evidence: Evidence | None) -> dict[str, Any] | None:
    """In full, as a search tells it."""
    from pumpswap.app.tuning_store import evidence_json

    return None if evidence is None else evidence_json(evidence)
