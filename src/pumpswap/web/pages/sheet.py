"""Sheet: a page with its frame: menu, state of trading, the questions before actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from starlette.responses import HTMLResponse

from pumpswap.app.views.overview import Overview, Period, overview
from pumpswap.app.views.page import Page, PageWish
from pumpswap.app.views.sight import Sight
from pumpswap.errors import NotFound
from pumpswap.web.failures import Failure
from pumpswap.web.pages.frame import Ask, asks_of, frame_of, menu_of
from pumpswap.web.pages.rendering import render
from pumpswap.web.parts import WebParts
from pumpswap.web.told import told_in

__all__ = ["Links", "Sheet", "links_of"]

_TOLD = ("told", "well", "seal")  # what an action has said goes with the address, and not further
_TITLES = {
    400: "That cannot be asked",
    401: "Not without the token",
    403: "That may not be done",
    404: "There is nothing here",
    409: "That cannot be done now",
    421: "Under another name, please",
    429: "Too often",
    503: "Not now",
}


@dataclass(frozen=True, slots=True)
class Links:
    """Where the newest part of a list is, when another one is shown, and where the next one."""

    newest: str
    older: str


def links_of(request: Request, page: Page[Any]) -> Links:
    """The same page with the same filters, at other places of its list."""
    kept = [pair for pair in _query(request) if pair[0] != "before"]
    newest = _address(request.url.path, kept) if "before" in request.query_params else ""
    older = "" if page.next is None else _address(request.url.path, [*kept, ("before", page.next)])
    return Links(newest, older)


class Sheet:
    """Renders for one application."""

    def __init__(self, parts: WebParts) -> None:
        self.parts = parts

    def sight(self) -> Sight:
        """Of the run that is shown. Raises NotFound where there is none."""
        return self.parts.sight()

    def wish(self, request: Request) -> PageWish:
        """Which part of a list is asked for. Raises UsageError."""
        return PageWish.of(before=request.query_params.get("before", ""))

    def show(
        self, request: Request, name: str, sight: Sight, *, around: Overview | None = None, **values: object
    ) -> HTMLResponse:
        """A page about a run. ``around`` is the overview where the page has made it already."""
        frame = frame_of(around or overview(sight, Period.DAY), self.parts.clock.now_ns())
        path = _address(request.url.path, _query(request))
        asks = asks_of(frame, path)
        return HTMLResponse(
            render(
                name,
                frame=frame,
                menu=menu_of(frame),
                here=_section(request.url.path),
                path=path,
                asks=asks,
                csrf=self.parts.csrf,
                told=told_in(self.parts.access, request),
                **values,
            )
        )

    def ask(self, request: Request, name: str, sight: Sight) -> HTMLResponse:
        """The page that asks before an action, for browsers without JavaScript. Raises NotFound."""
        frame = frame_of(overview(sight, Period.DAY), self.parts.clock.now_ns())
        found: Ask | None = next((one for one in asks_of(frame, "/") if one.name == name), None)
        if found is None:
            raise NotFound("there is no such action", hint="the buttons at the top of each page are all there is")
        return self.bare("ask.html", frame=frame, menu=menu_of(frame), ask=found, back="/")

    def failure(self, request: Request, failure: Failure) -> HTMLResponse:
        """Nothing of the books is on it: whoever sees it may not be one who may look."""
        name = "welcome.html" if failure.status == 404 and request.url.path == "/" else "error.html"
        title = _TITLES.get(failure.status, "Something went wrong")
        answer = self.bare(name, title=title, what=failure.what, hint=failure.hint)
        answer.status_code = failure.status
        return answer

    def login(self, request: Request, message: str) -> HTMLResponse:
        """The form for the token."""
        answer = self.bare("login.html", message=message, back=request.query_params.get("back", "/"))
        answer.status_code = 401 if message else 200
        return answer

    def bare(self, name: str, **values: object) -> HTMLResponse:
        """A page without a run around it."""
        given: Mapping[str, object] = {
            "frame": None, "menu": (), "here": "", "path": "/", "asks": (), "told": None, "csrf": self.parts.csrf,
        }  # fmt: skip
        return HTMLResponse(render(name, **{**given, **values}))


def _query(request: Request) -> list[tuple[str, str]]:
    """What was asked for, without what the last action has said."""
    return [pair for pair in parse_qsl(request.url.query, keep_blank_values=False) if pair[0] not in _TOLD]


def _address(path: str, query: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _section(path: str) -> str:
    """The entry of the menu that a page belongs to."""
    first = path.strip("/").partition("/")[0]
    return f"/{first}"
