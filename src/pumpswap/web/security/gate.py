"""Gate: every request passes it before anything of ours sees it: its host, its size, its origin, and who it is from."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pumpswap.web.failures import Failure, Refuse
from pumpswap.web.security.access import COOKIE, Access, TooManyTries
from pumpswap.web.security.hosts import Hosts

__all__ = ["LARGEST_BODY", "LARGEST_QUERY", "Gate", "client_of", "has_bearer"]

LARGEST_BODY = 16 * 1024
LARGEST_QUERY = 2 * 1024
_LONGEST_PATH = 512
_BODY_SECONDS = 10.0  # until a body of that size has come
_SAFE = frozenset({"GET", "HEAD"})
_METHODS = _SAFE | {"POST"}
_OPEN = ("/login", "/static/", "/favicon.ico")  # what the login page itself needs


class Gate:
    """``refuse`` makes an answer of a failure."""

    def __init__(self, app: ASGIApp, access: Access, hosts: Hosts, refuse: Refuse) -> None:
        self._app, self._access, self._hosts, self._refuse = app, access, hosts, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every ASGI application."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no sockets here
        request = Request(scope, receive)
        failure = self._obstacle(request)
        if failure is None and request.method == "POST":
            try:
                async with asyncio.timeout(_BODY_SECONDS):
                    body = await _body_of(request)
            except ClientDisconnect:
                return  # nobody is there to be answered
            except TimeoutError:
                body, failure = b"", Failure(408, "too_slow", "the request does not come to its end", "send it again")
            if body is None:
                failure = Failure(413, "too_large", "that is too much", f"{LARGEST_BODY} bytes at most")
            else:
                receive = _again(body)
        if failure is None:
            await self._app(scope, receive, send)
        elif failure.status == 401 and request.method in _SAFE and not _is_program(request):
            back = quote(_path_and_query(request), safe="")
            await RedirectResponse(f"/login?back={back}", 303)(scope, receive, send)
        else:
            answer = await self._refuse(request, failure)
            await answer(scope, receive, send)

    def _obstacle(self, request: Request) -> Failure | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.may_ask(hosts[0]):
            hint = "use the address that `pumpswap dashboard` shows, or name this host in dashboard.allowed_hosts"
            return Failure(421, "wrong_host", "the dashboard is not asked for under this name", hint)
        if request.method not in _METHODS:
            return Failure(405, "wrong_method", "there is nothing like that here", "GET, HEAD and POST are served")
        if len(request.scope.get("raw_path") or b"") > _LONGEST_PATH or len(request.url.query) > LARGEST_QUERY:
            return Failure(414, "too_long", "that address is too long", "shorten it")
        return self._stranger(request) or self._unknown(request)

    def _stranger(self, request: Request) -> Failure | None:
        """What a page of somebody else has made a browser ask."""
        site = request.headers.get("sec-fetch-site", "none")
        origin = request.headers.get("origin")
        is_ours = origin is None or _host_of(origin) == request.headers["host"].lower()
        is_navigation = request.headers.get("sec-fetch-mode") == "navigate" and request.method in _SAFE
        if (site in ("same-origin", "none") and is_ours) or (request.method in _SAFE and is_navigation):
            return None
        return Failure(403, "foreign_origin", "another site has asked for this", "open the dashboard itself")

    def _unknown(self, request: Request) -> Failure | None:
        if not self._access.is_guarded or request.url.path.startswith(_OPEN):
            return None
        if self._access.is_session(request.cookies.get(COOKIE, "")):
            return None
        try:
            if has_bearer(request, self._access):
                return None
        except TooManyTries:
            return Failure(429, "too_many_tries", "too many wrong tokens", "wait a minute")
        hint = "log in, or send `Authorization: Bearer TOKEN` with the token of dashboard.token"
        return Failure(401, "no_token", "this dashboard asks for its token", hint)


def has_bearer(request: Request, access: Access) -> bool:
    """Whether a program has sent the token itself. Raises TooManyTries."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(given) and access.is_token(given.strip(), client_of(request))


def client_of(request: Request) -> str:
    """The address that asks, for the record."""
    return request.client.host if request.client is not None else "unknown"


def _is_program(request: Request) -> bool:
    return request.url.path.startswith("/api/") or request.url.path == "/events" or "x-live" in request.headers


def _host_of(origin: str) -> str:
    return urlsplit(origin).netloc.lower() if "://" in origin else ""


def _path_and_query(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


async def _body_of(request: Request) -> bytes | None:
    """The whole body; None for one that is larger than any of ours."""
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told[:12]) > LARGEST_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _again(body: bytes) -> Receive:
    """The body for whoever asks next, and then that the caller is gone, when he is."""
    told = False

    async def receive() -> dict[str, object]:
        nonlocal told
        if told:
            return {"type": "http.disconnect"}
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
