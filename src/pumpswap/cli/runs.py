"""``pumpswap runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pumpswap.model import Heartbeat
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
        "A live run goes on as long as its wallet is traded with. A run that has not ended is running now, or goes on "
        "at the next start; a demo or a replay was interrupted."
    ),
    examples=[Example("pumpswap runs list"), Example("pumpswap runs list --json", "for scripts")],
)
@pass_output
def list_(out: Output) -> None:
    from pumpswap.app.books import open_store
    from pumpswap.app.control import beat_is_fresh
    from pumpswap.cli.books_view import NO_RUNS, run_json
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock

    settings, clock = settings_for(out), SystemClock()
    with open_store(settings) as database:
        headers = () if database is None else database.runs()
        where = None if database is None else database.location
        unfinished = [header.run_id for header in headers if header.finished_ns is None]
        beats = {number: database.run(number).states.heartbeat() for number in unfinished} if database else {}
    now_ns = clock.now_ns()
    running = {number: beat for number, beat in beats.items() if beat and beat_is_fresh(beat, settings, now_ns)}
    if out.json:
        known = [
            run_json(header)
            | {"process": running[header.run_id].process if header.run_id in running else None}
            | {"is_running": header.run_id in running}
            for header in headers
        ]
        out.emit("runs", {"database": where, "runs": known})
    elif headers:
        out.show(_table(headers, {header.run_id: _state(header, beats, running) for header in headers}))
        wallets = [f"run {header.run_id} is of wallet {header.wallet}" for header in headers if header.wallet]
        out.show("", *wallets, f"in {where}", keep_lines=True)
    else:
        out.show(NO_RUNS)


def _state(header: RunHeader, beats: Mapping[int, Heartbeat | None], running: Mapping[int, Heartbeat]) -> str:
    """When it ended, or what it is doing."""
    from pumpswap.cli.books_view import time_at

    if header.finished_ns:
        return time_at(header.finished_ns).removesuffix(" UTC")
    if header.run_id in running:
        return f"running (pid {running[header.run_id].process})"
    if beats.get(header.run_id) is not None:
        return "stopped, goes on at the next start"
    return "goes on" if header.kind == "live" else "interrupted"


def _table(headers: Sequence[RunHeader], states: Mapping[int, str]) -> Any:
    from pumpswap.chain.networks import network_of
    from pumpswap.cli.books_view import books_table, time_at

    table = books_table()
    table.add_column("run", justify="right", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("started", no_wrap=True)
    table.add_column("ended")
    table.add_column("on", no_wrap=True)
    for header in headers:
        on = f"seed {header.seed}" if header.seed is not None else ""
        if header.network is not None:
            on = network_of(header.network)
        started = time_at(header.started_ns).removesuffix(" UTC")
        table.add_row(str(header.run_id), header.kind, started, states[header.run_id], on)
    return table
