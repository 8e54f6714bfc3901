"""Lists of coins, as settings and as files of other programs have them: each entry is checked to be a public key.

A list that is meant to keep a coin out must not miss it for a blank, a prefix or a typo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pumpswap.errors import ConfigError
from pumpswap.settings.nearest import shown, shown_path
from pumpswap.settings.yaml_file import read_text

__all__ = ["read_tokens", "token_of"]

_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_KEY_BYTES = 32
_LONGEST_KEY = 44  # characters; what is longer is no public key, and may be a private one
_NETWORK = "solana_"  # GeckoTerminal, and with it the collector, writes solana_<mint>
_NAMES = ("address", "mint", "mint_address", "token_address")


def token_of(text: object) -> str:
    """The mint in an entry of a list: blanks and the network's prefix go. Raises ValueError for what is no key."""
    if not isinstance(text, str):
        raise ValueError("is no mint: write each one as a text")
    mint = text.strip().removeprefix(_NETWORK)
    number, is_text = 0, 0 < len(mint) <= _LONGEST_KEY
    for letter in mint if is_text else "":
        value = _LETTERS.find(letter)
        is_text = is_text and value >= 0
        number = number * 58 + value
    zeros = len(mint) - len(mint.lstrip("1"))
    if not is_text or zeros + (number.bit_length() + 7) // 8 != _KEY_BYTES:
        raise ValueError(f"{shown(mint)!r} is no mint: a public key has {_KEY_BYTES} bytes, in base58")
    return mint


def read_tokens(path: Path | str) -> tuple[str, ...]:
    """The mints in a file: a JSON list of them, an object with one such list in it, or one mint a line (# comments).

    In a list of objects each has its mint as ``address``, ``mint``, ``mint_address`` or ``token_address``. Raises
    ConfigError for a file that cannot be read, and for each entry that is no mint.
    """
    file = Path(path)
    text = read_text(file)
    entries = _of_json(text, file) if text.lstrip()[:1] in ("[", "{") else _of_lines(text)
    tokens, problems = [], []
    for place, entry in enumerate(entries, 1):
        try:
            tokens.append(token_of(_mint_in(entry)))
        except ValueError as wrong:
            problems.append(f"entry {place} {wrong}")
    if problems:
        raise _refused(file, "; ".join(problems))
    return tuple(dict.fromkeys(tokens))


def _of_lines(text: str) -> list[str]:
    bare = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in bare if line]


def _of_json(text: str, file: Path) -> Sequence[Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _refused(file, "it is no readable JSON") from None
    if isinstance(document, Mapping):
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else None
    if not isinstance(document, list):
        raise _refused(file, "it is no list of mints, and has not exactly one in it")
    return document


def _mint_in(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    found = [entry[name] for name in _NAMES if name in entry]
    return found[0] if len(found) == 1 else None


def _refused(file: Path, why: str) -> ConfigError:
    hint = 'write it like ["MINT", "MINT"], or one mint a line'
    return ConfigError(f"{shown_path(file)}: {why}", hint=hint)
