"""``pumpswap backtest lookahead``: does a strategy know what it cannot know?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.backtest_options import assumption_options, history_options, strategy_options
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH, SOURCE

if TYPE_CHECKING:
    from pumpswap.research.significance.lookahead import LookaheadReport

__all__ = ["lookahead"]

_SHOWN, _BEFORE = 240, 100  # characters of a decision, and of them before the first that differs


@command(
    "lookahead",
    help=(
        "Run a strategy again with the future missing, and with another one: every decision before must stay the same, "
        "to the letter.\n\n"
        "Also told: signals stamped ahead of their time, rows of a frame that later rows change, and what the strategy "
        "opens on its own while it trades, which may hold the future (--allow-read takes a file or folder out). A "
        "strategy of a function NAME(settings, inputs) gets its history from inputs and is judged by it. "
        "Exit code 1: it was caught."
    ),
    examples=[
        Example("pumpswap backtest lookahead simulated:7 --strategy momentum --cuts 2"),
        Example("pumpswap backtest lookahead lake --strategy mine.py:make", "your own", needs="a lake and a strategy"),
        Example(
            "pumpswap backtest lookahead lake --strategy q50 --frame frame.csv", "a frame", needs="a lake and a frame"
        ),
    ],
)
@click.argument("source", type=SOURCE)
@option("--cuts", type=click.IntRange(1, 1_000), default=8, show_default=True, help="Moments at which it is looked at.")
@option(
    "--allow-read", "allowed", type=PATH, multiple=True, metavar="PATH",
    help="It may open this file, or what is in this folder; may be repeated.",
)  # fmt: skip
@history_options
@strategy_options
@assumption_options
@pass_output
def lookahead(out: Output, /, source: str, cuts: int, allowed: tuple[Path, ...], **options: Any) -> None:
    from pumpswap.app.lookahead import check_lookahead
    from pumpswap.cli.backtest_options import asked_order, asked_settings

    settings = asked_settings(out, options)
    order = asked_order(source, settings, options)
    report = check_lookahead(order, settings, cuts=cuts, allowed=allowed)
    if not report.decisions:
        out.warn("it decided nothing on this history, so nothing was judged")
    if out.json:
        out.emit("backtest_lookahead", {"strategy": order.strategy, "source": source, **_json(report)})
    else:
        _show(out, order.strategy, report)
    if report.caught:
        click.get_current_context().exit(1)


def _json(report: LookaheadReport) -> dict[str, Any]:
    return {
        "caught": report.caught,
        "decisions": report.decisions,
        "cut_times_ns": [str(one) for one in report.cut_times_ns],
        "findings": [
            {
                "rule": one.rule,
                "at_ns": str(one.at_ns) if one.at_ns else None,
                "pool": one.pool or None,
                "text": one.text,
                "with_future": one.with_future or None,
                "without": one.without or None,
            }
            for one in report.findings
        ],
        "suspicions": list(report.suspicions),
    }


def _show(out: Output, strategy: str, report: LookaheadReport) -> None:
    from pumpswap.cli.books_view import time_at
    from pumpswap.cli.formats import counted

    looked = f"{counted(report.decisions, 'line')} of decisions, {counted(len(report.cut_times_ns), 'cut')}"
    if not report.caught:
        verdict = "does not look ahead here" if report.decisions else "decided nothing"
        out.show(f"{strategy}: {verdict} ({looked}).")
    else:
        out.show(f"{strategy} LOOKS AHEAD ({looked}):")
    for one in report.findings:
        where = f" · {time_at(one.at_ns)}" if one.at_ns else ""
        out.show("", f"[{one.rule}]{where}{f' · {one.pool}' if one.pool else ''}", f"  {one.text}", keep_lines=True)
        if one.with_future or one.without:
            known, blind = _apart(one.with_future, one.without)
            out.show(f"  with the future   {known}", f"  without it        {blind}")
    for text in report.suspicions:
        out.show("", f"Suspicious, no proof: {text}")
    out.say(
        "\nIt is judged by what it did on this history: what it never did there was not seen. Data that were put"
        " together with hindsight before they came here cannot be found out."
    )


def _apart(one: str, other: str) -> tuple[str, str]:
    """Two decisions, each from a little before the place where they differ."""
    same = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    begin = max(same - _BEFORE, 0)
    shown = []
    for text in (one, other):
        cut = f"{'… ' if begin else ''}{text[begin : begin + _SHOWN]}{' …' if len(text) > begin + _SHOWN else ''}"
        shown.append(cut if text else "nothing")
    return shown[0], shown[1]
