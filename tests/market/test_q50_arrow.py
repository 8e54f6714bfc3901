"""Texts that pandas pickles beside pyarrow are read exactly, without pyarrow; forged buffers are refused at once."""

from __future__ import annotations

import gzip
import pickle
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.errors import BadInput
from pumpswap.market.q50_arrow import Texts
from pumpswap.market.q50_forms import read_table
from pumpswap.market.q50_pickle import load_pickle
from pumpswap.market.q50_pickled_frame import pickled_table
from pumpswap.market.q50_table import RawTable
from tests.support.q50 import damaged
from tests.support.q50_text_frames import INSTRUMENTS, NUMBERS, TEXTS, text_frame

WRITTEN = sorted((Path(__file__).parents[1] / "golden" / "q50_pickles").glob("*.pkl.gz"))


def assert_the_texts(table: RawTable) -> None:
    ((name, index),) = table.index
    assert (name, list(index)) == ("instrument", INSTRUMENTS)
    assert list(table.columns) == ["q50", *TEXTS]
    assert list(table.columns["q50"]) == NUMBERS
    for column, expected in TEXTS.items():
        # Without pyarrow pandas itself writes NaN or NA for what is missing.
        assert [None if value != value else value for value in table.columns[column]] == expected, column


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_what_other_versions_have_written_is_read_exactly(path: Path) -> None:
    assert_the_texts(pickled_table(path.read_bytes()))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", [None, "string"])
def test_what_is_written_here_is_read_exactly(dtype: str | None, protocol: int) -> None:
    assert_the_texts(pickled_table(pickle.dumps(text_frame(dtype), protocol)))


@pytest.mark.parametrize("protocol", range(6))
def test_a_frame_without_rows_is_read_in_every_protocol(protocol: int) -> None:
    table = pickled_table(pickle.dumps(text_frame().iloc[:0], protocol))
    assert table.rows == 0
    assert list(table.columns) == ["q50", *TEXTS]


# ------------------------------------------------------------------------------------------------ pickles by hand


class Raw(bytes):
    """Steps of a pickle that push a value."""


def steps(value: Any) -> bytes:
    """The steps that push a value; protocol 3 has no frames around them."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, list):
        return b"](" + b"".join(map(steps, value)) + b"e"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(steps, value)) + b"t"
    if isinstance(value, bytearray):
        return b"\x96" + len(value).to_bytes(8, "little") + value
    return pickle.dumps(value, 3)[2:-1]


def call(module: str, name: str, *arguments: Any) -> Raw:
    return Raw(f"c{module}\n{name}\n".encode() + steps(arguments) + b"R")


def lib(name: str, *arguments: Any) -> Raw:
    return call("pyarrow.lib", name, *arguments)


def buffer(held: Any) -> Any:
    return None if held is None else lib("py_buffer", held)


def array(
    kind: Any = "string",
    length: Any = 2,
    nulls: Any = 0,
    start: Any = 0,
    held: Sequence[Any] = (),
    rest: Any = ([], None),
) -> Raw:
    """Two texts, ``ab`` and ``c``, but for what is told otherwise."""
    held = held or (None, ends(0, 2, 3), b"abc")
    data = (lib("type_for_alias", kind), length, nulls, start, [buffer(each) for each in held], *rest)
    return lib("_restore_array", data)


def ends(*places: int, kind: str = "i") -> bytes:
    return struct.pack(f"<{len(places)}{kind}", *places)


def loaded(pushed: bytes) -> Any:
    return load_pickle(b"\x80\x05" + pushed + b".")


def chunked(*chunks: Any, kind: str = "string") -> Raw:
    return lib("chunked_array", list(chunks), lib("type_for_alias", kind))


@pytest.mark.parametrize(
    ("pushed", "expected"),
    [
        (array(), ["ab", "c"]),
        (array("utf8"), ["ab", "c"]),
        (array("large_string", held=(None, ends(0, 2, 3, kind="q"), bytearray(b"abc"))), ["ab", "c"]),
        (array("large_utf8", held=(None, ends(0, 2, 3, kind="q"), b"abc")), ["ab", "c"]),
        (array(nulls=1, held=(b"\x02", ends(0, 2, 3), b"\xff\xffc")), [None, "c"]),  # what is missing is not looked at
        (array(nulls=-1, held=(b"\x01", ends(0, 2, 3), b"abc")), ["ab", None]),
        (array(nulls=-1), ["ab", "c"]),
        (array(length=1, start=1), ["c"]),
        (array(length=2, nulls=1, start=9, held=(b"\x00\x04", ends(*[0] * 10, 2, 3), b"abc")), [None, "c"]),
        (array(held=(None, ends(5, 7, 8) + bytes(52), b"-----abc-----")), ["ab", "c"]),  # padding is no error
        (array(held=(None, ends(0, 0, 0), None)), ["", ""]),
        (array(nulls=2, held=(b"\x00", ends(0, 0, 0), None)), [None, None]),
        (array(length=0, held=(None, None, None)), []),
        (array(length=0, held=(None, b"", b"")), []),
        (chunked(), []),
        (chunked(array(), array(length=1)), ["ab", "c", "ab"]),
        (chunked(array("utf8"), array(length=0)), ["ab", "c"]),
    ],
)
def test_every_layout_of_texts_is_read(pushed: bytes, expected: list[str | None]) -> None:
    found = loaded(pushed)
    assert isinstance(found, Texts)
    assert found.values.tolist() == expected


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[Raw, list[str | None]]:
    """Texts in Arrow's layout, with whatever that allows to be in between, and the texts."""
    texts = draw(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=20))
    start, first = draw(st.integers(0, 20)), draw(st.integers(0, 5))
    content, places = b"\xff" * first, [0] * start + [first]
    for text in texts:
        content += b"\xfe" * draw(st.integers(0, 2)) if text is None else text.encode()
        places.append(len(content))
    bits = sum(1 << (start + place) for place, text in enumerate(texts) if text is not None)
    bitmap = bits.to_bytes((start + len(texts)) // 8 + 1, "little") if None in texts or draw(st.booleans()) else None
    kind, letter = draw(st.sampled_from([("string", "i"), ("large_string", "q")]))
    nulls = draw(st.sampled_from([-1, texts.count(None)]))
    held = (bitmap, ends(*places, kind=letter), draw(st.sampled_from([bytes, bytearray]))(content))
    return array(kind, len(texts), nulls, start, held), texts


@given(made=laid_out())
@settings(max_examples=200, deadline=None)
def test_any_texts_are_read_whatever_lies_between_them(made: tuple[Raw, list[str | None]]) -> None:
    pushed, texts = made
    assert loaded(pushed).values.tolist() == texts


# ------------------------------------------------------------------------------------------------------ evil ones

HUGE = 2**62


@pytest.mark.parametrize(
    ("pushed", "told"),
    [
        (array(held=(None, ends(0, 2), b"abc")), "fewer offsets"),
        (array(held=(None, ends(0, 2, 3)[:-1], b"abc")), "fewer offsets"),
        (array("large_string"), "fewer offsets"),
        (array(held=(None, None, b"abc")), "fewer offsets"),
        (array(start=1), "fewer offsets"),
        (array(start=HUGE), "fewer offsets"),
        (array(length=10**500), "texts"),
        (array(length=1, start=10**500), "fewer offsets"),
        (array(held=(None, ends(0, 2, 4), b"abc")), "not those of its texts"),
        (array(held=(None, ends(0, 2, 2**31 - 1), b"abc")), "not those of its texts"),
        (array(held=(None, ends(0, 9, 3), b"abc")), "not those of its texts"),
        (array(held=(None, ends(0, -1, 3), b"abc")), "not those of its texts"),
        (array(held=(None, ends(-1, 2, 3), b"abc")), "not those of its texts"),
        (array("large_string", held=(None, ends(-(2**63), 2**63 - 1, 3, kind="q"), b"abc")), "not those of its texts"),
        (array(held=(None, ends(0, 2, 3), None)), "not those of its texts"),
        (array(nulls=1, held=(b"", ends(0, 2, 3), b"abc")), "of each text whether"),
        (array(length=9, nulls=-1, held=(b"\xff", ends(*range(10)), b"abcdefghi")), "of each text whether"),
        (array(length=1, nulls=-1, start=8, held=(b"\xff", ends(*range(10)), b"abcdefghi")), "of each text whether"),
        (array(nulls=1), "which texts are missing"),
        (array(held=(b"\x01", ends(0, 2, 3), b"abc")), "another number"),
        (array(nulls=2, held=(b"\x01", ends(0, 2, 3), b"abc")), "another number"),
        (array(nulls=3), "unusual length"),
        (array(nulls=-2), "unusual length"),
        (array(nulls=None), "unusual length"),
        (array(length=-1), "unusual length"),
        (array(length=True), "unusual length"),
        (array(length=2.0), "unusual length"),
        (array(length="2"), "unusual length"),
        (array(start=-1), "unusual length"),
        (array(length=HUGE), "more than 20,000,000 texts"),
        (array(length=20_000_001), "more than 20,000,000 texts"),
        (array(held=(None, ends(0, 2, 3), b"ab\xff")), "UTF-8"),
        (array(held=(None, ends(0, 1, 2), "é".encode())), "UTF-8"),  # cut in the middle of a letter
        (array(held=(None, ends(0, 2, 3))), "other buffers"),
        (array(held=(None, ends(0, 2, 3), b"abc", b"")), "other buffers"),
        (array(rest=([array()], None)), "no plain array"),
        (array(rest=([], array())), "no plain array"),
        (array(rest=([],)), "no array"),
        (lib("_restore_array", [1]), "no array"),
        (lib("_restore_array", (["string"], 2, 0, 0, [], [], None)), "no plain array"),
        (lib("_restore_array", ("string", 2, 0, 0, [None, "x", 7], [], None)), "other buffers"),
        (lib("_restore_array"), "cannot be read"),
        (lib("py_buffer", 10**12), "holds no bytes"),
        (lib("py_buffer", "abc"), "holds no bytes"),
        (lib("py_buffer", array()), "holds no bytes"),
        (chunked(chunked(array())), "no array of its type"),
        (chunked(array(), kind="large_string"), "no array of its type"),
        (chunked(["ab"]), "no array of its type"),
        (lib("chunked_array", (array(),), "string"), "no chunked array"),
        (lib("chunked_array", array(), "string"), "no chunked array"),
        (lib("chunked_array", [], "int64"), "no chunked array"),
        (lib("type_for_alias", 7), "names no type"),
        (call("builtins", "bytearray", 10**12), "unusual way"),
        (call("builtins", "bytes", 10**12), "unusual way"),
        (call("__builtin__", "bytearray", "x", "utf-16"), "unusual way"),
    ],
)
def test_forged_texts_are_refused_before_anything_is_read_by_them(pushed: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        loaded(pushed)
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["string_view", "binary", "int64", "timestamp[ns]", "double", "x" * 1_000])
def test_another_type_of_pyarrow_is_named_with_what_to_do(kind: str) -> None:
    with pytest.raises(BadInput, match=f"pyarrow's type '{kind[:40].replace('[', '.')[:9]}") as caught:
        loaded(array(kind))
    assert "Parquet" in caught.value.hint
    assert "CSV" in caught.value.hint
    assert len(caught.value.what) < 120


@pytest.mark.parametrize(
    "pushed",
    [
        lib("foreign_buffer", 0, 8),
        lib("allocate_buffer", 2**40),
        lib("array", ["x"]),
        lib("memory_map", "/etc/hostname"),
        lib("_restore_array.__self__", "x"),
        call("pyarrow", "array", ["x"]),
        call("pyarrow.lib", "ChunkedArray"),
        call("pyarrow.fs", "LocalFileSystem"),
        call("pandas.arrays", "ArrowExtensionArray"),
    ],
)
def test_nothing_else_of_pyarrow_may_be_named(pushed: bytes) -> None:
    with pytest.raises(BadInput, match=r"which no frame needs: it was not run|builds an object"):
        loaded(pushed)


def test_texts_named_again_and_again_are_counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpswap.market.q50_arrow.MOST_TEXTS", 1_000)
    again = Raw(b"".join([array(), b"q\x07", b"h\x07" * 600]))  # one array, 601 times on the stack
    with pytest.raises(BadInput, match="more than 1,000 texts"):
        loaded(b"cpyarrow.lib\nchunked_array\n](" + again + b"e" + steps("string") + b"\x86R")
    with pytest.raises(BadInput, match="more than 1,000 texts"):
        loaded(steps([array()] * 600))
    assert len(loaded(steps([array()] * 500))) == 500


def test_one_buffer_behind_many_arrays_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpswap.market.q50_arrow.MOST_TEXT_BYTES", 100_000)
    held = Raw(steps(bytearray(10_000)) + b"q\x07")
    many = [array(length=1, held=(None, ends(0, 10_000), each)) for each in [held, *[Raw(b"h\x07")] * 10]]
    with pytest.raises(BadInput, match="more than 100,000 bytes"):
        loaded(steps(many))
    assert len(loaded(steps(many[:10]))) == 10


def test_texts_are_nothing_that_can_be_called_or_changed_or_be_a_key() -> None:
    for pushed in (array() + b")R", array() + b")\x81", array() + b"}b", b"}" + array() + b"K\x01s"):
        with pytest.raises(BadInput):
            loaded(pushed)


def replaced(mark: str, pushed: bytes) -> bytes:
    """The pickle of a frame with one cell of objects, with other steps in the place of a text."""
    frame = pd.DataFrame({"o": pd.Series([mark, "b"], dtype=object)})
    raw, told = pickle.dumps(frame, 3), b"X" + len(mark).to_bytes(4, "little") + mark.encode()
    assert raw.count(told) == 1
    return raw.replace(told, pushed)


def test_texts_in_a_cell_are_a_short_text() -> None:
    assert pickled_table(replaced("MARK", array())).columns["o"].tolist() == ["Texts", "b"]


@pytest.mark.parametrize("held", [{"signals": array()}, {"signals": {"q50": array()}}])
def test_texts_without_a_frame_are_refused(held: dict[str, Any]) -> None:
    inner = held["signals"]
    value = b"}" + steps("q50") + inner["q50"] + b"s" if isinstance(inner, dict) else inner
    with pytest.raises(BadInput):
        pickled_table(b"\x80\x05}" + steps("signals") + value + b"s.")


UNPACKED = [gzip.decompress(path.read_bytes()) for path in WRITTEN]


def test_an_array_that_is_shorter_than_the_frame_is_refused() -> None:
    raw = next(raw for raw, path in zip(UNPACKED, WRITTEN, strict=True) if "3.1.1-pyarrow" in path.name)
    length = b"K\x06K\x01K\x00"  # six texts, one missing, from the first on
    assert length in raw
    for forged in (b"K\x05K\x01K\x00", b"K\x05K\x01K\x01", b"K\x07K\x01K\x00", b"K\x06K\x00K\x00"):
        with pytest.raises(BadInput):
            pickled_table(raw.replace(length, forged, 1))


@given(seed=st.integers(0, 2**32), sample=st.sampled_from(range(len(UNPACKED))))
@settings(max_examples=300, deadline=None)
def test_a_damaged_pickle_of_texts_is_a_table_or_a_refusal(seed: int, sample: int) -> None:
    found = table_or_refusal(damaged(UNPACKED[sample], UNPACKED, random.Random(seed)))
    if isinstance(found, BadInput):
        assert found.hint
    else:
        assert all(len(values) == found.rows for values in found.columns.values())


def table_or_refusal(raw: bytes) -> RawTable | BadInput:
    try:
        return read_table(raw, is_pickle=True)
    except BadInput as error:
        return error
