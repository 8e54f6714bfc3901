"""``pumpswap signal compare``."""

from __future__ import annotations

from pathlib import Path

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH, SOL, SOURCE, DurationType, NumberRange
from pumpswap.clock import NS_PER_SECOND

__all__ = ["compare"]

_HORIZON = DurationType(least=1, most=366 * 86_400, example="90s, 5m, 1h or 2d")


@command(
    "compare",
    help=(
        "Compare the base score with the enhanced one: who changes places and why, how many reach the threshold, and,"
        " where later prices exist, which of the two predicted better after all costs.\n\n"
        "TARGET is what 'paper replay' takes: a folder of a collector's export or a lake, a CSV file with the trades of"
        " one pool, or a collector's database. Every snapshot is scored with what was known at that moment, bought"
        " after the paper latency and sold again on the last state before the horizon, both by exact quotes."
        " Differences come with intervals that treat a pool, not a snapshot, as one observation. When the data cannot"
        " decide, the report says so."
    ),
    examples=[
        Example("pumpswap signal compare --simulated 8", "a simulated market: how the report reads"),
        Example("pumpswap signal compare EXPORT", "a collector's export", needs="a recording"),
        Example("pumpswap signal compare EXPORT --horizon 15m --horizon 4h --size-sol 0.5", needs="a recording"),
        Example("pumpswap signal compare --simulated 8 --html compare.html", "the same as a page with charts"),
        Example("pumpswap signal compare postgresql://localhost/gecko --json", "for scripts", needs="a recording"),
    ],
)
@click.argument("target", type=SOURCE, required=False)
@option("--simulated", type=click.IntRange(0), metavar="SEED", help="Compare over a simulated market instead.")
@option(
    "--threshold",
    type=NumberRange(0, 100),
    metavar="SCORE",
    help="The score from which a snapshot is picked (75 unless set).",
)
@option("--size-sol", "size_lamports", type=SOL, metavar="SOL", help="Size of each purchase (1 unless set).")
@option(
    "--horizon",
    "horizons",
    type=_HORIZON,
    multiple=True,
    metavar="TIME",
    help="How long each is held; may be repeated. Default: 5m, 1h and 24h; simulated: 1m, 5m and 15m.",
)
@option("--html", type=PATH, metavar="FILE", help="Also write a page with charts.")
@pass_output
def compare(
    out: Output,
    target: str | None,
    simulated: int | None,
    threshold: float | None,
    size_lamports: int | None,
    horizons: tuple[int, ...],
    html: Path | None,
) -> None:
    from pumpswap.app.signal_compare import CompareRequest, compare_recording, compare_simulated
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.signal_compare_view import compared_json, show_compared
    from pumpswap.errors import UsageError

    if html is not None and html.is_dir():
        raise UsageError(f"{html} is a folder", hint="name the file of the page")
    settings = settings_for(out)
    request = CompareRequest(
        threshold=settings.signals.min_score if threshold is None else threshold,
        size_lamports=size_lamports,
        horizons_ns=tuple(seconds * NS_PER_SECOND for seconds in dict.fromkeys(horizons)),
    )
    if target is not None and simulated is None:
        compared = compare_recording(target, settings, request)
    elif target is None and simulated is not None:
        compared = compare_simulated(simulated, settings, request)
    else:
        raise UsageError(
            "nothing to compare over" if target is None else "a recording and --simulated at once",
            hint="name a recording, or a seed: pumpswap signal compare --simulated 8",
        )
    if html is not None:
        from pumpswap.analytics.comparison.page import write_comparison

        write_comparison(html, compared.page())
    if out.json:
        out.emit("signal-compare", {**compared_json(compared), "html": None if html is None else str(html)})
        return
    show_compared(out, compared)
    if html is not None:
        out.show("", f"Page  {html}", keep_lines=True)
