"""A Bot API of our own: messages that somebody writes, and everything that the bot says and removes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["NAME", "TOKEN", "BotApi", "bot_api"]

TOKEN = "123456789:AAFakeTokenOfATestBot"
NAME = "Our_bot"
Answer = tuple[int, dict[str, Any] | bytes]


@dataclass
class BotApi:
    """``refusals`` are given first, by method: each once. ``asked`` are all questions."""

    url: str = ""
    updates: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    refusals: dict[str, list[Answer]] = field(default_factory=dict)
    may_remove: bool = True
    _news: threading.Condition = field(default_factory=threading.Condition)

    def write(
        self, text: str, *, chat: int = 77, person: int = 5, username: str = "ann", age: int = 0, **more: Any
    ) -> int:
        """Somebody writes a message; its number."""
        with self._news:
            number = len(self.updates) + 1
            message = {"message_id": 1_000 + number, "date": int(time.time()) - age, "chat": {"id": chat}, "text": text}
            message |= {"from": {"id": person, "username": username, "is_bot": False}} | more
            self.updates.append({"update_id": number, "message": message})
            self._news.notify_all()
        return 1_000 + number

    def put(self, update: dict[str, Any]) -> None:
        """Telegram sends something else."""
        with self._news:
            self.updates.append({"update_id": len(self.updates) + 1, **update})
            self._news.notify_all()

    @property
    def texts(self) -> list[str]:
        """What the bot has said."""
        return [one["text"] for one in self.said]

    def answer(self, method: str, asked: dict[str, Any]) -> Answer:
        waiting = self.refusals.get(method)
        if waiting:
            return waiting.pop(0)
        if method == "getUpdates":
            self.offsets.append(asked["offset"])
            with self._news:
                self._news.wait_for(lambda: len(self.updates) >= asked["offset"], 0.2)
                return 200, {"ok": True, "result": [one for one in self.updates if one["update_id"] >= asked["offset"]]}
        if method == "getMe":
            return 200, {"ok": True, "result": {"id": 123456789, "is_bot": True, "username": NAME, "first_name": "Us"}}
        if method == "sendMessage":
            self.said.append(asked)
            return 200, {"ok": True, "result": {}}
        assert method == "deleteMessage"
        if not self.may_remove:
            return 400, {"ok": False, "error_code": 400, "description": "Bad Request: message can't be deleted"}
        self.removed.append(asked["message_id"])
        return 200, {"ok": True, "result": True}


@contextmanager
def bot_api() -> Iterator[BotApi]:
    """While it listens."""
    api = BotApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            place, _, method = self.path.rpartition("/")
            status, answer = api.answer(method, body) if place == f"/bot{TOKEN}" else (401, _unknown())
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def _unknown() -> dict[str, Any]:
    return {"ok": False, "error_code": 401, "description": "Unauthorized"}
