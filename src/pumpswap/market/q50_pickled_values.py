"""Arrays out of a pickle's Parts: built here, from bytes whose number is that of the shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from reprlib import Repr
from typing import TYPE_CHECKING, Any

import numpy as np

from pumpswap.market.q50_arrow import Texts
from pumpswap.market.q50_pickle import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["objects", "pickled_values", "single"]

_KINDS = "biufMmOSU"
_TIME_UNITS = frozenset({"D", "h", "m", "s", "ms", "us", "ns"})
# Codes of the units in which pandas counts a single time.
_TICKS_PER_SECOND = {7: 1, 8: 1_000, 9: 1_000_000, 10: 1_000_000_000}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # the zone, if any, is added


class _ShortText(Repr):
    """Of what is in a list only the first few values, and nothing of what these hold."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 1

    def repr_instance(self, x: Any, level: int) -> str:
        return type(x).__name__


_SHORT = _ShortText()
_STATES = ("_ndarray", "_data", "_codes", "_pa_array")


def pickled_values(
    held: Any, zones: list[str], index_values: Callable[[Part, list[str]], NDArray[Any]]
) -> NDArray[Any]:
    """The values of a numpy array or a pandas array. Times with a zone are stored as UTC, and the zone is added to
    ``zones``. ``index_values`` gives those of an index, which may be inside or be the array itself.

    Raises TypeError, ValueError or LookupError for parts that do not fit together.
    """
    if isinstance(held, Texts):
        return held.values
    if not isinstance(held, Part):
        raise TypeError("no array")
    if held.name == "_reconstruct":
        _version, shape, kind, is_fortran, content = held.state
        return _array(shape, kind, is_fortran is True, content)
    if held.name == "_frombuffer":
        content, kind, shape, order = held.arguments
        return _array(shape, kind, order == "F", content)
    if held.arguments and isinstance(held.arguments[-1], Mapping):
        return index_values(held, zones)
    state = held.state
    if isinstance(state, tuple):
        state = {("_dtype" if _is_dtype(each) else "_data"): each for each in state if isinstance(each, Part)}
    return _extension(state, zones, index_values)


def _is_dtype(part: Part) -> bool:
    return part.name == "dtype" or part.name.endswith("Dtype")


def _extension(
    state: Mapping[str, Any], zones: list[str], index_values: Callable[[Part, list[str]], NDArray[Any]]
) -> NDArray[Any]:
    """An array of pandas' own: plain values and, beside them, a mask, categories or a zone."""
    data = next((state[name] for name in _STATES if name in state), None)
    values, kind = pickled_values(data, zones, index_values), state.get("_dtype")
    if "_mask" in state:
        mask = pickled_values(state["_mask"], [], index_values)
        if mask.shape != values.shape:
            raise ValueError("the mask does not fit")
        return objects([None if gone else value for value, gone in zip(values.tolist(), mask.tolist(), strict=True)])
    if isinstance(kind, Part) and kind.name == "DatetimeTZDtype":
        zones.append(_zone_name(kind.state))
    if isinstance(kind, Part) and kind.name == "CategoricalDtype":
        categories = index_values(kind.state["categories"], zones)
        codes = values.reshape(-1).tolist()
        if any(not -1 <= code < len(categories) for code in codes):
            raise IndexError("a category beyond the last one")
        names = [None if code < 0 else categories[code] for code in codes]
        return np.asarray(objects(names).reshape(values.shape))
    return values


def _zone_name(state: Any) -> str:
    zone = state.get("tz") if isinstance(state, Mapping) else None
    if isinstance(zone, Part):
        zone = zone.arguments[0] if zone.arguments else "UTC"
    return str(single(zone))[:40]


# -------------------------------------------------------------------------------------------------- numpy arrays


def _array(shape: Any, kind: Any, is_fortran: bool, content: Any) -> NDArray[Any]:
    """Values in a shape, after a check that there are as many as it says."""
    if type(shape) is not tuple or len(shape) > 2 or not all(type(each) is int and each >= 0 for each in shape):
        raise ValueError("an unusual shape")
    size, dtype, order = math.prod(shape), _dtype(kind), "F" if is_fortran else "C"
    if dtype.kind == "O":
        if type(content) is not list or len(content) != size:
            raise ValueError("an array of another size")
        found = objects([single(value) for value in content])
    else:
        if type(content) not in (bytes, bytearray) or len(content) != size * dtype.itemsize:
            raise ValueError("an array of another size")
        found = np.frombuffer(bytes(content), dtype=dtype)
    return np.asarray(found.reshape(shape, order=order))  # type: ignore[call-overload]


def _dtype(part: Any) -> Any:
    """The type of a plain column: a kind, a size, a byte order, a unit of time; nothing with fields."""
    description, *_flags = part.arguments
    if part.name != "dtype" or type(description) is not str or len(description) > 12:
        raise TypeError("no dtype")
    if not description.isascii() or not description.isalnum() or description.isdigit():
        raise TypeError("no plain dtype")
    dtype: Any = np.dtype(description)
    if dtype.kind not in _KINDS:
        raise TypeError("no plain dtype")
    if part.state is None:
        return dtype
    order, metadata = part.state[1], part.state[8:]
    if dtype.kind in "Mm":
        unit = _unit(metadata)
        dtype = np.dtype(f"{dtype.kind}8[{unit}]")
    return dtype.newbyteorder(order) if order in ("<", ">") else dtype


def _unit(metadata: Any) -> str:
    """From ``((…, (b"ns", 1, 1, 1)),)``."""
    unit, count, *_rest = metadata[0][1]
    name = unit.decode("ascii")
    if name not in _TIME_UNITS or count != 1:
        raise TypeError("an unusual unit of time")
    return str(name)


# ------------------------------------------------------------------------------------------------- single values


def single(value: Any) -> Any:
    """A value of a column of objects. Its Parts are missing values, times and numbers.

    A list or the like becomes a short text: whole, it could be nested without end, or a thousandfold in itself.
    """
    if isinstance(value, list | tuple | dict | bytearray | slice | memoryview | Texts):
        return _SHORT.repr(value)
    if not isinstance(value, Part):
        return value
    if value.name in ("NA", "_nat_unpickle"):
        return None
    if value.name == "scalar":
        kind, content = value.arguments
        return _array((1,), kind, False, content)[0]
    if value.name != "_unpickle_timestamp":
        raise TypeError("no value")
    count, _freq, zone, *unit = value.arguments
    ticks = _TICKS_PER_SECOND[int(unit[0]) if unit else 10]
    seconds, rest = divmod(int(count), ticks)
    moment = _EPOCH + timedelta(seconds=seconds, microseconds=rest * 1_000_000 // ticks)
    # The count is that of UTC, whatever the zone.
    return moment if zone is None else moment.replace(tzinfo=UTC)


def objects(values: list[Any]) -> NDArray[Any]:
    """An array of Python objects, one per value."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
