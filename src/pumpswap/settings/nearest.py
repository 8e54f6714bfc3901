"""The name that was meant: what is nearest to a key, a section or a variable that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["nearest", "shown", "shown_path"]

_LONGEST = 63  # what is longer is never repeated: a seed in hex has 64 characters, a private key 87 or 88


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` most resembles, None when it resembles none."""
    by_letters = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), by_letters, n=1, cutoff=0.6)
    return by_letters[close[0]] if close else None


def shown(text: str) -> str:
    """A name as an error may repeat it."""
    return text if len(text) <= _LONGEST else "…"


def shown_path(path: Path) -> str:
    """A path as an error may repeat it."""
    return str(Path(*map(shown, path.parts)))
