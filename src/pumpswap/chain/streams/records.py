"""What a stream tells, one record per notification, and when it was connected and when not.

Tagged msgspec structs, so that a recording holds them as they are.
"""

from __future__ import annotations

import msgspec

from pumpswap.chain.node import ChainAccount

__all__ = ["AccountChanged", "Connected", "Disconnected", "LogsSeen", "SignatureSeen", "SlotSeen", "StreamRecord"]


class AccountChanged(msgspec.Struct, frozen=True, tag="account"):
    """An account as it was at the end of ``slot``, from an account or a program subscription."""

    slot: int
    account: ChainAccount


class LogsSeen(msgspec.Struct, frozen=True, tag="logs"):
    """A transaction with its log lines. ``err`` is the node's own JSON, None when the transaction succeeded."""

    slot: int
    signature: str
    err: object | None
    logs: tuple[str, ...]


class SignatureSeen(msgspec.Struct, frozen=True, tag="signature"):
    """A transaction that was waited for has reached the commitment of the stream."""

    slot: int
    signature: str
    err: object | None


class SlotSeen(msgspec.Struct, frozen=True, tag="slot"):
    """The node works on ``slot`` (processed, whatever the commitment of the stream)."""

    slot: int
    parent: int
    root: int


class Connected(msgspec.Struct, frozen=True, tag="connected"):
    """All subscriptions are confirmed by ``endpoint``. What happened before may be missing: fill the gap."""

    endpoint: str


class Disconnected(msgspec.Struct, frozen=True, tag="disconnected"):
    """From here on things happen unseen, until the next Connected."""

    endpoint: str
    reason: str


StreamRecord = AccountChanged | LogsSeen | SignatureSeen | SlotSeen | Connected | Disconnected
