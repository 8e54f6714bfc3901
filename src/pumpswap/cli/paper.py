"""``pumpswap paper``."""

from __future__ import annotations

from pathlib import Path

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output

__all__ = ["paper", "replay"]

paper = LazyGroup(
    "paper",
    entries={"replay": Entry("pumpswap.cli.paper:replay", "replay recorded market data on paper")},
    help="Trade recorded markets on paper: real data, exact fills, no money.",
    examples=[Example("pumpswap paper replay EXPORT", "a folder of a collector's CSV files", needs="a recording")],
)


@command(
    "replay",
    help=(
        "Replay recorded market data through the whole chain: signals, risk, exact paper fills, ledger, report.\n\n"
        "PATH is a folder of a collector's export (snapshots, trades, candles), or one CSV file with the trades of one"
        " pool. What a recording cannot say is assumed by rules that are printed. The same recording gives the same"
        " ledger, to the byte."
    ),
    examples=[
        Example("pumpswap paper replay EXPORT", "all snapshots of a collector's export", needs="a recording"),
        Example("pumpswap paper replay trades_one_pool.csv", "the tape of one pool", needs="a recording"),
        Example("pumpswap paper replay EXPORT --json --ledger ledger.jsonl", "for scripts", needs="a recording"),
    ],
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--ledger", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the ledger as JSON lines."
)
@click.option(
    "--start-sol", type=click.FloatRange(0.1, 1e6), default=500, show_default=True, help="Play money, in SOL."
)
@click.option(
    "--max-positions", type=click.IntRange(1, 10_000), default=500, show_default=True, help="Open positions at once."
)
@click.option("--canonical-only", is_flag=True, help="Refuse permissionless pools, as live trading does.")
@pass_output
def replay(
    out: Output, path: Path, ledger: Path | None, start_sol: float, max_positions: int, canonical_only: bool
) -> None:
    from pumpswap.app import run_replay, write_ledger
    from pumpswap.cli.run_result import run_json, settings_for, show_run

    # Most recorded pools are never seen again, so nothing ever sells them: with the limits of live trading the first
    # twenty would take all places. Nearly all of them are permissionless, too.
    settings = settings_for(
        out,
        risk={"max_open_positions": max_positions, "allow_permissionless_pools": not canonical_only},
        paper={"start_sol": str(start_sol)},
    )
    run = run_replay(path, settings)
    out.say("Recorded data, play money. Nothing here can spend money.\n")
    if ledger is not None:
        write_ledger(ledger, run)
    if out.json:
        out.emit("replay", {"path": str(path), "canonical_only": canonical_only, **run_json(run)})
        return
    show_run(out, run)
    if ledger is not None:
        out.say(f"Ledger: {ledger}")
