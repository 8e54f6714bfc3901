"""TelegramBot: messages in and answers out by Telegram's Bot API: long polling, so that nothing has to be reachable."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2
import msgspec

from pumpswap.alerts.texts import span_text
from pumpswap.app.chat.desk import ChatDesk, Reply
from pumpswap.app.chat.door import Visitor
from pumpswap.app.chat.words import addressee
from pumpswap.chain.redact import Redactor, silence_request_lines
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.engine.feed import FeedTools, Sink
from pumpswap.errors import ConfigError, SourceBusy, SourceDown, SourceRefused
from pumpswap.settings import TelegramSettings

__all__ = ["Bookmark", "TelegramBot"]

_POLL_SECONDS = 25  # Telegram keeps an unanswered question open for so long
_PATIENCE_SECONDS = 10.0  # beyond it
_OLD_SECONDS = 120  # what was written before that was meant for another moment
_CONFLICT = 409  # somebody else asks with the same token
_CONFLICT_SECONDS = 10.0
_CONFLICT_NS = 3_600 * NS_PER_SECOND  # without one for so long, the next is a new one
_MOST_TRIES = 3  # of one question, while Telegram asks to wait
_LONGEST_WAIT_SECONDS = 60
_OWN_NAMES = ("127.0.0.1", "localhost", "::1")
_MOST_STRANGERS = 100  # chats that are remembered as told of

_log = logging.getLogger(__name__)


class Bookmark(Protocol):
    """Where the next process goes on: an order that was obeyed must not be obeyed again."""

    def load(self) -> int:
        """The number of the next message."""
        ...

    def save(self, offset: int) -> None:
        """Everything before it has been taken."""
        ...


class _Person(msgspec.Struct):
    id: int
    username: str = ""
    is_bot: bool = False


class _Chat(msgspec.Struct):
    id: int


class _Message(msgspec.Struct):
    message_id: int
    date: int
    chat: _Chat
    from_: _Person | None = msgspec.field(default=None, name="from")
    text: str = ""


class _Update(msgspec.Struct):
    update_id: int
    message: _Message | None = None


class _Parameters(msgspec.Struct):
    retry_after: int | None = None


class _Answer(msgspec.Struct):
    ok: bool
    result: Any = None
    description: str = ""
    error_code: int = 0
    parameters: _Parameters | None = None


@dataclass(frozen=True, slots=True)
class _Taken:
    visitor: Visitor
    message: _Message


class TelegramBot:
    """A helper of a run; implements ``Feed``. One message after the other; an error is told by whoever runs it, and it
    is tried again.
    """

    name = "telegram"
    stale_seconds = 0.0

    def __init__(
        self,
        settings: TelegramSettings,
        desk: ChatDesk,
        bookmark: Bookmark,
        clock: Clock,
        tools: FeedTools | None = None,
    ) -> None:
        """Raises ConfigError for an address that is none, or without a token."""
        if settings.token is None:
            raise ConfigError("telegram.token is missing", hint="@BotFather makes a bot and gives one")
        base = settings.api_url.rstrip("/")
        if not _is_private(base):
            raise ConfigError("telegram.api_url must begin with https://", hint="the token of the bot goes there")
        self._token = settings.token
        self._url = f"{base}/bot{settings.token.get_secret_value()}/"
        self._redactor = Redactor(self._url)
        self._desk, self._bookmark, self._clock = desk, bookmark, clock
        self._tools = tools or FeedTools()
        self._strangers: set[int] = set()
        self._name = ""  # until Telegram says it, what names a bot may be meant for another one
        self._conflicts, self._conflict_ns = 0, 0
        silence_request_lines()

    def __repr__(self) -> str:
        return f"<TelegramBot at {self._redactor.clean(self._url).split('/')[0]}>"

    async def run(self, sink: Sink) -> None:
        """Raises what ``_call`` raises."""
        async with httpx2.AsyncClient(timeout=_POLL_SECONDS + _PATIENCE_SECONDS) as client:
            self._name = await self._own_name(client)
            offset = kept = await self._tools.in_thread(self._bookmark.load)
            while True:
                updates = await self._updates(client, offset)
                late: dict[int, list[int]] = {}
                for update in updates or ():
                    offset, taken = update.update_id + 1, self._meant(update)
                    if taken is not None:
                        # Before it is obeyed: a message that a crash interrupts is lost, and none is obeyed twice.
                        await self._tools.in_thread(self._bookmark.save, offset)
                        kept = offset
                        await self._take(client, taken, late)
                if kept != offset:  # once for all that strangers have written: they cannot keep the database busy
                    await self._tools.in_thread(self._bookmark.save, offset)
                    kept = offset
                for chat, ages in late.items():
                    await self._say(client, chat, _late_text(ages))
                if updates is not None:
                    sink.alive()

    async def _own_name(self, client: httpx2.AsyncClient) -> str:
        found = await self._call(client, "getMe", {})
        try:
            return msgspec.convert(found, _Person).username
        except msgspec.ValidationError:
            raise SourceDown("Telegram: no name in the answer to getMe", hint="is telegram.api_url right?") from None

    async def _updates(self, client: httpx2.AsyncClient, offset: int) -> Sequence[_Update] | None:
        """None: somebody else was heard instead."""
        asked = {"offset": offset, "timeout": _POLL_SECONDS, "allowed_updates": ["message"]}
        try:
            found = await self._call(client, "getUpdates", asked)
        except SourceRefused as refused:
            if refused.status != _CONFLICT or "webhook" in refused.what:
                raise
            await self._note_conflict()
            await self._tools.sleep(_CONFLICT_SECONDS)
            return None
        try:
            return msgspec.convert(found, list[_Update])
        except msgspec.ValidationError:
            # One that is odd must not keep all others waiting for ever: they are taken one by one.
            return _readable(found)

    def _meant(self, update: _Update) -> _Taken | None:
        """A message of a chat that may ask, to this bot and no other one in the same group."""
        taken = _taken(update)
        if taken is None:
            return None
        named = addressee(taken.message.text)
        if named and named.lower() != self._name.lower():
            return None
        if not self._desk.door.admits(taken.visitor):
            self._note_stranger(taken.visitor)
            return None
        return taken

    async def _take(self, client: httpx2.AsyncClient, taken: _Taken, late: dict[int, list[int]]) -> None:
        """``late`` gets the age of what nothing is done about."""
        seconds = self._clock.now_ns() // NS_PER_SECOND - taken.message.date
        if seconds > _OLD_SECONDS:
            _log.warning("message-too-old", extra={"chat": taken.visitor.chat, "seconds": seconds})
            late.setdefault(taken.visitor.chat, []).append(seconds)
            if self._desk.hides(taken.visitor, taken.message.text):  # typed while nobody listened
                await self._hide(client, taken)
            return
        reply: Reply | None = await self._tools.in_thread(self._desk.answer, taken.visitor, taken.message.text)
        if reply is None:
            return
        try:
            await self._say(client, taken.visitor.chat, reply.text)
        finally:
            if reply.hides:
                await self._hide(client, taken)

    async def _say(self, client: httpx2.AsyncClient, chat: int, text: str) -> None:
        """As one block of plain text: nothing in it is a link, a mention or a command, whatever a coin is called."""
        length = len(text.encode("utf-16-le")) // 2
        block = [{"type": "pre", "offset": 0, "length": length}]
        await self._call(client, "sendMessage", {"chat_id": chat, "text": text, "entities": block})

    async def _hide(self, client: httpx2.AsyncClient, taken: _Taken) -> None:
        """Remove the message with the PIN. Where the bot may not, its owner should know."""
        told = {"chat_id": taken.visitor.chat, "message_id": taken.message.message_id}
        try:
            await self._call(client, "deleteMessage", told)
        except SourceRefused:
            text = "I may not remove your message with the PIN: remove it yourself, or make me an administrator."
            await self._say(client, taken.visitor.chat, text)

    async def _note_conflict(self) -> None:
        """Told once while it lasts. A single one may be the process before this one, which Telegram has not missed."""
        now_ns = self._clock.now_ns()
        is_new = now_ns - self._conflict_ns > _CONFLICT_NS
        self._conflicts, self._conflict_ns = 1 if is_new else self._conflicts + 1, now_ns
        if self._conflicts == 2:
            _log.warning("telegram-token-used-twice")
            await self._tools.in_thread(self._desk.warn, _TWO_LISTENERS)

    def _note_stranger(self, visitor: Visitor) -> None:
        """Its number is told to the log, once: so the owner finds that of his own chat."""
        if visitor.chat not in self._strangers and len(self._strangers) < _MOST_STRANGERS:
            self._strangers.add(visitor.chat)
            _log.warning("chat-not-allowed", extra={"chat": visitor.chat, "setting": "telegram.chats"})

    async def _call(self, client: httpx2.AsyncClient, method: str, asked: Mapping[str, object]) -> Any:
        """Raises SourceDown, SourceBusy, SourceRefused; none of them tells the token."""
        for _ in range(_MOST_TRIES):
            answer, status = await self._asked(client, method, asked)
            if answer.ok:
                return answer.result
            wait = None if answer.parameters is None else answer.parameters.retry_after
            if wait is None:
                said = self._redactor.clean(answer.description.replace(self._token.get_secret_value(), "…"))
                code = answer.error_code or status
                raise SourceRefused(f"Telegram: {said} ({code})", hint=_HINTS.get(code, _OTHER_HINT), status=code)
            await self._tools.sleep(min(wait, _LONGEST_WAIT_SECONDS))
        raise SourceBusy("Telegram wants to be asked less often", hint="it is asked again after a while")

    async def _asked(self, client: httpx2.AsyncClient, method: str, asked: Mapping[str, object]) -> tuple[_Answer, int]:
        try:
            response = await client.post(self._url + method, json=dict(asked))
            return msgspec.json.decode(response.content, type=_Answer), response.status_code
        except httpx2.HTTPError as failed:
            # Its own text may hold the URL, and that holds the token.
            raise SourceDown(f"Telegram: {type(failed).__name__} on {method}", hint="it is asked again") from None
        except msgspec.MsgspecError:
            raise SourceDown(f"Telegram: no answer to {method}", hint="is telegram.api_url right?") from None


_TWO_LISTENERS = (
    "another process asks Telegram with the same token: each message is heard by only one of the two, and each counts "
    "wrong PINs for itself. One bot for each engine: @BotFather makes another one, for `telegram.token`"
)
_OTHER_HINT = "Telegram's own words say why"
_HINTS = {
    401: "telegram.token is not that of a bot: @BotFather gives it",
    404: "telegram.token is not that of a bot: @BotFather gives it",
}


def _late_text(ages: Sequence[int]) -> str:
    what = "Your message was" if len(ages) == 1 else f"{len(ages)} messages were up to"
    return (
        f"{what} {span_text(max(ages) * NS_PER_SECOND)} old when I read {'it' if len(ages) == 1 else 'them'}: nothing "
        "was done. Write again what you still want. If you have written just now, the clock of my machine is wrong."
    )


def _is_private(url: str) -> bool:
    """Whether nobody on the way reads what goes there: the token is part of each address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _OWN_NAMES)


def _taken(update: _Update) -> _Taken | None:
    message = update.message
    if message is None or message.from_ is None or message.from_.is_bot or not message.text:
        return None
    name = f"@{message.from_.username[:40]}" if message.from_.username.isascii() and message.from_.username else ""
    return _Taken(Visitor(message.chat.id, message.from_.id, name), message)


def _readable(found: object) -> list[_Update]:
    """Each update that can be read; one that cannot keeps its number, so that the next question goes on behind it."""
    updates = []
    for one in found if isinstance(found, list) else ():
        number = one.get("update_id") if isinstance(one, Mapping) else None
        if not isinstance(number, int):
            continue
        try:
            updates.append(msgspec.convert(one, _Update))
        except msgspec.ValidationError:
            updates.append(_Update(number))
    return updates
