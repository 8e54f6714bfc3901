"""Drift: how the answers of a service differ from those that this version was written for. Counted, never swallowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

__all__ = ["Drift", "DriftKind", "DriftNote", "Refused"]


class DriftKind(Enum):
    """What is different."""

    NEW = "new"  # a field that this version does not know; ignored
    MISSING = "missing"  # a field that was always there
    TYPE = "type"  # a field of another type than before
    VALUE = "value"  # the right type and no possible value


@dataclass(frozen=True, slots=True)
class DriftNote:
    """``field`` is a path in the answer (``attributes.fdv_usd``) without positions, so that notes can be counted."""

    endpoint: str
    field: str
    kind: DriftKind
    count: int = 1

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.field} is {_WORDS[self.kind]} ({self.count} times)"


_MOST_FIELDS = 1_000
_FURTHER = "… further fields"
_WORDS = {
    DriftKind.NEW: "new",
    DriftKind.MISSING: "missing",
    DriftKind.TYPE: "of another type",
    DriftKind.VALUE: "of no possible value",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """An element of an answer that could not be used. ``place`` is its path with positions: ``data[3]``."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class Drift:
    """Collects notes. Equal ones become one with a count.

    After a thousand fields all further ones are one: names of fields are anybody's, and a collector runs for months.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, DriftKind]] = Counter()

    def note(self, endpoint: str, field: str, kind: DriftKind, count: int = 1) -> None:
        """Count a difference."""
        key = endpoint, field, kind
        if key not in self._counts and len(self._counts) >= _MOST_FIELDS:
            key = endpoint, _FURTHER, kind
        self._counts[key] += count

    def add(self, notes: Iterable[DriftNote]) -> None:
        """Count notes that were collected elsewhere."""
        for one in notes:
            self.note(one.endpoint, one.field, one.kind, one.count)

    def notes(self) -> tuple[DriftNote, ...]:
        """All notes, ordered by endpoint and field."""
        ordered = sorted(self._counts.items(), key=lambda item: (item[0][0], item[0][1], item[0][2].value))
        return tuple(DriftNote(*key, count) for key, count in ordered)
