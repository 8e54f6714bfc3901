"""The columns of a pickled pandas frame, taken out of its Parts: pandas 1.2 to 3, without pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pumpswap.errors import BadInput
from pumpswap.market.q50_pickle import Part, load_pickle
from pumpswap.market.q50_pickled_values import objects, pickled_values, single
from pumpswap.market.q50_table import RawTable, check_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pickled_table"]

_DICT_KEYS = ("signals", "macro_features")
_MOST_ROWS = 20_000_000
_MOST_COLUMNS = 100_000
_MOST_VALUES = 500_000_000  # of all columns together: a pickle may name the same array again and again
_AGAIN = "write the file again, or convert it with df.to_parquet"


def pickled_table(raw: bytes) -> RawTable:
    """The table in a pickle: a frame, or a dict that holds one under ``signals`` or ``macro_features``.

    Raises BadInput for anything else, and for a frame whose parts do not fit together.
    """
    found = load_pickle(raw)
    if isinstance(found, Mapping):
        found = _of_dict(found)
    try:
        if isinstance(found, Part) and found.name == "DataFrame":
            return _table(found)
        if isinstance(found, Mapping):
            return _plain_table(found)
    except BadInput:
        raise
    except Exception as error:
        # As for the pickle itself: what fails here fails by what the file says.
        raise BadInput(f"the frame is damaged ({type(error).__name__})", hint=_AGAIN) from None
    named = found.name if isinstance(found, Part) else type(found).__name__
    raise BadInput(f"the pickle holds {named}, not a frame", hint="pickle a pandas DataFrame")


def _of_dict(found: Mapping[Any, Any]) -> Any:
    key = next((key for key in _DICT_KEYS if key in found), None)
    if key is None:
        held = ", ".join(str(name)[:30] for name in list(found)[:10]) or "nothing"
        raise BadInput(f"the dict in the pickle holds {held}", hint=f"it needs the key {' or '.join(_DICT_KEYS)}")
    inner = found[key]
    if isinstance(inner, list) and inner and all(isinstance(row, dict) for row in inner):
        # Records; what a row does not mention is not known.
        names = dict.fromkeys(name for row in inner for name in row)
        _check_size(len(inner), len(names))
        return {name: [row.get(name) for row in inner] for name in names}
    return inner


def _plain_table(columns: Mapping[Any, Any]) -> RawTable:
    """A dict of lists or arrays."""
    found = {
        str(name): _values(held, []) if isinstance(held, Part) else objects([single(value) for value in held])
        for name, held in columns.items()
    }
    lengths = {len(values) for values in found.values()}
    if len(lengths) > 1:
        raise BadInput("the columns are not equally long", hint="one value per row and column")
    return RawTable("pickle", lengths.pop() if lengths else 0, (), found)


def _table(frame: Part) -> RawTable:
    zones: list[str] = []
    manager = frame.state["_mgr"] if "_mgr" in frame.state else frame.state["_data"]
    blocks, (items, index) = _layout(manager)
    rows = _length(index)
    _check_size(rows, _length(items))
    names = [str(name) for name in _labels(items, zones)]
    check_names(names)
    columns: dict[str, NDArray[Any]] = {}
    for values, placement in blocks:
        found = _values(values, zones)
        lines = found if found.ndim == 2 else found[np.newaxis, :]
        places = list(_places(placement, len(names)))
        if lines.shape != (len(places), rows):
            raise ValueError("a block does not fit")
        columns.update({names[place]: lines[row] for row, place in enumerate(places)})
    if len(columns) != len(names):
        raise ValueError("a column has no values")
    levels = () if _is_bare(index) else tuple(_levels(index, zones))
    if any(len(values) != rows for _name, values in levels):
        raise ValueError("the index does not fit")
    return RawTable("pickle", rows, levels, {name: columns[name] for name in names}, tuple(dict.fromkeys(zones)))


def _check_size(rows: int, columns: int) -> None:
    if rows > _MOST_ROWS or columns > _MOST_COLUMNS or rows * columns > _MOST_VALUES:
        raise BadInput(f"the frame has {rows:,} rows and {columns:,} columns", hint="export fewer of them")


def _layout(manager: Part) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """Blocks with the places of their columns, and the two axes."""
    if manager.name != "BlockManager":
        raise ValueError("no block manager")
    if manager.arguments:
        blocks, axes = manager.arguments
        return [(block.arguments[0], block.arguments[1]) for block in blocks], list(axes)
    held = manager.state[3]["0.14.1"]
    return [(block["values"], block["mgr_locs"]) for block in held["blocks"]], list(held["axes"])


def _places(placement: Any, count: int) -> range | list[int]:
    found = (
        range(*placement.indices(count))
        if isinstance(placement, slice)
        else [int(place) for place in _values(placement, [])]
    )
    if any(not 0 <= place < count for place in found):
        raise IndexError("a column beyond the last one")
    return found


# ------------------------------------------------------------------------------------------------------- indexes


def _kind(index: Part) -> str:
    """The class of an index; a pickle names the function that makes it and the class."""
    return str(index.arguments[0].name)


def _is_bare(index: Part) -> bool:
    """Whether an index only counts the rows; pandas makes even times in nanoseconds a range, too."""
    return _kind(index) == "RangeIndex" and index.arguments[1].get("name") is None


def _length(index: Part) -> int:
    state = index.arguments[1]
    if _kind(index) == "RangeIndex":
        return len(range(state["start"], state["stop"], state["step"]))
    if _kind(index) == "MultiIndex":
        return len(_values(_codes(state)[0], []))
    return len(_values(state["data"], []))


def _codes(state: Mapping[str, Any]) -> list[Any]:
    return list(state["codes"] if "codes" in state else state["labels"])


def _levels(index: Part, zones: list[str]) -> list[tuple[str | None, NDArray[Any]]]:
    state = index.arguments[1]
    if _kind(index) != "MultiIndex":
        return [(_name(state.get("name")), _all_values(index, zones))]
    found = []
    for place, (level, codes) in enumerate(zip(state["levels"], _codes(state), strict=True)):
        values = _all_values(level, zones)
        name = state["names"][place] if state.get("names") else level.arguments[1].get("name")
        found.append((_name(name), _taken(values, np.asarray(_values(codes, []), dtype=np.int64))))
    return found


def _all_values(index: Part, zones: list[str]) -> NDArray[Any]:
    state = index.arguments[1]
    if _kind(index) == "RangeIndex":
        _check_size(_length(index), 1)
        return np.arange(state["start"], state["stop"], state["step"])
    return _values(state["data"], zones)


def _labels(items: Part, zones: list[str]) -> list[Any]:
    """Names of the columns; of names with levels the last one."""
    if _kind(items) == "MultiIndex":
        return list(_levels(items, zones)[-1][1])
    return list(_all_values(items, zones))


def _name(name: object) -> str | None:
    return None if name is None else str(single(name))


def _taken(values: NDArray[Any], codes: NDArray[np.int64]) -> NDArray[Any]:
    """Values by their codes; −1 is none."""
    if codes.size and codes.min() < -1:  # numpy would count from the end
        raise IndexError("a code below −1")
    if not (codes == -1).any():
        return np.asarray(values[codes])
    if values.dtype.kind == "M":
        return np.asarray(np.append(values, np.datetime64("NaT"))[codes])
    return objects([None if code < 0 else values[code] for code in codes.tolist()])


def _values(held: Any, zones: list[str]) -> NDArray[Any]:
    return pickled_values(held, zones, _all_values)
