"""Words: what can be asked in a chat, in one table: help, dashboards and the command line use the same."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pumpswap.errors import UsageError

__all__ = ["WORDS", "Asked", "TypedPin", "Word", "addressee", "asked", "typed_pin"]

_LONGEST = 100  # no word with what follows it is longer
_HELP = frozenset(("start", "?"))
_COMMAND = re.compile(r"/?([A-Za-z?][A-Za-z_-]*)(?:@[A-Za-z0-9_]+)?(?:\s+(.*))?", re.DOTALL)
_ADDRESSED = re.compile(r"\s*/?[A-Za-z?][A-Za-z_-]*@([A-Za-z0-9_]+)(?:\s|$)")
_PIN = re.compile(r"\s*(/?pin(?:@[A-Za-z0-9_]+)?\s+)?([0-9]+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """``about`` is a line of help; ``takes`` what follows the word, in capitals; ``is_action``: it changes something,
    and asks for the PIN.
    """

    name: str
    about: str
    takes: str = ""
    is_action: bool = False

    @property
    def usage(self) -> str:
        """As it is written: ``close NAME``."""
        return f"{self.name} {self.takes.partition(',')[0]}".strip()


_ALL = (
    Word("status", "is an engine at work, may it buy, and why is nothing bought?"),
    Word("positions", "what is held, what it would bring, how far its exits are"),
    Word("why", "why something was traded or refused", "NAME, order, decision, pool or mint"),
    Word("profit", "what was earned after all costs: today and in all"),
    Word("daily", "the last seven days, one by one"),
    Word("balance", "SOL and tokens by the books"),
    Word("locks", "what keeps entries back now, and until when"),
    Word("health", "feeds, reconciliation, database, versions"),
    Word("logs", "the newest alerts"),
    Word("proposals", "buys that wait for your word, in the mode approve"),
    Word("pause", "no entries until you resume; exits go on", is_action=True),
    Word("resume", "entries go on, and every lock is lifted", is_action=True),
    Word("exits-only", "sell by the rules, buy nothing, until you resume", is_action=True),
    Word("close", "sell one position now", "NAME, pool or mint", is_action=True),
    Word("close-all", "sell everything now at the widest limits, and buy nothing until you resume", is_action=True),
    Word("approve", "let a buy be made that waits for you, if the gate still agrees", "ID", is_action=True),
    Word("decline", "do not make a buy that waits for you", "ID", is_action=True),
    Word("help", "this list"),
)

WORDS: Mapping[str, Word] = MappingProxyType({word.name: word for word in _ALL})


@dataclass(frozen=True, slots=True)
class Asked:
    """A word, and what follows it."""

    word: Word
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.word.name} {self.argument}".strip()


def asked(text: str) -> Asked:
    """What somebody has written: ``status``, ``/status``, ``/exits_only@our_bot``, ``close BONK``.

    Raises UsageError for anything else, with the nearest word.
    """
    found = _COMMAND.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is None:
        raise UsageError("that is no word of mine", hint="help lists them")
    name, argument = found[1].lower().replace("_", "-"), " ".join((found[2] or "").split())
    word = WORDS.get("help" if name in _HELP else name)
    if word is None:
        near = difflib.get_close_matches(name, WORDS, 1)
        raise UsageError("that is no word of mine", hint=f"did you mean {near[0]}?" if near else "help lists them")
    if word.takes and not argument:
        raise UsageError(f"{word.name} of what?", hint=f"{word.name} {word.takes}")
    if argument and not word.takes:
        raise UsageError(f"{word.name} takes nothing more", hint=f"write only: {word.name}")
    return Asked(word, argument)


def addressee(text: str) -> str:
    """The bot that a command names: ``our_bot`` of ``/status@our_bot``; empty where whoever hears it is meant."""
    found = _ADDRESSED.match(text)
    return "" if found is None else found[1]


@dataclass(frozen=True, slots=True)
class TypedPin:
    """``is_explicit``: nobody could have meant anything else by it."""

    digits: str
    is_explicit: bool


def typed_pin(text: str) -> TypedPin | None:
    """``739155``, or ``/pin 739155``: what a bot that is no administrator of its group gets to read there."""
    found = _PIN.fullmatch(text)
    return None if found is None else TypedPin(found[2], is_explicit=found[1] is not None)
