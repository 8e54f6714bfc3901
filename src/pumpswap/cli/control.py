"""``pumpswap pause``, ``resume``, ``exits-only``, ``halt``, ``stop``, ``panic``, ``approve`` and ``decline``: at
another terminal than the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pumpswap.cli.asking import confirm
from pumpswap.cli.lazy import Command, Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME, RUN
from pumpswap.errors import GuardRefused

if TYPE_CHECKING:
    from pumpswap.app.control import Given, RemoteControl
    from pumpswap.settings import Settings

__all__ = ["approve", "closed_by_engine", "decline", "exits_only", "halt", "panic", "pause", "resume", "stop"]

_RUNNING = "a running engine"
_ANY_RUN = "a run that an engine keeps"
_run = option(
    "--run",
    "run_id",
    type=RUN,
    metavar="N",
    help="Number of the run; default: the one that runs now, else the live one.",
)
_ANSWERED = (
    "The running engine takes it within a second, and its answer is shown. Who asked, when, and what was answered is "
    "stored."
)
_OFFLINE = "What you set is stored by itself: without an engine the next start honours it, and so do trades by hand."


def _state_command(name: str, what: str, verb: str, about: str) -> Command:
    @command(name, help=f"{what}\n\n{_ANSWERED} {_OFFLINE}", examples=[Example(f"pumpswap {name}", about, _ANY_RUN)])
    @_run
    @pass_output
    def given(out: Output, run_id: int | None) -> None:
        from pumpswap.app.control import open_control
        from pumpswap.cli.config import settings_anyway
        from pumpswap.model import CommandVerb

        with open_control(settings_anyway(out), run_id) as control:
            _tell(out, control, control.give(CommandVerb(verb)))

    return given


pause = _state_command(
    "pause",
    "Stop entries until you resume. Exits go on: what is held is still sold by its rules.",
    "pause",
    "no entries until you resume",
)
resume = _state_command(
    "resume",
    "Let everything go on, and lift every lock: pause, exits only, halt, the circuit breaker, the day's loss, the "
    "drawdown, a pause after losses. Only a person does this; faults lift themselves when what is broken works again.",
    "resume",
    "entries go on",
)
exits_only = _state_command(
    "exits-only",
    "Trade exits only, until you resume: what is held is sold by its rules, nothing is bought. After a halt it "
    "lets the exits go on.",
    "exits-only",
    "sell by the rules, buy nothing",
)
halt = _state_command(
    "halt",
    "Order nothing at all until you resume, exits neither. What is on its way already may still land, and is booked.",
    "halt",
    "nothing is ordered, not even exits",
)


@command(
    "stop",
    help=(
        "End the running engine in order, as Ctrl-C at its terminal does: no entries any more, what is on its way may "
        "land, everything is stored.\n\n"
        f"Positions stay open, and nobody looks after them until the next start. {_ANSWERED} Without an engine it ends "
        "with exit code 6."
    ),
    examples=[Example("pumpswap stop", "the engine ends; what is held stays held", _RUNNING)],
)
@_run
@pass_output
def stop(out: Output, run_id: int | None) -> None:
    from pumpswap.app.control import open_control
    from pumpswap.cli.config import settings_anyway
    from pumpswap.model import CommandVerb

    with open_control(settings_anyway(out), run_id) as control:
        control.require_running("be stopped", hint="there is nothing to do: no engine trades with these books")
        _tell(out, control, control.give(CommandVerb.STOP))


@command(
    "panic",
    help=(
        "Sell everything that is held, at once and at the widest limits, and buy nothing until you resume.\n\n"
        "It shows what is held and what that would bring, then asks; --yes skips the question. Buys that are on their "
        "way are sold as soon as they are bought; a sale that fails is tried again. It needs a running engine: without "
        "one it ends with exit code 6 and says how to sell by hand."
    ),
    examples=[
        Example("pumpswap panic", "what would be sold, then the question", _RUNNING),
        Example("pumpswap panic --yes", "at once", _RUNNING),
    ],
)
@_run
@pass_output
def panic(out: Output, run_id: int | None) -> None:
    from pumpswap.app.control import open_control
    from pumpswap.cli.config import settings_anyway
    from pumpswap.cli.control_view import plan_json, show_plan
    from pumpswap.model import CommandVerb

    with open_control(settings_anyway(out), run_id) as control:
        control.require_running("sell")
        held = control.held()
        if held:  # else there is nothing that could not be undone
            confirm(out, "panic", "Sell all of it now?", lambda: show_plan(out, control, held))
        _tell(out, control, control.give(CommandVerb.PANIC), {"plan": plan_json(held)})


@command(
    "approve",
    help=(
        "Approve buys that wait for you, in the mode 'approve'. Without an id: list what waits.\n\n"
        "An approved buy is put through the gate again, since the market has moved: it may still be refused, which is "
        "exit code 7. After its time (run.approve_seconds) a proposal has expired."
    ),
    examples=[
        Example("pumpswap approve", "what waits: pool, size, impact, seconds left", _ANY_RUN),
        Example("pumpswap approve d000123", "buy it, if the gate still agrees", _RUNNING),
    ],
)
@click.argument("decision_ids", nargs=-1, type=NAME, metavar="[ID...]")
@_run
@pass_output
def approve(out: Output, decision_ids: tuple[str, ...], run_id: int | None) -> None:
    _answer(out, decision_ids, run_id, is_approval=True)


@command(
    "decline",
    help="Decline buys that wait for you, in the mode 'approve'. `pumpswap approve` lists them.",
    examples=[Example("pumpswap decline d000123", "do not buy it", _RUNNING)],
)
@click.argument("decision_ids", nargs=-1, required=True, type=NAME, metavar="ID...")
@_run
@pass_output
def decline(out: Output, decision_ids: tuple[str, ...], run_id: int | None) -> None:
    _answer(out, decision_ids, run_id, is_approval=False)


def closed_by_engine(out: Output, settings: Settings, address: str, *, live: bool) -> bool:
    """Have the running engine sell what it holds of ``address``, after a question; whether there was one that does.

    ``live`` chooses between an engine that trades with money and one that does not.
    """
    from pumpswap.app.control import open_control
    from pumpswap.cli.control_view import plan_json, show_plan
    from pumpswap.errors import NotRunning
    from pumpswap.model import CommandVerb

    try:
        with open_control(settings) as control:
            if not control.is_running() or control.books.goes_on != live:
                return False
            held = [each for each in control.held() if address in (each.position.pool, each.position.mint)]
            if not held:
                return False
            confirm(out, "positions close", "Sell it now?", lambda: show_plan(out, control, held, "Sell"))
            given = control.give(CommandVerb.CLOSE, {"what": address})
            _tell(out, control, given, {"plan": plan_json(held)})
            return True
    except NotRunning:
        return False


# ---------------------------------------------------------------------------------------------- helpers


def _answer(out: Output, decision_ids: Sequence[str], run_id: int | None, *, is_approval: bool) -> None:
    from pumpswap.app.control import open_control
    from pumpswap.cli.config import settings_anyway
    from pumpswap.cli.control_view import show_answered, show_waiting
    from pumpswap.model import ProposalStatus

    with open_control(settings_anyway(out), run_id) as control:
        if not decision_ids:
            show_waiting(out, control)
            return
        status = ProposalStatus.APPROVED if is_approval else ProposalStatus.DECLINED
        # Named twice is meant once: a proposal is answered once.
        found = control.answer(tuple(dict.fromkeys(decision_ids)), status)
        show_answered(out, control, found)
    wanted = ProposalStatus.ORDERED if is_approval else ProposalStatus.DECLINED
    if any(proposal.status is not wanted for proposal in found):
        click.get_current_context().exit(GuardRefused.exit_code)


def _tell(out: Output, control: RemoteControl, given: Given, more: dict[str, object] | None = None) -> None:
    from pumpswap.cli.control_view import given_json, show_given

    if out.json:
        out.emit("control", given_json(control, given) | (more or {}))
    else:
        show_given(out, control, given)
    if not given.is_done:
        click.get_current_context().exit(GuardRefused.exit_code)
