"""StreamEndpoint: where subscriptions are served. Its URL is secret, its name is host and port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from pumpswap.chain.redact import host_of
from pumpswap.settings import EndpointSettings

__all__ = ["StreamEndpoint", "stream_endpoints"]

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_WEB_PORTS = (80, 443)


@dataclass(frozen=True, slots=True)
class StreamEndpoint:
    """A websocket address. ``url`` may hold an access token and is not shown; ``name`` is for people."""

    name: str
    url: str = field(repr=False)

    @classmethod
    def of(cls, settings: EndpointSettings) -> StreamEndpoint:
        """The configured ``ws_url``, or the one that Solana's clients derive from ``url``. Raises ConfigError."""
        told = (settings.ws_url or settings.url).get_secret_value().strip()
        shown = host_of(told)  # raises for what is no URL
        parts = urlsplit(told)
        if settings.ws_url is None and parts.port is not None and parts.port not in _WEB_PORTS:
            # A node serves its websocket on the port behind that of its RPC.
            shown = f"{shown.removesuffix(f':{parts.port}')}:{parts.port + 1}"
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@{shown}" if user else shown
        return cls(shown, urlunsplit((_SCHEMES[parts.scheme], netloc, parts.path, parts.query, "")))


def stream_endpoints(endpoints: Sequence[EndpointSettings]) -> tuple[StreamEndpoint, ...]:
    """Websocket addresses of the configured endpoints, in their order. Raises ConfigError."""
    return tuple(StreamEndpoint.of(one) for one in endpoints)
