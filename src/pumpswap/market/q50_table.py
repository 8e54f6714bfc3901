"""RawTable: a table as a file holds it, index levels and columns as arrays, nothing interpreted yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pumpswap.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RawTable", "check_names"]


@dataclass(frozen=True, slots=True)
class RawTable:
    """``index`` are the levels of the index with their names, None for a level without one; ``zones`` are the time
    zones that were converted to UTC.
    """

    form: str
    rows: int
    index: tuple[tuple[str | None, NDArray[Any]], ...]
    columns: dict[str, NDArray[Any]]
    zones: tuple[str, ...] = ()


def check_names(names: Sequence[str]) -> None:
    """Raises BadInput for a column that occurs twice: nobody could say which one is meant."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise BadInput(f"columns occur twice: {', '.join(twice[:5])}", hint="rename or drop one of each")
