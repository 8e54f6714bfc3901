"""``pumpswap report``: what a run has earned in a time, and the reports that were written."""

from __future__ import annotations

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output

__all__ = ["list_", "report"]

report = LazyGroup(
    "report",
    entries={
        "list": Entry("pumpswap.cli.report:list_", "the reports that were written"),
        "compare": Entry("pumpswap.cli.report_compare:compare", "two runs beside each other, the difference by cause"),
    },
    help="What a run has earned, after every cost.",
    examples=[Example("pumpswap report list", "what was written so far")],
)


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
