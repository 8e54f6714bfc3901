"""``pumpswap backtest list``, ``compare`` and ``report``: what was tried, and what came out."""

from __future__ import annotations

from pathlib import Path

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME, PATH, RUN
from pumpswap.cli.report_compare import within_option

__all__ = ["compare", "list_", "report"]

_NEEDS = "a back-test"


@command(
    "list",
    help="The back-tests that were made, the newest first. Twins are the same but for the impact.",
    examples=[
        Example("pumpswap backtest list"),
        Example("pumpswap backtest list --strategy momentum --json", "for scripts"),
    ],
)
@option("--data", type=NAME, default="", metavar="HASH", help="Only on the history whose hash begins so.")
@option("--strategy", type=NAME, default="", metavar="NAME", help="Only of this strategy.")
@option("--most", type=click.IntRange(1, 10_000), default=20, show_default=True, help="No more than so many.")
@pass_output
def list_(out: Output, data: str, strategy: str, most: int) -> None:
    from pumpswap.app.backtest_evidence import evidence_of
    from pumpswap.app.backtest_runs import open_backtests
    from pumpswap.cli.backtest_view import listed_json, show_list
    from pumpswap.cli.run_result import settings_for

    settings = settings_for(out)
    rows, worth = [], {}
    if settings.backtests_file.exists():
        with open_backtests(settings) as database:
            rows = database.backtests.newest(most, data=data, strategy=strategy)
            worth = evidence_of(database, rows)
    if out.json:
        out.emit("backtest_list", {"database": str(settings.backtests_file), "backtests": listed_json(rows, worth)})
    else:
        show_list(out, rows, worth)


@command(
    "compare",
    help=(
        "Two back-tests beside each other, or one and a run of the real books (--live): why has one earned more?\n\n"
        "As `report compare`: the whole difference by cause, to the lamport; and in what the two differ. A live run "
        "and a back-test of the same time tell whether back-tests can be trusted."
    ),
    examples=[
        Example("pumpswap backtest compare 1 2", "counterfactual and naive", needs="two back-tests"),
        Example("pumpswap backtest compare 1 --live 4", "beside what really happened", needs="a back-test and a run"),
    ],
)
@click.argument("first", type=RUN)
@click.argument("second", type=RUN, required=False)
@option("--live", type=RUN, metavar="RUN", help="A run of the real books instead of a second back-test.")
@within_option
@pass_output
def compare(out: Output, first: int, second: int | None, live: int | None, within: int) -> None:
    from pumpswap.app.backtest_runs import compare_backtests
    from pumpswap.cli.report_compare_view import comparison_json, show_comparison
    from pumpswap.cli.run_result import settings_for

    if (second is None) == (live is None):
        raise click.UsageError("Name two back-tests, or one and a real run with --live.")
    found, differing = compare_backtests(settings_for(out), first, second, live, within)
    if out.json:
        out.emit("backtest_compare", comparison_json(found, within) | {"settings": list(differing)})
        return
    show_comparison(out, found, within)
    if differing:
        out.show("", "In what they differ:", *(f"  {text}" for text in differing))


@command(
    "report",
    help=(
        "A stored back-test in full, with its twin beside it: how much of it is luck, money, rounds, costs, what our "
        "trades changed for others, and what a back-test cannot know.\n\n"
        "The deflated Sharpe ratio counts everything that was tried on the same history: other back-tests, and "
        "every set of the searches."
    ),
    examples=[
        Example("pumpswap backtest report 1", needs=_NEEDS),
        Example("pumpswap backtest report 1 --html backtest.html", "a page with charts", needs=_NEEDS),
    ],
)
@click.argument("run_id", type=RUN, metavar="RUN")
@option("--html", type=PATH, metavar="FILE", help="Write one HTML page.")
@option("--force", is_flag=True, help="Overwrite a page that exists (so does --yes).")
@pass_output
def report(out: Output, run_id: int, html: Path | None, force: bool) -> None:
    from pumpswap.app.backtest_evidence import evidence_of
    from pumpswap.app.backtest_page import stored_page
    from pumpswap.app.backtest_runs import open_backtests, result_of_row, twins_of
    from pumpswap.cli.backtest_options import new_page
    from pumpswap.cli.backtest_view import reported_json, show_results
    from pumpswap.cli.run_result import settings_for

    page = new_page(html, overwrite=force or out.options.yes)
    with open_backtests(settings_for(out)) as database:
        rows = twins_of(database, run_id)
        worth = evidence_of(database, rows)
        if page is not None:
            stored_page(page, database, rows, worth)
    numbered = [(row.run_id, result_of_row(row)) for row in rows]
    if out.json:
        out.emit("backtest_report", reported_json(numbered, worth, page))
    else:
        show_results(out, numbered, worth)
        if page is not None:
            out.say(f"\nPage    {page}")
