"""GeckoServer: an HTTP server on 127.0.0.1 that answers like GeckoTerminal and DexScreener, and fails on command.

``with GeckoServer() as server``: ``server.settings()`` are settings that point there. Without a script it answers from
a ``GeckoWorld``; ``server.script(path, reply, …)`` gives replies for the next requests below that path, one each, and
``server.always(path, reply)`` for all of them. A reply is made by ``ok``, ``status``, ``limited``, ``cut``, ``packed``,
``dropped``, ``web_page``, ``slow``, or edits the right answer: ``changed(edit)``. ``server.seen`` are the requests.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pumpswap.settings import CollectSettings
from tests.support.gecko_world import ALLOWED, LENGTHS, GeckoWorld, dumped
from tests.support.material import material

_GECKO = "/api/v2/networks/solana/"
_DEX = "/latest/dex/"
_PAGE = 20


@dataclass(frozen=True)
class Reply:
    """``cut``: so many bytes are promised and not sent. ``dropped``: the connection closes without a word."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    dropped: bool = False
    delay_seconds: float = 0.0
    packed: bool = False


@dataclass(frozen=True)
class Request:
    """``path`` is relative to the service: ``new_pools``, ``pools/<address>/trades``, ``pairs/solana/<address>``."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


Edit = Callable[[Any], Any]
Answer = Reply | Callable[[Request, Reply], Reply]


def ok(told: object) -> Reply:
    """An answer: bytes as they are, anything else as JSON."""
    return Reply(body=told if isinstance(told, bytes) else dumped(told))


def status(code: int, title: str = "") -> Reply:
    """An error, with the body that the service writes."""
    return Reply(code, dumped({"errors": [{"status": str(code), "title": title}]}) if title else b"")


def limited(after: str | None = None) -> Reply:
    """429; ``after`` is the Retry-After header."""
    return Reply(429, b"", {} if after is None else {"Retry-After": after})


def web_page(code: int = 200) -> Reply:
    """A proxy's page where JSON should be."""
    return Reply(code, b"<!DOCTYPE html><html><title>Just a moment...</title></html>", {"Content-Type": "text/html"})


def dropped() -> Reply:
    """The connection is closed without an answer."""
    return Reply(dropped=True)


def slow(seconds: float) -> Answer:
    """The right answer, late."""
    return lambda request, right: replace(right, delay_seconds=seconds)


def cut(share: float = 0.5, *, honest_length: bool = True) -> Answer:
    """A part of the right answer: with ``honest_length`` HTTP notices nothing, only the JSON is cut."""

    def reply(request: Request, right: Reply) -> Reply:
        kept = right.body[: int(len(right.body) * share)]
        return replace(right, body=kept, cut=0 if honest_length else len(right.body) - len(kept))

    return reply


def packed() -> Answer:
    """The right answer, compressed."""
    return lambda request, right: replace(right, packed=True)


def changed(edit: Edit) -> Answer:
    """The right answer, edited: ``edit`` changes the decoded JSON in place, or returns another one."""

    def reply(request: Request, right: Reply) -> Reply:
        told = json.loads(right.body)
        return replace(right, body=dumped(edit(told) or told))

    return reply


class _Http(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news; anything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class GeckoServer:
    """A running server; its ``world`` may be changed meanwhile. ``recorded``: real answers where the material is."""

    def __init__(self, world: GeckoWorld | None = None, *, recorded: bool = False) -> None:
        self.world = world or GeckoWorld()
        self.seen: list[Request] = []
        self._recorded = recorded
        self._scripts: list[tuple[str, deque[Answer]]] = []
        self._rules: list[tuple[str, Answer]] = []
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=lambda: self._http.serve_forever(0.02), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def gecko_url(self) -> str:
        return f"{self.url}/api/v2"

    def settings(self, **changes: Any) -> CollectSettings:
        """Settings that point here and do not slow a test down."""
        urls = {"gecko_url": self.gecko_url, "dexscreener_url": self.url}
        usual: dict[str, Any] = urls | {"requests_per_minute": 100_000}
        return CollectSettings(**(usual | changes))

    def script(self, path: str, *answers: Answer) -> None:
        """Answers for the next requests whose path begins with ``path``, one each."""
        self._scripts.append((path, deque(answers)))

    def always(self, path: str, answer: Answer) -> None:
        """The answer for every request whose path begins with ``path``; the last such rule counts."""
        self._rules.insert(0, (path, answer))

    def paths(self) -> list[str]:
        """Paths of the requests so far."""
        return [one.path for one in self.seen]

    def reply(self, request: Request) -> Reply:
        """What this request is answered, scripts first."""
        with self._lock:
            self.seen.append(request)
            answer = next((q.popleft() for path, q in self._scripts if q and request.path.startswith(path)), None)
        if answer is None:
            answer = next((one for path, one in self._rules if request.path.startswith(path)), None)
        if isinstance(answer, Reply):
            return answer
        right = self._right(request)
        return right if answer is None else answer(request, right)

    def _right(self, request: Request) -> Reply:
        recorded = _recorded(request.path) if self._recorded else None
        if recorded is not None:
            return ok(recorded)
        parts = request.path.split("/")
        if parts[0] == "new_pools":
            return ok(self.world.pools(self._page(self.world.newest_first(), request)))
        if parts[:2] == ["pools", "multi"]:
            numbers = [self.world.number_of(one) for one in parts[2].split(",")]
            return ok(self.world.pools([one for one in numbers if one is not None]))
        number = self.world.number_of(parts[2] if parts[0] == "pairs" else parts[1]) if len(parts) > 1 else None
        if parts[0] in ("pairs", "dex-tokens"):
            return ok({"schemaVersion": "1.0.0", "pairs": None if number is None else [self.world.pair(number)]})
        if number is None or parts[0] not in ("pools", "tokens"):
            return status(404, "Not Found")
        if parts[0] == "tokens":
            return ok(self.world.pools(self._page([number], request)))
        if len(parts) == 2:
            return ok(self.world.one_pool(number))
        return self._history(number, parts[2:], request)

    def _history(self, number: int, what: list[str], request: Request) -> Reply:
        if what == ["trades"]:
            above = float(request.params.get("trade_volume_in_usd_greater_than", "0"))
            return ok(self.world.trades(number, above_usd=above))
        unit, aggregate = what[1], int(request.params.get("aggregate", "1"))
        if aggregate not in ALLOWED[unit]:
            allowed = ", ".join(map(str, ALLOWED[unit]))
            return status(400, f"Invalid aggregate. Allowed values: {allowed}")
        before, limit = request.params.get("before_timestamp"), int(request.params.get("limit", "100"))
        edge = None if before is None else int(before)
        return ok(self.world.candles(number, LENGTHS[unit] * aggregate, edge, limit))

    @staticmethod
    def _page(numbers: list[int], request: Request) -> list[int]:
        page = int(request.params.get("page", "1"))
        return numbers[(page - 1) * _PAGE : page * _PAGE]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                told = urlsplit(self.path)
                request = Request(_relative(told.path), dict(parse_qsl(told.query)), dict(self.headers))
                _send(self, server.reply(request))

            def log_message(self, format: str, *args: object) -> None:
                """Tests read ``seen`` instead."""

        return Handler


def _relative(path: str) -> str:
    text = unquote(path)
    if text.startswith(_GECKO):
        return text[len(_GECKO) :]
    rest = text.removeprefix(_DEX)
    return f"dex-{rest}" if rest.startswith("tokens/") else rest


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    if reply.delay_seconds:
        time.sleep(reply.delay_seconds)
    if reply.dropped:
        handler.close_connection = True
        return
    body = gzip.compress(reply.body) if reply.packed else reply.body
    headers = {"Content-Type": "application/json; charset=utf-8", **reply.headers}
    headers["Content-Length"] = str(len(body) + reply.cut)
    if reply.packed:
        headers["Content-Encoding"] = "gzip"
    try:
        handler.send_response(reply.status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
    except ConnectionError:
        handler.close_connection = True  # the client has hung up
    if reply.cut:
        handler.close_connection = True


def _recorded(path: str) -> bytes | None:
    """The real answer of this kind, whatever pool is asked for; None where the material is not here."""
    parts = path.split("/")
    names = {
        "new_pools": "geckoterminal_new_pools",
        "trades": "geckoterminal_trades_pumpswap",
        "minute": "geckoterminal_ohlcv_minute",
        "hour": "geckoterminal_ohlcv_hour",
        "day": "geckoterminal_ohlcv_day",
    }
    heads = {"pairs": "dexscreener_pair_pumpswap", "dex-tokens": "dexscreener_token_pairs"}
    name = names.get(parts[-1]) or heads.get(parts[0])
    if name is None and parts[0] == "pools" and len(parts) == 2:
        name = "geckoterminal_pool_pumpswap"
    file = None if name is None else material("real", "gecko", f"{name}.json")
    return None if file is None else file.read_bytes()
