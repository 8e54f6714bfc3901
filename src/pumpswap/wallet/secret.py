"""Secret: bytes that are never shown and are overwritten after use."""

from __future__ import annotations

import hmac
import unicodedata
from typing import NoReturn, Self

__all__ = ["Secret"]


class Secret:
    """A password or a private key in memory.

    Its repr says nothing, it cannot be pickled or copied, and as a context manager it wipes itself. Wiping is the best
    that Python allows: a ``str`` or ``bytes`` that the content came from is beyond our reach.
    """

    __slots__ = ("_content",)

    def __init__(self, content: bytes | bytearray) -> None:
        # A bytearray is taken over, not copied: a copy would be one more to wipe.
        self._content = content if isinstance(content, bytearray) else bytearray(content)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Secret of a password. Unicode is normalised, so that it does not depend on the keyboard."""
        return cls(unicodedata.normalize("NFC", text).encode("utf-8"))

    @property
    def content(self) -> bytearray:
        """The buffer itself; empty once wiped."""
        return self._content

    def wipe(self) -> None:
        """Overwrite the content, and forget it."""
        self._content[:] = bytes(len(self._content))
        self._content = bytearray()

    def __len__(self) -> int:
        return len(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._content, other._content)

    __hash__ = None  # type: ignore[assignment]  # mutable: it is wiped

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled or copied")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()
