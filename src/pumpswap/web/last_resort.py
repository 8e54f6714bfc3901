"""LastResort: what nobody has foreseen is logged, and answered without a word about how we are built."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pumpswap.web.failures import Failure, Refuse

__all__ = ["LastResort"]

_log = logging.getLogger(__name__)


class LastResort:
    """Outside of everything but the headers."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app, self._refuse = app, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            request = Request(scope)
            _log.exception("%s %s failed", request.method, request.url.path[:200])
            if has_begun:
                raise  # the connection is cut: half an answer must not look like a whole one
            hint = "the log of the dashboard has the whole of it; please report it"
            answer = await self._refuse(request, Failure(500, "error", "this is a bug of the dashboard", hint))
            await answer(scope, receive, send)
