"""Pickled frames, read without running what they ask for: no pandas and no numpy is called.

A pickle is a program: it names functions and calls them. Here it may name what pandas and numpy write into the pickle
of a frame, each by its exact module and name; and a call only writes down what was called with what, but for pyarrow's
arrays of texts, which ``q50_arrow`` reads. What comes out is made of inert ``Part`` records. ``pickled_frame`` takes
the columns out of them, checking every size: numpy, pandas and pyarrow trust a pickle with their memory, so a forged
one can crash them.
The reader is the interpreter's own one in Python: only that one can be told what may be called and built.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import IO, Any, ClassVar, NoReturn

from pumpswap.errors import BadInput
from pumpswap.market.q50_arrow import ArrowReader

__all__ = ["MOST_BYTES", "PICKLE_MARKS", "Part", "load_pickle"]

MOST_BYTES = 2_000_000_000  # unpacked; 50,000 rows of 75 columns are 30 million
MOST_STEPS = 20_000_000  # a step may take a hundred bytes of memory; 50,000 rows of plain columns take 2,000 steps
_CONVERT = "convert it where it was made, with df.to_parquet, and read the Parquet file"
_PACKERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
PICKLE_MARKS = (b"\x80", *_PACKERS)  # how a pickle begins, or its compressed form

_LARGEST_KEY = 2**60

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
    "pandas.core.arrays.string_": ("StringArray", "StringArrayNumpySemantics", "StringDtype"),
    "pandas.core.arrays.string_arrow": ("ArrowStringArray", "ArrowStringArrayNumpySemantics"),
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
        *("ArrowStringArray", "NumpyExtensionArray"),
    ),
}
_OTHERS = {
    "numpy": ("dtype", "ndarray"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy.core.numeric": ("_frombuffer",),
    "numpy._core.numeric": ("_frombuffer",),
    "pytz": ("_UTC", "_p"),
    "zoneinfo": ("ZoneInfo",),
}
_PARTS = frozenset(
    (module, name) for names in (_PANDAS_2, _PANDAS_3, _OTHERS) for module, each in names.items() for name in each
)


@dataclass(slots=True, eq=False)
class Part:
    """A piece of an object: the name of what was called, with what, and the state that it was given."""

    name: str
    arguments: tuple[Any, ...]
    state: Any = None


class _Maker:
    """Stands for a class or function of pandas or numpy. Called, it only writes down with what."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *arguments: Any) -> Part:
        return Part(self.name, arguments)


def load_pickle(raw: bytes) -> Any:
    """What the pickle holds; one packed with gzip, bzip2 or xz is unpacked first. What is no plain value is a Part.

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


class _CountedSteps(dict[int, Callable[[Any], None]]):
    """What to do at each code, so many times: a packed file of a few kilobytes may hold a billion of them."""

    def __init__(self, steps: Mapping[int, Callable[[Any], None]], most: int) -> None:
        super().__init__(steps)
        self._left = most

    def __getitem__(self, code: int) -> Callable[[Any], None]:
        self._left -= 1
        if self._left < 0:
            _refuse("has more steps than a frame needs")
        return super().__getitem__(code)


class _FrameUnpickler(_PythonUnpickler):  # type: ignore[misc]  # its hooks are not in the type stubs
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(_PythonUnpickler.dispatch)

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.dispatch = _CountedSteps(type(self).dispatch, MOST_STEPS)  # type: ignore[misc]  # one count per file
        self._stand_ins = {**_STAND_INS, **ArrowReader().stand_ins}
        self._callable = frozenset(map(id, self._stand_ins.values()))
        self._built: dict[int, Any] = {}  # what was given its state already, kept so that no identity is used again

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) in _PARTS:
            # A missing value is named, never called.
            return Part(name, ()) if name == "NA" else _Maker(name)
        try:
            return self._stand_ins[module, name]
        except KeyError:
            raise BadInput(
                f"the pickle asks for {module[:80]}.{name[:80]}, which no frame needs: it was not run",
                hint=f"do not open this file with anything else; if it is yours, {_CONVERT}",
            ) from None

    def load_reduce(self) -> None:
        function, arguments = self.stack[-2], self.stack[-1]
        if not (isinstance(function, _Maker) or id(function) in self._callable) or not isinstance(arguments, tuple):
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
        if not isinstance(built, Part):
            _refuse("gives a state to what has none")
        built.state = state

    def load_bytearray8(self) -> None:
        # The interpreter's own would make room for as much as the pickle claims, before it looks whether it is there.
        size = int.from_bytes(self.read(8), "little")
        held = self.read(size)
        if len(held) != size:
            _refuse("is cut")
        self.append(bytearray(held))

    def load_dict(self) -> None:
        _check_keys(self.stack[::2])
        super().load_dict()

    def load_setitem(self) -> None:
        _check_keys(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        _check_keys(self.stack[::2])
        super().load_setitems()

    def load_refused(self) -> None:
        _refuse("builds an object in a way that no frame needs")

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.DICT[0]] = load_dict
    # Frames have no sets, and no whole number of more than 255 bytes (which could not even be shown).
    _sets = (pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET)
    _ways = (pickle.NEWOBJ_EX, pickle.OBJ, pickle.INST, pickle.EXT1, pickle.EXT2, pickle.EXT4)
    for _code in (*_ways, *_sets, pickle.LONG4):
        dispatch[_code[0]] = load_refused


def _check_keys(keys: Iterable[Any]) -> None:
    """Only names and small numbers: the hash of a tuple in tuples may take for ever or overflow the interpreter's own
    stack, and large numbers can be chosen to have all the same one.
    """
    for key in keys:
        if not (key is None or type(key) is str or (type(key) is int and -_LARGEST_KEY < key < _LARGEST_KEY)):
            _refuse("has a dict with unusual keys")


def _refuse(what: str) -> NoReturn:
    raise BadInput(f"the pickle {what}: it was not run", hint=_CONVERT)


# ------------------------------------------------------------------------------------------------- - stand-ins


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


def _bytes(*arguments: Any) -> bytes:
    """No bytes: protocols 0 to 2 have no other way to write none."""
    if arguments:
        _refuse("makes bytes in an unusual way")
    return b""


def _bytearray(*arguments: Any) -> bytes:
    """Bytes that may be changed, of protocols 0 to 4; of a number the interpreter's own would make so many bytes."""
    match arguments:
        case ():
            return b""
        case (bytes() as held,):
            return held
        case (held, encoding):
            return _encode(held, encoding)
    _refuse("makes bytes in an unusual way")


def _zone_attribute(owner: object, name: object) -> Any:
    """``getattr``, for the one thing that a time zone needs it for."""
    if not (isinstance(owner, _Maker) and owner.name == "ZoneInfo" and name == "_unpickle"):
        _refuse(f"asks for the attribute {name[:60]!r}" if type(name) is str else "asks for an attribute")
    return owner


_STAND_INS: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("copyreg", "_reconstructor"): _reconstructor,
    **{("datetime", kind.__name__): kind for kind in (date, datetime, timedelta, timezone)},
}
for _builtins in ("builtins", "__builtin__"):
    _STAND_INS[_builtins, "object"] = _object
    _STAND_INS[_builtins, "slice"] = slice
    _STAND_INS[_builtins, "bytes"] = _bytes
    _STAND_INS[_builtins, "bytearray"] = _bytearray
    _STAND_INS[_builtins, "getattr"] = _zone_attribute
