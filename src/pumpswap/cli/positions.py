"""``pumpswap positions list`` and ``show``: what is held, what it is worth, how it came about."""

from __future__ import annotations

import click

from pumpswap.cli.books_view import NO_RUNS, run_option
from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import POSITION

__all__ = ["list_", "positions", "show"]

_HERE, _CHANGE = "pumpswap.cli.positions", "pumpswap.cli.positions_change"

positions = LazyGroup(
    "positions",
    entries={
        "list": Entry(f"{_HERE}:list_", "what is held, what it cost and would bring"),
        "show": Entry(f"{_HERE}:show", "one position in full: trades, lots, ledger, marks"),
        "close": Entry(f"{_CHANGE}:close", "sell all of a position: simulated, or with --live"),
        "adopt": Entry(f"{_CHANGE}:adopt", "make a position of tokens that came from outside"),
        "ignore": Entry(f"{_CHANGE}:ignore", "a token that is none of our business"),
    },
    help="Positions: what a run holds, one round per pool, from the first buy until nothing is left.",
    examples=[
        Example("pumpswap positions list", "what is held now"),
        Example("pumpswap positions show NAME", "everything about one of them", needs="a position"),
    ],
)


@command(
    "list",
    help=(
        "List the open positions: units, cost, value, profit, and how far each is from its exits.\n\n"
        "A value is what selling all of it would have brought when it was last marked, all venue fees in; the column "
        "'mark' says how old the pool's state was. --refresh asks the chain for the newest states first, and stores "
        "the new marks."
    ),
    examples=[
        Example("pumpswap positions list"),
        Example("pumpswap positions list --all", "the closed rounds too"),
        Example("pumpswap positions list --refresh", "at this moment's value", needs="a live run and its chain"),
    ],
)
@option("--all", "every", is_flag=True, help="Also the rounds that are closed.")
@option("--refresh", is_flag=True, help="Ask the chain what each would bring now, and store these marks.")
@run_option
@chain_options
@pass_output
def list_(
    out: Output,
    every: bool,
    refresh: bool,
    run_id: int | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.app.books import chosen_books, open_store, refresh_marks
    from pumpswap.cli.positions_view import list_json, show_list
    from pumpswap.cli.waiting import wait_for

    settings = chain_settings(out, urls, ws_url, network)
    with open_store(settings) as database:
        books = chosen_books(database, run_id)
        if books is None:
            _say_empty(out)
            return
        if refresh:
            wait_for(refresh_marks(books, settings))
        show = list_json if out.json else show_list
        show(out, books, settings, every=every)


def _say_empty(out: Output) -> None:
    if out.json:
        out.emit("positions", {"run": None, "positions": [], "totals": None})
    else:
        out.show(f"No positions. {NO_RUNS}")


@command(
    "show",
    help=(
        "Show one position in full: its rounds, trades with their costs and slippage, the lots that are left, the "
        "ledger entries behind it, and its newest marks.\n\n"
        "It is named by its pool, its coin's mint, or its name, whatever its case. Exit code 3: there is none."
    ),
    examples=[
        Example("pumpswap positions show MUDDLE", needs="a position of this name"),
        Example("pumpswap positions show POOL --run 3 --json", needs="a position in this pool"),
    ],
)
@click.argument("position", type=POSITION, metavar="POOL|MINT|NAME")
@run_option
@pass_output
def show(out: Output, position: str, run_id: int | None) -> None:
    from pumpswap.app.books import open_books, position_story
    from pumpswap.cli.position_story import show_story, story_json
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock

    settings = settings_for(out)
    with open_books(settings, run_id) as books:
        as_of_ns = books.as_of_ns(SystemClock())
        story = position_story(books, position, books.exit_rules(settings), as_of_ns)
        if out.json:
            story_json(out, books, story, as_of_ns)
        else:
            show_story(out, books, story, as_of_ns)
