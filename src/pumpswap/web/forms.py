"""What browsers send and follow: the login, the forms of actions, the stream of changes."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from pumpswap.errors import PumpSwapError, UsageError
from pumpswap.web import pages
from pumpswap.web.actions import OF_A_RUN, ActionAsk, act
from pumpswap.web.failures import Failure, failure_json
from pumpswap.web.parts import WebParts
from pumpswap.web.security.access import COOKIE, SESSION_SECONDS, TooManyTries
from pumpswap.web.security.gate import client_of
from pumpswap.web.told import Told, safe_path, told_path

__all__ = ["form_router"]

_MOST_FIELDS = 20


def form_router(parts: WebParts) -> APIRouter:
    """Not part of the REST API, and not in its description."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def login_form(request: Request, back: str = "/") -> Response:
        if not parts.access.is_guarded:
            return RedirectResponse("/", 303)
        return pages.login(parts, request, "")

    @router.post("/login")
    async def login(request: Request) -> Response:
        fields = await _fields(request)
        try:
            is_right = parts.access.is_token(fields.get("token", ""), client_of(request))
        except TooManyTries:
            return pages.login(parts, request, "Too many wrong tokens: wait a minute.")
        if not is_right:
            return pages.login(parts, request, "That is not the token of this dashboard.")
        answer = RedirectResponse(safe_path(fields.get("back", "/")), 303)
        answer.set_cookie(
            COOKIE,
            parts.access.new_session(),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        fields = await _fields(request)
        _check_csrf(parts, fields)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    @router.post("/actions/{name}")
    async def action(request: Request, name: str) -> Response:
        fields = await _fields(request)
        _check_csrf(parts, fields)
        back = safe_path(fields.get("back", "/"))
        try:
            done = await run_in_threadpool(act, parts, _ask_of(name, fields, client_of(request)))
        except PumpSwapError as error:
            told = Told(f"{error.what}: {error.hint}", well=False)
        else:
            told = Told(done.text, done.is_done)
            parts.hub.tell()
        return RedirectResponse(told_path(parts.access, back, told), 303)

    @router.get("/events")
    async def events() -> Response:
        if parts.hub.is_full:
            full = Failure(503, "too_many_viewers", "too many browsers watch already", "close some of them")
            return failure_json(full)
        headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        return StreamingResponse(parts.hub.stream(), media_type="text/event-stream", headers=headers)

    return router


async def _fields(request: Request) -> dict[str, str]:
    """Of a form. Raises UsageError."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise UsageError("that is no form", hint="send application/x-www-form-urlencoded")
    try:
        found = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise UsageError("that form cannot be read", hint=f"UTF-8, {_MOST_FIELDS} fields at most") from None
    return dict(found)


def _check_csrf(parts: WebParts, fields: dict[str, str]) -> None:
    """Raises UsageError."""
    if not parts.access.is_csrf(fields.get("csrf", "")):
        raise UsageError(
            "this form is not of this dashboard, or is of before its last start", hint="load the page again"
        )


def _ask_of(name: str, fields: dict[str, str], client: str) -> ActionAsk:
    """A form says which run it has shown: meanwhile another one may be the one that is looked at first.

    Raises UsageError.
    """
    run_id = _number(fields.get("run", ""))
    if run_id is None and name in OF_A_RUN:
        raise UsageError("the form does not say which run it is about", hint="load the page again")
    number = _number(fields.get("number", ""))
    return ActionAsk(name, fields.get("confirm", ""), client, number, run_id, fields.get("decision", "")[:64])


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
