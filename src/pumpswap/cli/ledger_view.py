"""The ledger on a screen: entries, and sums by asset and kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from pumpswap.cli.books_view import books_table, coloured, short_sol, time_at, tokens_text
from pumpswap.cli.formats import printable
from pumpswap.model import SOL

if TYPE_CHECKING:
    from pumpswap.cli.output import Output
    from pumpswap.model import EntryKind, LedgerEntry
    from pumpswap.portfolio.audit import AuditReport

__all__ = ["audit_json", "entries_table", "show_audit", "sums_table", "tokens_table", "units_text"]

_WIDE = 110


def units_text(asset: str, units: int, decimals: Mapping[str, int | None]) -> str:
    """A signed amount of SOL or of whole tokens."""
    if asset == SOL:
        return short_sol(units, signed=True)
    sign = "−" if units < 0 else "+"
    told = decimals.get(asset)
    return f"{sign}{abs(units)} raw" if told is None else sign + tokens_text(abs(units), told)


def entries_table(entries: Sequence[LedgerEntry], decimals: Mapping[str, int | None], width: int) -> Table:
    """Entries in sequence; assets are shortened unless the terminal is wide."""
    table = books_table()
    for name, least in (("entry", 5), ("time", 19), ("amount", 12), ("asset", 7), ("kind", 13), ("order", 7)):
        right = name in ("entry", "amount")
        table.add_column(name, justify="right" if right else "left", no_wrap=True, min_width=least)
    for entry in entries:
        asset = entry.asset if entry.asset == SOL or width >= _WIDE else f"{entry.asset[:6]}…"
        kind = entry.kind.value.replace("_", " ")
        table.add_row(
            str(entry.sequence),
            time_at(entry.at_ns).removesuffix(" UTC"),
            coloured(units_text(entry.asset, entry.units, decimals), entry.units),
            asset,
            kind,
            Text(printable(entry.order_id or entry.note)),
        )
    return table


def sums_table(totals: Mapping[tuple[str, EntryKind], int]) -> Table:
    """SOL by kind."""
    table = books_table(show_footer=True)
    kinds = {kind: units for (asset, kind), units in totals.items() if asset == SOL}
    table.add_column("SOL by kind", "together", no_wrap=True)
    table.add_column("", short_sol(sum(kinds.values()), signed=True), justify="right", no_wrap=True)
    for kind, units in sorted(kinds.items(), key=lambda item: item[0].value):
        table.add_row(kind.value.replace("_", " "), coloured(short_sol(units, signed=True), units))
    return table


def tokens_table(held: Mapping[str, int], decimals: Mapping[str, int | None]) -> Table:
    """What there is of every other asset."""
    table = books_table()
    table.add_column("tokens", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    for asset, units in sorted(held.items()):
        if asset != SOL and units:
            table.add_row(asset, tokens_text(units, decimals.get(asset), exact=True))
    return table


def show_audit(out: Output, run_id: int, report: AuditReport) -> None:
    """One run for people: that it balances, or every difference."""
    counted = (
        f"{report.entries:,} entries, {report.trades:,} trades and {report.rounds:,} rounds recounted"
        if report.entries
        else "there is no entry yet"
    )
    if report.is_right:
        out.show(Text.assemble(("✓ ", "green"), f"Run {run_id}: the books balance, {counted}."))
        return
    count = len(report.differences)
    named = "1 difference" if count == 1 else f"{count:,} differences"
    out.show(Text.assemble(("✗ ", "bold red"), f"Run {run_id}: {named}, {counted}."))
    lines = [
        Text.assemble("  ", (f"{each.check:<9}", "cyan"), printable(f"{each.where}: {each.text}"))
        for each in report.differences
    ]
    out.show(*lines, keep_lines=True)
    out.say("Keep the database as it is: restore a backup beside it, and report what you see here.")


def audit_json(run_id: int, report: AuditReport) -> dict[str, Any]:
    """One run for scripts."""
    return {
        "run_id": str(run_id),
        "balanced": report.is_right,
        "entries": report.entries,
        "movements": report.movements,
        "trades": report.trades,
        "rounds": report.rounds,
        "balances": {asset: str(units) for asset, units in report.balances.items()},
        "differences": [{"check": each.check, "where": each.where, "text": each.text} for each in report.differences],
    }
