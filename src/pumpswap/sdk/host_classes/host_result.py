"""HostResult: a record that is read by attribute and like a dictionary, since hosts do both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

__all__ = ["HostResult"]


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
