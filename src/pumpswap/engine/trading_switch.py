"""How a person turns trading down and up: the word is stored by itself, and heard by whoever trades with the books."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.engine.strategy import STRATEGY_FAULT
from pumpswap.errors import UsageError
from pumpswap.model import CommandVerb, TradingState, TradingSwitch
from pumpswap.risk.tracker import RiskTracker
from pumpswap.storage.run import Run

__all__ = ["LOWERING_VERBS", "STATE_VERBS", "SWITCH", "hear_switch", "turn", "turned", "words_of"]

SWITCH = "switch"  # the argument of a command whose word is stored already: its number
# These only make things safer, so they hold from the moment in which they are stored, whoever runs.
LOWERING_VERBS = frozenset({CommandVerb.PAUSE, CommandVerb.EXITS_ONLY, CommandVerb.HALT})
STATE_VERBS = LOWERING_VERBS | {CommandVerb.RESUME}
_WORDS = {
    CommandVerb.PAUSE: "paused: no entries until you resume; exits go on",
    CommandVerb.EXITS_ONLY: "exits only: no entries until you resume",
    CommandVerb.HALT: "halted: nothing is ordered, exits neither, until you resume",
    CommandVerb.RESUME: "resumed: entries go on, all locks are lifted",
}


def turn(run: Run, verb: CommandVerb, origin: str, at_ns: int) -> TradingSwitch:
    """Store what a person has set. Raises what ``turned`` raises."""
    with run.batch():
        after = turned(run.states.switch(to_change=True), verb, origin)
        run.states.set_switch(after, at_ns)
    return after


def turned(before: TradingSwitch, verb: CommandVerb, origin: str) -> TradingSwitch:
    """What holds after a command. A panic lasts until somebody resumes, whatever is set meanwhile.

    Raises UsageError for a pause that would raise the state, and for what sets none.
    """
    number = before.number + 1
    if verb is CommandVerb.RESUME:
        return TradingSwitch(number, TradingState.ACTIVE, f"resumed by {origin}", "", number)
    if verb is CommandVerb.PANIC:
        reason = f"panic by {origin}"
        return replace(before, number=number, trading=TradingState.EXITS_ONLY, reason=reason, panic=reason)
    also = f", after {before.panic}" if before.panic else ""
    if verb is CommandVerb.HALT:
        return replace(before, number=number, trading=TradingState.HALTED, reason=f"halted by {origin}{also}")
    if verb is CommandVerb.PAUSE and before.trading is TradingState.HALTED:
        raise UsageError("trading is halted, which is less than a pause", hint="exits-only lets exits go on")
    if verb not in STATE_VERBS:
        raise UsageError(f"{verb.value} is no trading state", hint="pause, resume, exits-only or halt")
    reason = f"paused by {origin}" if verb is CommandVerb.PAUSE else f"exits only, by {origin}"
    return replace(before, number=number, trading=TradingState.EXITS_ONLY, reason=reason + also)


def words_of(verb: CommandVerb) -> str:
    """What follows from a command that sets the state."""
    return _WORDS[verb]


def hear_switch(run: Run, risk: RiskTracker) -> None:
    """Let risk know what a person has set since. Before each decision; raises StorageError."""
    if risk.obey(run.states.switch()):
        for name, _ in risk.state.faults:
            if name.startswith(STRATEGY_FAULT):  # nothing else could find out that it works again
                risk.lift(name)
