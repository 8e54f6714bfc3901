"""Access: the token, the session that a browser gets for it, and the word that a form must repeat.

A session is a signed time, kept nowhere: it ends with its time or with the process. The token itself is never in a
cookie, and neither is compared but by its digest, in a time that tells nothing.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict, deque
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from pumpswap.clock import NS_PER_SECOND, Clock

__all__ = ["COOKIE", "SESSION_SECONDS", "Access", "TooManyTries"]

COOKIE = "pumpswap_session"
SESSION_SECONDS = 7 * 86_400
_TRIES, _TRIES_SECONDS = 10, 60
_MOST_CLIENTS = 10_000  # whose wrong tokens are remembered


class TooManyTries(Exception):
    """Wrong tokens came faster than a person types them."""


class Access:
    """``token`` None: everybody who reaches the port may look and act. ``csrf`` is what every form repeats."""

    def __init__(self, token: str | None, clock: Clock) -> None:
        self._digest = None if token is None else sha256(token.encode()).digest()
        self._key = secrets.token_bytes(32)
        self._clock = clock
        self._wrong: OrderedDict[str, deque[int]] = OrderedDict()  # by who asks, the latest last
        self.csrf = secrets.token_urlsafe(32)

    @property
    def is_guarded(self) -> bool:
        """Whether a token is needed."""
        return self._digest is not None

    def is_token(self, given: str, client: str = "") -> bool:
        """Whether this is the token. Raises TooManyTries after ten wrong ones of ``client``, an address, in a minute,
        right or wrong. Those of others do not keep its owner out.
        """
        now, whose = self._clock.now_ns(), _network_of(client)
        wrong = self._wrong.get(whose, deque[int]())
        while wrong and wrong[0] <= now - _TRIES_SECONDS * NS_PER_SECOND:
            wrong.popleft()
        if len(wrong) >= _TRIES:
            raise TooManyTries
        digest = sha256(given.encode(errors="surrogateescape")).digest()
        if self._digest is not None and hmac.compare_digest(digest, self._digest):
            return True
        wrong.append(now)
        self._wrong[whose] = wrong
        self._wrong.move_to_end(whose)
        while len(self._wrong) > _MOST_CLIENTS:
            self._wrong.popitem(last=False)
        return False

    def new_session(self) -> str:
        """What the cookie holds."""
        until = self._clock.now_ns() // NS_PER_SECOND + SESSION_SECONDS
        text = f"{until}.{secrets.token_urlsafe(12)}"
        return f"{text}.{self._signed(f'session {text}')}"

    def is_session(self, cookie: str) -> bool:
        """Whether we have made it, and it has not ended."""
        text, _, signature = cookie.rpartition(".")
        ours = self._signed(f"session {text}")
        if not hmac.compare_digest(signature.encode(errors="surrogateescape"), ours.encode()):
            return False
        return int(text.partition(".")[0]) > self._clock.now_ns() // NS_PER_SECOND

    def is_csrf(self, given: str) -> bool:
        """Whether a form of ours sent it."""
        return hmac.compare_digest(given.encode(errors="surrogateescape"), self.csrf.encode())

    def seal(self, text: str) -> str:
        """A mark that only this process can make, for what comes back in an address."""
        return self._signed(f"told {text}")

    def is_seal(self, text: str, seal: str) -> bool:
        """Whether it is ours."""
        return hmac.compare_digest(seal.encode(errors="surrogateescape"), self.seal(text).encode())

    def _signed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(errors="surrogateescape"), sha256).hexdigest()


def _network_of(client: str) -> str:
    """An address; of IPv6 the network, since whoever has one address there has all others of it too."""
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return f"{int(address) >> 64:x}::/64"
    return str(address)
