"""Pickled frames, read without running what they ask for, and without pandas.

A pickle is a program: it names functions and calls them. Here it may name what pandas and numpy write into the pickle
of a frame, each by its exact module and name. Of pandas nothing is called even then: its parts become inert ``Part``
records, and ``pickled_frame`` takes the columns out of them. Only plain numpy arrays are really built, after a check of
every size, since numpy itself trusts a pickle with its memory.
The reader is the interpreter's own one in Python: only that one can be told what may be called and built.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import IO, Any, ClassVar, cast
from zoneinfo import ZoneInfo

import numpy as np

from pumpswap.errors import BadInput

__all__ = ["MOST_BYTES", "PICKLE_MARKS", "Part", "load_pickle"]

MOST_BYTES = 2_000_000_000  # unpacked; 50,000 rows of 75 columns are 30 million
_CONVERT = "convert it where it was made, with df.to_parquet, and read the Parquet file"
_PACKERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
PICKLE_MARKS = (b"\x80", *_PACKERS)  # how a pickle begins, or its compressed form

_DTYPE_KINDS = "biufMmOSU"
_TICKS = ("Day", "Hour", "Minute", "Second", "Milli", "Micro", "Nano")
_WHOLE = ("Int8Dtype", "Int16Dtype", "Int32Dtype", "Int64Dtype", "UInt8Dtype", "UInt16Dtype", "UInt32Dtype")
_PANDAS_2 = {
    "pandas._libs.arrays": ("__pyx_unpickle_NDArrayBacked",),
    "pandas._libs.internals": ("_unpickle_block",),
    "pandas._libs.missing": ("NA",),
    "pandas._libs.tslibs.nattype": ("_nat_unpickle",),
    "pandas._libs.tslibs.offsets": _TICKS,
    "pandas._libs.tslibs.timestamps": ("_unpickle_timestamp",),
    "pandas.core.arrays.boolean": ("BooleanArray", "BooleanDtype"),
    "pandas.core.arrays.categorical": ("Categorical",),
    "pandas.core.arrays.datetimes": ("DatetimeArray",),
    "pandas.core.arrays.floating": ("Float32Dtype", "Float64Dtype", "FloatingArray"),
    "pandas.core.arrays.integer": (*_WHOLE, "UInt64Dtype", "IntegerArray"),
    "pandas.core.arrays.string_": ("StringArray", "StringDtype"),
    "pandas.core.arrays.timedeltas": ("TimedeltaArray",),
    "pandas.core.dtypes.dtypes": ("CategoricalDtype", "DatetimeTZDtype"),
    "pandas.core.frame": ("DataFrame",),
    "pandas.core.indexes.base": ("Index", "_new_Index"),
    "pandas.core.indexes.category": ("CategoricalIndex",),
    "pandas.core.indexes.datetimes": ("DatetimeIndex", "_new_DatetimeIndex"),
    "pandas.core.indexes.multi": ("MultiIndex",),
    "pandas.core.indexes.numeric": ("Float64Index", "Int64Index"),
    "pandas.core.indexes.range": ("RangeIndex",),
    "pandas.core.internals.managers": ("BlockManager", "SingleBlockManager"),
    "pandas.core.series": ("Series",),
}
_PANDAS_3 = {
    "pandas": (
        *("BooleanDtype", "Categorical", "CategoricalDtype", "CategoricalIndex", "DataFrame", "DatetimeIndex"),
        *("DatetimeTZDtype", "Float32Dtype", "Float64Dtype", "Index", *_WHOLE, "UInt64Dtype"),
        *("MultiIndex", "NA", "RangeIndex", "Series", "StringDtype"),
    ),
    "pandas.arrays": (
        *("BooleanArray", "DatetimeArray", "FloatingArray", "IntegerArray", "StringArray", "TimedeltaArray"),
        "NumpyExtensionArray",
    ),
}
_PARTS = frozenset(
    (module, name) for names in (_PANDAS_2, _PANDAS_3) for module, each in names.items() for name in each
)
_PYTHON = {"slice": slice, "timedelta": timedelta, "timezone": timezone, "datetime": datetime}


@dataclass(slots=True, eq=False)
class Part:
    """A piece of a pandas object: the name of what was called, with what, and the state that it was given."""

    name: str
    arguments: tuple[Any, ...]
    state: Any = None


class _Maker:
    """Stands for a class or function of pandas. Called, it only writes down with what."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *arguments: Any) -> Part:
        return Part(self.name, arguments)


def load_pickle(raw: bytes) -> Any:
    """What the pickle holds; one packed with gzip, bzip2 or xz is unpacked first. Objects of pandas are Parts.

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
        self._built: dict[int, Any] = {}  # what was given its state already, kept so that no identity is used again

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) in _PARTS:
            # A missing value is named, never called.
            return Part(name, ()) if name == "NA" else _Maker(name)
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise BadInput(
                f"the pickle asks for {module}.{name}, which no frame needs: it was not run",
                hint=f"do not open this file with anything else; if it is yours, {_CONVERT}",
            ) from None

    def load_reduce(self) -> None:
        function, arguments = self.stack[-2], self.stack[-1]
        if not (isinstance(function, _Maker) or id(function) in _CALLABLE) or not isinstance(arguments, tuple):
            _refuse("calls something that no frame calls")
        super().load_reduce()

    def load_newobj(self) -> None:
        arguments, maker = self.stack.pop(), self.stack.pop()
        if not isinstance(maker, _Maker) or arguments != ():
            _refuse("builds an object in an unusual way")
        self.append(maker())

    def load_build(self) -> None:
        state, built = self.stack.pop(), self.stack[-1]
        if id(built) in self._built:
            _refuse("changes what was finished")
        self._built[id(built)] = built
        if isinstance(built, Part):
            built.state = state
        elif type(built) is np.ndarray:
            _check_array_state(state)
            built.__setstate__(state)
        elif isinstance(built, np.dtype):
            _check_dtype_state(built, state)
            cast(Any, built).__setstate__(state)
        else:
            _refuse("gives a state to what has none")

    def load_bytearray8(self) -> None:
        # The interpreter's own would make room for as much as the pickle claims, before it looks whether it is there.
        size = int.from_bytes(self.read(8), "little")
        held = self.read(size)
        if len(held) != size:
            _refuse("is cut")
        self.append(bytearray(held))

    def load_refused(self) -> None:
        _refuse("builds an object in a way that no frame needs")

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    for _code in (pickle.NEWOBJ_EX, pickle.OBJ, pickle.INST, pickle.EXT1, pickle.EXT2, pickle.EXT4):
        dispatch[_code[0]] = load_refused


def _refuse(what: str) -> None:
    raise BadInput(f"the pickle {what}: it was not run", hint=_CONVERT)


# ------------------------------------------------------------------------------------------------- plain arrays


def _check_dtype_state(dtype: Any, state: Any) -> None:
    """Byte order and unit of time may be set. Size, fields and flags say how raw memory is read: those stay."""
    version, order, subtype, names, fields, size, alignment, flags, *rest = state
    if (
        version not in (3, 4)
        or order not in ("<", ">", "|", "=")
        or (subtype, names, fields) != (None, None, None)
        or size not in (-1, dtype.itemsize)
        or alignment not in (-1, dtype.alignment)
        or flags != dtype.flags
        or len(rest) > (dtype.kind in "Mm")
    ):
        _refuse("describes an array that is no plain column")


def _check_array_state(state: Any) -> None:
    """As many values as the shape says: numpy reads beyond the end of a list that is shorter."""
    _version, shape, dtype, _is_fortran, held = state
    _check_plain(dtype)
    size = _size(shape)
    fits = (
        type(held) is list and len(held) == size
        if dtype.kind == "O"
        else type(held) in (bytes, bytearray) and len(held) == size * dtype.itemsize
    )
    if not fits:
        _refuse("has an array of another size than it says")


def _size(shape: Any) -> int:
    if type(shape) is not tuple or len(shape) > 2 or not all(type(length) is int and length >= 0 for length in shape):
        _refuse("has an array of an unusual shape")
    size: int = math.prod(shape)
    if size > MOST_BYTES:
        _refuse("has an array that is too large")
    return size


def _check_plain(dtype: Any) -> None:
    if not isinstance(dtype, np.dtype) or dtype.kind not in _DTYPE_KINDS or dtype.names or dtype.subdtype:
        _refuse("describes an array that is no plain column")


def _dtype(description: Any, align: bool = False, copy: bool = False) -> Any:
    if type(description) is not str or len(description) > 20 or set(description) & set(", ()"):
        _refuse("describes an array that is no plain column")
    made: Any = np.dtype(description, align=bool(align), copy=bool(copy))
    _check_plain(made)
    return made


def _reconstruct(kind: object, shape: object, code: object) -> Any:
    if kind is not _ndarray or shape != (0,) or code not in (b"b", "b"):
        _refuse("builds an array in an unusual way")
    return np.empty(0, dtype="b")


def _frombuffer(held: Any, dtype: Any, shape: Any, order: Any) -> Any:
    _check_plain(dtype)
    size = _size(shape)
    if dtype.kind == "O" or type(held) not in (bytes, bytearray) or len(held) != size * dtype.itemsize:
        _refuse("has an array of another size than it says")
    return np.frombuffer(bytes(held), dtype=dtype).reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: Any, held: Any) -> Any:
    _check_plain(dtype)
    if dtype.kind == "O" or type(held) is not bytes or len(held) != dtype.itemsize:
        _refuse("builds a number in an unusual way")
    return np.frombuffer(held, dtype=dtype)[0]


# ------------------------------------------------------------------------------------------------- other stand-ins


def _ndarray() -> None:
    """Stands for numpy.ndarray, which is only ever named."""
    _refuse("builds an array in an unusual way")


def _object() -> None:
    """Stands for builtins.object, which protocols 0 and 1 name as a base."""
    _refuse("builds an object in an unusual way")


def _reconstructor(maker: Any, base: object, state: object) -> Any:
    """An empty object of protocols 0 and 1."""
    if not isinstance(maker, _Maker) or base is not _object or state is not None:
        _refuse("builds an object in an unusual way")
    return maker()


def _encode(text: Any, encoding: object) -> bytes:
    """Bytes of protocols 0 to 2."""
    if type(text) is not str or encoding != "latin1":
        _refuse("encodes text in an unusual way")
    encoded: bytes = text.encode("latin1")
    return encoded


def _utc() -> tzinfo:
    return UTC


def _zone(name: Any, from_cache: object = True) -> tzinfo:
    return ZoneInfo(name)


def _pytz_zone(name: Any, *_offset: object) -> tzinfo:
    """pytz writes the zone and the offset of one moment; the times themselves are stored in UTC."""
    return ZoneInfo(name)


def _zone_attribute(owner: object, name: object) -> Any:
    """``getattr``, for the one thing that a time zone needs it for."""
    if owner is not _zone or name != "_unpickle":
        _refuse(f"asks for the attribute {str(name)[:60]!r}")
    return _zone


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _dtype,
    ("numpy", "ndarray"): _ndarray,
    ("_codecs", "encode"): _encode,
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("pytz", "_UTC"): _utc,
    ("pytz", "_p"): _pytz_zone,
    ("zoneinfo", "ZoneInfo"): _zone,
    **{("datetime", name): _PYTHON[name] for name in ("datetime", "timedelta", "timezone")},
}
for _core in ("numpy.core", "numpy._core"):
    _STAND_INS[f"{_core}.multiarray", "_reconstruct"] = _reconstruct
    _STAND_INS[f"{_core}.multiarray", "scalar"] = _scalar
    _STAND_INS[f"{_core}.numeric", "_frombuffer"] = _frombuffer
for _builtins in ("builtins", "__builtin__"):
    _STAND_INS[_builtins, "object"] = _object
    _STAND_INS[_builtins, "slice"] = slice
    _STAND_INS[_builtins, "getattr"] = _zone_attribute
_CALLABLE = frozenset(map(id, _STAND_INS.values()))
