"""LogRedactor: takes out of a log line what may be a secret, whoever has written it there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from pydantic import BaseModel, SecretStr
from solders.keypair import Keypair
from solders.signature import Signature

from pumpswap.chain.redact import Redactor, bare_urls
from pumpswap.settings import Settings

__all__ = ["LogRedactor"]

_HIDDEN = "…"
_SHORTEST_SECRET = 4
_LONGEST_COUNT = 12  # digits of a PIN, or of what is counted
_LONGEST_TEXT = 20_000  # a traceback may be long; what is longer tells nobody anything
# Under these names nothing is ever written out.
_SECRET_NAMES = re.compile(
    r"password|passphrase|secret|token$|api_?key|authorization|cookie|private|seed|mnemonic|^pin$"
)
_BASE58_PAIR = re.compile(r"(?<![1-9A-HJ-NP-Za-km-z])[1-9A-HJ-NP-Za-km-z]{86,88}(?![1-9A-HJ-NP-Za-km-z])")
_KEY_FORMS = re.compile(
    r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{128}|[0-9A-Fa-f]{64})(?![0-9A-Fa-f])"  # hex of a seed, or of both halves
    r"|(?:\d{1,3}, ?){31,}\d{1,3}"  # the numbers of a key file
    r"|(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)"  # base64
    r"|b'(?:[^'\\]|\\.){24,}'|b\"(?:[^\"\\]|\\.){24,}\""  # bytes as Python shows them
)


class LogRedactor:
    """A processor of structlog. Never raises: a line that cannot be cleaned says only that."""

    def __init__(self, settings: Settings) -> None:
        """Knows every secret of the settings, and the parts of the URLs among them."""
        secrets = [secret.get_secret_value() for secret in _secrets_in(settings)]
        self._urls = [Redactor(secret) for secret in secrets if "://" in secret]
        plain = {part for secret in secrets for part in (secret, *_parts_of(secret)) if len(part) >= _SHORTEST_SECRET}
        counts = {each for each in plain if each.isdecimal() and len(each) < _LONGEST_COUNT}
        # Longest first, so that a secret that contains another one goes as a whole.
        self._plain = sorted(plain - counts, key=len, reverse=True)
        self._numbers = _whole(sorted(counts, key=len, reverse=True))

    def __repr__(self) -> str:
        return f"<LogRedactor of {len(self._plain)} secrets>"

    def __call__(self, _logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Clean every value of a line."""
        return {name: self._cleaned(value, name) for name, value in event.items()}

    def clean(self, text: str) -> str:
        """``text`` without secrets: keys in every form, ours of the settings, and whatever is in a URL."""
        if len(text) > _LONGEST_TEXT:
            text = text[:_LONGEST_TEXT] + _HIDDEN
        for secret in self._plain:
            if secret in text:
                text = text.replace(secret, _HIDDEN)
        if self._numbers is not None:
            text = self._numbers.sub(_HIDDEN, text)
        if "://" in text:
            text = bare_urls(text)
        text = _BASE58_PAIR.sub(_unless_signature, text)
        return _KEY_FORMS.sub(_HIDDEN, text)

    def _cleaned(self, value: object, name: str = "") -> object:
        if value is None or isinstance(value, (bool, int, float)):
            return _HIDDEN if value is not None and _SECRET_NAMES.search(name.lower()) else value
        if _SECRET_NAMES.search(name.lower()):
            return _HIDDEN
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, (bytes, bytearray)):
            return f"{len(value)} bytes"
        if isinstance(value, Mapping):
            return {self.clean(str(key)): self._cleaned(one, str(key)) for key, one in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            # As one text too: the numbers of a key are harmless one by one.
            whole = self.clean(", ".join(map(str, value)))
            return _HIDDEN if whole == _HIDDEN else [self._cleaned(one) for one in value]
        try:
            return self.clean(str(value))
        except Exception:  # of a foreign object: there is nothing that could be shown of it
            return f"<{type(value).__name__} that cannot be shown>"


def _whole(numbers: Sequence[str]) -> re.Pattern[str] | None:
    """A PIN, and not the same digits inside of a larger number or as that of an order: where numbers count up, those
    around a masked one would tell the PIN.
    """
    if not numbers:
        return None
    return re.compile(rf"(?<!\d)(?<!\d[.,])(?<!\b[od])(?:{'|'.join(numbers)})(?!\d|[.,]\d)")


def _unless_signature(found: re.Match[str]) -> str:
    """A signature has as many characters as a pair of keys; only the pair's second half follows from its first."""
    try:
        Keypair.from_bytes(bytes(Signature.from_string(found[0])))  # of a wrong text its own constructor would panic
    except ValueError:
        return found[0]
    return _HIDDEN


def _secrets_in(node: object) -> Iterator[SecretStr]:
    if isinstance(node, SecretStr):
        yield node
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _secrets_in(getattr(node, name))
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _secrets_in(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _secrets_in(value)


def _parts_of(secret: str) -> Iterator[str]:
    """Of a URL: what stands in its path, its query and before its host. Names of things are no secrets."""
    scheme, mark, rest = secret.partition("://")
    if not mark:
        return
    place, _, path = rest.partition("/")
    user, at, _ = place.rpartition("@")
    pieces = re.split(r"[/?&=#:]", path) + (user.split(":") if at else [])
    if scheme not in ("http", "https", "ws", "wss", "sqlite") and not at:
        pieces.append(place)  # apprise writes tokens where others write a host
    yield from (piece for piece in pieces if len(piece) >= 8)
