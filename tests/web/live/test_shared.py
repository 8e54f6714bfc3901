"""SharedAnswers: one rendering for all viewers of a page until something changes; nobody else is served from it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from pumpswap.clock import ManualClock
from pumpswap.settings import Settings
from pumpswap.web.live.hub import Hub
from pumpswap.web.live.shared import SharedAnswers
from pumpswap.web.store import Store
from tests.support.virtual_time import run_virtually
from tests.web.serving import in_loop


class Page:
    """Renders slowly, and counts."""

    def __init__(self, status: int = 200, wait: float = 0.01) -> None:
        self.rendered, self.status, self.wait = 0, status, wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.rendered += 1
        number = self.rendered
        await asyncio.sleep(self.wait)
        if self.status == 0:
            raise RuntimeError("broken")
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": f"{scope['path']} {number}".encode()})


def hub() -> Hub:
    return Hub(Store(Settings(), ManualClock(0)), 1)


async def asked(app: SharedAnswers, path: str = "/", *, live: bool = True, method: str = "GET", query: str = "") -> str:
    sent: list[Message] = []
    headers = [(b"x-live", b"1")] if live else []
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": headers,
    }

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    await app(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent).decode()


@in_loop
async def test_fifty_viewers_cost_one_rendering() -> None:
    page, told = Page(), hub()
    app = SharedAnswers(page, told)
    assert set(await asyncio.gather(*(asked(app) for _ in range(50)))) == {"/ 1"}
    assert await asked(app) == "/ 1"
    told.tell()
    assert set(await asyncio.gather(*(asked(app) for _ in range(50)))) == {"/ 2"}
    assert page.rendered == 2


@in_loop
async def test_a_page_that_is_opened_is_always_new_and_other_pages_are_others() -> None:
    app = SharedAnswers(Page(), hub())
    assert [await asked(app, live=False), await asked(app, live=False)] == ["/ 1", "/ 2"]
    assert [await asked(app, "/a"), await asked(app, "/b"), await asked(app, "/a", query="x=1")] == [
        "/a 3",
        "/b 4",
        "/a 5",
    ]
    assert await asked(app, "/a") == "/a 3"
    assert await asked(app, method="POST") == "/ 6"


@in_loop
async def test_a_failure_is_not_kept() -> None:
    page = Page(status=404)
    app = SharedAnswers(page, hub())
    assert [await asked(app), await asked(app)] == ["/ 1", "/ 2"]
    page.status = 0
    for _ in range(2):
        try:
            await asked(app)
        except RuntimeError:
            continue
        raise AssertionError("it did not break")
    page.status = 200
    assert await asked(app) == "/ 5"


@in_loop
async def test_a_viewer_who_leaves_does_not_take_the_rendering_with_him() -> None:
    page = Page(wait=0.05)
    app = SharedAnswers(page, hub())
    leaving, staying = asyncio.create_task(asked(app)), asyncio.create_task(asked(app))
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert await staying == "/ 1"
    assert page.rendered == 1


@in_loop
async def test_what_is_kept_is_bounded() -> None:
    page = Page(wait=0)
    app = SharedAnswers(page, hub())
    for number in range(1_000):
        await asked(app, f"/{number}")
    assert len(app._known) <= 64


@in_loop
async def test_what_is_no_page_is_never_shared_whatever_its_headers_say() -> None:
    """A stream would be rendered for ever, and nothing else would be answered any more."""
    page = Page(wait=0)
    app = SharedAnswers(page, hub())
    for path in ("/events", "/static/plotly.min.js", "/reports/daily.html", "/api/v1/overview", "/login"):
        before = page.rendered
        assert [await asked(app, path), await asked(app, path)] == [f"{path} {before + 1}", f"{path} {before + 2}"]
    assert not app._known


@in_loop
async def test_an_answer_that_is_not_shared_is_not_kept_in_memory() -> None:
    app = SharedAnswers(Page(status=404, wait=0), hub())
    for number in range(10):
        await asked(app, f"/{number}")
    assert not app._known


@in_loop
async def test_who_comes_while_a_page_of_before_is_being_made_sees_what_he_has_heard_of() -> None:
    page, told = Page(wait=0.05), hub()
    app = SharedAnswers(page, told)
    first = asyncio.create_task(asked(app))
    await asyncio.sleep(0.01)
    told.tell()
    assert await asyncio.gather(*(asked(app) for _ in range(10))) == ["/ 2"] * 10
    assert (await first, page.rendered) == ("/ 1", 2)


def test_a_page_that_is_slow_to_make_is_made_less_often() -> None:
    async def go() -> None:
        loop, page, told = asyncio.get_running_loop(), Page(wait=0.05), hub()
        app = SharedAnswers(page, told)
        for _ in range(3):
            await asked(app)
            told.tell()
        assert loop.time() == pytest.approx(3 * 0.05 + 2 * 4 * 0.05)
        await asked(app, live=False)  # who opens a page does not wait for those that look on
        await asked(app, "/other")
        assert loop.time() == pytest.approx(5 * 0.05 + 2 * 4 * 0.05)

    run_virtually(go())
