"""``pumpswap report metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumpswap.cli.books_view import run_option
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH, SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pumpswap.app.books import Books
    from pumpswap.app.plan_metrics import PlanMetric

__all__ = ["metrics"]

_STYLES = {"MET": "green", "MISSED": "red", "NOT_SHOWN": "yellow", "UNMEASURED": "yellow"}


@command(
    "metrics",
    help=(
        "The plan's twelve metrics, M1 to M12: target, value, and where each comes from.\n\n"
        "M3 to M8 are read of a run's books; M1, M7 to M12 of the folder `evidence` of a checkout, where tests, long "
        "checks and benchmarks leave their figures; M2 needs a market of the past, named with --market. What cannot be "
        "measured here says so, and what would measure it."
    ),
    examples=[
        Example("pumpswap report metrics", "all of them, with their evidence"),
        Example("pumpswap report metrics --market new_pools.db", "M2 as well", needs="a collector's database"),
        Example("pumpswap report metrics --json", "for scripts"),
    ],
)
@option("--evidence", type=PATH, metavar="FOLDER", help="Folder of evidence; default: that of the checkout, if any.")
@option("--market", type=SOURCE, metavar="SOURCE", help="A recording or a collector's database: M2 compares over it.")
@run_option
@pass_output
def metrics(out: Output, evidence: Path | None, market: str | None, run_id: int | None) -> None:
    from pumpswap.app.books import chosen_books, open_store
    from pumpswap.app.plan_metrics import Evidence, evidence_folder, plan_metrics
    from pumpswap.app.signal_compare import CompareRequest, compare_recording
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock

    settings = settings_for(out)
    folder = evidence_folder(evidence)
    scores = None
    if market is not None:
        scores = compare_recording(market, settings, CompareRequest(threshold=settings.signals.min_score))
    with open_store(settings) as database:
        books = chosen_books(database, run_id)
        found = plan_metrics(books, Evidence(folder), scores, now_ns=SystemClock().now_ns())
    if out.json:
        _emit(out, books, folder, found)
    else:
        _show(out, books, folder, found)


def _emit(out: Output, books: Books | None, folder: Path | None, found: Sequence[PlanMetric]) -> None:
    from pumpswap.cli.books_view import run_json

    rows: list[dict[str, Any]] = [
        {
            "metric": one.number,
            "name": one.name,
            "target": one.target,
            "standing": one.standing.name.lower(),
            "value": one.value,
            "figures": dict(one.figures),
            "evidence": list(one.evidence),
        }
        for one in found
    ]
    run = None if books is None else run_json(books.header)
    out.emit("report_metrics", {"run": run, "has_evidence": folder is not None, "metrics": rows})


def _show(out: Output, books: Books | None, folder: Path | None, found: Sequence[PlanMetric]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from pumpswap.cli.books_view import books_table
    from pumpswap.cli.formats import counted, printable

    table = books_table()
    for name in ("", "metric", "target", "value", "standing"):
        table.add_column(name, no_wrap=name in ("", "target"))
    for one in found:
        standing = Text(one.standing.value, _STYLES[one.standing.name])
        table.add_row(one.number, one.name, one.target, Text(printable(one.value)), standing)
    out.show(table, "", Text("Where each comes from", "bold"))
    for one in found:
        out.show(Text(f"{one.number}  {one.name}", "bold"))
        for line in one.evidence:
            out.show(Padding(Text(printable(line)), (0, 0, 0, 5)))
    met = sum(one.standing.name == "MET" for one in found)
    out.say(f"\n{met} of {counted(len(found), 'metric')} met.")
    if folder is None:
        out.say("There is no folder of evidence here: run it in a checkout, or name one with --evidence.")
