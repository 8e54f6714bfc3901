"""``pumpswap report``: what a run has earned in a time, as text, page, JSON or CSV; and what was written of that."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.books_view import run_option
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import DATE, PATH
from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from pumpswap.analytics.tear_sheet import TearSheet
    from pumpswap.app.books import Books
    from pumpswap.settings import Settings

__all__ = ["list_", "report"]

_NEEDS = "books: pumpswap demo makes some"
_ITS_PLACE = "-"  # in the folder of reports, under its own name


@click.group(
    "report",
    cls=LazyGroup,
    invoke_without_command=True,
    entries={
        "list": Entry("pumpswap.cli.report:list_", "the reports that were written"),
        "compare": Entry("pumpswap.cli.report_compare:compare", "two runs beside each other, the difference by cause"),
        "metrics": Entry("pumpswap.cli.report_metrics:metrics", "the plan's metrics M1 to M12, with their evidence"),
        "refused": Entry("pumpswap.cli.report_refused:refused", "what refused buys would have earned"),
    },
    help=(
        "What a run has earned in a time, after every cost: money, rounds, returns and their uncertainty, costs, "
        "execution, what the scores of signals were worth.\n\n"
        "Without a command it reports: in the terminal, or with --html as one page with charts that needs no network, "
        "or with --csv as tables, or with --json as one object. Days, weeks and months are those of `alerts.timezone`; "
        "a run that is over ends at its own end. SOL comes first; dollars stand beside it where `reports.sol_usd` or "
        "the collector's rows tell what a SOL is worth."
    ),
    examples=[
        Example("pumpswap report", "all of the newest run"),
        Example("pumpswap report --period week --html week.html", "one page of this week, with charts", needs=_NEEDS),
        Example("pumpswap report --period month --csv month", "every row, for a spreadsheet", needs=_NEEDS),
        Example("pumpswap report --period day --json", "of today, for scripts"),
    ],
)
@option(
    "--period", type=click.Choice(["day", "week", "month", "all"]), default="all", show_default=True,
    help="How long; weeks begin on Monday.",
)  # fmt: skip
@option("--on", type=DATE, metavar="DATE", help="The day, week or month with this date, instead of the last one.")
@option(
    "--html", type=PATH, is_flag=False, flag_value=_ITS_PLACE, metavar="[FILE]",
    help="Write one HTML page; without a name, among the reports.",
)  # fmt: skip
@option("--csv", type=PATH, metavar="FOLDER", help="Write tables into a folder.")
@option("--force", is_flag=True, help="Overwrite files that exist (so does --yes).")
@run_option
@click.pass_context
@pass_output
def report(out: Output, ctx: click.Context, /, period: str, **options: Any) -> None:
    if ctx.invoked_subcommand is not None:
        if period != "all" or any(options.values()):
            raise UsageError(
                f"these options belong to the report, not to `report {ctx.invoked_subcommand}`",
                hint="leave them out, or leave the command out",
            )
        return
    _report(out, period, **options)


def _report(
    out: Output, period: str, *, on: date | None, html: Path | None, csv: Path | None, force: bool, run_id: int | None
) -> None:
    from pumpswap.app.books import open_books, open_store
    from pumpswap.app.report_time import Period, period_time
    from pumpswap.app.reports import report_of
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock

    if on is not None and period == "all":
        raise UsageError("--on needs a period", hint="add --period day, week or month")
    if html is not None and str(html) != _ITS_PLACE and html.suffix.lower() not in (".html", ".htm"):
        raise UsageError("a page has a name that ends in .html", hint="for example --html week.html")
    settings = settings_for(out)
    overwrite = force or out.options.yes
    if html is None and csv is None and run_id is None:
        with open_store(settings) as database:
            if database is None or not database.runs():
                _show_nothing(out)
                return
    with open_books(settings, run_id) as books:
        time = period_time(books, Period(period), settings.alerts.timezone, books.as_of_ns(SystemClock()), on)
        sheet = report_of(books, settings, time)
        written: dict[str, str] = {}
        if html is not None:
            written["html"] = str(_write_page(sheet, settings, html, overwrite=overwrite))
        if csv is not None:
            written["csv"] = str(_write_tables(books, sheet, csv, overwrite=overwrite))
        _show(out, books, sheet, written)


def _show_nothing(out: Output) -> None:
    from pumpswap.cli.books_view import NO_RUNS

    if out.json:
        out.emit("report", {"run": None, "period": None, "money": None, "written": {}})
    else:
        out.show(f"Nothing was earned or lost. {NO_RUNS}")


def _write_page(sheet: TearSheet, settings: Settings, path: Path, *, overwrite: bool) -> Path:
    """Among the reports a newer one takes the place of an older one of the same time; elsewhere nothing is lost."""
    from pumpswap.app.reports import write_report_page
    from pumpswap.app.written_reports import ReportKind, report_path

    if str(path) == _ITS_PLACE:
        return write_report_page(report_path(settings, ReportKind.ASKED, sheet.time.of, sheet.account.run_id), sheet)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name a file in it")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists", hint="name another file, or overwrite it with --force")
    return write_report_page(path, sheet)


def _write_tables(books: Books, sheet: TearSheet, folder: Path, *, overwrite: bool) -> Path:
    from pumpswap.app.report_tables import report_tables
    from pumpswap.cli.export_file import new_file, write_csv

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", hint="name a folder: there will be several tables in it")
    tables = list(report_tables(books, sheet))
    there = [table.name for table in tables if (folder / f"{table.name}.csv").exists()]
    if there and not overwrite:
        raise UsageError(
            f"{folder} has {there[0]}.csv already", hint="name another folder, or overwrite what is there with --force"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        with new_file(folder / f"{table.name}.csv", overwrite=overwrite) as file:
            write_csv(table.rows, table.columns, file)
    return folder


def _show(out: Output, books: Books, sheet: TearSheet, written: dict[str, str]) -> None:
    from pumpswap.analytics.tear_sheet import position_json, sheet_json
    from pumpswap.cli.books_view import run_json

    if out.json:
        positions = sheet.performance.by_position
        lists = {
            "closed": [position_json(one) for one in positions if not one.round.is_open],
            "open": [position_json(one) for one in positions if one.round.is_open],
        }
        out.emit("report", {"run": run_json(books.header), **sheet_json(sheet), **lists, "written": written})
        return
    if written:
        for path in written.values():
            out.show(path, keep_lines=True)
        return
    from pumpswap.cli.report_view import show_sheet

    show_sheet(out, books, sheet)


@command(
    "list",
    help=(
        "List the reports below the data folder: daily and weekly ones, those you asked for, and those of demos and "
        "replays."
    ),
    examples=[Example("pumpswap report list"), Example("pumpswap report list --json", "for scripts")],
)
@pass_output
def list_(out: Output) -> None:
    from pumpswap.app.written_reports import reports_folder, written_reports
    from pumpswap.cli.books_view import books_table, iso_time, time_at
    from pumpswap.cli.run_result import settings_for

    settings = settings_for(out)
    found = written_reports(settings)
    if out.json:
        listed = [
            {
                "kind": one.kind.value,
                "of": one.of,
                "run_id": str(one.run_id),
                "path": str(one.path),
                "size_bytes": str(one.size_bytes),
                "written_at": iso_time(one.written_ns),
            }
            for one in found
        ]
        out.emit("reports", {"folder": str(reports_folder(settings)), "reports": listed})
        return
    if not found:
        out.show("No report was written yet: `pumpswap report --html` writes one, a running engine one a day.")
        return
    table = books_table()
    for name in ("kind", "of", "run", "written", "size", "file"):
        table.add_column(name, justify="right" if name in ("run", "size") else "left", no_wrap=True)
    for one in found:
        size = f"{one.size_bytes / 1_000_000:.1f} MB"
        written = time_at(one.written_ns).removesuffix(" UTC")
        table.add_row(one.kind.value, one.of, str(one.run_id), written, size, one.path.name)
    out.show(table, "", f"below {reports_folder(settings)}", keep_lines=True)
