"""``pumpswap backtest``: strategies in recorded markets that feel their trades."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pumpswap.cli.backtest_options import assumption_options, history_options, strategy_options
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME, PATH, RUN, SOURCE

__all__ = ["backtest", "repeat", "run"]

_STORED = "pumpswap.cli.backtest_stored"
_IMPACTS = {"both": ("counterfactual", "naive"), "counterfactual": ("counterfactual",), "naive": ("naive",)}

backtest = LazyGroup(
    "backtest",
    entries={
        "run": Entry("pumpswap.cli.backtest:run", "a strategy through a history, with our own impact on it"),
        "repeat": Entry("pumpswap.cli.backtest:repeat", "a stored back-test again: the same to the byte?"),
        "list": Entry(f"{_STORED}:list_", "the back-tests that were made"),
        "compare": Entry(f"{_STORED}:compare", "two of them, or one and a real run: the difference by cause"),
        "report": Entry(f"{_STORED}:report", "one in full: in the terminal, or as a page"),
        "lookahead": Entry("pumpswap.cli.backtest_lookahead:lookahead", "does a strategy look into the future?"),
    },
    help=(
        "Try a strategy out on a recorded market: the same engine, risk gate, exits and exact fills as on paper, in a "
        "market that feels our own trades.\n\n"
        "Back-tests are kept in a database of their own (backtest.database), so that they stand in nobody's way."
    ),
    examples=[
        Example("pumpswap backtest run simulated:7 --strategy momentum", "a simulated market: how it reads"),
        Example("pumpswap backtest run lake --strategy momentum", "the history in a lake", needs="a lake"),
        Example("pumpswap backtest list", "what was tried"),
    ],
)


@command(
    "run",
    help=(
        "Run a strategy through a history and keep what came out.\n\n"
        "SOURCE is the folder of a lake or of a collector's export, a recorded stream, a CSV file with the trades of "
        "one pool, a collector's database (path or URL), vectors:FILE (the state sequences of test vectors), or "
        "simulated[:SEED]. Two results stand side by side: the "
        "counterfactual one, in which everybody else's instructions meet the pool as our trades have left it, and the "
        "naive one, in which the market does not feel us. Fees are those of the date; latency, failures, priority "
        "fees and rent are in. The same source, settings, seed and version give the same result, to the byte."
    ),
    examples=[
        Example("pumpswap backtest run simulated:7 --strategy momentum"),
        Example("pumpswap backtest run lake --from 2026-10-01 --until 2026-10-08", "a week", needs="a lake"),
        Example("pumpswap backtest run lake --strategy mine.py:Mine --landing first", needs="a lake and a strategy"),
        Example("pumpswap backtest run simulated:7 --set risk.max_position_sol=0.2 --json", "for scripts"),
    ],
)
@click.argument("source", type=SOURCE)
@option(
    "--impact", type=click.Choice(list(_IMPACTS)), default="both", show_default=True,
    help="Whether the market feels our trades.",
)  # fmt: skip
@history_options
@strategy_options
@assumption_options
@option("--name", type=NAME, default="", metavar="TEXT", help="What you call it.")
@option("--verify/--no-verify", default=None, help="Compute every recorded step again first. Default: backtest.verify.")
@option("--one-landing", is_flag=True, help="Do not try the other end of the slot as well.")
@option("--no-books", is_flag=True, help="Keep the result alone, not every decision, order and entry.")
@option("--html", type=PATH, metavar="FILE", help="Also write a page with charts.")
@option("--force", is_flag=True, help="Overwrite a page that exists (so does --yes).")
@pass_output
def run(out: Output, /, source: str, impact: str, name: str, no_books: bool, html: Path | None, **options: Any) -> None:
    from pumpswap.app.backtest import run_order
    from pumpswap.app.backtest_page import outcome_page
    from pumpswap.cli.backtest_options import asked_order, asked_settings, new_page
    from pumpswap.cli.backtest_view import outcome_json, show_outcome
    from pumpswap.cli.progress import progress
    from pumpswap.research.backtest.world import Impact

    page = new_page(html, overwrite=options["force"] or out.options.yes)
    settings = asked_settings(out, options)
    impacts = tuple(map(Impact, _IMPACTS[impact]))
    order = asked_order(source, settings, options, impacts=impacts, name=name, keeps_books=not no_books)
    order = replace(order, compares_landing=not options["one_landing"])
    with progress(out) as tell:
        done = run_order(order, settings, tell=tell)
    for text in done.warnings:
        out.warn(text)
    if page is not None:
        outcome_page(page, done)
    if out.json:
        out.emit("backtest_run", outcome_json(done, page))
    else:
        show_outcome(out, done, page)


@command(
    "repeat",
    help=(
        "Run a stored back-test again, from its own settings, and compare result and ledger byte by byte.\n\n"
        "When the history, the strategy's file or the Q50 frame is not what it was, that is said and nothing is run. "
        "Another version of pumpswap is said too, and its result compared all the same. Exit code 1: it is not equal, "
        "or cannot be repeated."
    ),
    examples=[
        Example("pumpswap backtest repeat 1", "is it still so?", needs="a back-test"),
        Example("pumpswap backtest repeat 1 --source lake", "the history has moved", needs="a back-test and a lake"),
    ],
)
@click.argument("run_id", type=RUN, metavar="RUN")
@option("--source", type=SOURCE, default="", help="Where the history is now.")
@option("--strategy", type=SOURCE, default="", metavar="FILE.py:CLASS", help="Where the strategy is now.")
@option("--frame", type=PATH, metavar="FILE", help="Where the Q50 frame is now.")
@pass_output
def repeat(out: Output, run_id: int, source: str, strategy: str, frame: Path | None) -> None:
    from pumpswap.app.backtest_runs import Moved, repeat_backtest
    from pumpswap.cli.backtest_view import repetition_json, show_repetition
    from pumpswap.cli.progress import progress
    from pumpswap.cli.run_result import settings_for

    with progress(out) as tell:
        found = repeat_backtest(settings_for(out), run_id, Moved(source, strategy, frame), tell=tell)
    if out.json:
        out.emit("backtest_repeat", repetition_json(found))
    else:
        show_repetition(out, found)
    if not found.is_equal:
        click.get_current_context().exit(1)
