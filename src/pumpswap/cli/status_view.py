"""What `pumpswap status` shows: one line for each question, for people and as JSON."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from pumpswap.app.status import Status
from pumpswap.chain.networks import network_of
from pumpswap.cli.books_view import duration_text, iso_time, run_json, time_at
from pumpswap.cli.formats import counted, printable, sol_text
from pumpswap.cli.output import Output
from pumpswap.model import TradingState
from pumpswap.storage.decided import StoredDecision

__all__ = ["show_status", "status_json"]

_MOST_RULES = 8


def show_status(out: Output, found: Status) -> None:
    """For people."""
    header = found.header
    where = f" on {network_of(header.network)}" if header.network else ""
    out.show(Text(f"Run {header.run_id}, {header.kind}{where}, as of {time_at(found.as_of_ns)}", "bold"), "")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, told in _lines(found):
        table.add_row(Text(name, "dim"), told)
    out.show(table)
    out.say("\nNext:")
    for step in _next_steps(found):
        out.say(f"  {step}")


def _lines(found: Status) -> list[tuple[str, Text]]:
    lines = [("engine", _engine(found)), ("trading", _trading(found))]
    lines += [("fault", Text(f"{name}: {printable(text)}", "red")) for name, text in found.faults]
    beat = found.heartbeat
    if found.is_running and beat is not None:
        faulty = {name for name, _ in found.faults}
        parts = [(name, words) for name, words in beat.parts.items() if name not in faulty]
        lines += [("part", Text(f"{name}: {printable(words)}")) for name, words in parts]
        if beat.waiting:
            lines.append(("waiting", Text(counted(beat.waiting, "update"))))
    told = {"trading state", "mode"}  # said above already
    lines += [
        ("in the way", Text(f"{one.policy}: {printable(one.text)}", "yellow"))
        for one in found.obstacles
        if one.policy not in told
    ]
    lines.append(("last hour", _lately(found)))
    if found.nearest is not None:
        lines.append(("nearest", _nearest(found.nearest)))
    lines.append(("holds", _holds(found)))
    if found.equity is not None:
        lines.append(("equity", Text(sol_text(found.equity.equity_lamports))))
    return lines


def _engine(found: Status) -> Text:
    beat, age = found.heartbeat, found.heartbeat_age_seconds
    if found.header.finished_ns is not None:
        return Text(f"none: run {found.header.run_id} is over since {time_at(found.header.finished_ns)}", "yellow")
    if beat is None or age is None:
        return Text("none has ever kept this run", "yellow")
    when = f"{duration_text(age)} ago"
    if not found.is_running:
        end = "an error ended it" if beat.broken else "it was stopped"
        why = f"{end} {when}" if beat.stopping else f"its last heartbeat was {when}: it is gone, or hangs"
        return Text(f"none: {why}", "yellow")
    could = "an entry could be carried out" if found.able else "no entry could be carried out"
    line = Text(f"process {beat.process}, mode {beat.mode}, heartbeat {when}; ")
    return line.append(could, "green" if found.able else "yellow")


def _trading(found: Status) -> Text:
    switch = found.switch
    if switch.trading is TradingState.ACTIVE:
        return Text("active", "green")
    line = Text(switch.trading.value, "yellow").append(f": {printable(switch.reason)}" if switch.reason else "")
    return line.append("; until `pumpswap resume`")


def _lately(found: Status) -> Text:
    if not found.accepted and not found.refused:
        return Text("nothing was decided: no signal was a reason to wish anything")
    rules = list(found.refused_by.items())[:_MOST_RULES]
    by = ": " + ", ".join(f"{policy} {count}" for policy, count in rules) if rules else ""
    return Text(f"{found.accepted} accepted, {found.refused} refused{by}")


def _nearest(stored: StoredDecision) -> Text:
    intent, signal = stored.decision.intent, stored.decision.intent.signal
    name = printable(signal.name) if signal is not None and signal.name else intent.pool[:8]
    score = "" if signal is None else f", score {signal.score:.1f}"
    reasons = "; ".join(f"{one.policy}: {printable(one.text)}" for one in stored.decision.refusals)
    return Text(f"{name}{score}, {stored.decision.decision_id}, refused by {reasons}")


def _holds(found: Status) -> Text:
    text = counted(found.open_positions, "open position")
    text += f", {counted(found.on_the_way, 'order')} on the way" if found.on_the_way else ""
    return Text(text + (f", {counted(found.proposals, 'proposal')} waiting for you" if found.proposals else ""))


def _next_steps(found: Status) -> list[str]:
    steps = []
    if not found.is_running:
        steps.append("pumpswap run")
    elif found.switch.trading is not TradingState.ACTIVE:
        steps.append("pumpswap resume")
    if found.proposals:
        steps.append("pumpswap approve")
    if found.nearest is not None:
        steps.append(f"pumpswap why {found.nearest.decision.decision_id} --run {found.header.run_id}")
    return [*steps, f"pumpswap positions list --run {found.header.run_id}"]


# ---------------------------------------------------------------------------------------------- for scripts


def status_json(found: Status) -> dict[str, Any]:
    """For ``--json``."""
    beat, switch, equity = found.heartbeat, found.switch, found.equity
    return {
        "run": run_json(found.header),
        "as_of": iso_time(found.as_of_ns),
        "is_running": found.is_running,
        "able": found.able,
        "engine": None
        if beat is None
        else {
            "process": beat.process,
            "mode": beat.mode,
            "at": iso_time(beat.at_ns),
            "age_seconds": found.heartbeat_age_seconds,
            "stopping": beat.stopping,
            "events": beat.events,
            "waiting": beat.waiting,
            "parts": dict(beat.parts),
        },
        "trading": {"state": switch.trading.value, "reason": switch.reason or None},
        "faults": dict(found.faults),
        "obstacles": [{"policy": one.policy, "text": one.text} for one in found.obstacles],
        "last_hour": {
            "accepted": found.accepted,
            "refused": found.refused,
            "refused_by_policy": dict(found.refused_by),
            "nearest": None if found.nearest is None else _nearest_json(found.nearest),
        },
        "open_positions": found.open_positions,
        "orders_on_the_way": found.on_the_way,
        "proposals_waiting": found.proposals,
        "equity_lamports": None if equity is None else str(equity.equity_lamports),
    }


def _nearest_json(stored: StoredDecision) -> dict[str, Any]:
    decision, signal = stored.decision, stored.decision.intent.signal
    return {
        "decision_id": decision.decision_id,
        "pool": decision.intent.pool,
        "mint": decision.intent.mint,
        "name": None if signal is None else signal.name or None,
        "score": None if signal is None else signal.score,
        "at": iso_time(decision.intent.at_ns),
        "refusals": [{"policy": one.policy, "text": one.text} for one in decision.refusals],
    }
