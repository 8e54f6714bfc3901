"""LocalServer: the practice chain behind Solana's JSON-RPC and websocket, on one port, sockets also on the next one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pumpswap.chain.node import ChainAccount, ConfirmedTransaction
from pumpswap.errors import ConfigError, UsageError
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import NOTIFY, SOCKET, FaultKind, FaultPlan
from pumpswap.localnet.rpc_calls import encode
from pumpswap.localnet.rpc_desk import Desk, Trouble
from pumpswap.localnet.rpc_node import MOST_LAG_SLOTS, ServedChain
from pumpswap.localnet.rpc_socket import RpcSocket
from pumpswap.localnet.rpc_state import RpcState
from pumpswap.localnet.subscriptions import Notification, Subscriptions

__all__ = ["LocalServer", "LocalUrls", "ServerOptions"]

_TRANSPORT = "pumpswap.transport"
_LARGEST_BODY = 32 * 1024 * 1024  # a program in base64
_LARGEST_MESSAGE = 16 * 1024 * 1024
_PORT_TRIES = 50
_MADE_UP_SLOTS = 4
_CLOSED_BY_FAULT = 1_012


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a chain is served."""

    port: int = 0  # 0: a free one; the one above it must be free too
    slot_ms: int = 400  # real milliseconds from slot to slot; 0: only localnet_advance moves the chain
    test_methods: bool = False  # localnet_advance, localnet_fault and the like
    lag_slots: int = 0  # reads are this old
    name: str = "local"  # what faults call this endpoint


@dataclass(frozen=True, slots=True)
class LocalUrls:
    """Where a server listens. Clients that know only ``http`` find the socket one port above."""

    http: str
    ws: str


class LocalServer:
    """One endpoint on a practice chain. It owns the chain while it serves, unless ``slot_ms`` is 0."""

    def __init__(
        self, chain: LocalChain, options: ServerOptions | None = None, *, faults: FaultPlan | None = None
    ) -> None:
        """Raises UsageError for options that cannot be."""
        options = options or ServerOptions()
        if not 0 <= options.lag_slots <= MOST_LAG_SLOTS or options.slot_ms < 0:
            raise UsageError(
                "this chain cannot be served so", hint=f"lag from 0 to {MOST_LAG_SLOTS} slots, slot_ms from 0"
            )
        self.chain = chain
        self.options = options
        self.faults = faults if faults is not None else FaultPlan()
        self.node = ServedChain(
            chain,
            faults=self.faults,
            name=options.name,
            slot_ms=options.slot_ms,
            test_methods=options.test_methods,
        )
        self.node.lag_slots = options.lag_slots
        self.subscriptions = Subscriptions(RpcState(self.node), self._notify)
        self._desk = Desk(self.node, self.subscriptions)
        self._sockets: dict[RpcSocket, list[tuple[int, bytes]]] = {}  # with what is held back to be reordered
        self._numbers = itertools.count(1)
        self.app = Starlette(
            routes=[
                Route("/health", self._health, methods=["GET"]),
                Route("/{path:path}", self._http, methods=["POST"]),
                WebSocketRoute("/{path:path}", self._websocket),
            ]
        )

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[LocalUrls]:
        """Listen on 127.0.0.1 until the block is left. Raises ConfigError when a port is taken.

        When the chain cannot go on to its next slot, the block is cancelled and what stopped it is raised.
        """
        sockets = _listening(self.options.port)
        server = _Uvicorn(
            uvicorn.Config(
                self.app,
                http=_Protocol,
                ws="websockets-sansio",
                ws_max_size=_LARGEST_MESSAGE,
                ws_ping_interval=None,
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )
        stop_listening = self.chain.listen(self)
        serving = asyncio.ensure_future(server.serve(sockets))
        ticking = asyncio.ensure_future(self._tick())
        ticking.add_done_callback(functools.partial(_end_with, asyncio.current_task()))
        try:
            while not server.started:
                if serving.done():
                    serving.result()
                await asyncio.sleep(0.005)
            port = sockets[0].getsockname()[1]
            yield LocalUrls(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port + 1}")
        finally:
            ticking.cancel()
            server.should_exit = True
            for each in self._sockets:
                each.close()
            await asyncio.gather(serving, ticking, return_exceptions=True)
            stop_listening()
            for listener in sockets:
                listener.close()
            if not ticking.cancelled():
                ticking.result()

    async def _tick(self) -> None:
        """Slots by the machine's own pace. A few that a busy machine misses are made up for; of more there are no
        blocks, as on a real chain, so that the chain's time never falls behind.
        """
        if not self.options.slot_ms:
            return
        loop, every = asyncio.get_running_loop(), self.options.slot_ms / 1_000
        due = loop.time() + every
        while True:
            await asyncio.sleep(max(due - loop.time(), 0))
            missed = int((loop.time() - due) / every)
            if missed > _MADE_UP_SLOTS:
                self.chain.skip(missed - 1)
                due += missed * every
            self.node.advance()
            due += every

    # What the chain tells (ChainListener)

    def on_accounts(self, slot: int, changed: Sequence[ChainAccount]) -> None:
        """Accounts were written."""
        self.subscriptions.on_accounts(slot, changed)

    def on_transaction(self, transaction: ConfirmedTransaction) -> None:
        """A transaction landed."""
        self.subscriptions.on_transaction(transaction)

    def on_rollback(self, signatures: Sequence[str]) -> None:
        """Transactions were undone."""
        self.subscriptions.on_rollback(signatures)

    def on_slot(self, slot: int) -> None:
        """A new slot: what was held back is due, and sockets may break."""
        self.subscriptions.on_slot(slot)
        for each, held in [*self._sockets.items()]:
            while held and held[0][0] < slot - 1:
                each.put(held.pop(0)[1])
            fault = self.faults.pick(SOCKET, slot, target=each.name)
            if fault is not None and fault.kind is FaultKind.CLOSE_SOCKET:
                each.close(_CLOSED_BY_FAULT)

    def _notify(self, owner: object, notification: Notification) -> None:
        held = self._sockets.get(owner) if isinstance(owner, RpcSocket) else None
        if held is None or not isinstance(owner, RpcSocket):
            return
        message = encode(notification.document())
        fault = self.faults.pick(NOTIFY, notification.slot, signature=notification.signature, target=owner.name)
        kind = None if fault is None else fault.kind
        if kind is FaultKind.CLOSE_SOCKET:
            owner.close(_CLOSED_BY_FAULT)
            return
        if kind is FaultKind.REORDER_NOTIFICATION:
            held.append((notification.slot, message))
            return
        if kind is not FaultKind.DROP_NOTIFICATION:
            owner.put(message)
        if kind is FaultKind.DUPLICATE_NOTIFICATION:
            owner.put(message)
        while held:
            owner.put(held.pop(0)[1])

    # What clients ask

    async def _health(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    async def _http(self, request: Request) -> Response:
        body = b""
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST_BODY:
                    return PlainTextResponse("request body too large", status_code=413)
        except ClientDisconnect:
            return Response()  # whoever has asked is gone
        answer = await self._desk.serve(body, None)
        match answer.trouble:
            case Trouble.NONE:
                return Response(answer.body, media_type="application/json")
            case Trouble.RATE_LIMITED:
                headers = {"Retry-After": str(answer.retry_after)}
                return PlainTextResponse("Too many requests", status_code=429, headers=headers)
            case Trouble.SERVER_ERROR:
                return PlainTextResponse("Service unavailable", status_code=503)
            case Trouble.NO_ANSWER:
                while not await request.is_disconnected():
                    await asyncio.sleep(0.05)
                return Response()
            case Trouble.RESET:
                _reset(request.scope["state"][_TRANSPORT])
                return Response()

    async def _websocket(self, websocket: WebSocket) -> None:
        connection = RpcSocket(websocket, next(self._numbers))
        self._sockets[connection] = []
        try:
            await connection.run(self._serve_message)
        finally:
            del self._sockets[connection]
            self.subscriptions.drop(connection)

    async def _serve_message(self, connection: RpcSocket, message: bytes) -> None:
        answer = await self._desk.serve(message, connection)
        match answer.trouble:
            case Trouble.NONE:
                if answer.body:
                    connection.put(answer.body)
                for each in answer.notifications:
                    self._notify(connection, each)
            case Trouble.RATE_LIMITED | Trouble.SERVER_ERROR:
                connection.put(answer.body)
            case Trouble.NO_ANSWER:
                pass
            case Trouble.RESET:
                connection.close(_CLOSED_BY_FAULT)


class _Protocol(HttpToolsProtocol):
    """Lets the application reach the connection, so that a fault can reset it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"] = {**self.app_state, _TRANSPORT: self.transport}


class _Uvicorn(uvicorn.Server):
    """Signals belong to whoever runs the event loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _end_with(owner: asyncio.Task[object] | None, ticking: asyncio.Future[None]) -> None:
    """A chain that stands still must not look like one that is served."""
    if owner is not None and not ticking.cancelled() and ticking.exception() is not None:
        owner.cancel()


def _reset(transport: asyncio.Transport) -> None:
    """RST instead of FIN: the client sees a connection reset."""
    raw: socket.socket | None = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _listening(port: int) -> list[socket.socket]:
    """Two neighbouring ports, since clients derive the socket's port."""
    if port:
        pair = _bound_pair(port)
        if pair is None:
            raise ConfigError(f"port {port} or {port + 1} is in use", hint="choose another one with --port")
        return pair
    for _ in range(_PORT_TRIES):
        probe = _bound(0)
        if probe is None:
            break
        free = int(probe.getsockname()[1])
        probe.close()
        pair = _bound_pair(free)
        if pair is not None:
            return pair
    raise ConfigError("there are no two free ports side by side", hint="choose one with --port")


def _bound_pair(port: int) -> list[socket.socket] | None:
    first = _bound(port)
    second = _bound(port + 1) if first is not None and port < 65_535 else None
    if first is None or second is None:
        if first is not None:
            first.close()
        return None
    return [first, second]


def _bound(port: int) -> socket.socket | None:
    # With the protocol named, asyncio switches Nagle's algorithm off: without, each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        return None
    return listener
