"""Sheet: a page with its frame: menu, state of trading, the questions before actions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from starlette.responses import HTMLResponse

from pumpswap.app.views.overview import Overview, frame_view
from pumpswap.app.views.page import Page, PageWish
from pumpswap.app.views.proposals import waiting_one
from pumpswap.app.views.runs import near_runs
from pumpswap.app.views.sight import Sight
from pumpswap.errors import NotFound, UsageError
from pumpswap.web.actions import ANSWERS
from pumpswap.web.failures import Failure
from pumpswap.web.pages.frame import Ask, Frame, answer_asks, asks_of, frame_of, menu_of
from pumpswap.web.pages.rendering import render
from pumpswap.web.parts import WebParts
from pumpswap.web.told import told_in

__all__ = ["Links", "Sheet", "links_of"]

_TOLD = ("told", "well", "seal")  # what an action has said goes with the address, and not further
# Links to pages about a run, not to files and to the API.
_LINK = re.compile(r' href="(/(?!static/|reports/|docs|api/)[^"?#]*)(\?[^"#]*)?(#[^"]*)?"')
_NAMES_A_RUN = re.compile(r"[?;]run=")
_MOST = 2**63 - 1
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

    def sight(self, request: Request) -> Sight:
        """Of the run that is shown: that of ``run`` in the address, else the one that ``Store.books`` chooses.

        Raises NotFound where there is none, UsageError for what is no number.
        """
        return self.parts.sight(_run_asked(request))

    def same_run(self, request: Request) -> str:
        """What an address ends in that leads to the run that was chosen; empty where none was. Raises UsageError."""
        chosen = _run_asked(request)
        return "" if chosen is None else f"?run={chosen}"

    def wish(self, request: Request) -> PageWish:
        """Which part of a list is asked for. Raises UsageError."""
        return PageWish.of(before=request.query_params.get("before", ""))

    def show(
        self, request: Request, name: str, sight: Sight, *, around: Overview | None = None, **values: object
    ) -> HTMLResponse:
        """A page about a run. ``around`` is the overview where the page has made it already."""
        frame = self._frame(sight, around)
        path = _address(request.url.path, _query(request))
        asks, told = asks_of(frame, path), told_in(self.parts.access, request)
        here = _section(request.url.path)
        return self._page(request, name, frame, {"here": here, "path": path, "asks": asks, "told": told, **values})

    def ask(self, request: Request, name: str, sight: Sight) -> HTMLResponse:
        """The page that asks before an action, for browsers without JavaScript, and before an answer to a proposal.

        Raises NotFound.
        """
        frame = self._frame(sight)
        kept = [pair for pair in _query(request) if pair[0] == "run"]
        if name in ANSWERS:
            waiting = waiting_one(sight, request.query_params.get("decision", "")[:64])
            asks = answer_asks(frame, waiting, _address("/decisions", kept))
        else:
            asks = asks_of(frame, _address("/", kept))
        found: Ask | None = next((one for one in asks if one.name == name), None)
        if found is None:
            hint = "the buttons at the top of each page are all there is; of a run that is over there are none"
            raise NotFound("there is no such action", hint=hint)
        return self._page(request, "ask.html", frame, {"ask": found, "back": found.back})

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
        return HTMLResponse(render(name, **{**self._nothing(), **values}))

    def _nothing(self) -> dict[str, object]:
        """What every template asks for."""
        return {
            "frame": None, "menu": (), "here": "", "path": "/", "asks": (), "told": None, "run_asked": None,
            "csrf": self.parts.csrf, "is_guarded": self.parts.access.is_guarded,
        }  # fmt: skip

    def _frame(self, sight: Sight, around: Overview | None = None) -> Frame:
        view = around or frame_view(sight)
        return frame_of(view, self.parts.clock.now_ns(), near_runs(sight))

    def _page(self, request: Request, name: str, frame: Frame, values: Mapping[str, object]) -> HTMLResponse:
        chosen = _run_asked(request)
        around = {"frame": frame, "menu": menu_of(frame), "run_asked": chosen}
        page = render(name, **{**self._nothing(), **around, **values})
        return HTMLResponse(page if chosen is None else _keeping_run(chosen, page))


def _run_asked(request: Request) -> int | None:
    """Raises UsageError."""
    text = request.query_params.get("run", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= _MOST):
        raise UsageError(
            "that is no number of a run", hint="`pumpswap runs list` has them; leave it out for the newest"
        )
    return int(text)


def _keeping_run(run_id: int, page: str) -> str:
    """Who has chosen a run stays with it: every link of the page leads to the same one, none can be forgotten."""

    def kept(found: re.Match[str]) -> str:
        path, query, mark = (part or "" for part in found.groups())
        if _NAMES_A_RUN.search(query):
            return found[0]
        return f' href="{path}{query}{"&amp;" if query else "?"}run={run_id}{mark}"'

    return _LINK.sub(kept, page)


def _query(request: Request) -> list[tuple[str, str]]:
    """What was asked for, without what the last action has said."""
    return [pair for pair in parse_qsl(request.url.query, keep_blank_values=False) if pair[0] not in _TOLD]


def _address(path: str, query: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _section(path: str) -> str:
    """The entry of the menu that a page belongs to."""
    first = path.strip("/").partition("/")[0]
    return f"/{first}"
