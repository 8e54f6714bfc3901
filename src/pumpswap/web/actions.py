"""Actions: the few things that can be done here. Each is confirmed, and stored with who asked and what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.app.alert_desk import acknowledge
from pumpswap.app.control import open_control, origin_of_process
from pumpswap.errors import NotFound, UsageError
from pumpswap.model import CommandVerb
from pumpswap.web.parts import WebParts

__all__ = ["ACKNOWLEDGE", "ACTIONS", "ActionAsk", "Done", "act"]

ACKNOWLEDGE = "ack-alert"
ACTIONS: Mapping[str, CommandVerb] = {
    "exits-only": CommandVerb.EXITS_ONLY,
    "pause": CommandVerb.PAUSE,
    "resume": CommandVerb.RESUME,
    "close-all": CommandVerb.PANIC,
}
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ActionAsk:
    """``confirm`` repeats the name; ``number`` is that of an alert; ``run_id`` None: the run that an engine keeps."""

    name: str
    confirm: str
    client: str
    number: int | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """``is_done``: as asked; ``text`` is the answer, ``state`` what trading is set to now (empty for an alert)."""

    action: str
    is_done: bool
    text: str
    state: str = ""


def act(parts: WebParts, ask: ActionAsk) -> Done:
    """Do it, and wait for the engine's answer.

    Raises UsageError for what was not confirmed, NotFound for an action or an alert that is none, NotRunning where
    nobody can do it.
    """
    if ask.name != ACKNOWLEDGE and ask.name not in ACTIONS:
        hint = f"one of: {', '.join((*ACTIONS, ACKNOWLEDGE))}"
        raise NotFound("there is no such action", hint=hint)
    if ask.confirm != ask.name:
        raise UsageError("the action was not confirmed", hint="repeat its name in `confirm`")
    return _acknowledge(parts, ask) if ask.name == ACKNOWLEDGE else _command(parts, ask)


def _command(parts: WebParts, ask: ActionAsk) -> Done:
    with open_control(parts.settings, ask.run_id, clock=parts.clock) as control:
        given = control.give(ACTIONS[ask.name], origin=_origin(ask))
    return Done(ask.name, given.is_done, given.command.answer, given.state.value)


def _acknowledge(parts: WebParts, ask: ActionAsk) -> Done:
    if ask.number is None or not 1 <= ask.number <= _MOST:
        raise UsageError("no alert was named", hint="`number` is the number of the alert")
    acknowledge(parts.store.database(), (ask.number,), parts.clock, _origin(ask))
    return Done(ask.name, is_done=True, text=f"alert {ask.number} is acknowledged")


def _origin(ask: ActionAsk) -> str:
    return f"dashboard {ask.client}, {origin_of_process()}"
