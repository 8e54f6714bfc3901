"""Base58, as nodes write instruction data."""

from __future__ import annotations

from pumpswap.errors import BadInput

__all__ = ["decode_base58"]

_VALUES = {letter: value for value, letter in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_MOST = 20_000  # the arithmetic is quadratic, and no instruction is longer than a transaction


def decode_base58(text: str) -> bytes:
    """Bytes of ``text``. Raises BadInput for other letters."""
    if len(text) > _MOST:
        raise BadInput(f"base58 of {len(text)} characters is longer than anything on chain", hint="ask for base64")
    number = 0
    for letter in text:
        value = _VALUES.get(letter)
        if value is None:
            raise BadInput(f"{letter!r} is no base58 character", hint="base58 has no 0, O, I and l")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
