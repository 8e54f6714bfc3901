"""``pumpswap demo``."""

from __future__ import annotations

import click

from pumpswap.cli.lazy import Example, command
from pumpswap.cli.output import Output, pass_output

__all__ = ["demo"]

SECONDS = 25.0  # of a live view, for half an hour of market time


@command(
    "demo",
    help=(
        "Watch a simulated market being traded on paper: signals, refusals with their reasons, exact fills, positions,"
        " and at the end a report.\n\n"
        "No key, no network, nothing to lose. The same seed gives the same market and the same books."
    ),
    examples=[
        Example("pumpswap demo --fast", "the result at once, without the live view"),
        Example("pumpswap demo --fast --seed 9", "another market"),
        Example("pumpswap --json demo", "for scripts: one JSON object"),
    ],
)
@click.option("--seed", type=click.IntRange(0), default=8, show_default=True, help="Which market to simulate.")
@click.option("--minutes", type=click.IntRange(1, 240), default=30, show_default=True, help="Length in market time.")
@click.option("--fast", is_flag=True, help="No live view, as quick as it goes.")
@pass_output
def demo(out: Output, seed: int, minutes: int, fast: bool) -> None:
    from pumpswap.app.paper import run_demo
    from pumpswap.cli.live_view import LiveView, PlainView
    from pumpswap.cli.run_result import run_json, settings_for, show_run
    from pumpswap.model import RunObserver

    settings, duration = settings_for(out), minutes * 60
    out.say("No key, no network. This is a simulated market; nothing here can spend money.\n")
    if out.json or out.options.quiet:
        run = run_demo(settings, seed=seed, duration_seconds=duration)
    elif fast or not out.talk.is_terminal:
        observers: list[RunObserver] = [] if fast else [PlainView(out.talk)]
        run = run_demo(settings, seed=seed, duration_seconds=duration, observers=observers)
    else:
        with LiveView(out.talk, duration_seconds=duration, seconds=SECONDS) as view:
            run = run_demo(settings, seed=seed, duration_seconds=duration, observers=[view])
    if out.json:
        out.emit("demo", {"seed": seed, "market_seconds": duration, **run_json(run)})
        return
    show_run(out, run)
