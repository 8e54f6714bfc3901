"""``pumpswap tune``: many settings of a strategy, judged where they were not fitted."""

from __future__ import annotations

from typing import Any

import click

from pumpswap.cli.backtest_options import assumption_options, history_options, strategy_options
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import DURATION, NAME, RUN, SOURCE

__all__ = ["list_", "report", "run", "tune"]

_SEARCH, _SPLIT, _WORK = "How it is searched", "What it is judged by", "Who computes"

tune = LazyGroup(
    "tune",
    entries={
        "run": Entry("pumpswap.cli.tune:run", "search settings on a history, and judge them beyond it"),
        "list": Entry("pumpswap.cli.tune:list_", "the searches that were made"),
        "report": Entry("pumpswap.cli.tune:report", "one of them in full"),
    },
    help=(
        "Try many settings of a strategy on a recorded market and say what is left of the best where they were not "
        "fitted: out of sample first, then how much of it is luck.\n\n"
        "Searches are kept in the database of back-tests (backtest.database)."
    ),
    examples=[
        Example("pumpswap tune run simulated:7 --strategy momentum --space 'strategy.window_seconds=30|60'"),
        Example("pumpswap tune list", "what was searched"),
    ],
)


@command(
    "run",
    help=(
        "Search the settings of a strategy on a history.\n\n"
        "SOURCE is as of `pumpswap backtest run`. The space names settings and what they may be: "
        "'exits.take_profit_bps=2000..20000:log/5, risk.max_position_sol=0.1|0.2, strategy.window_seconds=30|60', or a "
        "file with one setting a line. The history is cut into training and test; each test window is traded, from "
        "cash alone, by the set that its own training has chosen. The result does not depend on how many processes "
        "or machines computed it. Ctrl-C keeps what is done: --resume goes on."
    ),
    examples=[
        Example(
            "pumpswap tune run simulated:7 --strategy momentum --space 'strategy.window_seconds=30|60' --jobs 1"
            " --null-draws 5 --network-draws 2",
            "two sets",
        ),
        Example(
            "pumpswap tune run lake --strategy momentum --space space.txt --method optuna --trials 200"
            " --walk-forward 7d:1d",
            "a walk forward",
            needs="a lake and a space",
        ),
        Example(
            "pumpswap tune run lake --space space.txt --method random --trials 10000 --ray-address 10.0.0.5:6379",
            "on a Ray cluster",
            needs="a lake, a space and a cluster",
        ),
        Example("pumpswap tune run lake --space space.txt --resume 3", "after Ctrl-C", needs="a lake and a search"),
    ],
)
@click.argument("source", type=SOURCE)
@option("--space", required=True, metavar="TEXT", section=_SEARCH, help="Settings and what they may be, or a file.")
@option(
    "--method",
    type=click.Choice(["grid", "random", "optuna"]),
    default="grid",
    show_default=True,
    section=_SEARCH,
    help="All combinations, so many at random, or optuna's search by results.",
)
@option(
    "--trials", type=click.IntRange(0, 10_000_000), default=0, section=_SEARCH, help="How many sets; grid: at most."
)
@option(
    "--objective",
    type=click.Choice(["net", "sharpe", "calmar", "median-window"]),
    default="median-window",
    show_default=True,
    section=_SEARCH,
    help="What is best in training; median-window: in the middle of eight parts.",
)
@option("--resume", type=RUN, metavar="SEARCH", section=_SEARCH, help="Go on with this search where it was.")
@option("--walk-forward", default="", metavar="TRAIN:TEST", section=_SPLIT, help="7d:1d: learn, test, move on.")
@option("--anchored", is_flag=True, section=_SPLIT, help="Training always begins at the start.")
@option("--kfold", type=click.IntRange(2, 1_000), metavar="N", section=_SPLIT, help="N test windows, the rest trains.")
@option("--embargo", type=DURATION, metavar="TIME", section=_SPLIT, help="Kept out around tests. Default: 1 %.")
@option("--warm-up", type=DURATION, metavar="TIME", section=_SPLIT, help="Heard before a test. Default: all before it.")
@option(
    "--null-draws",
    type=click.IntRange(0, 100_000),
    default=100,
    show_default=True,
    section=_SPLIT,
    help="Random strategies that each test is compared with.",
)
@option(
    "--network-draws",
    type=click.IntRange(0, 10_000),
    default=10,
    show_default=True,
    section=_SPLIT,
    help="Each test again so often with other orders failing.",
)
@option("--jobs", type=click.IntRange(0, 4_096), metavar="N", section=_WORK, help="Processes; 0: one per processor.")
@option("--engine", is_flag=True, section=_WORK, help="Every trial by the engine, also what the kernel can play.")
@option("--ray-address", default="", metavar="ADDRESS", section=_WORK, help="A Ray cluster instead of processes.")
@history_options
@strategy_options
@option(
    "--impact",
    type=click.Choice(["counterfactual", "naive"]),
    default="counterfactual",
    show_default=True,
    section="What is assumed",
    help="Whether the market feels our trades.",
)
@assumption_options
@option("--name", type=NAME, default="", metavar="TEXT", help="What you call it.")
@pass_output
def run(out: Output, /, source: str, name: str, **options: Any) -> None:
    from pumpswap.app.tuning import TuneOrder
    from pumpswap.app.tuning import tune as search
    from pumpswap.cli.backtest_options import asked_order, asked_settings
    from pumpswap.cli.progress import progress
    from pumpswap.cli.tune_view import show_tuned, tuned_json
    from pumpswap.research.backtest.world import Impact

    settings = asked_settings(out, options)
    order = TuneOrder(
        backtest=asked_order(source, settings, options, name=name, impacts=(Impact(options["impact"]),)),
        space=options["space"],
        method=options["method"],
        trials=options["trials"],
        objective=options["objective"],
        walk_forward=options["walk_forward"],
        is_anchored=options["anchored"],
        kfold=options["kfold"] or 0,
        embargo_seconds=options["embargo"],
        warm_seconds=options["warm_up"],
        jobs=options["jobs"],
        ray_address=options["ray_address"],
        null_draws=options["null_draws"],
        network_draws=options["network_draws"],
        resume=options["resume"],
        uses_engine=options["engine"],
    )
    try:
        with progress(out) as tell:
            done = search(order, settings, tell=tell)
    except KeyboardInterrupt:
        out.say("Stopped. What is done is kept: `pumpswap tune list` names the search, --resume goes on with it.")
        raise
    told = tuned_json(done)
    for text in told["cautions"]:
        out.warn(text)
    if out.json:
        out.emit("tune_run", told)
    else:
        show_tuned(out, told)


@command(
    "list",
    help="The searches that were made, the newest first; one that was interrupted can go on with --resume.",
    examples=[Example("pumpswap tune list"), Example("pumpswap tune list --json", "for scripts")],
)
@option("--most", type=click.IntRange(1, 10_000), default=20, show_default=True, help="No more than so many.")
@pass_output
def list_(out: Output, most: int) -> None:
    from pumpswap.app.tuning_store import listed_sweeps
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.tune_view import listed_json, show_list

    settings = settings_for(out)
    rows = listed_sweeps(settings, most)
    if out.json:
        out.emit("tune_list", {"database": str(settings.backtests_file), "searches": listed_json(rows)})
    else:
        show_list(out, rows)


@command(
    "report",
    help="A stored search in full: out of sample, how much of it is luck, the sets that did best in sample.",
    examples=[Example("pumpswap tune report 1", needs="a search")],
)
@click.argument("search", type=RUN, metavar="SEARCH")
@pass_output
def report(out: Output, search: int) -> None:
    from pumpswap.app.tuning_store import stored_sweep
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.tune_view import show_tuned, stored_json

    told = stored_json(stored_sweep(settings_for(out), search))
    for text in told["cautions"]:
        out.warn(text)
    if out.json:
        out.emit("tune_report", told)
    else:
        show_tuned(out, told)
