"""create_app: the application that uvicorn serves: gate, headers, forms, API, pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from pumpswap import __version__
from pumpswap.clock import Clock, SystemClock
from pumpswap.errors import ConfigError, PumpSwapError
from pumpswap.settings import LoadedSettings
from pumpswap.web import pages
from pumpswap.web.api.description import description_page
from pumpswap.web.api.routes import API_PATH, api_router
from pumpswap.web.failures import Failure, failure_json, failure_of
from pumpswap.web.followed import FollowedSettings
from pumpswap.web.forms import form_router
from pumpswap.web.last_resort import LastResort
from pumpswap.web.live.hub import Hub
from pumpswap.web.live.shared import SharedAnswers
from pumpswap.web.parts import WebParts
from pumpswap.web.security.access import Access
from pumpswap.web.security.gate import Gate
from pumpswap.web.security.headers import SecurityHeaders
from pumpswap.web.security.hosts import Hosts, is_loopback
from pumpswap.web.store import Store

__all__ = ["create_app", "parts_of"]

_THREADS = 12  # each with a connection to the database; more of them only wait for each other
_STATIC = Path(__file__).with_name("static")
_log = logging.getLogger(__name__)


def create_app(
    loaded: LoadedSettings,
    *,
    host: str | None = None,
    clock: Clock | None = None,
    load: Callable[[], LoadedSettings] | None = None,
) -> FastAPI:
    """The dashboard over the settings' books; ``host`` is what it is bound to, where the settings do not say it.
    ``load`` reads the settings again, to follow what a running engine takes over of a changed file.

    Raises ConfigError where it would be open to others than this machine without a token.
    """
    parts = parts_of(loaded, host=host, clock=clock, load=load)
    bound = loaded.settings.dashboard.host if host is None else host
    app = FastAPI(
        title="pumpswap",
        version=__version__,
        description="What the dashboard shows, as JSON. Amounts are texts of integers, their unit is in the key.",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API_PATH}/openapi.json",
        lifespan=lambda _: _alive(parts),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(LastResort, refuse=lambda request, failure: _refused(parts, request, failure)),
            Middleware(
                Gate,
                access=parts.access,
                hosts=Hosts(bound, loaded.settings.dashboard.allowed_hosts),
                refuse=lambda request, failure: _refused(parts, request, failure),
            ),
            Middleware(SharedAnswers, hub=parts.hub),
        ],
    )
    app.state.parts = parts
    _tell_failures(app, parts)
    app.include_router(form_router(parts))
    app.include_router(api_router(parts))
    for router in pages.routers(parts):
        app.include_router(router, include_in_schema=False)
    app.mount("/static", _Static(directory=_STATIC), name="static")

    @app.get("/docs", include_in_schema=False)
    async def description() -> Response:
        return HTMLResponse(description_page(app.openapi(), f"{API_PATH}/openapi.json"))

    return app


def parts_of(
    loaded: LoadedSettings,
    *,
    host: str | None = None,
    clock: Clock | None = None,
    load: Callable[[], LoadedSettings] | None = None,
) -> WebParts:
    """What the application is made of. Raises ConfigError for an address that others reach, without a token."""
    settings = loaded.settings.dashboard
    bound = settings.host if host is None else host
    token = None if settings.token is None else settings.token.get_secret_value()
    if token is None and not is_loopback(bound):
        raise ConfigError(
            f"at {bound} others than this machine could reach the dashboard, and it has no token",
            hint="set dashboard.token (16 characters at least), or leave dashboard.host at 127.0.0.1",
        )
    clock = clock or SystemClock()
    store = Store(loaded.settings, clock)
    followed = FollowedSettings(loaded, load, clock)
    return WebParts(followed, clock, store, Access(token, clock), Hub(store, settings.refresh_ms / 1_000))


class _Static(StaticFiles):
    """Our own files change with our version only, but are asked for again when they have."""

    def file_response(self, *args: object, **options: object) -> Response:
        answer = super().file_response(*args, **options)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "no-cache"
        return answer


@asynccontextmanager
async def _alive(parts: WebParts) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = _THREADS
    looking = asyncio.create_task(parts.hub.run())
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        parts.store.close()


def _tell_failures(app: FastAPI, parts: WebParts) -> None:
    async def of_ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, PumpSwapError)
        failure = failure_of(error)
        if failure.status >= 500:
            _log.error("%s %s: %s", request.method, request.url.path, error.what)
        return await _refused(parts, request, failure)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        what = "there is nothing like that here" if error.status_code in (404, 405) else "that cannot be answered"
        failure = Failure(error.status_code, "not_found" if error.status_code == 404 else "http_error", what, "")
        answer = await _refused(parts, request, failure)
        answer.headers.update(error.headers or {})
        return answer

    async def of_values(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        places = sorted({".".join(map(str, one["loc"][-1:])) for one in error.errors()})
        known = [place for place in places if place.isidentifier() or "-" in place]
        what = f"a value is not what it should be: {', '.join(known)[:100]}" if known else "the request cannot be read"
        hint = f"{API_PATH}/openapi.json says what each may be"
        return await _refused(parts, request, Failure(422, "usage_error", what, hint, 2))

    app.add_exception_handler(PumpSwapError, of_ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_values)


async def _refused(parts: WebParts, request: Request, failure: Failure) -> Response:
    path = request.url.path
    # Who is not let in gets no page of ours either.
    is_outside = failure.status in (401, 405, 413, 414, 421, 429) or failure.code == "foreign_origin"
    if is_outside or path.startswith(("/api/", "/static/", "/events")):
        return failure_json(failure)
    return pages.failure(parts, request, failure)
