"""Base58 as nodes read and write it: instruction data, filters, transactions. Keys and signatures are solders'."""

from __future__ import annotations

from solders.pubkey import Pubkey
from solders.signature import Signature

from pumpswap.errors import BadInput

__all__ = ["base58", "from_base58"]

_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_MOST = 20_000  # characters: the arithmetic is quadratic, and nothing on chain that is told in base58 is longer


def base58(raw: bytes) -> str:
    """Bytes as text."""
    if len(raw) == Pubkey.LENGTH:
        return str(Pubkey(raw))
    if len(raw) == Signature.LENGTH:
        return str(Signature(raw))
    number, letters = int.from_bytes(raw, "big"), []
    while number:
        number, rest = divmod(number, 58)
        letters.append(_LETTERS[rest])
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(letters))


def from_base58(text: str) -> bytes:
    """Text as bytes. Raises BadInput for other letters, and for more than anything on chain has."""
    if len(text) > _MOST:
        raise BadInput(f"base58 of {len(text)} characters is too long", hint="use base64")
    number = 0
    for letter in text:
        value = _VALUES.get(letter)
        if value is None:
            raise BadInput(f"{letter!r} is no base58 character", hint="base58 has no 0, O, I and l")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
