"""``pumpswap runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pumpswap.storage.run_header import RunHeader

__all__ = ["list_", "runs"]

runs = LazyGroup(
    "runs",
    entries={"list": Entry("pumpswap.cli.runs:list_", "all runs of the database, with their numbers")},
    help="Runs: each has books of its own. The other commands over the books take their numbers with --run.",
    examples=[Example("pumpswap runs list", "what there is")],
)


@command(
    "list",
    help=(
        "List all runs: demos, replays, and one live run for every wallet on every network.\n\n"
        "A live run goes on as long as its wallet is traded with. Any other run that has not ended is going on now, or "
        "was interrupted."
    ),
    examples=[Example("pumpswap runs list"), Example("pumpswap runs list --json", "for scripts")],
)
@pass_output
def list_(out: Output) -> None:
    from pumpswap.app.books import open_store
    from pumpswap.cli.books_view import NO_RUNS, run_json
    from pumpswap.cli.run_result import settings_for

    with open_store(settings_for(out)) as database:
        headers = () if database is None else database.runs()
        where = None if database is None else database.location
    if out.json:
        out.emit("runs", {"database": where, "runs": [run_json(header) for header in headers]})
    elif headers:
        out.show(_table(headers))
        wallets = [f"run {header.run_id} is of wallet {header.wallet}" for header in headers if header.wallet]
        out.show("", *wallets, f"in {where}", keep_lines=True)
    else:
        out.show(NO_RUNS)


def _table(headers: Sequence[RunHeader]) -> Any:
    from pumpswap.chain.networks import network_of
    from pumpswap.cli.books_view import books_table, time_at

    table = books_table()
    table.add_column("run", justify="right", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("started", no_wrap=True)
    table.add_column("ended", no_wrap=True)
    table.add_column("on", no_wrap=True)
    for header in headers:
        on = f"seed {header.seed}" if header.seed is not None else ""
        if header.network is not None:
            on = network_of(header.network)
        ended = time_at(header.finished_ns).removesuffix(" UTC") if header.finished_ns else ""
        if not ended:
            ended = "goes on" if header.kind == "live" else "not ended"
        started = time_at(header.started_ns).removesuffix(" UTC")
        table.add_row(str(header.run_id), header.kind, started, ended, on)
    return table
