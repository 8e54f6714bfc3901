"""Views as JSON: amounts that do not fit into 53 bits are texts, names are those of the fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["is_exact", "plain"]

_EXACT = ("_lamports", "_units", "_ns")
_EXACT_NAMES = ("lamports", "limit", "costs", "day_costs", "units", "sums", "differences")


def is_exact(name: str) -> bool:
    """Whether the integers under this name are written as texts: lamports, raw units, nanoseconds."""
    return name.endswith(_EXACT) or name in _EXACT_NAMES


def plain(value: Any, name: str = "") -> Any:
    """``value`` as JSON has it: an integer with its unit in its name as text, a fraction as a float, an enum by its
    word. Raises TypeError for what no view holds.
    """
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value) if is_exact(name) else value
    if isinstance(value, float | Fraction):
        return _finite(float(value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {_key(key): plain(one, name) for key, one in value.items()}
    if isinstance(value, tuple | list):
        if hasattr(value, "_fields"):
            return {field: plain(getattr(value, field), field) for field in value._fields}
        return [plain(one, name) for one in value]
    if isinstance(value, Decimal | Path):
        return str(value)
    return _fields_of(value)


def _fields_of(value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if not field.name.startswith("_")]
    elif isinstance(value, msgspec.Struct):
        names = list(value.__struct_fields__)
    else:
        raise TypeError(f"a {type(value).__name__} is no view")
    return {name: plain(getattr(value, name), name) for name in names}


def _finite(value: float) -> float | None:
    """JSON knows neither infinity nor what is no number."""
    return value if value - value == 0 else None


def _key(key: Any) -> str:
    return str(key.value) if isinstance(key, Enum) else str(key)
