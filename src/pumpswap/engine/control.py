"""Control: what people at other terminals want of the running engine, done and answered; and what raises and lowers
the trading state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pumpswap.engine.engine import Engine
from pumpswap.engine.strategy import STRATEGY_FAULT
from pumpswap.errors import NotFound, PumpSwapError, UsageError
from pumpswap.model import (
    AlertLevel,
    Command,
    CommandStatus,
    CommandVerb,
    ExitKind,
    Intent,
    Position,
    Proposal,
    ProposalStatus,
    TradeSide,
    TradingState,
)
from pumpswap.risk.tracker import RiskTracker
from pumpswap.storage.history import MINT_PREFIX
from pumpswap.storage.run import Run
from pumpswap.units import BPS

__all__ = ["LOWERING_VERBS", "PANIC", "STATE_VERBS", "Control", "set_state"]

PANIC = "panic"  # how the reason of the trading state begins after a panic
STATE_VERBS = frozenset({CommandVerb.PAUSE, CommandVerb.RESUME, CommandVerb.EXITS_ONLY, CommandVerb.HALT})
# These only make things safer, so they are obeyed however old they are; of the others nobody knows whether they are
# still meant.
LOWERING_VERBS = frozenset({CommandVerb.PAUSE, CommandVerb.EXITS_ONLY, CommandVerb.HALT})


def set_state(risk: RiskTracker, verb: CommandVerb, origin: str) -> str:
    """Raise or lower the trading state on somebody's word; says what follows. Raises UsageError for a pause that would
    raise it.
    """
    if verb is CommandVerb.RESUME:
        risk.resume(f"resumed by {origin}")
        for name, _ in risk.state.faults:
            if name.startswith(STRATEGY_FAULT):  # nothing else could find out that it works again
                risk.lift(name)
        faults = "; ".join(f"{name}: {reason}" for name, reason in risk.state.faults)
        if faults:
            return f"resumed, all locks are lifted; entries still wait until this is repaired: {faults}"
        return "resumed: entries go on, all locks are lifted"
    if verb is CommandVerb.HALT:
        risk.set_trading(TradingState.HALTED, f"halted by {origin}")
        return "halted: nothing is ordered, exits neither, until you resume"
    if verb is CommandVerb.EXITS_ONLY:
        risk.set_trading(TradingState.EXITS_ONLY, f"exits only, by {origin}")
        return "exits only: no entries until you resume"
    if verb is not CommandVerb.PAUSE:
        raise UsageError(f"{verb.value} is no trading state", hint="pause, resume, exits-only or halt")
    if risk.state.trading is TradingState.HALTED:
        raise UsageError("trading is halted, which is less than a pause", hint="exits-only lets exits go on")
    risk.set_trading(TradingState.EXITS_ONLY, f"paused by {origin}")
    return "paused: no entries until you resume; exits go on"


class Control:
    """Polled by whoever runs the engine, in the engine's own thread, between two of its steps.

    ``stop`` ends the run. ``flush`` stores what the engine has told: an answer is stored after what it promises, so
    that a crash between them takes nothing back that somebody has read. ``now`` is the machine's time.
    """

    def __init__(
        self, run: Run, engine: Engine, stop: Callable[[], None], flush: Callable[[], None], now: Callable[[], int]
    ) -> None:
        self._run, self._engine = run, engine
        self._stop, self._flush, self._now = stop, flush, now
        self._answers: dict[int, tuple[CommandStatus, str]] = {}  # given, and not stored yet
        self._acted: set[str] = set()  # proposals whose answer was carried out
        self._of_before = tuple(command for command in run.commands.waiting() if command.verb not in LOWERING_VERBS)

    def poll(self) -> None:
        """Do what waits. Raises StorageError when the database cannot be used now; nothing is done twice then."""
        self._refuse_those_of_before()
        for command in self._run.commands.waiting():
            if command.number not in self._answers:
                self._answers[command.number] = self._obey(command)
        for proposal in self._run.proposals.decided():
            if proposal.decision_id not in self._acted:
                self._acted.add(proposal.decision_id)
                self._act_on(proposal)
        self._go_on_with_panic()
        if self._answers:
            self._flush()
            for number, (status, answer) in list(self._answers.items()):
                self._run.commands.finish(number, status, answer, self._now())
                del self._answers[number]

    # ------------------------------------------------------------------------------------------ commands

    def _refuse_those_of_before(self) -> None:
        """What was asked of an earlier process, and was not taken by it."""
        text = "the process that this was asked of has ended before it could: ask again if you still want it"
        for command in self._of_before:
            self._answers.setdefault(command.number, (CommandStatus.FAILED, text))
        self._of_before = ()

    def _obey(self, command: Command) -> tuple[CommandStatus, str]:
        deeds: Mapping[CommandVerb, Callable[[Command], str]] = {
            CommandVerb.PANIC: self._panic,
            CommandVerb.CLOSE: self._close,
            CommandVerb.STOP: self._end,
        }
        try:
            deed = deeds.get(command.verb)
            answer = set_state(self._engine.risk, command.verb, command.origin) if deed is None else deed(command)
        except PumpSwapError as refused:
            return CommandStatus.FAILED, f"{refused.what}: {refused.hint}"
        level = AlertLevel.WARNING if command.verb is CommandVerb.PANIC else AlertLevel.INFO
        self._engine.desk.alert(level, "control", command.verb.value, f"{command.origin}: {answer}")
        return CommandStatus.DONE, answer

    def _end(self, command: Command) -> str:
        self._stop()
        return "stopping: no entries any more, what is on its way may land"

    def _panic(self, command: Command) -> str:
        """First the state, so that nothing is bought meanwhile and a halt does not hold the sales back."""
        engine = self._engine
        reason = f"{PANIC} by {command.origin}"
        engine.risk.set_trading(TradingState.EXITS_ONLY, reason)
        for proposal in list(engine.desk.proposals):
            engine.desk.drop_proposal(proposal, ProposalStatus.DECLINED, reason)
        held = engine.portfolio.positions.open_positions()
        engine.close_all(ExitKind.PANIC, reason)
        buys = sum(1 for order in engine.desk.orders if order.side is TradeSide.BUY)
        also = f"; {buys} on the way {'is' if buys == 1 else 'are'} sold as soon as bought" if buys else ""
        named = f": {', '.join(self._name(position) for position in held)}" if held else ""
        count = f"{len(held)} position{'' if len(held) == 1 else 's'}"
        return f"selling {count} at the widest limits{named}{also}; no entries until you resume"

    def _go_on_with_panic(self) -> None:
        """Until somebody resumes, what still comes in after a panic is sold too: buys that were on their way."""
        engine = self._engine
        state = engine.risk.state
        if state.trading is not TradingState.EXITS_ONLY or not state.trading_reason.startswith(f"{PANIC} "):
            return
        for position in engine.portfolio.positions.open_positions():
            known = engine.desk.parts.exits.state(position.pool)
            if known is None or known.wanted is not ExitKind.PANIC:
                self._sell(position, position.base_units, ExitKind.PANIC, state.trading_reason)

    def _close(self, command: Command) -> str:
        text, share = command.arguments.get("what", ""), command.arguments.get("share_bps", str(BPS))
        if not share.isdecimal() or not 0 < int(share) <= BPS:
            raise UsageError(f"a share of {share} bps", hint=f"1 to {BPS}")
        found = self._held_as(text)
        for position in found:
            units = position.base_units * int(share) // BPS
            if units:
                self._sell(position, units, ExitKind.BY_HAND, f"asked for by {command.origin}")
        part = "" if int(share) == BPS else f"{int(share) / 100:g} % of "
        return f"selling {part}{', '.join(self._name(position) for position in found)}"

    def _held_as(self, text: str) -> Sequence[Position]:
        """Open positions of a pool, a mint or a name, as `positions show` understands it."""
        found = [
            position
            for position in self._engine.portfolio.positions.open_positions()
            if text
            and (
                text in (position.pool, position.mint, position.mint[:MINT_PREFIX])
                or text.lower() in (position.name.lower(), position.name.lower().removesuffix(" / sol"))
            )
        ]
        if not found:
            raise NotFound("nothing is held of that", hint="`pumpswap positions list` lists what is held")
        return found

    def _sell(self, position: Position, units: int, kind: ExitKind, reason: str) -> None:
        engine = self._engine
        at_ns = engine.clock.now_ns()
        wish = Intent(TradeSide.SELL, position.pool, position.mint, at_ns, reason, base_units=units, exit=kind)
        engine.desk.wish(wish)

    # ------------------------------------------------------------------------------------------ proposals

    def _act_on(self, proposal: Proposal) -> None:
        desk = self._engine.desk
        if proposal.decision_id not in desk.proposals:  # its time was over before this was read
            self._run.proposals.save(replace(proposal, status=ProposalStatus.EXPIRED))
        elif proposal.status is ProposalStatus.DECLINED:
            desk.drop_proposal(proposal.decision_id, ProposalStatus.DECLINED, proposal.origin)
            self._flush()
        else:
            desk.approve(proposal.decision_id, proposal.origin)
            self._flush()

    def _name(self, position: Position) -> str:
        return position.name or position.mint[:MINT_PREFIX]
