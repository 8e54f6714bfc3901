"""Door: who may ask, who may act. A state machine with a clock: nothing here knows of any messenger."""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pumpswap.app.chat.words import Asked
from pumpswap.clock import NS_PER_SECOND

__all__ = ["Door", "Knock", "Pending", "Tries", "Visitor"]

CONFIRM_SECONDS = 60  # so long a wish waits for its PIN
MOST_TRIES = 3  # wrong PINs, then nobody acts from that chat for a while
_FIRST_REST_SECONDS = 15 * 60
_LONGEST_REST_SECONDS = 24 * 3_600
_MOST_MESSAGES = 20  # of one chat
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


@dataclass(frozen=True, slots=True)
class Pending:
    """An action that waits for its PIN."""

    asked: Asked
    until_ns: int


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong PINs of one chat since the last right one, and until when it may not act."""

    wrong: int = 0
    until_ns: int = 0


@dataclass(slots=True)
class Door:
    """``chats`` may ask; ``pin`` opens actions (empty: nobody acts). ``tries`` is kept over restarts by the caller."""

    chats: frozenset[int]
    pin: str
    tries: dict[int, Tries] = field(default_factory=dict)
    _pending: dict[tuple[int, int], Pending] = field(default_factory=dict)
    _heard: dict[int, deque[int]] = field(default_factory=dict)

    def admits(self, visitor: Visitor) -> bool:
        """Whether this chat gets any answer at all."""
        return visitor.chat in self.chats

    def is_too_fast(self, visitor: Visitor, now_ns: int) -> bool:
        """Whether a chat writes more than a person would; what is too much is not answered."""
        heard = self._heard.setdefault(visitor.chat, deque(maxlen=_MOST_MESSAGES))
        if len(heard) == _MOST_MESSAGES and now_ns - heard[0] < _WITHIN_SECONDS * NS_PER_SECOND:
            return True
        heard.append(now_ns)
        return False

    def locked_until_ns(self, visitor: Visitor, now_ns: int) -> int | None:
        """Until when nobody acts from this chat; None: actions are open."""
        tries = self.tries.get(visitor.chat, Tries())
        return tries.until_ns if now_ns < tries.until_ns else None

    def wish(self, visitor: Visitor, asked: Asked, now_ns: int) -> Pending:
        """Somebody wants to act: the PIN is awaited. A newer wish of a person takes the place of an older one."""
        pending = Pending(asked, now_ns + CONFIRM_SECONDS * NS_PER_SECOND)
        self._pending[visitor.chat, visitor.person] = pending
        return pending

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
        """Somebody has typed a PIN for what waits. Each wrong one counts against the chat, whoever types it; after
        three the chat rests, and each time twice as long. While it rests the right one does not open either.
        """
        tries = self.tries.get(visitor.chat, Tries())
        if now_ns < tries.until_ns:
            self.forget(visitor)
            return Knock.LOCKED
        if self.pin and hmac.compare_digest(typed.encode(), self.pin.encode()):
            self.tries.pop(visitor.chat, None)
            return Knock.RIGHT
        wrong, until_ns = tries.wrong + 1, 0
        if wrong % MOST_TRIES == 0:
            self.forget(visitor)
            rest = min(_FIRST_REST_SECONDS * 2 ** (wrong // MOST_TRIES - 1), _LONGEST_REST_SECONDS)
            until_ns = now_ns + rest * NS_PER_SECOND
        self.tries[visitor.chat] = Tries(wrong, until_ns)
        return Knock.LOCKED if until_ns else Knock.WRONG

    def remembered(self) -> dict[str, object]:
        """What must not be forgotten by a restart: else whoever can cause one may guess for ever."""
        return {
            str(chat): {"wrong": tries.wrong, "until_ns": str(tries.until_ns)}
            for chat, tries in self.tries.items()
            if chat in self.chats
        }

    def recall(self, document: Mapping[str, object]) -> None:
        """Take over what an earlier process has remembered."""
        for chat, kept in document.items():
            if isinstance(kept, Mapping):
                self.tries[int(chat)] = Tries(int(kept["wrong"]), int(kept["until_ns"]))
