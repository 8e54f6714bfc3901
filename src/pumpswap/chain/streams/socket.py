"""Socket: one websocket connection with its subscriptions. It ends once and is not used again."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Sequence

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from pumpswap.chain.node import Commitment
from pumpswap.chain.redact import Redactor
from pumpswap.chain.streams.endpoint import StreamEndpoint
from pumpswap.chain.streams.records import StreamRecord
from pumpswap.chain.streams.watches import (
    SignatureWatch,
    Watch,
    kind_of,
    read_notification,
    subscribe_request,
    unsubscribe_request,
)
from pumpswap.errors import EndpointDown, NodeRefused, NotServed

__all__ = ["Socket", "SocketOptions"]

_METHOD_NOT_FOUND = -32601
_TURN = 64  # frames read before others get a turn
_MAX_EARLY = 1_000
# The library logs the request line of the handshake, which holds the token, at level DEBUG.
_SILENT = logging.getLogger("pumpswap.chain.streams.websockets")
_SILENT.disabled = True


class SocketOptions(msgspec.Struct, frozen=True):
    """``unread_limit``: records that may wait for their reader. One more ends the connection: after that the gap is
    filled from history, while dropping single records would lose them for good, and not reading would hold up the
    confirmations of subscriptions and the pings too.
    """

    commitment: Commitment = Commitment.CONFIRMED
    open_timeout_seconds: float = 10.0
    confirm_timeout_seconds: float = 10.0
    unread_limit: int = 50_000
    max_frame_bytes: int = 16 * 1024 * 1024  # an account of 10 MB, the largest there can be, as base64


class Socket:
    """Opened by ``open``. ``next`` gives records in the order of their arrival, then raises EndpointDown for good."""

    def __init__(self, endpoint: StreamEndpoint, connection: ClientConnection, options: SocketOptions) -> None:
        self.endpoint = endpoint
        self.malformed = 0
        self._connection = connection
        self._options = options
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[int], Watch | None]] = {}
        self._watches: dict[int, Watch] = {}
        self._early: dict[int, list[msgspec.Raw]] = {}
        self._unread: deque[StreamRecord] = deque()
        self._ready = asyncio.Event()
        self._end = ""
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, endpoint: StreamEndpoint, options: SocketOptions) -> Socket:
        """Connect. Raises EndpointDown, which names the endpoint but not its URL."""
        try:
            connection = await connect(
                endpoint.url,
                open_timeout=options.open_timeout_seconds,
                max_size=options.max_frame_bytes,
                close_timeout=1.0,
                compression=None,
                proxy=None,
                logger=_SILENT,
            )
        # The library's own texts hold the URL, and with it the token: only the kind of the failure is passed on.
        except (OSError, TimeoutError, WebSocketException, ValueError) as failed:
            raise EndpointDown(
                f"{endpoint.name}: no websocket connection ({type(failed).__name__})",
                hint="check ws_url of this endpoint, or use another one",
            ) from None
        return cls(endpoint, connection, options)

    async def subscribe(self, watches: Sequence[Watch]) -> None:
        """Ask for all of them at once and wait until each is confirmed.

        Raises NotServed or NodeRefused when the node refuses one, EndpointDown when it does not answer.
        """
        asked = []
        for watch in watches:
            number, answer = self._ask(watch)
            asked.append((watch, answer))
            await self._send(subscribe_request(watch, number, self._options.commitment))
        for watch, answer in asked:
            await self._answer(answer, f"{kind_of(watch)}Subscribe")

    async def unsubscribe(self, watch: Watch) -> None:
        """End a subscription; one that is not known here has ended already."""
        for subscription in [known for known, one in self._watches.items() if one == watch]:
            del self._watches[subscription]
            number, answer = self._ask(None)
            await self._send(unsubscribe_request(watch, subscription, number))
            await self._answer(answer, f"{kind_of(watch)}Unsubscribe")

    async def next(self) -> StreamRecord:
        """The next record. What has arrived before the end is given out first. One reader at a time."""
        while not self._unread:
            if self._end:
                raise EndpointDown(f"{self.endpoint.name}: {self._end}", hint="the stream connects again by itself")
            self._ready.clear()
            await self._ready.wait()
        return self._unread.popleft()

    def abort(self, reason: str) -> None:
        """Nothing further is read; ``next`` gives out what is there and then raises with this reason."""
        if not self._end:
            self._end = reason
        self._reader.cancel()
        for answer, _ in self._waiting.values():
            answer.cancel()
        self._waiting.clear()
        self._ready.set()

    async def close(self) -> None:
        """Release the connection; may be called more than once."""
        self.abort("closed")
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._connection.close()

    def _ask(self, watch: Watch | None) -> tuple[int, asyncio.Future[int]]:
        """A number for a request, and its answer to come; ``watch`` is what a confirmation starts."""
        number = next(self._numbers)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        # The failure of one of many requests that were sent together is read by nobody when another failed first.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._end:
            answer.cancel()
        else:
            self._waiting[number] = answer, watch
        return number, answer

    async def _send(self, message: bytes) -> None:
        try:
            await self._connection.send(message, text=True)
        except ConnectionClosed as closed:
            raise EndpointDown(f"{self.endpoint.name}: {_closing(closed)}", hint="the stream connects again") from None

    async def _answer(self, answer: asyncio.Future[int], method: str) -> None:
        done, _ = await asyncio.wait({answer}, timeout=self._options.confirm_timeout_seconds)
        if not done or answer.cancelled():
            why = self._end or "no answer"
            raise EndpointDown(f"{self.endpoint.name}: {method}: {why}", hint="use another endpoint")
        answer.result()

    async def _read(self) -> None:
        reason = "ended"
        try:
            for turn in itertools.count(1):
                self._frame(await self._connection.recv(decode=False))
                if turn % _TURN == 0:
                    await asyncio.sleep(0)  # recv does not wait while frames are there, and the reader of records must
        except ConnectionClosed as closed:
            reason = _closing(closed)
        except WebSocketException as failed:
            reason = f"broken connection ({type(failed).__name__})"
        finally:
            self.abort(reason)

    def _frame(self, raw: bytes) -> None:
        try:
            frame = _FRAME.decode(raw)
        except msgspec.DecodeError:
            self.malformed += 1
            return
        if frame.params is not None:
            self._notified(frame.params.subscription, frame.params.result)
        elif frame.id is not None:
            self._answered(frame)

    def _answered(self, frame: _Frame) -> None:
        answer, watch = self._waiting.pop(frame.id or 0, (None, None))
        if answer is None or answer.done():
            return
        if frame.error is not None:
            name = self.endpoint.name
            kind = NotServed if frame.error.code == _METHOD_NOT_FOUND else None
            what = f"{name} refuses a subscription: {Redactor(self.endpoint.url).clean(frame.error.message)}"
            hint = "use another endpoint for streams"
            refusal = kind(what, hint=hint) if kind else NodeRefused(what, code=frame.error.code, hint=hint)
            answer.set_exception(refusal)
        elif isinstance(frame.result, int):
            answer.set_result(frame.result)
            if watch is not None:
                self._watches[frame.result] = watch
                for early in self._early.pop(frame.result, ()):
                    self._notified(frame.result, early)
                if not self._waiting:
                    self._early.clear()
        else:
            answer.set_exception(EndpointDown(f"{self.endpoint.name}: an answer without a subscription number"))

    def _notified(self, subscription: int, result: msgspec.Raw) -> None:
        watch = self._watches.get(subscription)
        if watch is None:
            # A node may tell before it confirms; without a confirmation to wait for it is a subscription just ended.
            if self._waiting:
                early = self._early.setdefault(subscription, [])
                if len(early) < _MAX_EARLY:
                    early.append(msgspec.Raw(bytes(result)))
            return
        try:
            record = read_notification(watch, result)
        except (msgspec.DecodeError, ValueError):
            self.malformed += 1
            return
        if record is None:
            return
        if isinstance(watch, SignatureWatch):
            self._watches.pop(subscription, None)
        if len(self._unread) >= self._options.unread_limit:
            self.abort(f"its reader is {len(self._unread)} records behind")
            return
        self._unread.append(record)
        self._ready.set()


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Params(msgspec.Struct):
    subscription: int
    result: msgspec.Raw


class _Frame(msgspec.Struct):
    id: int | None = None
    result: object = None
    error: _Error | None = None
    params: _Params | None = None


_FRAME = msgspec.json.Decoder(_Frame)


def _closing(closed: ConnectionClosed) -> str:
    frame = closed.rcvd or closed.sent
    return "connection lost" if frame is None else f"connection closed with code {frame.code}"
