"""Actions: the few things that can be done here. Each is confirmed, and stored with who asked and what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.app.alert_desk import acknowledge, acknowledge_all
from pumpswap.app.control import RemoteControl, open_control, origin_of_process, running_runs
from pumpswap.errors import Conflict, NotFound, NotRunning, UsageError
from pumpswap.model import CommandVerb, Proposal, ProposalStatus
from pumpswap.web.parts import WebParts

__all__ = ["ACKNOWLEDGE", "ACKNOWLEDGE_ALL", "ACTIONS", "ANSWERS", "OF_A_RUN", "ActionAsk", "Done", "act"]

ACKNOWLEDGE, ACKNOWLEDGE_ALL = "ack-alert", "ack-all"
ACTIONS: Mapping[str, CommandVerb] = {
    "exits-only": CommandVerb.EXITS_ONLY,
    "pause": CommandVerb.PAUSE,
    "resume": CommandVerb.RESUME,
    "close-all": CommandVerb.PANIC,
}
ANSWERS: Mapping[str, ProposalStatus] = {"approve": ProposalStatus.APPROVED, "decline": ProposalStatus.DECLINED}
OF_A_RUN = (*ACTIONS, *ANSWERS)
_BECAME: Mapping[ProposalStatus, str] = {
    ProposalStatus.APPROVED: "approved; the engine has not acted on it yet",
    ProposalStatus.DECLINED: "declined",
    ProposalStatus.ORDERED: "approved and ordered",
    ProposalStatus.REFUSED: "approved, and then refused by the rules",
    ProposalStatus.EXPIRED: "not ordered: its time was over",
}
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ActionAsk:
    """``confirm`` repeats the name; ``number`` is that of an alert, or of the last alert that was seen; ``run_id``
    None: the run that an engine keeps, where there is one only; ``decision_id`` is that of a proposal.
    """

    name: str
    confirm: str
    client: str
    number: int | None = None
    run_id: int | None = None
    decision_id: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """``is_done``: as asked; ``text`` is the answer, ``state`` what trading is set to now (empty where it is not about
    that).
    """

    action: str
    is_done: bool
    text: str
    state: str = ""


def act(parts: WebParts, ask: ActionAsk) -> Done:
    """Do it, and wait for the engine's answer.

    Raises UsageError for what was not confirmed, NotFound for an action, an alert or a proposal that is none,
    NotRunning where nobody can do it, Conflict where it could mean two runs, or a proposal that waits no more.
    """
    names = (*OF_A_RUN, ACKNOWLEDGE, ACKNOWLEDGE_ALL)
    if ask.name not in names:
        raise NotFound("there is no such action", hint=f"one of: {', '.join(names)}")
    if ask.confirm != ask.name:
        raise UsageError("the action was not confirmed", hint="repeat its name in `confirm`")
    if ask.name not in OF_A_RUN:
        return _acknowledge(parts, ask)
    with open_control(parts.settings, _run_meant(parts, ask), clock=parts.clock) as control:
        if control.books.header.finished_ns is not None:
            raise NotRunning(f"run {control.run.run_id} is over", hint="start another one: pumpswap run")
        return _answer(control, ask) if ask.name in ANSWERS else _command(control, ask)


def _run_meant(parts: WebParts, ask: ActionAsk) -> int | None:
    """Nobody guesses whether play money or real money is meant."""
    if ask.run_id is not None:
        return ask.run_id
    running = running_runs(parts.store.database(), parts.settings, parts.clock.now_ns())
    if len(running) < 2:
        return None
    known = ", ".join(f"run {each.run_id} ({each.kind})" for each in running)
    raise Conflict(f"{len(running)} engines run: {known}", hint="name the run that is meant in `run`")


def _command(control: RemoteControl, ask: ActionAsk) -> Done:
    given = control.give(ACTIONS[ask.name], origin=_origin(ask))
    return Done(ask.name, given.is_done, given.command.answer, given.state.value)


def _answer(control: RemoteControl, ask: ActionAsk) -> Done:
    if not ask.decision_id:
        raise UsageError("no proposal was named", hint="`decision` is the id of its decision")
    control.require_running("act on proposals")
    about = control.run.proposals.get(ask.decision_id)
    if about.status is not ProposalStatus.WAITING:
        raise Conflict(f"this proposal does not wait: it is {about.status.value}", hint="a proposal is answered once")
    (found,) = control.answer((ask.decision_id,), ANSWERS[ask.name], origin=_origin(ask))
    wanted = ProposalStatus.ORDERED if ask.name == "approve" else ProposalStatus.DECLINED
    return Done(ask.name, found.status is wanted, _became(control, found))


def _became(control: RemoteControl, proposal: Proposal) -> str:
    """With the rules that have refused it after all."""
    text = f"{proposal.decision_id} is {_BECAME.get(proposal.status, proposal.status.value)}"
    stored = control.run.decided.get(proposal.follow_up) if proposal.status is ProposalStatus.REFUSED else None
    if stored is None:
        return text
    return f"{text}: {'; '.join(f'{one.policy}: {one.text}' for one in stored.decision.refusals[:2])}"


def _acknowledge(parts: WebParts, ask: ActionAsk) -> Done:
    if ask.number is None or not 1 <= ask.number <= _MOST:
        hint = "`number` is the number of the alert, or of the last one that was seen"
        raise UsageError("no alert was named", hint=hint)
    database = parts.store.database()
    if ask.name == ACKNOWLEDGE_ALL:
        count = acknowledge_all(database, parts.clock, _origin(ask), ask.number)
        return Done(ask.name, is_done=True, text=f"{count} alert{'' if count == 1 else 's'} acknowledged")
    acknowledge(database, (ask.number,), parts.clock, _origin(ask))
    return Done(ask.name, is_done=True, text=f"alert {ask.number} is acknowledged")


def _origin(ask: ActionAsk) -> str:
    return f"dashboard {ask.client}, {origin_of_process()}"
