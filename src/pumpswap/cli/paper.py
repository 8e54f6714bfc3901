"""``pumpswap paper``."""

from __future__ import annotations

from pathlib import Path

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output

__all__ = ["paper", "replay"]

REPLAY_SOL, REPLAY_POSITIONS = 500, 500
# How often, how much of one token, and what losses stop: a replay shows what signals do, not when it was stopped.
REPLAY_RISK: dict[str, object] = {
    "max_token_sol": "1000000",
    "max_token_fraction": "1",
    "max_trades_per_minute": 1_000_000,
    "max_trades_per_hour": 1_000_000,
    "max_trades_per_day": 1_000_000,
    "max_daily_loss_fraction": "1",
    "max_drawdown_fraction": "1",
    "max_losses_in_a_row": 1_000,
    "breaker_failures": 1_000,
}

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
        "PATH is a folder of a collector's export (snapshots, trades, candles), the folder of a lake, one CSV file"
        " with the trades of one pool, or a collector's database itself: a SQLite file or a postgresql:// URL, which"
        " is only read. What a recording cannot say is assumed by rules that are printed. The same recording gives the"
        " same ledger, to the byte."
    ),
    examples=[
        Example("pumpswap paper replay EXPORT", "all snapshots of a collector's export", needs="a recording"),
        Example("pumpswap paper replay trades_one_pool.csv", "the tape of one pool", needs="a recording"),
        Example("pumpswap paper replay postgresql://localhost/gecko", "a collector's database", needs="a recording"),
        Example("pumpswap paper replay EXPORT --json --ledger ledger.jsonl", "for scripts", needs="a recording"),
    ],
)
@click.argument("path", type=click.Path(path_type=str))
@click.option(
    "--ledger", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the ledger as JSON lines."
)
@click.option("--start-sol", type=click.FloatRange(0.1, 1e6), help="Play money, in SOL (500 unless set).")
@click.option("--max-positions", type=click.IntRange(1, 10_000), help="Open positions at once (500 unless set).")
@click.option("--canonical-only", is_flag=True, help="Refuse permissionless pools, as live trading does.")
@pass_output
def replay(
    out: Output,
    path: str,
    ledger: Path | None,
    start_sol: float | None,
    max_positions: int | None,
    canonical_only: bool,
) -> None:
    from pumpswap.app.paper import run_replay, write_ledger
    from pumpswap.cli.run_result import run_json, settings_for, show_run

    # Most recorded pools are never seen again, so nothing ever sells them: with the limits of live trading the first
    # twenty would take all places, and the brakes of live trading would soon end the day. Nearly all of them are
    # permissionless, too. What the user has set stays.
    told = settings_for(out).model_fields_set  # a section that differs from its defaults is the user's: taken as it is
    risk: dict[str, object] = {} if "risk" in told else dict(REPLAY_RISK)
    if max_positions is not None or "risk" not in told:
        risk["max_open_positions"] = max_positions or REPLAY_POSITIONS
    if canonical_only or "risk" not in told:
        risk["allow_permissionless_pools"] = not canonical_only
    paper_section: dict[str, object] = {}
    if start_sol is not None or "paper" not in told:
        paper_section["start_sol"] = str(start_sol or REPLAY_SOL)
    settings = settings_for(out, risk=risk, paper=paper_section)
    run = run_replay(path, settings)
    out.say("Recorded data, play money. Nothing here can spend money.\n")
    if ledger is not None:
        write_ledger(ledger, run)
    if out.json:
        out.emit("replay", {"path": run.source, "canonical_only": canonical_only, **run_json(run)})
        return
    show_run(out, run)
    if ledger is not None:
        out.say(f"Ledger: {ledger}")
