"""What the paper commands print when a run is over."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pumpswap.analytics.explain import story_of
from pumpswap.app.paper import PaperRun
from pumpswap.cli.config import loaded_for
from pumpswap.cli.formats import age_text, printable, sol_text
from pumpswap.cli.output import Output
from pumpswap.clock import NS_PER_SECOND
from pumpswap.settings import Settings

__all__ = ["run_json", "settings_for", "show_run"]

MOST_ROWS = 12


def settings_for(out: Output, **sections: Any) -> Settings:
    """Settings as the global options want them; ``sections`` are what the command's own options say."""
    return loaded_for(out, **sections).settings


def run_json(run: PaperRun) -> dict[str, Any]:
    """The figures of a run for ``--json``."""
    return {
        **run.summary.to_json(),
        "max_score_difference": run.record.max_score_difference,
        "scores_compared": run.record.scores_compared,
        "recording": {name: str(count) for name, count in run.counts.items()},
        "assumptions": list(run.assumptions),
        "notes": list(run.notes),
        "report": str(run.report),
        "database": run.database,
        "run_id": str(run.run_id),
    }


def show_run(out: Output, run: PaperRun) -> None:
    """The result for people: what it earned, why, and what it refused."""
    summary = run.summary
    parts: list[RenderableType] = [_headline(run), "", _result_table(run)]
    if summary.refused:
        parts += ["", _refusal_table(run)]
    if summary.closed:
        parts += ["", _round_table(run)]
        worst = min(summary.closed, key=lambda position: position.realised_lamports)
        if worst.realised_lamports < 0:
            parts += ["", _loss(run)]
    if summary.open:
        parts += ["", _open_table(run)]
    out.show(*parts)
    if run.notes:
        out.say("\nWhat nobody in this market knew:")
        for note in run.notes:
            out.say(f"  · {note}")
    if run.assumptions:
        out.say("\nAssumed:")
        for sentence in run.assumptions:
            out.say(f"  · {sentence}")
    out.show(
        "", Text.assemble("Report  ", (str(run.report), "bold")), Text(f"Books   {run.database}, run {run.run_id}")
    )
    out.say("\nNext:")
    for line in run.next_steps:
        out.say(f"  {_callable_here(line)}")


def _callable_here(line: str) -> str:
    """A command as this user can type it: after ``make demo`` the program is in .venv and not on the PATH."""
    called = Path(sys.argv[0])
    if called.name != "pumpswap" or shutil.which("pumpswap"):
        return line
    with suppress(ValueError):
        called = called.resolve().relative_to(Path.cwd())
    return line.replace("pumpswap", str(called), 1)


def _headline(run: PaperRun) -> Text:
    summary = run.summary
    change = summary.equity_change_lamports
    share = change / summary.start_lamports if summary.start_lamports else 0.0
    verb = "Earned" if change > 0 else "Lost" if change < 0 else "Nothing earned, nothing lost:"
    line = Text(f"{verb} {sol_text(abs(change))} ({share:+.2%})", style="bold green" if change > 0 else "bold red")
    line.append(f" on {sol_text(summary.start_lamports)} of play money: ", style="default")
    won = sum(position.realised_lamports > 0 for position in summary.closed)
    line.append(
        f"{summary.fills} trades, {len(summary.closed)} rounds closed, {won} won, {len(summary.open)} still open.",
        style="default",
    )
    return line


def _result_table(run: PaperRun) -> Table:
    summary = run.summary
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("it adds up")
    table.add_column("SOL", justify="right")
    rows = (
        ("start", summary.start_lamports, False),
        ("realised", summary.realised_lamports, True),
        ("unrealised, if sold now", summary.unrealised_lamports, True),
        ("costs of failed orders", -summary.failed_costs_lamports, True),
        ("end", summary.equity_lamports, False),
    )
    for label, lamports, signed in rows:
        table.add_row(label, sol_text(lamports, signed=signed).removesuffix(" SOL"))
    fees = ", ".join(
        f"{kind.value.replace('_', ' ')} {sol_text(units).removesuffix(' SOL')}"
        for kind, units in summary.costs.items()
        if units
    )
    table.caption = f"paid on the way: {fees or 'nothing'}"
    table.caption_justify = "left"
    return table


def _refusal_table(run: PaperRun) -> Table:
    summary = run.summary
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{summary.refused} of {summary.decisions} decisions were refused, by")
    table.add_column("times", justify="right")
    for policy, count in summary.refused_by_policy.items():
        table.add_row(policy, str(count))
    return table


def _round_table(run: PaperRun) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("closed rounds", "in SOL", "out SOL", "result", "why it ended"):
        table.add_column(name, justify="right" if name in ("in SOL", "out SOL", "result") else "left")
    for position in run.summary.closed[-MOST_ROWS:]:
        story = story_of(position, run.record)
        style = "green" if position.realised_lamports > 0 else "red"
        table.add_row(
            printable(position.name) or position.pool[:8],
            _short(position.bought_lamports),
            _short(position.sold_lamports),
            Text(_short(position.realised_lamports, signed=True), style=style),
            story.exit_reason,
        )
    return table


def _open_table(run: PaperRun) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("still open", "cost SOL", "would bring", "result", "state is"):
        table.add_column(name, justify="left" if name in ("still open", "state is") else "right")
    for held in run.summary.open[:MOST_ROWS]:
        style = "green" if held.unrealised_lamports > 0 else "red"
        table.add_row(
            printable(held.position.name) or held.position.pool[:8],
            _short(held.position.cost_lamports),
            _short(held.mark.value_lamports),
            Text(_short(held.unrealised_lamports, signed=True), style=style),
            age_text(held.mark.age_ns // NS_PER_SECOND).replace(" ago", " old"),
        )
    left = len(run.summary.open) - MOST_ROWS
    if left > 0:
        table.caption = f"and {left} more: see the report"
    return table


def _loss(run: PaperRun) -> Text:
    """The largest loss in words."""
    worst = min(run.summary.closed, key=lambda position: position.realised_lamports)
    story = story_of(worst, run.record)
    return Text.assemble(
        ("The largest loss: ", "bold"),
        f"{printable(worst.name) or worst.pool[:8]} was bought because of its {story.entry_reason} and ended by"
        f" {story.exit_reason}. Of {sol_text(story.result_lamports, signed=True)} the price took"
        f" {sol_text(story.price_lamports, signed=True)}, the venue's fees"
        f" {sol_text(story.venue_fees_lamports, signed=True)}, the network"
        f" {sol_text(story.network_lamports, signed=True)}.",
    )


def _short(lamports: int, *, signed: bool = False) -> str:
    return sol_text(round(lamports, -5), signed=signed).removesuffix(" SOL")
