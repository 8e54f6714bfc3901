"""Door: who may ask, who may act. A state machine with a clock: nothing here knows of any messenger."""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from pumpswap.app.chat.words import Asked
from pumpswap.clock import NS_PER_SECOND

__all__ = ["ChatTries", "Door", "Knock", "Pending", "Tries", "Visitor"]

CONFIRM_SECONDS = 60  # so long a wish waits for its PIN
MOST_TRIES = 3  # wrong PINs of a person, who then cannot act in that chat for a while
MOST_OF_CHAT = 12  # of all its people together, then nobody can; more than three of them must take part in it
_FIRST_REST_SECONDS = 15 * 60
_LONGEST_REST_SECONDS = 24 * 3_600
_LATELY_SECONDS = 600  # so long after a wish of his, digits of a person are taken for a PIN that came too late
_MOST_MESSAGES = 20  # of one person
_MOST_OF_CHAT = 60
_WITHIN_SECONDS = 60


class Knock(Enum):
    """What became of a PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Visitor:
    """``chat`` is its number, ``person`` that of who writes in it; ``name`` is for the record."""

    chat: int
    person: int
    name: str = ""

    @property
    def origin(self) -> str:
        """For the record."""
        return f"telegram chat {self.chat}, {self.name or f'person {self.person}'}"

    @property
    def is_private(self) -> bool:
        """Whether nobody else reads this chat: then it has the number of the person."""
        return self.chat == self.person


@dataclass(frozen=True, slots=True)
class Pending:
    """An action that waits for its PIN."""

    asked: Asked
    until_ns: int


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong PINs of one person in one chat since his last right one, and until when he may not act there."""

    wrong: int = 0
    until_ns: int = 0


@dataclass(frozen=True, slots=True)
class ChatTries:
    """Wrong PINs of a chat since it last rested, by person: each of them counts up to ``MOST_TRIES``, so that one alone
    never makes it rest. ``rests``: how often it has, since the last right one; ``until_ns``: nobody may act until then.
    """

    given: Mapping[int, int] = field(default_factory=dict)
    rests: int = 0
    until_ns: int = 0


@dataclass(slots=True)
class Door:
    """``chats`` may ask; ``pin`` opens actions (empty: nobody acts). ``tries`` and ``chat_tries`` are kept over
    restarts by the caller.
    """

    chats: frozenset[int]
    pin: str
    tries: dict[tuple[int, int], Tries] = field(default_factory=dict)
    chat_tries: dict[int, ChatTries] = field(default_factory=dict)
    _pending: dict[tuple[int, int], Pending] = field(default_factory=dict)
    _wished: dict[tuple[int, int], int] = field(default_factory=dict)
    _heard: dict[Hashable, deque[int]] = field(default_factory=dict)

    def admits(self, visitor: Visitor) -> bool:
        """Whether this chat gets any answer at all."""
        return visitor.chat in self.chats

    def is_too_fast(self, visitor: Visitor, now_ns: int) -> bool:
        """Whether more is written than people would; what is too much is not answered. One person cannot use up what
        the others of a chat may write.
        """
        limits: tuple[tuple[Hashable, int], ...] = (
            ((visitor.chat, visitor.person), _MOST_MESSAGES),
            (visitor.chat, _MOST_OF_CHAT),
        )
        heard = [self._heard.setdefault(who, deque(maxlen=most)) for who, most in limits]
        if any(len(one) == one.maxlen and now_ns - one[0] < _WITHIN_SECONDS * NS_PER_SECOND for one in heard):
            return True
        for one in heard:
            one.append(now_ns)
        return False

    def locked_until_ns(self, visitor: Visitor, now_ns: int) -> int | None:
        """Until when this person may not act in this chat; None: actions are open."""
        own = self.tries.get((visitor.chat, visitor.person), Tries()).until_ns
        until_ns = max(own, self.chat_tries.get(visitor.chat, ChatTries()).until_ns)
        return until_ns if now_ns < until_ns else None

    def rests(self, chat: int, now_ns: int) -> bool:
        """Whether nobody may act in a chat."""
        return now_ns < self.chat_tries.get(chat, ChatTries()).until_ns

    def wish(self, visitor: Visitor, asked: Asked, now_ns: int) -> Pending:
        """Somebody wants to act: the PIN is awaited. A newer wish of a person takes the place of an older one."""
        pending = Pending(asked, now_ns + CONFIRM_SECONDS * NS_PER_SECOND)
        self._pending[visitor.chat, visitor.person] = pending
        self.note(visitor, now_ns)
        return pending

    def note(self, visitor: Visitor, now_ns: int) -> None:
        """Somebody wants to act, whether he can or not: he may type a PIN soon."""
        self._wished[visitor.chat, visitor.person] = now_ns

    def has_wished(self, visitor: Visitor, now_ns: int) -> bool:
        """Whether this person has wanted to act a moment ago, whatever became of it."""
        wished_ns = self._wished.get((visitor.chat, visitor.person))
        return wished_ns is not None and now_ns - wished_ns < _LATELY_SECONDS * NS_PER_SECOND

    def pending(self, visitor: Visitor, now_ns: int) -> Pending | None:
        """What waits for this person's PIN, if its time is not over."""
        found = self._pending.get((visitor.chat, visitor.person))
        if found is not None and now_ns >= found.until_ns:
            del self._pending[visitor.chat, visitor.person]
            return None
        return found

    def forget(self, visitor: Visitor) -> None:
        """What waited does not wait any more."""
        self._pending.pop((visitor.chat, visitor.person), None)

    def knock(self, visitor: Visitor, typed: str, now_ns: int) -> Knock:
        """Somebody has typed a PIN for what waits. After three wrong ones this person rests, and each time twice as
        long; so does the chat after twelve of several people. Meanwhile the right one does not open either.
        """
        who = visitor.chat, visitor.person
        if self.locked_until_ns(visitor, now_ns) is not None:
            self.forget(visitor)
            return Knock.LOCKED
        of_chat = self.chat_tries.get(visitor.chat, ChatTries())
        if self.pin and hmac.compare_digest(typed.encode(), self.pin.encode()):
            self.tries.pop(who, None)
            given = {person: count for person, count in of_chat.given.items() if person != visitor.person}
            self.chat_tries[visitor.chat] = ChatTries(given)
            return Knock.RIGHT
        wrong = self.tries.get(who, Tries()).wrong + 1
        round_is_over = wrong % MOST_TRIES == 0
        until_ns = now_ns + _rest_ns(wrong // MOST_TRIES) if round_is_over else 0
        self.tries[who] = Tries(wrong, until_ns)
        self._count_for_chat(visitor, of_chat, now_ns)
        if self.locked_until_ns(visitor, now_ns) is None:
            return Knock.WRONG
        self.forget(visitor)
        return Knock.LOCKED

    def _count_for_chat(self, visitor: Visitor, before: ChatTries, now_ns: int) -> None:
        given = dict(before.given)
        given[visitor.person] = min(given.get(visitor.person, 0) + 1, MOST_TRIES)
        if sum(given.values()) < MOST_OF_CHAT:
            self.chat_tries[visitor.chat] = ChatTries(given, before.rests)
        else:
            rests = before.rests + 1
            self.chat_tries[visitor.chat] = ChatTries({}, rests, now_ns + _rest_ns(rests))

    def remembered(self) -> dict[str, object]:
        """What must not be forgotten by a restart: else whoever can cause one may guess for ever."""
        kept: dict[str, object] = {}
        # Other chats too: of another engine on the same books, whose tries are recalled with these.
        for chat in sorted({chat for chat, _ in self.tries} | self.chat_tries.keys()):
            people = {
                str(person): {"wrong": tries.wrong, "until_ns": str(tries.until_ns)}
                for (where, person), tries in self.tries.items()
                if where == chat
            }
            all_of_them = self.chat_tries.get(chat, ChatTries())
            if people or all_of_them != ChatTries():
                given = {str(person): count for person, count in all_of_them.given.items()}
                until_ns = str(all_of_them.until_ns)
                kept[str(chat)] = {
                    "people": people, "given": given, "rests": all_of_them.rests, "until_ns": until_ns
                }  # fmt: skip
        return kept

    def recall(self, document: Mapping[str, object]) -> None:
        """Take over what an earlier process, or another one beside this, has remembered."""
        self.tries, self.chat_tries = {}, {}
        for chat, kept in document.items():
            if not isinstance(kept, Mapping):
                continue
            given = {int(person): int(count) for person, count in kept.get("given", {}).items()}
            self.chat_tries[int(chat)] = ChatTries(given, int(kept.get("rests", 0)), int(kept["until_ns"]))
            for person, tries in kept.get("people", {}).items():
                self.tries[int(chat), int(person)] = Tries(int(tries["wrong"]), int(tries["until_ns"]))


def _rest_ns(number: int) -> int:
    """How long the rest of this number is, from 1."""
    seconds = min(_FIRST_REST_SECONDS << min(number - 1, 20), _LONGEST_REST_SECONDS)
    return seconds * NS_PER_SECOND
