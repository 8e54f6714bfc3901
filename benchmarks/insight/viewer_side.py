"""Fifty browsers in a process of their own: each listens for changes, and asks for its page again at every one.

    python -m benchmarks.insight.viewer_side PORT COUNT

Ends when its standard input does, and prints how often all of them together heard of a change and asked.
"""

from __future__ import annotations

import asyncio
import json
import sys

__all__ = ["main"]

_HEAD = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{more}\r\n"
_PAGES = ("/", "/positions", "/decisions", "/orders", "/ledger", "/pools", "/signals", "/reports", "/alerts", "/health",
          "/settings")  # fmt: skip


class Viewers:
    """``heard`` changes, and ``asked`` for pages, together."""

    def __init__(self, port: int) -> None:
        self.port, self.heard, self.asked = port, 0, 0

    async def watch(self, path: str) -> None:
        """One browser with one page open."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(_HEAD.format(path="/events", port=self.port, more="").encode())
        page_reader, page_writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**22)
        while line := await reader.readline():
            if line.startswith(b"event: changed"):
                self.heard += 1
                page_writer.write(_HEAD.format(path=path, port=self.port, more="X-Live: 1\r\n").encode())
                await self._read(page_reader)
                self.asked += 1

    async def _read(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if " 200 " not in head.splitlines()[0]:
            raise RuntimeError(head)
        length = next(int(line.partition(":")[2]) for line in head.splitlines() if line.startswith("content-length:"))
        await reader.readexactly(length)


async def main(port: int, count: int) -> None:
    """Watch until nobody wants it any more."""
    viewers = Viewers(port)
    tasks = [asyncio.create_task(viewers.watch(_PAGES[number % len(_PAGES)])) for number in range(count)]
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    done, _ = await asyncio.wait({ended, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    for task in done - {ended}:
        task.result()  # a viewer that has lost its stream is an error
        raise RuntimeError("a stream has ended")
    for task in tasks:
        task.cancel()
    print(json.dumps({"heard": viewers.heard, "asked": viewers.asked}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
