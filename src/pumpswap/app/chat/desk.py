"""ChatDesk: one message in, one answer out. Looking needs an allowed chat; acting needs the PIN as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pumpswap.alerts.delivery.harmless import harmless, short_addresses
from pumpswap.alerts.texts import coin_text, counted, sol_text, time_text
from pumpswap.app.books import Held
from pumpswap.app.chat.answers import answer_of, held_lines, help_text
from pumpswap.app.chat.door import CONFIRM_SECONDS, MOST_TRIES, Door, Knock, Pending, Tries, Visitor
from pumpswap.app.chat.words import Asked, asked, typed_pin
from pumpswap.app.control import open_control
from pumpswap.clock import Clock
from pumpswap.errors import ConfigError, NotFound, PumpSwapError
from pumpswap.model import Alert, AlertLevel, CommandVerb, ProposalStatus
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.history import MINT_PREFIX

__all__ = ["ChatDesk", "Reply"]

_MEMORY = "chat tries"
_LONGEST = 3_500  # of an answer, in the units that messengers count: a picture is two of them
_SHORTEST_PIN = 4
_SEND_PIN = f"Send your PIN within {CONFIRM_SECONDS} s (in a group: /pin and the PIN), or anything else to leave it."
_VERBS = {
    "pause": CommandVerb.PAUSE,
    "resume": CommandVerb.RESUME,
    "exits-only": CommandVerb.EXITS_ONLY,
    "close": CommandVerb.CLOSE,
    "close-all": CommandVerb.PANIC,
}
_WORDS = {"approve": ProposalStatus.APPROVED, "decline": ProposalStatus.DECLINED}
_BECAME = {
    ProposalStatus.ORDERED: "Done: ordered",
    ProposalStatus.DECLINED: "Done: declined",
    ProposalStatus.APPROVED: "Stored, but the engine has not acted on it yet",
    ProposalStatus.REFUSED: "Not done: by now the gate refuses it",
    ProposalStatus.EXPIRED: "Not done: its time was over",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """``hides``: what was written holds a PIN, right or wrong, and should be removed from the chat."""

    text: str
    hides: bool = False


class ChatDesk:
    """Of one run. Everything here may wait for the database or the engine: it is called in a thread, one message after
    the other.
    """

    def __init__(self, settings: Settings, database: Database, run_id: int, clock: Clock) -> None:
        """Raises ConfigError for actions without a PIN that is one."""
        telegram = settings.telegram
        pin = "" if telegram.pin is None else telegram.pin.get_secret_value()
        if telegram.allow_actions and not (pin.isascii() and pin.isdigit() and len(pin) >= _SHORTEST_PIN):
            raise ConfigError(
                "telegram.allow_actions needs a PIN",
                hint=f"set telegram.pin to {_SHORTEST_PIN} digits or more, or telegram.allow_actions to false",
            )
        self.door = Door(frozenset(telegram.chats), pin if telegram.allow_actions else "")
        self._settings, self._database, self._run_id, self._clock = settings, database, run_id, clock
        self.door.recall(database.memory.load(_MEMORY) or {})

    def answer(self, visitor: Visitor, text: str) -> Reply | None:
        """What to say; None: nothing, since the chat is not allowed, or writes too much."""
        now_ns = self._clock.now_ns()
        if not self.door.admits(visitor) or self.door.is_too_fast(visitor, now_ns):
            return None
        typed, pending = text.encode(errors="replace").decode().strip(), self.door.pending(visitor, now_ns)
        pin = typed_pin(typed)
        if pin is not None and pending is not None:
            return self._tried(visitor, pin.digits, pending)
        if pin is not None:  # digits in a group may be about anything
            return Reply("Nothing waits for a PIN.", hides=True) if self.hides(visitor, typed) else None
        self.door.forget(visitor)  # whoever writes something else has changed his mind
        try:
            told = self._shown(self._told(visitor, asked(typed), now_ns))
            return Reply(told if self.door.pending(visitor, now_ns) is None else f"{told}\n\n{_SEND_PIN}")
        except PumpSwapError as refused:
            return Reply(self._shown(_error_text(refused)))

    def hides(self, visitor: Visitor, text: str) -> bool:
        """Whether a message holds a PIN, as far as one can tell, right or wrong, and should not stay in the chat."""
        pin = typed_pin(text)
        if pin is None or not self.door.admits(visitor):
            return False
        return pin.is_explicit or visitor.is_private or self.door.has_wished(visitor, self._clock.now_ns())

    def warn(self, text: str) -> None:
        """Tell of something that whoever runs the engine should know. Raises StorageError."""
        self._alert(AlertLevel.WARNING, text)

    # ------------------------------------------------------------------------------------------ looking

    def _told(self, visitor: Visitor, wish: Asked, now_ns: int) -> str:
        if wish.word.name == "help":
            return help_text(may_act=bool(self.door.pin))
        if wish.word.is_action:
            return self._wished(visitor, wish, now_ns)
        with open_control(self._settings, self._run_id, clock=self._clock) as control:
            return answer_of(wish.word.name, wish.argument, control.books, self._settings, self._clock)

    # ------------------------------------------------------------------------------------------ acting

    def _wished(self, visitor: Visitor, wish: Asked, now_ns: int) -> str:
        if not self.door.pin:
            return "Nothing can be changed from here: telegram.allow_actions is off."
        self.door.note(visitor, now_ns)
        until_ns = self.door.locked_until_ns(visitor, now_ns)
        if until_ns is not None:
            return self._locked_text(visitor, until_ns, now_ns)
        plan = self._plan(wish)
        self.door.wish(visitor, wish, now_ns)
        return plan

    def _plan(self, wish: Asked) -> str:
        """What would happen, in words. Raises NotFound for what is not held."""
        name = wish.word.name
        if name in _WORDS:
            return self._plan_answer(wish)
        if name not in ("close", "close-all"):
            return f"{name}: {wish.word.about}."
        with open_control(self._settings, self._run_id, clock=self._clock) as control:
            control.require_running("sell")
            held, as_of_ns = control.held(), control.books.as_of_ns(self._clock)
        if name == "close":
            chosen = _held_as(held, wish.argument)
            return "\n".join(["Sell now:", *[line for each in chosen for line in held_lines(each, as_of_ns)]])
        value = sum(each.value_lamports or 0 for each in held)
        names = ", ".join(coin_text(each.position.name, each.position.mint) for each in held)
        what = (
            f"{counted(len(held), 'position')} ({names}), last worth {sol_text(value)}" if held else "nothing is held"
        )
        return f"Sell everything at the widest limits: {what}. No entries until you resume."

    def _plan_answer(self, wish: Asked) -> str:
        with open_control(self._settings, self._run_id, clock=self._clock) as control:
            control.require_running("act on proposals")
            waiting = {one.proposal.decision_id: one for one in control.waiting()}
        one = waiting.get(wish.argument)
        if one is None:
            raise NotFound("no such proposal waits", hint="proposals lists those that do")
        coin, size = coin_text(one.proposal.name, one.proposal.mint), sol_text(one.proposal.quote_lamports)
        return f"{wish.word.name}: the buy of {coin} for {size}. It waits {one.seconds_left} s more."

    def _tried(self, visitor: Visitor, typed: str, pending: Pending) -> Reply:
        """Whatever fails meanwhile: who typed the PIN is told, and it does not stay in the chat."""
        try:
            return self._knocked(visitor, typed, pending)
        except PumpSwapError as failed:
            return Reply(self._shown(_error_text(failed)), hides=True)

    def _knocked(self, visitor: Visitor, typed: str, pending: Pending) -> Reply:
        door, now_ns = self.door, self._clock.now_ns()
        with self._database.batch():  # another engine on these books may count tries too
            door.recall(self._database.memory.load(_MEMORY) or {})
            was_locked = door.locked_until_ns(visitor, now_ns) is not None
            found = door.knock(visitor, typed, now_ns)
            self._database.memory.save(_MEMORY, door.remembered(), now_ns)
        if found is Knock.RIGHT:
            door.forget(visitor)
            return Reply(self._shown(self._done(visitor, pending.asked)), hides=True)
        wrong = door.tries.get((visitor.chat, visitor.person), Tries()).wrong
        until_ns = door.locked_until_ns(visitor, now_ns)
        if until_ns is None:
            left = MOST_TRIES - wrong % MOST_TRIES
            self._alert(AlertLevel.WARNING, f"wrong PIN ({visitor.origin}); {left} more and no actions of that person")
            return Reply(f"Wrong PIN: {left} more {'try' if left == 1 else 'tries'}.", hides=True)
        if not was_locked:
            whose = "from that chat" if door.rests(visitor.chat, now_ns) else "of that person"
            text = f"{wrong} wrong PINs ({visitor.origin}); no actions {whose} until {time_text(until_ns)}"
            self._alert(AlertLevel.CRITICAL, text)
        return Reply(self._locked_text(visitor, until_ns, now_ns), hides=True)

    def _locked_text(self, visitor: Visitor, until_ns: int, now_ns: int) -> str:
        who = "nobody acts from this chat" if self.door.rests(visitor.chat, now_ns) else "you cannot act from here"
        return f"Too many wrong PINs: {who} until {time_text(until_ns)}."

    def _done(self, visitor: Visitor, wish: Asked) -> str:
        if wish.word.name in _WORDS:
            return self._answered(visitor, wish)
        arguments = {"what": wish.argument} if wish.argument else {}
        try:
            with open_control(self._settings, self._run_id, clock=self._clock) as control:
                given = control.give(_VERBS[wish.word.name], arguments, origin=visitor.origin)
        except PumpSwapError as refused:
            return _error_text(refused)
        verdict = "Done" if given.is_done else "Not done"
        return f"{verdict}: {given.command.answer}\nTrading: {given.state.value}"

    def _answered(self, visitor: Visitor, wish: Asked) -> str:
        status = _WORDS[wish.word.name]
        try:
            with open_control(self._settings, self._run_id, clock=self._clock) as control:
                (proposal,) = control.answer([wish.argument], status, origin=visitor.origin)
        except PumpSwapError as refused:
            return _error_text(refused)
        look = f"; why {proposal.follow_up} says more" if proposal.follow_up else ""
        return f"{_BECAME[proposal.status]}{look}."

    def _alert(self, level: AlertLevel, text: str) -> None:
        run = self._database.run(self._run_id)
        run.alert(Alert(self._clock.now_ns(), level, "control", "chat", text))

    def _shown(self, text: str) -> str:
        shown = harmless(short_addresses(text))
        units = shown.encode("utf-16-le", errors="replace")
        return shown if len(units) <= 2 * _LONGEST else units[: 2 * _LONGEST - 2].decode("utf-16-le", "ignore") + "…"


def _held_as(held: Sequence[Held], text: str) -> list[Held]:
    """As the engine understands it. Raises NotFound."""
    found = [
        each
        for each in held
        if text in (each.position.pool, each.position.mint, each.position.mint[:MINT_PREFIX])
        or text.lower() in (each.position.name.lower(), each.position.name.lower().removesuffix(" / sol"))
    ]
    # Else as it is called in the answers here.
    found = found or [each for each in held if text == coin_text(each.position.name, each.position.mint)]
    if not found:
        raise NotFound("nothing is held of that", hint="positions lists what is held")
    return found


def _error_text(refused: PumpSwapError) -> str:
    return f"{refused.what}: {refused.hint}" if refused.hint else refused.what
