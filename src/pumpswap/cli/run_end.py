"""What `pumpswap run` says at its beginning and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpswap.cli.formats import counted, sol_text
from pumpswap.cli.output import Output

if TYPE_CHECKING:
    from pumpswap.app.run import RunResult
    from pumpswap.app.run_order import BegunRun

__all__ = ["show_begin", "show_end"]

_MOST_REASONS = 6


def show_begin(out: Output, begun: BegunRun) -> None:
    """On what it runs, and what it has taken up."""
    money = "Play money; nothing here can spend yours."
    if begun.kind == "live":
        is_practice = begun.market.startswith("localnet ")
        money = "Practice money, worth nothing." if is_practice else "REAL MONEY."
    out.say(f"Run {begun.run_id} listens to {begun.market}. {money}")
    for note in begun.notes:
        out.say(f"  · {note}")
    if not begun.is_new:
        positions = f"{begun.open_positions} open position{'' if begun.open_positions == 1 else 's'}"
        lost = (
            f", {begun.lost} order{'' if begun.lost == 1 else 's'} on the way then did not land" if begun.lost else ""
        )
        out.say(f"It goes on from an earlier run: {positions}{lost}.")
    out.say("Ctrl-C ends it in order; twice, at once.\n")


def show_end(out: Output, result: RunResult) -> None:
    """What became of it, and how to look closer."""
    from rich.text import Text

    tally, begun = result.tally, result.begun
    change = tally.change_lamports
    style = "bold green" if change > 0 else "bold red" if change < 0 else "bold"
    fills = tally.buys + tally.sells
    lines = [
        Text(f"Run {begun.run_id} has ended: {result.ending.value}."),
        Text.assemble(
            "Equity ",
            (f"{sol_text(change, signed=True)}", style),
            f" to {sol_text(tally.last_equity)} since this process began: {counted(fills, 'trade')},"
            f" {counted(tally.rounds, 'round')} closed, {tally.won} won, {result.open_positions} open.",
        ),
        Text(f"{result.events} updates, at most {result.longest_queue} waiting; {_decided(result)}"),
    ]
    if tally.refused_by:
        reasons = tally.refused_by.most_common(_MOST_REASONS)
        lines.append(Text("Refused by " + ", ".join(f"{policy} {count}" for policy, count in reasons)))
    if result.dropped:
        lines.append(Text(f"{result.dropped} updates were waiting and not looked at; the next run reads them."))
    lines += [Text(""), Text(f"Books   {begun.database}, run {begun.run_id}"), Text("")]
    if not result.is_finished:
        others = "" if begun.kind == "live" else ", --new begins others"
        lines.append(Text(f"These books are open: the next run goes on with them{others}."))
    out.show(*lines)
    out.say("Next:")
    out.say(f"  pumpswap why POOL --run {begun.run_id}")
    out.say(f"  pumpswap positions list --run {begun.run_id}")


def _decided(result: RunResult) -> str:
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(result.tally.outcomes.items()))
    orders = f"; orders: {outcomes}" if outcomes else ""
    return f"{result.tally.accepted} wishes accepted, {result.tally.refused} refused{orders}."
