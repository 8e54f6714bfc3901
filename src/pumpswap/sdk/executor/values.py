"""Values of somebody else's dictionary: numbers, flags and times, or one error that says which key is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, DecimalException
from typing import Any

from pumpswap.clock import NS_PER_SECOND, datetime_ns, parse_utc
from pumpswap.errors import BadInput
from pumpswap.settings.nearest import shown
from pumpswap.units import I64_MAX, LAMPORTS_PER_SOL

__all__ = ["flag_of", "lamports_of", "moment_of", "number_of", "shown_value", "text_of", "written"]

_TRUE, _FALSE = frozenset({"true", "1", "1.0", "yes"}), frozenset({"false", "0", "0.0", "no"})
_LONGEST_NUMBER = 100
# Seconds, milliseconds, microseconds and nanoseconds since 1970 cannot be taken for each other between 1973 and 5138.
_SCALES = ((10**11, NS_PER_SECOND), (10**14, 1_000_000), (10**17, 1_000))
_EARLIEST_SECONDS = 10**8
_LATEST_NS = 2**63


def number_of(row: Mapping[Any, object], key: str) -> float | None:
    """A finite number, as number or as text; None where there is none (absent, None, empty, NaN). Raises BadInput."""
    value = row.get(key)
    if value is None or value == "":
        return None
    text = written(value)
    if text in ("True", "False"):  # numpy's too
        raise BadInput(f"{key} is {text}, which is no number", hint="a number")
    try:
        exact = Decimal(text) if len(text) <= _LONGEST_NUMBER else None
        found = None if exact is None else float(exact)
    except (DecimalException, ValueError, OverflowError):
        found = None
    if found is None:
        raise BadInput(f"{key} is {shown_value(value)}, which is no number", hint="a number in plain digits")
    if math.isnan(found):
        return None
    if math.isinf(found):
        raise BadInput(f"{key} is infinite", hint="a finite number")
    return found


def lamports_of(row: Mapping[Any, object], key: str, *, least: int = 0) -> int | None:
    """Lamports of an amount in SOL; None for none, for less than ``least`` and for more than the books can hold.

    Raises BadInput for what is no number.
    """
    found = number_of(row, key)
    if found is None or found < least / LAMPORTS_PER_SOL or found * LAMPORTS_PER_SOL > I64_MAX:
        return None
    return round(found * LAMPORTS_PER_SOL)


def flag_of(row: Mapping[Any, object], key: str) -> bool | None:
    """A truth value, also a model's or a CSV file's; None where there is none. Raises BadInput for anything else."""
    value = row.get(key)
    if value is None or isinstance(value, bool):
        return value
    text = written(value).lower()
    if text in ("", "nan"):
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise BadInput(f"{key} is {shown_value(value)}, which is no truth value", hint="True or False")


def text_of(row: Mapping[Any, object], key: str) -> str:
    """Text of a key; empty where there is none. Raises BadInput for what is no text."""
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadInput(f"{key} is {shown_value(value)}, which is no text", hint="text")
    return value.strip()


def moment_of(row: Mapping[Any, object], key: str) -> int | None:
    """A time in nanoseconds: a datetime (without a zone: UTC), ISO text, or a number since 1970 in s, ms, µs or ns.

    None where there is none. Raises BadInput for what is no time.
    """
    value = row.get(key)
    text = written(value)
    if value is None or text in ("", "NaT", "nan"):
        return None
    try:
        if isinstance(value, datetime):
            found = datetime_ns(value)
        elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            found = _since_1970(Decimal(text))
        else:
            found = parse_utc(text)
    except (ValueError, TypeError, OverflowError, DecimalException):
        found = -1
    if not 0 <= found < _LATEST_NS:
        raise BadInput(f"{key} is {shown_value(value)}, which is no time", hint="2026-11-02T12:00:00Z")
    return found


def shown_value(value: object) -> str:
    """A value as a message may repeat it: short, and never what may be a key."""
    if isinstance(value, str | int | float | Decimal) or value is None:
        text = shown(written(value))
        return repr(text) if isinstance(value, str) else text
    return f"a {type(value).__name__}"


def written(value: object) -> str:
    """A value as text; something that is no value of anything for numbers of thousands of digits, which have none."""
    try:
        return str(value).strip()
    except ValueError:
        return "…"


def _since_1970(number: Decimal) -> int:
    if not number.is_finite() or number < _EARLIEST_SECONDS:
        return -1
    scale = next((scale for most, scale in _SCALES if number < most), 1)
    return int(number * scale)
