"""PatientProtocol: for how long a connection may keep its place without asking, or without taking what it asked for.

There are only so many places. Who opens connections and says nothing would else keep everybody out, without a token.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["PatientProtocol"]


class PatientProtocol(H11Protocol):
    """Of h11, whose limits on the head of a request hold; the quicker parser has none."""

    head_seconds = 10.0  # until a request has been made, from the connection or from its first byte on
    stuck_seconds = 30.0  # until somebody goes on reading

    _late: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._await_head()

    def pause_writing(self) -> None:
        """What was sent is not being read."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(self.stuck_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It is being read again."""
        super().resume_writing()
        self._stuck = _ended(self._stuck)

    def connection_lost(self, exc: Exception | None) -> None:
        self._late, self._stuck = _ended(self._late), _ended(self._stuck)
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if not self._is_idle():
            self._late = _ended(self._late)
        elif self._late is None:
            self._late = self.loop.call_later(self.head_seconds, self._hang_up)

    def _hang_up(self) -> None:
        self._late = None
        if self._is_idle():
            self.transport.abort()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first


def _ended(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    if timer is not None:
        timer.cancel()
    return None
