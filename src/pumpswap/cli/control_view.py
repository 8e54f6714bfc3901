"""What the commands to a running engine show: its answer, what a panic would sell, what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from pumpswap.app.books import Held
from pumpswap.app.control import Given, RemoteControl, Waiting
from pumpswap.cli.books_view import (
    books_table,
    duration_text,
    iso_time,
    name_of,
    run_json,
    short_sol,
)
from pumpswap.cli.formats import counted, printable, sol_text
from pumpswap.cli.output import Output
from pumpswap.cli.positions_view import mark_text, pnl_text
from pumpswap.clock import SystemClock
from pumpswap.model import Proposal, ProposalStatus
from pumpswap.storage.history import MINT_PREFIX

__all__ = ["given_json", "plan_json", "show_answered", "show_given", "show_plan", "show_waiting"]

_STYLES = {
    ProposalStatus.ORDERED: ("ordered", "green"),
    ProposalStatus.REFUSED: ("refused by the gate", "red"),
    ProposalStatus.DECLINED: ("declined", ""),
    ProposalStatus.EXPIRED: ("too late: it had expired", "yellow"),
    ProposalStatus.APPROVED: ("approved; the engine has not acted on it yet", "yellow"),
    ProposalStatus.WAITING: ("still waits", "yellow"),
}


# ---------------------------------------------------------------------------------------------- commands


def show_given(out: Output, control: RemoteControl, given: Given) -> None:
    """The answer, and whose it is."""
    answer = printable(given.command.answer)
    who = f"Run {control.run.run_id}, {control.books.header.kind}"
    out.show(Text.assemble((f"{who}: ", "bold"), (answer, "" if given.is_done else "red")))


def given_json(control: RemoteControl, given: Given) -> dict[str, Any]:
    """The command and its answer, exactly."""
    command = given.command
    return {
        "run": run_json(control.books.header),
        "is_running": given.is_running,
        "trading_state": given.state.value,
        "command": {
            "number": command.number,
            "verb": command.verb.value,
            "origin": command.origin,
            "at": iso_time(command.at_ns),
            "status": command.status.value,
            "answer": command.answer,
            "done_at": iso_time(command.done_ns),
        },
    }


# ---------------------------------------------------------------------------------------------- panic


def show_plan(out: Output, control: RemoteControl, held: Sequence[Held], what: str = "Panic") -> None:
    """What would be sold, and what it would bring."""
    out.show(Text(f"{what} in run {control.run.run_id}, {control.books.header.kind}", "bold"))
    if not held:
        out.show("Nothing is held; entries would stop until you resume.")
        return
    table = books_table()
    for name in ("sell", "cost SOL", "would bring", "result", "valued"):
        table.add_column(name, justify="left" if name in ("sell", "valued") else "right", no_wrap=True)
    now = SystemClock().now_ns()
    for each in held:
        value = each.value_lamports
        table.add_row(
            name_of(each.position),
            short_sol(each.position.cost_lamports),
            "?" if value is None else short_sol(value),
            pnl_text(each.position.cost_lamports, each.unrealised_lamports),
            mark_text(each, now),
        )
    out.show("", table, "")
    known = [each.value_lamports for each in held if each.value_lamports is not None]
    unknown = len(held) - len(known)
    more = f", {counted(unknown, 'position')} of unknown worth" if unknown else ""
    out.show(f"{counted(len(held), 'position')}, about {sol_text(sum(known))}{more}, if every sale lands at its quote.")


def plan_json(held: Sequence[Held]) -> list[dict[str, Any]]:
    """What is sold, exactly, as it was valued before."""
    return [
        {
            "name": each.position.name,
            "pool": each.position.pool,
            "mint": each.position.mint,
            "base_units": str(each.position.base_units),
            "cost_lamports": str(each.position.cost_lamports),
            "value_lamports": None if each.value_lamports is None else str(each.value_lamports),
            "valued_at": None if each.mark is None else iso_time(each.mark.at_ns),
        }
        for each in held
    ]


# ---------------------------------------------------------------------------------------------- proposals


def show_waiting(out: Output, control: RemoteControl) -> None:
    """What waits for a person."""
    waiting = control.waiting()
    if out.json:
        document = {
            "run": run_json(control.books.header),
            "is_running": control.is_running(),
            "proposals": [_waiting_json(each) for each in waiting],
        }
        out.emit("proposals", document)
        return
    if not waiting:
        out.show(f"Nothing waits for approval in run {control.run.run_id}.")
        return
    table = books_table()
    for name in ("id", "coin", "size SOL", "score", "left", "price impact, and why"):
        table.add_column(name, justify="right" if name in ("size SOL", "score", "left") else "left", no_wrap=True)
    for each in waiting:
        proposal, decision = each.proposal, each.decision
        signal = None if decision is None else decision.intent.signal
        impact = "" if each.impact is None else f"{each.impact.text}; "
        table.add_row(
            proposal.decision_id,
            _name(proposal),
            short_sol(proposal.quote_lamports),
            "" if signal is None else f"{signal.score:.1f}",
            Text(duration_text(each.seconds_left), "red" if each.seconds_left < 15 else ""),
            Text(printable(impact + ("" if decision is None else decision.intent.reason))),
        )
    out.show(table, "")
    out.show(*(f"{each.proposal.decision_id} is pool {each.proposal.pool}" for each in waiting), keep_lines=True)
    if not control.is_running():
        out.warn("no engine runs, so an approval would do nothing")


def show_answered(out: Output, control: RemoteControl, found: Sequence[Proposal]) -> None:
    """What became of each, and of a refused one why."""
    if out.json:
        document = {
            "run": run_json(control.books.header),
            "proposals": [_proposal_json(proposal) | {"refusals": _refusals(control, proposal)} for proposal in found],
        }
        out.emit("proposals", document)
        return
    for proposal in found:
        word, style = _STYLES[proposal.status]
        line = Text.assemble((proposal.decision_id, "bold"), f" {_name(proposal)}: ", (word, style))
        if proposal.status is ProposalStatus.ORDERED:
            line.append(f" ({sol_text(proposal.quote_lamports)} were proposed; decision {proposal.follow_up})")
        out.show(line, *(f"  {printable(text)}" for text in _refusals(control, proposal)))


def _refusals(control: RemoteControl, proposal: Proposal) -> list[str]:
    if proposal.status is not ProposalStatus.REFUSED:
        return []
    stored = control.run.decided.get(proposal.follow_up)
    refusals = () if stored is None else stored.decision.refusals
    return [f"{verdict.policy}: {verdict.text}" for verdict in refusals]


def _waiting_json(each: Waiting) -> dict[str, Any]:
    signal = None if each.decision is None else each.decision.intent.signal
    return _proposal_json(each.proposal) | {
        "seconds_left": each.seconds_left,
        "reason": None if each.decision is None else each.decision.intent.reason,
        "score": None if signal is None else signal.score,
        "price_impact": None if each.impact is None else each.impact.numbers.get("impact"),
    }


def _proposal_json(proposal: Proposal) -> dict[str, Any]:
    return {
        "decision_id": proposal.decision_id,
        "pool": proposal.pool,
        "mint": proposal.mint,
        "name": proposal.name,
        "quote_lamports": str(proposal.quote_lamports),
        "at": iso_time(proposal.at_ns),
        "expires_at": iso_time(proposal.expires_ns),
        "status": proposal.status.value,
        "origin": proposal.origin or None,
        "decided_at": iso_time(proposal.decided_ns),
        "follow_up": proposal.follow_up or None,
    }


def _name(proposal: Proposal) -> str:
    return printable(proposal.name) or proposal.mint[:MINT_PREFIX]
