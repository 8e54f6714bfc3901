"""Plain text: how names and texts from outside may be said, wherever that is: one line, and nothing that is obeyed."""

from __future__ import annotations

import re
from unicodedata import category

__all__ = ["coin_text", "one_line", "short_address"]

_LONGEST_NAME = 40
_SAFE_SIGNS = frozenset(" -+&'!?$%,")
# Letters and signs that nobody sees: a name of nothing else would be none.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_ADDRESS = re.compile(r"(?<![1-9A-HJ-NP-Za-km-z])[1-9A-HJ-NP-Za-km-z]{32,44}(?![1-9A-HJ-NP-Za-km-z])")


def coin_text(name: str, mint: str = "") -> str:
    """A coin as people know it; a name that nobody has told, or of which nothing is left, is that of its mint.

    Names come from strangers, and every channel has a language of its own: what could be a tag, a link, a mention, a
    command, markdown, or turn the direction of writing becomes a middle dot; ``TEST / SOL`` loses its quote.
    """
    letters = [_harmless(letter) for letter in name.removesuffix(" / SOL")[: 4 * _LONGEST_NAME]]
    clean = re.sub(r"·{2,}", "·", " ".join("".join(letters).split()))
    if not re.search(r"\w", clean):
        return short_address(mint) if mint else "a coin without a name"
    if _ADDRESS.fullmatch(clean):
        return short_address(clean)
    return clean if len(clean) <= _LONGEST_NAME else clean[: _LONGEST_NAME - 1].rstrip() + "…"


def _harmless(letter: str) -> str:
    if letter in _BLANK:
        return " "
    kind = category(letter)
    if kind[0] in "LN" or letter in _SAFE_SIGNS or kind in ("So", "Mn", "Mc"):
        return letter
    if kind[0] == "Z" or letter in "\t\n\r":
        return " "
    return "" if kind in ("Cf", "Cc", "Cs", "Cn", "Co") else "·"


def one_line(text: str, most: int = 1_000) -> str:
    """Any text on one line, without control characters and marks that turn the direction of writing."""
    clean = "".join(" " if category(letter) in ("Zl", "Zp") or letter in "\t\n\r" else letter for letter in text)
    clean = "".join(letter for letter in clean if category(letter) not in ("Cc", "Cf", "Cs"))
    clean = " ".join(clean.split())
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def short_address(address: str) -> str:
    """``7xKX…gAsU``: enough to recognise an address, not to send anything there."""
    return address if len(address) <= 12 else f"{address[:4]}…{address[-4:]}"
