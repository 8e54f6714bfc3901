"""``pumpswap export``: the books for spreadsheets, scripts and tax advisers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pumpswap.cli.books_view import run_option
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import UTC_TIME
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from pumpswap.app.exports import Export

__all__ = ["export", "ledger", "tax_lots", "trades"]

_F = TypeVar("_F", bound=Callable[..., Any])
_HERE = "pumpswap.cli.export"
_NEEDS = "books: pumpswap demo makes some"
_FORMATS = (
    "CSV has a header with the units in it, exact integers, and beside them columns for people; texts that a "
    "spreadsheet would take for a formula get an apostrophe in front. JSON is one object per line, amounts as "
    "strings. Times are UTC."
)

export = LazyGroup(
    "export",
    entries={
        "trades": Entry(f"{_HERE}:trades", "every trade with its fees, costs and slippage"),
        "ledger": Entry(f"{_HERE}:ledger", "every movement of every asset"),
        "tax-lots": Entry(f"{_HERE}:tax_lots", "purchases and what became of them, first in, first out"),
    },
    help="Export the books of a run as CSV or JSON lines, to a file or to standard output, however long they are.",
    examples=[Example("pumpswap export trades --output trades.csv", "for a spreadsheet", needs=_NEEDS)],
)


def _options(callback: _F) -> _F:
    since = option("--since", type=UTC_TIME, metavar="DATE", help="From this date or time on, UTC.")
    until = option("--until", type=UTC_TIME, metavar="DATE", help="Until then, itself not included.")
    shape = option(
        "--format", "shape", type=click.Choice(["csv", "json"]), help="csv, or json: one object per line. Default: csv."
    )
    target = option("--output", type=click.Path(path_type=Path), metavar="PATH", help="A file instead of stdout.")
    force = option("--force", is_flag=True, help="Overwrite the file if it exists (so does --yes).")
    return target(shape(since(until(force(run_option(callback))))))


@command(
    "trades",
    help=f"Export every trade with its fees, its costs, and its slippage against the quote.\n\n{_FORMATS}",
    examples=[
        Example("pumpswap export trades --output trades.csv", needs=_NEEDS),
        Example("pumpswap export trades --format json --since 2026-11-01", "one object per line", needs=_NEEDS),
    ],
)
@_options
@pass_output
def trades(out: Output, /, **options: Any) -> None:
    from pumpswap.app.exports import Export

    _export(out, Export.TRADES, **options)


@command(
    "ledger",
    help=f"Export every entry of the ledger; the sum of an asset is what the wallet holds of it.\n\n{_FORMATS}",
    examples=[Example("pumpswap export ledger --output ledger.csv", needs=_NEEDS)],
)
@_options
@pass_output
def ledger(out: Output, /, **options: Any) -> None:
    from pumpswap.app.exports import Export

    _export(out, Export.LEDGER, **options)


@command(
    "tax-lots",
    help=(
        "Export what became of every purchase, first in, first out, over all pools of a coin: one row for the units of "
        "a purchase that left together. With --since or --until, only what was disposed of in that time; without, "
        f"what is held comes last.\n\n{_FORMATS}"
    ),
    examples=[
        Example(
            "pumpswap export tax-lots --since 2026-01-01 --until 2027-01-01", "the disposals of a year", needs=_NEEDS
        )
    ],
)
@_options
@pass_output
def tax_lots(out: Output, /, **options: Any) -> None:
    from pumpswap.app.exports import Export

    _export(out, Export.TAX_LOTS, **options)


def _export(
    out: Output,
    export: Export,
    *,
    output: Path | None,
    shape: str | None,
    since: int | None,
    until: int | None,
    force: bool,
    run_id: int | None,
) -> None:
    from pumpswap.app.books import open_books
    from pumpswap.app.exports import COLUMNS, Period, export_rows
    from pumpswap.cli.export_file import new_file, write_csv, write_json_lines
    from pumpswap.cli.run_result import settings_for

    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until", hint="--until itself is not included")
    if output is not None and str(output) == "-":
        output = None
    if output is None and out.json and shape == "csv":
        raise UsageError("--json and --format csv contradict each other", hint="leave one out, or name an --output")
    kind = shape or ("json" if out.json and output is None else "csv")
    period = Period(None if since is None else since * NS_PER_SECOND, None if until is None else until * NS_PER_SECOND)
    with open_books(settings_for(out), run_id) as books:
        rows = export_rows(books.run, export, period)

        def write(file: Any) -> int:
            return write_csv(rows, COLUMNS[export], file) if kind == "csv" else write_json_lines(rows, file)

        if output is None:
            write(sys.stdout)
            return
        with new_file(output, overwrite=force or out.options.yes) as file:
            count = write(file)
    _tell(out, export, output, kind, count, books.run.run_id)


def _tell(out: Output, export: Export, path: Path, kind: str, count: int, run_id: int) -> None:
    if out.json:
        said = {"export": export.value, "format": kind, "path": str(path), "rows": count, "run_id": str(run_id)}
        out.emit("export", said)
        return
    out.show(f"{count:,} rows of run {run_id} in {path}", keep_lines=True)
