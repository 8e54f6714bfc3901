"""Pickled frames, read without running what they ask for.

A pickle is a program: it names functions and calls them. Here it may name what pandas and numpy write into the pickle
of a frame, each by its exact module and name, and nothing else. Where even these would do more than rebuild data (a
dtype of any shape, ``getattr``, an array over raw memory), a function of ours stands in that does what pandas asks and
no more. The reader is the interpreter's own one in Python, since only that one can be told what may be built on what.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
from collections.abc import Callable
from datetime import UTC, tzinfo
from importlib import import_module
from typing import IO, Any, ClassVar
from zoneinfo import ZoneInfo

from pumpswap.errors import BadInput

__all__ = ["MOST_BYTES", "PICKLE_MARKS", "load_pickle"]

MOST_BYTES = 2_000_000_000  # unpacked; 50,000 rows of 75 columns are 30 million
_CONVERT = "convert it where it was made, with df.to_parquet, and read the Parquet file"
_PACKERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
PICKLE_MARKS = (b"\x80", *_PACKERS)  # how a pickle begins, or its compressed form

_DTYPE_KINDS = "biufMmOSU"
_OBJECT_MARK = object()  # stands for builtins.object where protocol 0 and 1 name it as a base
_ARRAY_MARK = object()  # stands for numpy.ndarray, which nobody may call

_TICKS = ("Day", "Hour", "Minute", "Second", "Milli", "Micro", "Nano")
_PANDAS_2 = {
    "pandas._libs.arrays": ("__pyx_unpickle_NDArrayBacked",),
    "pandas._libs.internals": ("_unpickle_block",),
    "pandas._libs.missing": ("NA",),
    "pandas._libs.tslibs.nattype": ("_nat_unpickle",),
    "pandas._libs.tslibs.offsets": _TICKS,
    "pandas._libs.tslibs.timedeltas": ("_timedelta_unpickle",),
    "pandas._libs.tslibs.timestamps": ("_unpickle_timestamp",),
    "pandas.core.arrays.boolean": ("BooleanArray", "BooleanDtype"),
    "pandas.core.arrays.categorical": ("Categorical",),
    "pandas.core.arrays.datetimes": ("DatetimeArray",),
    "pandas.core.arrays.floating": ("Float32Dtype", "Float64Dtype", "FloatingArray"),
    "pandas.core.arrays.integer": ("Int8Dtype", "Int16Dtype", "Int32Dtype", "Int64Dtype", "IntegerArray"),
    "pandas.core.arrays.string_": ("StringArray", "StringDtype"),
    "pandas.core.arrays.timedeltas": ("TimedeltaArray",),
    "pandas.core.dtypes.dtypes": ("CategoricalDtype", "DatetimeTZDtype"),
    "pandas.core.frame": ("DataFrame",),
    "pandas.core.indexes.base": ("Index",),
    "pandas.core.indexes.category": ("CategoricalIndex",),
    "pandas.core.indexes.datetimes": ("DatetimeIndex",),
    "pandas.core.indexes.multi": ("MultiIndex",),
    "pandas.core.indexes.range": ("RangeIndex",),
    "pandas.core.internals.managers": ("BlockManager", "SingleBlockManager"),
    "pandas.core.series": ("Series",),
}
_PANDAS_3 = {
    "pandas": (
        *("BooleanDtype", "Categorical", "CategoricalDtype", "CategoricalIndex", "DataFrame", "DatetimeIndex"),
        *("DatetimeTZDtype", "Float32Dtype", "Float64Dtype", "Index", "Int8Dtype", "Int16Dtype", "Int32Dtype"),
        *("Int64Dtype", "MultiIndex", "NA", "RangeIndex", "Series", "StringDtype"),
    ),
    "pandas.arrays": (
        "BooleanArray",
        "DatetimeArray",
        "FloatingArray",
        "IntegerArray",
        "StringArray",
        "TimedeltaArray",
    ),
}
_OTHERS = {
    "builtins": ("slice",),
    "__builtin__": ("slice",),
    "collections": ("OrderedDict",),
    "datetime": ("date", "datetime", "timedelta", "timezone"),
}
_ALLOWED = frozenset(
    (module, name) for names in (_PANDAS_2, _PANDAS_3, _OTHERS) for module, each in names.items() for name in each
)
# Of the classes, these are called; all others are only made empty and then filled, as pandas does it.
_CALLED = frozenset(
    {"slice", "OrderedDict", "date", "datetime", "timedelta", "timezone", "StringDtype", "BlockManager", *_TICKS}
)
# What older versions called what is here under another name.
_RENAMED = {
    ("pandas.core.indexes.numeric", "Int64Index"): ("pandas.core.indexes.base", "Index"),
    ("pandas.core.indexes.numeric", "Float64Index"): ("pandas.core.indexes.base", "Index"),
    ("pandas.core.arrays.string_arrow", "ArrowStringArray"): ("pandas.arrays", "ArrowStringArray"),
}


def load_pickle(raw: bytes) -> Any:
    """What the pickle holds; one packed with gzip, bzip2 or xz is unpacked first. Needs pandas.

    Raises BadInput for a pickle that names anything but the parts of a frame, for one that is cut, broken or larger
    than MOST_BYTES. Nothing that it names is called before it is found on the list.
    """
    try:
        return _FrameUnpickler(io.BytesIO(_unpacked(raw))).load()
    except BadInput:
        raise
    except Exception as error:
        # The file decides what is built and from what, so whatever goes wrong here is a statement about the file.
        raise BadInput(f"it cannot be read as a pickled frame: {_told(error)}", hint=_CONVERT) from None


def _told(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def _unpacked(raw: bytes) -> bytes:
    opened = next((opened for mark, opened in _PACKERS.items() if raw.startswith(mark)), None)
    if opened is None:
        return raw
    with opened(io.BytesIO(raw)) as stream:
        unpacked: bytes = stream.read(MOST_BYTES + 1)
    if len(unpacked) > MOST_BYTES:
        raise BadInput(f"it is larger than {MOST_BYTES:,} bytes unpacked", hint=_CONVERT)
    return unpacked


_PythonUnpickler: Any = pickle._Unpickler  # the reader in Python; the one in C has no such hooks


class _FrameUnpickler(_PythonUnpickler):  # type: ignore[misc]  # its hooks are not in the type stubs
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(_PythonUnpickler.dispatch)

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._stand_ins = _stand_ins()
        self._functions: dict[int, Any] = {}  # what may be called, by identity

    def find_class(self, module: str, name: str, /) -> Any:
        wanted = _RENAMED.get((module, name), (module, name))
        found = self._stand_ins.get(wanted)
        if found is None:
            if wanted not in _ALLOWED:
                raise BadInput(
                    f"the pickle asks for {module}.{name}, which no frame needs: it was not run",
                    hint=f"do not open this file with anything else; if it is yours, {_CONVERT}",
                )
            found = getattr(import_module("builtins" if wanted[0] == "__builtin__" else wanted[0]), wanted[1])
        if not isinstance(found, type) or wanted[1] in _CALLED:
            self._functions[id(found)] = found
        return found

    def load_reduce(self) -> None:
        if id(self.stack[-2]) not in self._functions:
            raise BadInput("the pickle calls something that no frame calls: it was not run", hint=_CONVERT)
        super().load_reduce()

    def load_newobj(self) -> None:
        if not isinstance(self.stack[-2], type) or self.stack[-1] != ():
            raise BadInput("the pickle builds an object in an unusual way", hint=_CONVERT)
        super().load_newobj()

    def load_refused(self) -> None:
        raise BadInput("the pickle builds an object in a way that no frame needs", hint=_CONVERT)

    def load_build(self) -> None:
        state, built = self.stack[-1], self.stack[-2]
        _check_state(built, state)
        super().load_build()

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    for _code in (pickle.NEWOBJ_EX, pickle.OBJ, pickle.INST, pickle.EXT1, pickle.EXT2, pickle.EXT4):
        dispatch[_code[0]] = load_refused


def _check_state(built: Any, state: Any) -> None:
    """State may be given to data, never to a class or a function: those belong to the whole process."""
    import numpy as np

    if callable(built):
        raise BadInput("the pickle changes a class or a function", hint=_CONVERT)
    if isinstance(built, np.dtype):
        _check_dtype_state(built, state)
    elif not hasattr(built, "__setstate__") and not (
        isinstance(state, dict) and all(type(key) is str for key in state)
    ):
        raise BadInput("the pickle sets attributes that are none", hint=_CONVERT)


def _check_dtype_state(dtype: Any, state: Any) -> None:
    """Byte order and unit of time may be set. Size, fields and flags say how raw memory is read: those stay."""
    version, order, subtype, names, fields, size, alignment, flags, *rest = state
    own = {size: (-1, dtype.itemsize), alignment: (-1, dtype.alignment)}
    if (
        version not in (3, 4)
        or order not in ("<", ">", "|", "=")
        or (subtype, names, fields) != (None, None, None)
        or any(value not in allowed for value, allowed in own.items())
        or flags != dtype.flags
        or len(rest) > (dtype.kind in "Mm")
    ):
        raise BadInput("the pickle describes an array that is no plain column", hint=_CONVERT)


# ------------------------------------------------------------------------------------------------------ stand-ins


def _stand_ins() -> dict[tuple[str, str], Any]:
    import numpy as np

    multiarray, numeric = import_module("numpy._core.multiarray"), import_module("numpy._core.numeric")

    def dtype(description: Any, align: bool = False, copy: bool = False) -> Any:
        made = np.dtype(description, align=bool(align), copy=bool(copy)) if isinstance(description, str) else None
        if made is None or made.kind not in _DTYPE_KINDS or made.names or made.subdtype or made.metadata:
            raise BadInput("the pickle describes an array that is no plain column", hint=_CONVERT)
        return made

    def reconstruct(kind: object, shape: object, code: object) -> Any:
        if kind is not _ARRAY_MARK or shape != (0,) or code not in (b"b", "b"):
            raise BadInput("the pickle builds an array in an unusual way", hint=_CONVERT)
        return multiarray._reconstruct(np.ndarray, (0,), b"b")

    def scalar(kind: Any, raw: Any) -> Any:
        if not isinstance(kind, np.dtype) or kind.kind not in "biufMm" or not isinstance(raw, bytes):
            raise BadInput("the pickle builds a number in an unusual way", hint=_CONVERT)
        return multiarray.scalar(kind, raw)

    found: dict[tuple[str, str], Any] = {
        ("numpy", "dtype"): dtype,
        ("pandas.core.indexes.base", "_new_Index"): _index,
        ("pandas.core.indexes.datetimes", "_new_DatetimeIndex"): _index,
        ("numpy", "ndarray"): _ARRAY_MARK,
        ("_codecs", "encode"): _encode,
        ("copy_reg", "_reconstructor"): _reconstructor,
        ("copyreg", "_reconstructor"): _reconstructor,
        ("pytz", "_UTC"): _utc,
        ("pytz", "_p"): _pytz_zone,
        ("zoneinfo", "ZoneInfo"): _zone,
    }
    for core in ("numpy.core", "numpy._core"):
        found[(f"{core}.multiarray", "_reconstruct")] = reconstruct
        found[(f"{core}.multiarray", "scalar")] = scalar
        found[(f"{core}.numeric", "_frombuffer")] = numeric._frombuffer
    for builtins in ("builtins", "__builtin__"):
        found[(builtins, "object")] = _OBJECT_MARK
        found[(builtins, "getattr")] = _zone_attribute
    return found


def _index(kind: Any, state: Any) -> Any:
    """An index from its own data. A range that nobody has written out may be longer than any memory."""
    import numpy as np
    import pandas as pd

    made = import_module(
        "pandas.core.indexes.base" if kind is not pd.DatetimeIndex else "pandas.core.indexes.datetimes"
    )
    build = made._new_DatetimeIndex if kind is pd.DatetimeIndex else made._new_Index
    data = state.get("data")
    if not (data is None or isinstance(data, np.ndarray | pd.api.extensions.ExtensionArray)):
        raise BadInput("the pickle builds an index in an unusual way", hint=_CONVERT)
    if kind is pd.RangeIndex and len(range(state["start"], state["stop"], state["step"])) > MOST_BYTES:
        raise BadInput("the pickle has an index that is longer than a frame can be", hint=_CONVERT)
    return build(kind, state)


def _encode(text: str, encoding: str) -> bytes:
    """Bytes of protocols 0 to 2."""
    if encoding != "latin1":
        raise BadInput("the pickle encodes text in an unusual way", hint=_CONVERT)
    return text.encode("latin1")


def _reconstructor(kind: Any, base: object, state: object) -> Any:
    """An empty object of protocols 0 and 1."""
    if not isinstance(kind, type) or base is not _OBJECT_MARK or state is not None:
        raise BadInput("the pickle builds an object in an unusual way", hint=_CONVERT)
    return object.__new__(kind)


def _utc() -> tzinfo:
    return UTC


def _zone(name: str, from_cache: object = True) -> tzinfo:
    return ZoneInfo(name)


def _pytz_zone(name: str, *_offset: object) -> tzinfo:
    """pytz writes the zone and the offset of one moment; the times themselves are stored in UTC."""
    return ZoneInfo(name)


def _zone_attribute(owner: object, name: str) -> Any:
    """``getattr``, for the one thing that a time zone needs it for."""
    if owner is not _zone or name != "_unpickle":
        raise BadInput(f"the pickle asks for the attribute {str(name)[:60]!r}: it was not given", hint=_CONVERT)
    return _zone
