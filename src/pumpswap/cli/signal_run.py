"""``pumpswap signal run``."""

from __future__ import annotations

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import POSITION, SOL, SOURCE, NumberRange

__all__ = ["run"]

_TOP = 20


@command(
    "run",
    help=(
        "Score the pools of a recording, each at its newest snapshot: the host's base score and, beside it, the"
        " enhanced one that knows depth, fees and the exact impact of a trade.\n\n"
        "TARGET is what 'paper replay' takes: a folder of a collector's export or a lake, a CSV file with the trades"
        " of one pool, or a collector's database. Without PumpSwap data the enhanced score is the base score, and"
        " nothing is tradeable.\n\n"
        "States come from the recording, where most are estimated; --chain asks the chain for those of now. --pool"
        " shows one pool in full: how its scores came about, what sizes would cost, and what speaks against a trade."
    ),
    examples=[
        Example("pumpswap signal run --simulated 8", "a simulated market: how the table reads"),
        Example("pumpswap signal run EXPORT --top 50 --min-score 75", "a collector's export", needs="a recording"),
        Example("pumpswap signal run EXPORT --pool POOL --size-sol 0.5", "one pool in full", needs="a recording"),
        Example("pumpswap signal run postgresql://localhost/gecko --chain --screen", needs="a recording and a node"),
        Example("pumpswap signal run --simulated 8 --json", "for scripts"),
    ],
)
@click.argument("target", type=SOURCE, required=False)
@option("--simulated", type=click.IntRange(0), metavar="SEED", help="Score a simulated market instead.")
@option("--pool", type=POSITION, metavar="POOL|MINT|NAME", help="Show this pool in full.")
@option("--top", type=click.IntRange(1), default=_TOP, show_default=True, help="How many pools to list.")
@option("--min-score", type=NumberRange(0, 100), metavar="SCORE", help="Only enhanced scores from here on.")
@option("--size-sol", "size_lamports", type=SOL, metavar="SOL", help="The trade you intend (1 unless set).")
@option("--all", "every", is_flag=True, help="Also pools without PumpSwap data, with their base scores.")
@option("--chain", "live", is_flag=True, help="States and fees of now, from the chain.")
@option("--screen", is_flag=True, help="Also screen the tokens that are listed (with --chain; many questions each).")
@chain_options
@pass_output
def run(
    out: Output,
    target: str | None,
    simulated: int | None,
    pool: str | None,
    top: int,
    min_score: float | None,
    size_lamports: int | None,
    every: bool,
    live: bool,
    screen: bool,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.app.signal_run import on_chain, score_recording, score_simulated
    from pumpswap.cli.signal_run_view import Selection, run_json, show_pool, show_scores
    from pumpswap.cli.waiting import wait_for
    from pumpswap.errors import UsageError

    if (target is None) is (simulated is None):
        raise UsageError(
            "nothing to score" if target is None else "a recording and --simulated at once",
            hint="name a recording, or a seed: pumpswap signal run --simulated 8",
        )
    if (live or screen) and simulated is not None:
        raise UsageError("simulated pools are on no chain", hint="leave --chain and --screen out")
    if screen and not live:
        raise UsageError("a screen asks the chain", hint="add --chain")
    settings = chain_settings(out, urls, ws_url, network)
    if target is not None:
        scored = score_recording(target, settings, size_lamports)
    else:
        assert simulated is not None
        scored = score_simulated(simulated, settings, size_lamports)
    chosen = Selection(top=1 if pool else top, min_score=min_score, every=every or pool is not None)
    if pool is not None:
        scored = scored.only(scored.pool(pool))
    if live:
        scored = wait_for(on_chain(scored, settings, screens=chosen.top if screen else 0, size_lamports=size_lamports))
    if out.json:
        out.emit("signal-run", run_json(scored, settings, chosen))
    elif pool is not None:
        show_pool(out, scored, settings)
    else:
        show_scores(out, scored, settings, chosen)
