"""Results that hosts may read in both of the ways that they do: by attribute or key, with await or without."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import fields
from typing import Any

__all__ = ["HostResult", "ReadyDict", "ReadyList"]


class HostResult(Mapping[str, Any]):
    """Base of frozen dataclasses without slots: ``result.is_valid`` and ``result["is_valid"]``, ``.get``, ``dict``."""

    def __getitem__(self, key: str) -> Any:
        if key not in self._names():
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> tuple[str, ...]:
        return tuple(field.name for field in fields(self))  # type: ignore[arg-type]


class ReadyDict(dict[str, Any]):
    """A dictionary that may also be awaited: hosts ask for the same figures with ``await`` and without."""

    def __await__(self) -> Generator[None, None, ReadyDict]:
        yield from ()  # makes this a generator, which is what await takes
        return self


class ReadyList(list[dict[str, Any]]):
    """The same for a list."""

    def __await__(self) -> Generator[None, None, ReadyList]:
        yield from ()
        return self
