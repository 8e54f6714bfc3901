"""Harmless: texts as services may show them. Strangers choose the names of coins, and services obey what they read."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["harmless", "short_addresses"]

_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
# Look-alikes: a service neither calls everybody (@here, <!channel>), nor makes a tag of them.
_LIKE = {"<": "‹", ">": "›", "@": "＠"}
# No link under another text, no link at all, nothing hidden, struck out or swallowed by a block of code.
_PAIRS = {"](": "] (", "://": ":／／", "||": "| |", "~~": "~ ~", "```": "'''"}
_PAIR = re.compile("|".join(map(re.escape, _PAIRS)))
# Messengers make a link of `evil.com` and of `t.me/x` by themselves, and Telegram a button of `/close`. Keys of
# settings (`risk.max_positions`) and paths (`/var/log/x`) are neither.
_NAME_DOT = re.compile(r"(?<=\S)\.(?=[^\W\d_]+(?!\w))")
_COMMAND = re.compile(r"(?<![\w/])/(?=\w+(?![\w/]))")
_ADDRESS = re.compile(r"(?<![1-9A-HJ-NP-Za-km-z])[1-9A-HJ-NP-Za-km-z]{32,44}(?![1-9A-HJ-NP-Za-km-z])")


def harmless(text: str) -> str:
    """``text`` with its line breaks, and without anything that a terminal or a messenger would obey."""
    seen = "".join(map(_seen, text.replace("\r\n", "\n")))
    while (changed := _PAIR.sub(lambda found: _PAIRS[found[0]], seen)) != seen:  # "|||" makes a new pair
        seen = changed
    return _COMMAND.sub("／", _NAME_DOT.sub("\N{ONE DOT LEADER}", seen))


def short_addresses(text: str) -> str:
    """Addresses by their ends: whose they are is nobody's business on a messenger. Signatures stay whole."""
    return _ADDRESS.sub(lambda found: f"{found[0][:4]}…{found[0][-4:]}", text)


def _seen(letter: str) -> str:
    if letter == "\n" or letter in _LIKE:
        return _LIKE.get(letter, letter)
    return (
        " " if letter == "\t" else "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter) in _INVISIBLE else letter
    )
