"""ChatDesk: one message in, one answer out. Looking needs an allowed chat; acting needs the PIN as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pumpswap.alerts.delivery.harmless import harmless, short_addresses
from pumpswap.alerts.texts import coin_text, counted, sol_text, time_text
from pumpswap.app.books import Held
from pumpswap.app.chat.answers import answer_of, held_lines, help_text
from pumpswap.app.chat.door import CONFIRM_SECONDS, MOST_TRIES, Door, Knock, Visitor
from pumpswap.app.chat.words import Asked, asked
from pumpswap.app.control import open_control
from pumpswap.clock import Clock
from pumpswap.errors import ConfigError, NotFound, PumpSwapError
from pumpswap.model import Alert, AlertLevel, CommandVerb
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.history import MINT_PREFIX

__all__ = ["ChatDesk", "Reply", "looks_like_pin"]

_MEMORY = "chat tries"
_LONGEST = 3_500  # of an answer, in the units that messengers count: a picture is two of them
_SHORTEST_PIN = 4
_VERBS = {
    "pause": CommandVerb.PAUSE,
    "resume": CommandVerb.RESUME,
    "exits-only": CommandVerb.EXITS_ONLY,
    "close": CommandVerb.CLOSE,
    "close-all": CommandVerb.PANIC,
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
        if looks_like_pin(typed):
            return self._tried(visitor, typed, now_ns) if pending else Reply("Nothing waits for a PIN.", hides=True)
        self.door.forget(visitor)  # whoever writes something else has changed his mind
        try:
            return Reply(self._shown(self._told(visitor, asked(typed), now_ns)))
        except PumpSwapError as refused:
            return Reply(self._shown(_error_text(refused)))

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
        until_ns = self.door.locked_until_ns(visitor, now_ns)
        if until_ns is not None:
            return f"Too many wrong PINs: nobody acts from this chat until {time_text(until_ns)}."
        plan = self._plan(wish)
        self.door.wish(visitor, wish, now_ns)
        return f"{plan}\n\nSend your PIN within {CONFIRM_SECONDS} s, or anything else to leave it."

    def _plan(self, wish: Asked) -> str:
        """What would happen, in words. Raises NotFound for what is not held."""
        name = wish.word.name
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

    def _tried(self, visitor: Visitor, typed: str, now_ns: int) -> Reply:
        """Whatever fails meanwhile: who typed the PIN is told, and it does not stay in the chat."""
        try:
            return self._knocked(visitor, typed, now_ns)
        except PumpSwapError as failed:
            return Reply(self._shown(_error_text(failed)), hides=True)

    def _knocked(self, visitor: Visitor, typed: str, now_ns: int) -> Reply:
        pending = self.door.pending(visitor, now_ns)
        found = self.door.knock(visitor, typed, now_ns)
        self._database.memory.save(_MEMORY, self.door.remembered(), now_ns)
        if found is Knock.RIGHT and pending is not None:
            self.door.forget(visitor)
            return Reply(self._shown(self._done(visitor, pending.asked)), hides=True)
        tries = self.door.tries[visitor.chat]
        if found is Knock.WRONG:
            left = MOST_TRIES - tries.wrong % MOST_TRIES
            self._alert(AlertLevel.WARNING, f"wrong PIN ({visitor.origin}); {left} more before actions rest there")
            return Reply(f"Wrong PIN: {left} more {'try' if left == 1 else 'tries'}.", hides=True)
        until = time_text(tries.until_ns)
        self._alert(AlertLevel.CRITICAL, f"{tries.wrong} wrong PINs ({visitor.origin}); no actions there until {until}")
        return Reply(f"Too many wrong PINs: nobody acts from this chat until {until}.", hides=True)

    def _done(self, visitor: Visitor, wish: Asked) -> str:
        arguments = {"what": wish.argument} if wish.argument else {}
        try:
            with open_control(self._settings, self._run_id, clock=self._clock) as control:
                given = control.give(_VERBS[wish.word.name], arguments, origin=visitor.origin)
        except PumpSwapError as refused:
            return _error_text(refused)
        verdict = "Done" if given.is_done else "Not done"
        return f"{verdict}: {given.command.answer}\nTrading: {given.state.value}"

    def _alert(self, level: AlertLevel, text: str) -> None:
        run = self._database.run(self._run_id)
        run.alert(Alert(self._clock.now_ns(), level, "control", "chat", text))

    def _shown(self, text: str) -> str:
        shown = harmless(short_addresses(text))
        units = shown.encode("utf-16-le", errors="replace")
        return shown if len(units) <= 2 * _LONGEST else units[: 2 * _LONGEST - 2].decode("utf-16-le", "ignore") + "…"


def looks_like_pin(text: str) -> bool:
    """Whether nobody else should see it, right or wrong."""
    typed = text.strip()
    return typed.isascii() and typed.isdigit()


def _held_as(held: Sequence[Held], text: str) -> list[Held]:
    """As the engine understands it. Raises NotFound."""
    found = [
        each
        for each in held
        if text in (each.position.pool, each.position.mint, each.position.mint[:MINT_PREFIX])
        or text.lower() in (each.position.name.lower(), each.position.name.lower().removesuffix(" / sol"))
    ]
    if not found:
        raise NotFound("nothing is held of that", hint="positions lists what is held")
    return found


def _error_text(refused: PumpSwapError) -> str:
    return f"{refused.what}: {refused.hint}" if refused.hint else refused.what
