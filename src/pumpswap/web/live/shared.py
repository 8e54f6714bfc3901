"""SharedAnswers: fifty viewers of one page are answered from one rendering, until something changes; and a page that
is slow to render is rendered less often.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pumpswap.web.live.hub import Hub

__all__ = ["SharedAnswers"]

_MOST_PAGES = 64
_LARGEST_BYTES = 2 * 1024 * 1024
_REST = 4  # for each second that a rendering took, so many without one: who looks on takes a fifth of a processor
_LONGEST_REST_SECONDS = 10.0
_NOT_PAGES = ("/events", "/static/", "/reports/", "/api/", "/login")  # endless, large, or open without a token


@dataclass(slots=True)
class _Answer:
    """``generation`` is what it shows at least; ``rested_at``: when it may be rendered again, by the loop's clock."""

    generation: int
    messages: list[Message]
    rested_at: float


class SharedAnswers:
    """Behind the gate: whoever comes here may look. Only GETs of pages with ``X-Live`` are shared, and only answers of
    200.
    """

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app, self._hub = app, hub
        self._known: OrderedDict[tuple[str, bytes], asyncio.Task[_Answer]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every ASGI application."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_live_page(scope):
            await self._app(scope, receive, send)
            return
        arrived, key = self._hub.generation, (scope["path"], scope["query_string"])
        answer = await self._shared(scope, key)
        if 0 <= answer.generation < arrived:
            # It was begun before what this viewer has heard of was stored, and he may hear of nothing more for long.
            answer = await self._shared(scope, key)
        for message in answer.messages:
            await send(message)

    async def _shared(self, scope: Scope, key: tuple[str, bytes]) -> _Answer:
        task = self._known.get(key)
        if task is None or _is_old(task, self._hub.generation):
            task = asyncio.create_task(self._render(scope, _rested_at(task)))
            self._known[key] = task
            self._known.move_to_end(key)
            while len(self._known) > _MOST_PAGES:
                self._known.popitem(last=False)
        # A viewer that leaves while others wait for the same rendering must not take it with him.
        answer = await asyncio.shield(task)
        if answer.generation < 0 and self._known.get(key) is task:
            del self._known[key]  # it would be rendered again all the same
        return answer

    async def _render(self, scope: Scope, begin_at: float) -> _Answer:
        loop, messages = asyncio.get_running_loop(), list[Message]()

        async def keep(message: Message) -> None:
            messages.append(message)

        await asyncio.sleep(begin_at - loop.time())
        generation, began = self._hub.generation, loop.time()
        await self._app(dict(scope), _nothing, keep)
        ended = loop.time()
        size = sum(len(message.get("body", b"")) for message in messages)
        is_good = messages[0]["status"] == 200 and size <= _LARGEST_BYTES
        rest = min(_REST * (ended - began), _LONGEST_REST_SECONDS)
        return _Answer(generation if is_good else -1, messages, ended + rest)


def _is_live_page(scope: Scope) -> bool:
    """A stream would be rendered for ever, and what is no page would be kept although nobody shares it."""
    is_page = not scope["path"].startswith(_NOT_PAGES)
    return is_page and any(name == b"x-live" for name, _ in scope["headers"])


def _is_old(task: asyncio.Task[_Answer], generation: int) -> bool:
    """One that is being made is waited for: what was stored meanwhile makes the next generation."""
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result().generation < generation


def _rested_at(last: asyncio.Task[_Answer] | None) -> float:
    """When the page may be rendered again; at once where the last rendering of it has failed, or there is none."""
    if last is None or not last.done() or last.cancelled() or last.exception() is not None:
        return 0.0
    return last.result().rested_at


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
