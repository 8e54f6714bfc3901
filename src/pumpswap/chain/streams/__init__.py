"""Subscriptions over websocket: typed records, one connection, and a stream that outlives connections."""

from pumpswap.chain.streams.endpoint import StreamEndpoint, stream_endpoints
from pumpswap.chain.streams.records import (
    AccountChanged,
    Connected,
    Disconnected,
    LogsSeen,
    SignatureSeen,
    SlotSeen,
    StreamRecord,
)
from pumpswap.chain.streams.signatures import SignatureWakes
from pumpswap.chain.streams.stream import ChainStream, StreamOptions, StreamParts
from pumpswap.chain.streams.watchdog import SlotWatchdog
from pumpswap.chain.streams.watches import AccountWatch, LogsWatch, ProgramWatch, SignatureWatch, SlotWatch, Watch

__all__ = [
    "AccountChanged",
    "AccountWatch",
    "ChainStream",
    "Connected",
    "Disconnected",
    "LogsSeen",
    "LogsWatch",
    "ProgramWatch",
    "SignatureSeen",
    "SignatureWakes",
    "SignatureWatch",
    "SlotSeen",
    "SlotWatch",
    "SlotWatchdog",
    "StreamEndpoint",
    "StreamOptions",
    "StreamParts",
    "StreamRecord",
    "Watch",
    "stream_endpoints",
]
