"""Control: what people at other terminals want of the running engine, done and answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from pumpswap.engine.engine import Engine
from pumpswap.engine.strategy import STRATEGY_FAULT
from pumpswap.engine.trading_switch import (
    LOWERING_VERBS,
    STATE_VERBS,
    SWITCH,
    hear_switch,
    turn,
    turned,
    words_of,
)
from pumpswap.errors import GuardRefused, NotFound, PumpSwapError, StorageError, UsageError
from pumpswap.model import (
    AlertLevel,
    Command,
    CommandStatus,
    CommandVerb,
    Decision,
    ExitKind,
    Intent,
    Position,
    Proposal,
    ProposalStatus,
    TradeSide,
    TradingState,
)
from pumpswap.model.plain_text import coin_text
from pumpswap.storage.history import MINT_PREFIX
from pumpswap.storage.run import Run
from pumpswap.units import BPS

__all__ = ["Control", "Stores"]

_OF_BEFORE = "the process that this was asked of has ended before it could: ask again if you still want it"


class Stores(Protocol):
    """Who stores what the engine tells: the outbox on paper, the recorder of a live wallet."""

    def also(self, write: Callable[[], object]) -> None:
        """Do this in the transaction of the next flush."""
        ...

    def flush(self) -> None:
        """Store everything that was told. Raises StorageError, and keeps what it could not store."""
        ...


class Control:
    """Polled by whoever runs the engine, in the engine's own thread, between two of its steps.

    ``stop`` ends the run. ``stores`` is who stores what the engine tells: an answer is stored in one transaction with
    what it promises, so that a crash leaves both or neither. ``now`` is the machine's time, ``market_now`` that of the
    market, where it has one beside its updates.

    What a person has set (pause, halt, …) has a row of its own, and holds as soon as that is stored: here it is heard.
    """

    def __init__(
        self,
        run: Run,
        engine: Engine,
        stop: Callable[[], None],
        stores: Stores,
        now: Callable[[], int],
        market_now: Callable[[], int] | None = None,
    ) -> None:
        self._run, self._engine = run, engine
        self._market_now = market_now or engine.clock.now_ns
        self._stop, self._stores, self._now = stop, stores, now
        self._taken: set[int] = set()  # commands that were obeyed; their answers may not be stored yet
        self._acted: set[str] = set()  # proposals whose answer was carried out
        self._of_before = frozenset(command.number for command in run.commands.waiting())
        hear_switch(run, engine.risk)

    def poll(self) -> None:
        """Do what waits. Raises StorageError when the database cannot be used now; nothing is done twice then."""
        hear_switch(self._run, self._engine.risk)
        stored = self._run.commands.waiting()
        self._taken &= {command.number for command in stored}  # of the others the answers are stored
        waiting = [command for command in stored if command.number not in self._taken]
        for command in waiting:
            if command.verb in STATE_VERBS and self._is_meant(command):
                self._turn(command)
            else:
                self._tell(command, *(self._obey(command) if self._is_meant(command) else self._of_earlier(command)))
            self._taken.add(command.number)
        decided = self._run.proposals.decided()
        self._acted &= {proposal.decision_id for proposal in decided}
        answered = [proposal for proposal in decided if proposal.decision_id not in self._acted]
        for proposal in answered:
            self._acted.add(proposal.decision_id)
            self._act_on(proposal)
        self._go_on_with_panic()
        if waiting or answered:
            self._stores.flush()

    # ------------------------------------------------------------------------------------------ commands

    def _is_meant(self, command: Command) -> bool:
        """What was asked of an earlier process is only done where it makes things safer: of the rest nobody knows
        whether it is still wanted.
        """
        return command.number not in self._of_before or command.verb in LOWERING_VERBS

    def _of_earlier(self, command: Command) -> tuple[CommandStatus, str]:
        panic = self._run.states.switch().panic
        if command.verb is CommandVerb.PANIC and panic:  # the word of it was stored before anything was sold
            return CommandStatus.DONE, f"{panic} goes on: what is held is sold at the widest limits"
        return CommandStatus.FAILED, _OF_BEFORE

    def _turn(self, command: Command) -> None:
        """Word and answer are stored together; where the one who asked has stored the word, only the answer is."""
        run, status, answer = self._run, CommandStatus.DONE, self._words(command)
        with run.batch():
            after = before = run.states.switch(to_change=True)
            try:
                if SWITCH not in command.arguments:
                    after = turned(before, command.verb, command.origin)
                elif command.arguments[SWITCH] != str(before.number):
                    answer += f"; since then: {before.reason}"
            except UsageError as refused:
                status, answer = CommandStatus.FAILED, f"{refused.what}: {refused.hint}"
            is_waiting = run.commands.answer(command.number, status, answer, self._now())
            if is_waiting and after is not before:  # else it was taken back meanwhile
                run.states.set_switch(after, self._now())
        hear_switch(run, self._engine.risk)
        if is_waiting:
            self._engine.desk.alert(AlertLevel.INFO, "control", command.verb.value, f"{command.origin}: {answer}")

    def _words(self, command: Command) -> str:
        faults = [one for one in self._engine.risk.state.faults if not one[0].startswith(STRATEGY_FAULT)]
        if command.verb is not CommandVerb.RESUME or not faults:
            return words_of(command.verb)
        told = "; ".join(f"{name}: {reason}" for name, reason in faults)
        return f"{words_of(command.verb)}; but they wait until this is repaired: {told}"

    def _tell(self, command: Command, status: CommandStatus, answer: str) -> None:
        """The answer goes with what it promises."""
        self._stores.also(partial(self._run.commands.answer, command.number, status, answer, self._now()))

    def _obey(self, command: Command) -> tuple[CommandStatus, str]:
        deeds: Mapping[CommandVerb, Callable[[Command], str]] = {
            CommandVerb.PANIC: self._panic,
            CommandVerb.CLOSE: self._close,
            CommandVerb.STOP: self._end,
        }
        try:
            answer = deeds[command.verb](command)
        except StorageError:
            raise  # it is tried again
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
        reason = turn(self._run, command.verb, command.origin, self._now()).panic
        hear_switch(self._run, engine.risk)
        waited = list(engine.desk.proposals)
        for proposal in waited:
            engine.desk.drop_proposal(proposal, ProposalStatus.DECLINED, reason)
        held = engine.portfolio.positions.open_positions()
        engine.close_all(ExitKind.PANIC, reason)
        buys = sum(1 for order in engine.desk.orders if order.side is TradeSide.BUY)
        also = f"; {buys} on the way {'is' if buys == 1 else 'are'} sold as soon as bought" if buys else ""
        if waited:
            also += (
                f"; {_counted(len(waited), 'proposal')} that waited for you {'is' if len(waited) == 1 else 'are'} gone"
            )
        named = f": {', '.join(self._name(position) for position in held)}" if held else ""
        count = _counted(len(held), "position")
        return f"selling {count} at the widest limits{named}{also}; no entries until you resume"

    def _go_on_with_panic(self) -> None:
        """Until somebody resumes, what still comes in after a panic is sold too: buys that were on their way."""
        engine = self._engine
        state = engine.risk.state
        if not state.panic or state.trading is TradingState.HALTED:
            return
        for position in engine.portfolio.positions.open_positions():
            known = engine.desk.parts.exits.state(position.pool)
            if known is None or known.wanted is not ExitKind.PANIC:
                self._sell(position, position.base_units, ExitKind.PANIC, state.panic)

    def _close(self, command: Command) -> str:
        text, share = command.arguments.get("what", ""), command.arguments.get("share_bps", str(BPS))
        if not share.isdecimal() or not 0 < int(share) <= BPS:
            raise UsageError(f"a share of {share} bps", hint=f"1 to {BPS}")
        part = "" if int(share) == BPS else f"{int(share) / 100:g} % of "
        begun, later, refused = [], [], []
        for position in self._held_as(text):
            units = position.base_units * int(share) // BPS
            name, is_waiting = self._name(position), self._engine.desk.has_open_order(position.mint)
            decision = self._sell(position, units, ExitKind.BY_HAND, f"asked for by {command.origin}")
            if decision:
                begun.append(name)
            elif decision is None:
                why = "an order on its token has not ended" if is_waiting else "the last try was just now"
                later.append(f"{name}: {why}")
            else:
                refused.append(f"{name}: {'; '.join(one.text for one in decision.refusals)}")
        waiting = f"to be sold as soon as possible: {part}{', '.join(later)}" if later else ""
        if not begun and not later:
            raise GuardRefused(f"not sold now: {part}{', '.join(refused)}", hint="it is tried again until it is sold")
        told = [f"selling {part}{', '.join(begun)}" if begun else "", waiting]
        told.append(f"not sold now, but tried again until it is: {part}{', '.join(refused)}" if refused else "")
        return "; ".join(filter(None, told))

    def _held_as(self, text: str) -> Sequence[Position]:
        """Open positions of a pool, a mint or a name, as `positions show` understands it."""
        held = self._engine.portfolio.positions.open_positions()
        found = [
            position
            for position in held
            if text
            and (
                text in (position.pool, position.mint, position.mint[:MINT_PREFIX])
                or text.lower() in (position.name.lower(), position.name.lower().removesuffix(" / sol"))
            )
        ]
        found = found or [position for position in held if text == self._name(position)]  # as alerts call it
        if not found:
            raise NotFound("nothing is held of that", hint="`pumpswap positions list` lists what is held")
        return found

    def _sell(self, position: Position, units: int, kind: ExitKind, reason: str) -> Decision | None:
        engine = self._engine
        at_ns = engine.clock.now_ns()
        wish = Intent(TradeSide.SELL, position.pool, position.mint, at_ns, reason, base_units=units, exit=kind)
        return engine.desk.wish(wish)

    # ------------------------------------------------------------------------------------------ proposals

    def _act_on(self, proposal: Proposal) -> None:
        desk = self._engine.desk
        if proposal.decision_id in desk.proposals and self._is_late(proposal):
            desk.drop_proposal(proposal.decision_id, ProposalStatus.EXPIRED, "approved when its time was over")
        elif proposal.decision_id not in desk.proposals:  # its time was over before this was read
            self._run.proposals.save(replace(proposal, status=ProposalStatus.EXPIRED))
            if proposal.status is ProposalStatus.DECLINED:
                desk.has_declined(proposal.mint, self._now())
        elif proposal.status is ProposalStatus.DECLINED:
            desk.drop_proposal(proposal.decision_id, ProposalStatus.DECLINED, proposal.origin)
        else:
            desk.approve(proposal.decision_id, proposal.origin)

    def _is_late(self, proposal: Proposal) -> bool:
        """Whether it was approved, or is read, when its time was over: the engine's own clock may be behind, as after a
        suspension. Declined is declined.
        """
        if proposal.status is not ProposalStatus.APPROVED or proposal.decided_ns is None:
            return False
        market_ns = self._market_now()
        self._engine.clock.advance_to(market_ns)  # what is ordered is judged by what is known, at its true age
        # In the market's time: that of a recorded one is long ago.
        decided_ns = proposal.decided_ns + market_ns - self._now()
        return max(market_ns, decided_ns) >= proposal.expires_ns

    def _name(self, position: Position) -> str:
        return coin_text(position.name, position.mint)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
