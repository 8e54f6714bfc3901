"""Lately: a mapping that forgets by itself what has not been put in for a day or two."""

from __future__ import annotations

from typing import Generic, TypeVar

from pumpswap.clock import NS_PER_SECOND

__all__ = ["Lately"]

_DAY_NS = 86_400 * NS_PER_SECOND

T = TypeVar("T")


class Lately(Generic[T]):
    """Two generations, and time is that of whoever puts in: no search, and the same at every replay."""

    def __init__(self) -> None:
        self._young: dict[str, T] = {}
        self._old: dict[str, T] = {}
        self._turn_ns = 0

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def put(self, key: str, value: T, at_ns: int) -> None:
        """Remember ``value``; a day after this at least it is still there."""
        if at_ns >= self._turn_ns:
            is_recent = at_ns < self._turn_ns + _DAY_NS
            self._old, self._young = (self._young if is_recent else {}), {}
            self._turn_ns = at_ns + _DAY_NS
        self._young[key] = value

    def get(self, key: str) -> T | None:
        """What was put in last; None when that is forgotten."""
        found = self._young.get(key)
        return self._old.get(key) if found is None else found
