"""``pumpswap report compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import RUN

if TYPE_CHECKING:
    from pumpswap.app.books import Books
    from pumpswap.storage.database import Database

__all__ = ["compare", "within_option"]

within_option = option(
    "--within",
    type=click.IntRange(0, 86_400),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Rounds of one pool that were opened within so long of each other are the same chance.",
)


@command(
    "compare",
    help=(
        "Two runs beside each other: why has one earned more than the other?\n\n"
        "Rounds of one pool that were opened at about the same time are the same chance. The whole difference of what "
        "the two have earned is split by cause, to the lamport: chances that only one has taken, sizes, entry and exit "
        "prices, slippage (what latency costs), fees, transactions that failed.\n\n"
        "With --paper the second run is the paper run that was in the market at the same time: does paper tell the "
        "truth? Without any number the first is the live run that goes on, or the newest run."
    ),
    examples=[
        Example("pumpswap report compare 1 2", "what made the difference", needs="two runs"),
        Example("pumpswap report compare --paper", "live against paper: the drift report", needs="a paper run"),
        Example("pumpswap report compare 1 2 --json", "every pair, for scripts", needs="two runs"),
    ],
)
@click.argument("first", type=RUN, required=False)
@click.argument("second", type=RUN, required=False)
@option("--paper", is_flag=True, help="Compare with the paper run of the same time.")
@within_option
@pass_output
def compare(out: Output, first: int | None, second: int | None, paper: bool, within: int) -> None:
    from pumpswap.app.books import open_store
    from pumpswap.app.drift import compared_runs
    from pumpswap.cli.books_view import NO_RUNS
    from pumpswap.cli.report_compare_view import comparison_json, show_comparison
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock
    from pumpswap.errors import NotFound

    if paper == (second is not None):
        raise click.UsageError("Name two runs, or one and --paper: `pumpswap runs list` lists them.")
    settings = settings_for(out)
    with open_store(settings) as database:
        if database is None:
            raise NotFound("there are no runs to compare", hint=NO_RUNS)
        books = _books(database, first, second)
        found = compared_runs(books, settings, SystemClock(), within)
    if out.json:
        out.emit("report_compare", comparison_json(found, within))
    else:
        show_comparison(out, found, within)


def _books(database: Database, first: int | None, second: int | None) -> tuple[Books, Books]:
    from pumpswap.app.books import chosen_books
    from pumpswap.app.drift import paper_beside
    from pumpswap.cli.books_view import NO_RUNS
    from pumpswap.errors import NotFound

    here = chosen_books(database, first)
    if here is None:
        raise NotFound("there are no runs to compare", hint=NO_RUNS)
    there = paper_beside(database, here.run.run_id) if second is None else chosen_books(database, second)
    assert there is not None  # a number that no run has has raised
    return here, there
