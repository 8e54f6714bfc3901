"""``pumpswap ledger``: what moved, and whether it adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.books_view import run_option
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from pumpswap.app.books import Books
    from pumpswap.model import EntryKind, LedgerEntry

__all__ = ["check", "ledger", "show"]

_KINDS = (
    "deposit", "withdrawal", "trade_base", "trade_quote", "lp_fee", "protocol_fee", "creator_fee", "cashback",
    "network_fee", "priority_fee", "tip", "rent_paid", "rent_returned", "wrap", "unwrap", "foreign",
)  # fmt: skip
_NEEDS = "books: pumpswap demo makes some"

ledger = LazyGroup(
    "ledger",
    entries={
        "check": Entry("pumpswap.cli.ledger:check", "do the books balance, to the lamport?"),
        "show": Entry("pumpswap.cli.ledger:show", "sums by kind, and the newest entries"),
    },
    help=(
        "The ledger: one entry for every lamport and token that moved. Entries are only ever appended; their sum is "
        "what the wallet holds."
    ),
    examples=[Example("pumpswap ledger check", "do the books balance?", needs=_NEEDS)],
)


@command(
    "check",
    help=(
        "Recount the books from their first entry: sums by asset and kind, balances at every moment, trades against "
        "their entries, positions, equity, profit and loss. Nothing is changed.\n\n"
        "Exit code 0: everything balances. Exit code 1: something differs; every difference is named. Whether the "
        "ledger is also what the chain says, `pumpswap reconcile` tells."
    ),
    examples=[
        Example("pumpswap ledger check", needs=_NEEDS),
        Example("pumpswap ledger check --all-runs", "the books of every run", needs=_NEEDS),
    ],
)
@option("--all-runs", "all_runs", is_flag=True, help="Check every run of the database.")
@run_option
@pass_output
def check(out: Output, all_runs: bool, run_id: int | None) -> None:
    from pumpswap.app.books import open_books
    from pumpswap.cli.ledger_view import audit_json, show_audit
    from pumpswap.cli.run_result import settings_for
    from pumpswap.portfolio.audit import audit_run

    if all_runs and run_id is not None:
        raise UsageError("--all-runs and --run exclude each other", hint="leave one of them out")
    with open_books(settings_for(out), run_id) as books:
        numbers = [header.run_id for header in books.database.runs()] if all_runs else [books.run.run_id]
        reports = {}
        for number in numbers:
            reports[number] = audit_run(books.database.run(number))
            if not out.json:
                show_audit(out, number, reports[number])
    balanced = all(report.is_right for report in reports.values())
    if out.json:
        runs = [audit_json(number, report) for number, report in reports.items()]
        out.emit("ledger_check", {"balanced": balanced, "runs": runs})
    if not balanced:
        click.get_current_context().exit(1)


@command(
    "show",
    help=(
        "Show what the ledger adds up to, by kind and by asset, and its newest entries.\n\n"
        "--asset SOL is the wallet's lamports, native and wrapped together; any other asset is named by its mint."
    ),
    examples=[
        Example("pumpswap ledger show", needs=_NEEDS),
        Example("pumpswap ledger show --kind foreign", "what others have moved", needs=_NEEDS),
        Example("pumpswap ledger show --asset MINT --last 100", "everything about one coin", needs=_NEEDS),
    ],
)
@option("--asset", metavar="SOL|MINT", help="Entries of this asset only.")
@option("--kind", type=click.Choice(_KINDS), metavar="KIND", help=f"Entries of this kind only: {', '.join(_KINDS)}.")
@option("--last", type=click.IntRange(1, 1_000), default=20, show_default=True, metavar="N", help="How many entries.")
@run_option
@pass_output
def show(out: Output, asset: str | None, kind: str | None, last: int, run_id: int | None) -> None:
    from pumpswap.app.books import open_books
    from pumpswap.cli.run_result import settings_for
    from pumpswap.model import EntryKind

    chosen = None if kind is None else EntryKind(kind)
    with open_books(settings_for(out), run_id) as books:
        entries = books.run.history.latest_entries(last, asset, chosen)
        totals = books.run.books.totals()
        if asset is not None or chosen is not None:
            totals = {
                key: units for key, units in totals.items() if asset in (None, key[0]) and chosen in (None, key[1])
            }
        if out.json:
            _show_json(out, books, totals, entries)
        else:
            _show(out, books, totals, entries)


def _show(out: Output, books: Books, totals: dict[tuple[str, EntryKind], int], entries: list[LedgerEntry]) -> None:
    from pumpswap.cli.books_view import run_text
    from pumpswap.cli.ledger_view import entries_table, sums_table, tokens_table
    from pumpswap.clock import SystemClock
    from pumpswap.model import SOL

    out.show(run_text(books, books.as_of_ns(SystemClock())))
    held: dict[str, int] = {}
    for (asset, _), units in totals.items():
        held[asset] = held.get(asset, 0) + units
    named = {asset for asset, units in held.items() if units} | {entry.asset for entry in entries}
    decimals = {asset: books.run.history.decimals(asset) for asset in named if asset != SOL}
    if SOL in held:
        out.show("", sums_table(totals))
    if any(units for asset, units in held.items() if asset != SOL):
        out.show("", tokens_table(held, decimals))
    out.show("", entries_table(entries, decimals, out.console.width) if entries else "No entries.")


def _show_json(out: Output, books: Books, totals: dict[tuple[str, EntryKind], int], entries: list[LedgerEntry]) -> None:
    from pumpswap.cli.books_view import entry_json, run_json

    sums: dict[str, dict[str, str]] = {}
    for (asset, kind), units in sorted(totals.items(), key=lambda item: (item[0][0], item[0][1].value)):
        sums.setdefault(asset, {})[kind.value] = str(units)
    said: dict[str, Any] = {"run": run_json(books.header), "units_by_asset_and_kind": sums}
    out.emit("ledger", said | {"entries": [entry_json(entry) for entry in entries]})
