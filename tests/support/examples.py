"""How many examples a property is tried with."""

from __future__ import annotations

from hypothesis import settings

__all__ = ["examples"]

_USUAL = 100


def examples(count: int) -> int:
    """``count`` where a property without a count has 100, and in proportion under another profile of conftest.py."""
    return max(count * settings.default.max_examples // _USUAL, 1)
