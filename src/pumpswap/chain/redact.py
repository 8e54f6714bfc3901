"""Endpoint addresses as they may be shown: URLs often carry an access token in their path, query or user part."""

from __future__ import annotations

import logging
import re
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from pumpswap.errors import ConfigError

__all__ = ["Redactor", "bare_urls", "host_of", "silence_request_lines"]

_LONGEST_TEXT = 300
_SHORTEST_SECRET = 4
_URL = re.compile(r"\b(?:https?|wss?)://[^\s'\"<>]+", re.IGNORECASE)
_ANY_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)([^\s'\"<>]*)", re.IGNORECASE)
_NAMELESS = "an endpoint"


def host_of(url: SecretStr | str) -> str:
    """Host and port of a URL, never more. Raises ConfigError for something that is no http(s) or ws(s) URL."""
    text = url.get_secret_value() if isinstance(url, SecretStr) else url
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https", "ws", "wss") or not host:
        raise ConfigError("the URL of an endpoint is not usable", hint="write it like https://host/ or wss://host/")
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


class Redactor:
    """Takes the secret parts of one URL out of texts that others wrote, and makes them one short line.

    Never raises: also what is no URL may hold a secret, and is needed most where something has failed already.
    """

    def __init__(self, url: SecretStr | str) -> None:
        text = url.get_secret_value() if isinstance(url, SecretStr) else url
        try:
            self._host = host_of(text)
        except ConfigError:
            self._host = _NAMELESS
        try:
            parts = urlsplit(text.strip())
        except ValueError:  # brackets that are no address: all of it is a path then
            parts = SplitResult("", "", text.strip(), "", "")
        pieces = [*parts.path.split("/"), *re.split(r"[&=]", parts.query), parts.fragment]
        pieces += [parts.username or "", parts.password or ""]
        every = {*pieces, *(unquote(piece) for piece in pieces)}
        # Longest first, so that a secret that contains another one goes as a whole.
        self._secrets = sorted((piece for piece in every if len(piece) >= _SHORTEST_SECRET), key=len, reverse=True)

    def __repr__(self) -> str:
        return f"<Redactor {self._host}>"

    def clean(self, text: str) -> str:
        """``text`` as one line of at most 300 characters, without URLs and without the secrets of this one."""
        line = _URL.sub(self._host, " ".join(text.split()))
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def bare_urls(text: str) -> str:
    """``text`` with every URL cut to scheme, host and port: of those that nobody has configured too, since paths,
    queries and user parts carry tokens and passwords.
    """
    return _ANY_URL.sub(_bare, text)


def _bare(found: re.Match[str]) -> str:
    scheme, rest = found.groups()
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    more = rest[len(place) :].rstrip("/.,;:)")
    return f"{scheme}{place.rpartition('@')[2]}{'/…' if more else rest[len(place) :]}"


class _NoRequestLines(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("HTTP Request")


_FILTER = _NoRequestLines()


def silence_request_lines() -> None:
    """The HTTP client logs every URL in full at level INFO. Those lines are dropped, whatever level is configured."""
    logger = logging.getLogger("httpx2")
    if _FILTER not in logger.filters:
        logger.addFilter(_FILTER)
