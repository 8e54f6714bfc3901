"""Columns of texts as pandas beside pyarrow pickles them: Arrow's buffers, read here without pyarrow.

Such a column is a bitmap (which values are there), offsets and the texts one after another in UTF-8
(https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-layout). pyarrow trusts the numbers in a
pickle with its memory; here every one is held against the buffers before anything is read by it. The texts are made
while the pickle is read, once per array and not once per mention, so that one count bounds the memory of all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from pumpswap.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST_TEXTS", "MOST_TEXT_BYTES", "ArrowReader", "Texts"]

MOST_TEXTS = 20_000_000  # of a pickle, as many as it may have steps; a text takes some sixty bytes of memory
MOST_TEXT_BYTES = 500_000_000  # of a pickle, in UTF-8; a character beyond it may take four times as much memory
_OFFSETS: dict[str, Any] = {"string": np.dtype("<i4"), "large_string": np.dtype("<i8")}
_ALIASES = {"utf8": "string", "large_utf8": "large_string"}
_SAVE = "save it where it was made as Parquet (df.to_parquet) or CSV (df.to_csv), and read that file"


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The values of a column of texts; what is missing is None."""

    kind: str
    values: NDArray[Any]
    is_chunked: bool = False


class ArrowReader:
    """What stands for the functions of pyarrow in one pickle. Together they make no more than so many texts."""

    def __init__(self) -> None:
        self._texts_left = MOST_TEXTS
        self._bytes_left = MOST_TEXT_BYTES
        self.stand_ins: dict[tuple[str, str], Callable[..., Any]] = {
            ("pyarrow.lib", "_restore_array"): self._array,
            ("pyarrow.lib", "chunked_array"): self._chunks,
            ("pyarrow.lib", "py_buffer"): _buffer,
            ("pyarrow.lib", "type_for_alias"): _kind,
        }

    def _array(self, data: Any) -> Texts:
        """From what ``pyarrow.Array.__reduce__`` writes: type, length, nulls, offset, buffers, children, dictionary."""
        if type(data) is not tuple or len(data) != 7:
            _damaged("is no array")
        kind, length, nulls, start, buffers, children, dictionary = data
        if type(kind) is not str or kind not in _OFFSETS or children != [] or dictionary is not None:
            _damaged("is no plain array")
        if not (_is_count(length) and _is_count(start) and type(nulls) is int and -1 <= nulls <= length):
            _damaged("has an unusual length")
        if type(buffers) is not list or len(buffers) != 3 or not all(map(_is_buffer, buffers)):
            _damaged("has other buffers")
        self._count(length)
        if length == 0:
            return _texts(kind, [])
        bitmap, offsets, content = buffers
        ends = _ends(offsets, _OFFSETS[kind], start, length)
        content = b"" if content is None else content
        if int(ends[0]) < 0 or int(ends[-1]) > len(content) or not bool((ends[1:] >= ends[:-1]).all()):
            _damaged("has offsets that are not those of its texts")
        self._count_bytes(int(ends[-1]) - int(ends[0]))
        return _texts(kind, _decoded(memoryview(content), ends, _present(bitmap, nulls, start, length)))

    def _chunks(self, chunks: Any, kind: Any) -> Texts:
        """One array of several after another."""
        if type(chunks) is not list or type(kind) is not str or kind not in _OFFSETS:
            _damaged("is no chunked array")
        for chunk in chunks:
            if not isinstance(chunk, Texts) or chunk.is_chunked or chunk.kind != kind:
                _damaged("has a chunk that is no array of its type")
            self._count(len(chunk.values))
        values = np.concatenate([chunk.values for chunk in chunks]) if chunks else np.empty(0, dtype=object)
        return Texts(kind, values, is_chunked=True)

    def _count(self, texts: int) -> None:
        self._texts_left -= texts
        if self._texts_left < 0:
            raise BadInput(f"the pickle has more than {MOST_TEXTS:,} texts", hint="export fewer rows or columns")

    def _count_bytes(self, held: int) -> None:
        self._bytes_left -= held
        if self._bytes_left < 0:
            raise BadInput(f"the pickle has texts of more than {MOST_TEXT_BYTES:,} bytes", hint="export fewer of them")


def _buffer(held: Any) -> bytes | bytearray:
    if type(held) is not bytes and type(held) is not bytearray:
        _damaged("has a buffer that holds no bytes")
    return held


def _kind(alias: Any) -> str:
    if type(alias) is not str:
        _damaged("names no type")
    kind = _ALIASES.get(alias, alias)
    if kind not in _OFFSETS:
        raise BadInput(f"the pickle has a column of pyarrow's type {alias[:40]!r}: it was not read", hint=_SAVE)
    return kind


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_buffer(value: Any) -> bool:
    return value is None or type(value) is bytes or type(value) is bytearray


def _ends(buffer: Any, kind: Any, start: int, length: int) -> NDArray[Any]:
    """Where each text begins, and where the last one ends."""
    if buffer is None or len(buffer) < (start + length + 1) * kind.itemsize:
        _damaged("has fewer offsets than texts")
    return np.frombuffer(buffer, dtype=kind, count=length + 1, offset=start * kind.itemsize)


def _present(bitmap: Any, nulls: int, start: int, length: int) -> NDArray[Any] | None:
    """Which values are there, or None for all; −1 nulls were not counted."""
    if bitmap is None:
        if nulls > 0:
            _damaged("does not say which texts are missing")
        return None
    first, last = start // 8, (start + length + 7) // 8
    if len(bitmap) < last:
        _damaged("does not say of each text whether it is missing")
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8, last - first, first), bitorder="little")
    present = bits[start % 8 : start % 8 + length]
    if nulls >= 0 and int(np.count_nonzero(present)) != length - nulls:
        _damaged("misses another number of texts than it says")
    return present


def _decoded(content: memoryview, ends: NDArray[Any], present: NDArray[Any] | None) -> list[str | None]:
    pairs = pairwise(ends.tolist())
    try:
        if present is None:
            return [str(content[start:end], "utf-8") for start, end in pairs]
        judged = zip(pairs, present.tolist(), strict=True)
        return [str(content[start:end], "utf-8") if there else None for (start, end), there in judged]
    except UnicodeDecodeError:
        _damaged("is not in UTF-8")


def _texts(kind: str, values: list[str | None]) -> Texts:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    found.setflags(write=False)  # several columns may be the same one
    return Texts(kind, found)


def _damaged(what: str) -> NoReturn:
    raise BadInput(f"a column of texts in the pickle is damaged: it {what}", hint=_SAVE)
