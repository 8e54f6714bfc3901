"""The practice chain as a process: what runs in it, and how another process starts one and ends it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.errors import NotFound, NotRunning
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.programs import load_programs
from pumpswap.localnet.server import LocalServer, LocalUrls, ServerOptions

__all__ = ["LocalnetOptions", "RunningLocalnet", "make_chain", "run_localnet", "start_process"]

_START_SECONDS = 60
_STOP_SECONDS = 10
_NS_PER_MS = 1_000_000
_SETTLED_SLOTS = 40  # from the first slot on, something is final


@dataclass(frozen=True, slots=True)
class LocalnetOptions:
    """``programs`` is a folder with the real programs, unless ``load_state`` names a saved chain that has them.

    ``market`` pools are created with bots that trade on them. ``lags`` adds further endpoints on the same chain, each
    so many slots behind. ``start_unix`` None starts the chain's clock at the machine's time.
    """

    programs: Path | None = None
    port: int = 0
    slot_ms: int = 400
    seed: int = 0
    market: int = 0
    load_state: Path | None = None
    save_state: Path | None = None
    test_methods: bool = False
    lags: tuple[int, ...] = ()
    start_unix: int | None = None


def make_chain(options: LocalnetOptions) -> LocalChain:
    """The chain of these options. Raises NotFound without programs, BadInput for damaged files."""
    if options.load_state is not None:
        return LocalChain.load(options.load_state)
    if options.programs is None:
        raise NotFound(
            "the practice chain runs the real program, and no folder with it is named",
            hint="get it with `pumpswap localnet pull --from URL`, or name one with --programs",
        )
    slot_ms, start_unix = options.slot_ms or 400, options.start_unix
    if start_unix is None:
        # The slots that are settled before anybody looks are in the past: else the chain would run ahead by them.
        settled_ns = _SETTLED_SLOTS * slot_ms * _NS_PER_MS
        start_unix = (SystemClock().now_ns() - settled_ns) // NS_PER_SECOND
    chain = LocalChain(seed=options.seed, slot_ms=slot_ms, start_unix=start_unix)
    load_programs(chain, options.programs)
    chain.advance(_SETTLED_SLOTS)
    return chain


async def run_localnet(
    options: LocalnetOptions,
    until: asyncio.Event,
    ready: Callable[[Sequence[LocalUrls], LocalServer], None],
) -> None:
    """Serve until ``until`` is set, then save the state if asked. ``ready`` is told where it listens."""
    chain = make_chain(options)
    server = LocalServer(
        chain, ServerOptions(port=options.port, slot_ms=options.slot_ms, test_methods=options.test_methods)
    )
    if options.market:
        server.node.open_market(options.market)
    if options.slot_ms and options.start_unix is None and options.load_state is None:
        # Programs and pools have taken their time to make.
        late_seconds = SystemClock().now_ns() // NS_PER_SECOND - chain.unix_time
        chain.skip(max(late_seconds * 1_000 // options.slot_ms - 1, 0))
    async with server.serve() as urls:
        await _serve_others(chain, options, list(options.lags), [urls], lambda every: ready(every, server), until)
    if options.save_state is not None:
        chain.save(options.save_state)


async def _serve_others(
    chain: LocalChain,
    options: LocalnetOptions,
    lags: list[int],
    urls: list[LocalUrls],
    ready: Callable[[Sequence[LocalUrls]], None],
    until: asyncio.Event,
) -> None:
    """Further endpoints of the same chain, one inside the other; only the first moves its time."""
    if not lags:
        ready(urls)
        await until.wait()
        return
    number = len(urls)
    server_options = ServerOptions(
        slot_ms=0, test_methods=options.test_methods, lag_slots=lags[0], name=f"local-{number}"
    )
    async with LocalServer(chain, server_options).serve() as more:
        await _serve_others(chain, options, lags[1:], [*urls, more], ready, until)


class RunningLocalnet:
    """A practice chain in a process of its own. Use as a context, or ``stop`` it."""

    def __init__(self, process: subprocess.Popen[str], urls: Sequence[LocalUrls]) -> None:
        self._process = process
        self.urls = tuple(urls)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def http_url(self) -> str:
        """The first endpoint."""
        return self.urls[0].http

    @property
    def ws_url(self) -> str:
        """Its websocket."""
        return self.urls[0].ws

    def stop(self) -> int:
        """End it gracefully (SIGTERM), by force when that takes too long; its exit code. Harmless when it has ended."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return self._process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_process(options: LocalnetOptions, *, stderr: int | IO[str] | None = None) -> RunningLocalnet:
    """Start a practice chain and wait until it listens. Raises NotRunning, with what it said, when it does not."""
    command = [sys.executable, "-m", "pumpswap.localnet", *_arguments(options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()  # ends early when the process does
    try:
        told = json.loads(line)
        urls = [LocalUrls(each["http"], each["ws"]) for each in told["endpoints"]]
    except (ValueError, KeyError, TypeError):
        process.kill()
        process.wait(_START_SECONDS)
        process.stdout.close()
        what = line.strip() or "it ended without a word"
        raise NotRunning(f"the practice chain did not start: {what}", hint="look at its stderr") from None
    return RunningLocalnet(process, urls)


def _arguments(options: LocalnetOptions) -> list[str]:
    named = {
        "--programs": options.programs,
        "--port": options.port,
        "--slot-ms": options.slot_ms,
        "--seed": options.seed,
        "--market": options.market,
        "--load-state": options.load_state,
        "--save-state": options.save_state,
        "--start-unix": options.start_unix,
    }
    words = [word for name, value in named.items() if value is not None for word in (name, str(value))]
    words += [word for lag in options.lags for word in ("--lag", str(lag))]
    return [*words, "--test-methods"] if options.test_methods else words
