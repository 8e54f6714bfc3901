"""A pickled frame is read in every form that pandas writes, and no pickle makes anything run."""

from __future__ import annotations

import bz2
import functools
import gzip
import lzma
import operator
import os
import pickle
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.errors import BadInput
from pumpswap.market.q50_forms import read_table
from pumpswap.market.q50_pickle import Part, load_pickle
from pumpswap.market.q50_pickled_frame import pickled_table
from pumpswap.market.q50_table import RawTable
from tests.support.q50 import damaged, mock_frame, published_frame

TIMES = pd.date_range("2024-09-01", periods=6, freq="h")
COLUMNS: dict[str, Any] = {
    "q50": [0.1, -0.2, 0.3, 0.4, 0.5, float("nan")],
    "flag": [True, False, True, True, False, False],
    "whole": list(range(6)),
    "text": ["a", "b", "a", "b", "a", "b"],
    "small": np.arange(6, dtype="int32"),
    "single": np.arange(6, dtype="float32"),
}
PLAIN = pd.DataFrame(COLUMNS, index=pd.DatetimeIndex(TIMES, name="timestamp"))
PAIRED = pd.DataFrame(COLUMNS, index=pd.MultiIndex.from_product([["BTC"], TIMES], names=["instrument", "datetime"]))
NULLABLE = pd.DataFrame(
    {
        **COLUMNS,
        "b": pd.array([True, None] * 3, dtype="boolean"),
        "n": pd.array([1, None] * 3, dtype="Int64"),
        "f": pd.array([1.5, None] * 3, dtype="Float64"),
        "s": pd.array(["x", None] * 3, dtype="string"),
        "c": pd.Categorical(["low", "high", None] * 2),
        "t": TIMES,
    },
    index=TIMES,
)
OBJECTS = pd.DataFrame({"o": [1, 2.5, None, "x", True, pd.Timestamp("2024-09-01 12:00")]}, index=TIMES)
OBJECTS["moments"] = pd.Series([pd.Timestamp(each) for each in TIMES], index=TIMES, dtype=object)
FORMS = {
    "plain": PLAIN,
    "paired": PAIRED,
    "paired, times first": PAIRED.swaplevel(),
    "sorted from columns": PAIRED.reset_index().set_index(["datetime", "instrument"]).sort_index(),
    "columns only": PLAIN.reset_index(),
    "some rows": PLAIN[PLAIN.q50 > 0.2],
    "UTC": PLAIN.tz_localize("UTC"),
    "Berlin": PLAIN.tz_localize("Europe/Berlin"),
    "an offset": PLAIN.tz_localize("+02:00"),
    "nullable": NULLABLE,
    "objects": OBJECTS,
    "a categorical level": PAIRED.set_index(
        pd.MultiIndex.from_arrays([pd.Categorical(["BTC"] * 6), TIMES], names=["instrument", "datetime"])
    ),
}


def as_told(value: Any) -> Any:
    """Missing values as None, times as their nanoseconds in UTC."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    if isinstance(value, np.datetime64) or hasattr(value, "tzinfo"):
        moment = pd.Timestamp(value)
        return (moment if moment.tzinfo is None else moment.tz_convert("UTC")).as_unit("ns").value
    return value.item() if isinstance(value, np.generic) else value


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("form", FORMS)
def test_every_form_and_protocol_is_read_as_pandas_reads_it(form: str, protocol: int) -> None:
    frame = FORMS[form]
    table = pickled_table(pickle.dumps(frame, protocol))
    assert list(table.columns) == list(frame.columns)
    for name in frame.columns:
        assert [as_told(value) for value in table.columns[name]] == [as_told(value) for value in frame[name]]
    if isinstance(frame.index, pd.RangeIndex):
        assert table.index == ()
        return
    levels = [frame.index.get_level_values(place) for place in range(frame.index.nlevels)]
    assert [name for name, _values in table.index] == [level.name for level in levels]
    for (_name, values), level in zip(table.index, levels, strict=True):
        assert [as_told(value) for value in values] == [as_told(value) for value in level]
    assert bool(table.zones) == (form in ("UTC", "Berlin", "an offset"))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_pickle_is_unpacked(pack: Callable[[bytes], bytes]) -> None:
    table = pickled_table(pack(pickle.dumps(PAIRED)))
    assert table.rows == 6


def test_a_packed_bomb_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpswap.market.q50_pickle.MOST_BYTES", 100_000)
    with pytest.raises(BadInput, match="larger than 100,000 bytes"):
        load_pickle(gzip.compress(bytes(1_000_000)))


@pytest.mark.parametrize("key", ["signals", "macro_features"])
def test_a_dict_holds_a_frame_columns_or_records(key: str) -> None:
    for inner in (PLAIN, PLAIN.reset_index().to_dict("list"), PLAIN.reset_index().to_dict("records")):
        table = pickled_table(pickle.dumps({"made": "yesterday", key: inner}))
        assert table.rows == 6
        assert list(table.columns["q50"][:2]) == [0.1, -0.2]


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({"frames": PLAIN}, "it holds frames|the dict in the pickle holds frames"),
        ({"signals": [1, 2]}, "holds list, not a frame"),
        (PLAIN["q50"], "holds Series, not a frame"),
        ("nothing", "holds str, not a frame"),
        ({"signals": {"q50": [1.0], "q10": [1.0, 2.0]}}, "not equally long"),
        (pd.concat([PLAIN, PLAIN[["q50"]]], axis=1), "occur twice: q50"),
    ],
)
def test_what_holds_no_frame_is_refused_by_its_name(held: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        pickled_table(pickle.dumps(held))
    assert caught.value.hint


# ------------------------------------------------------------------------------------------------------- evil ones


class Evil:
    """Calls what it is told to when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def attacks(marker: Path) -> dict[str, Any]:
    """What would make ``marker`` if it ran, or be a step on the way there."""
    touch = f"touch {marker}"
    code = f"open({str(marker)!r}, 'w')"
    return {
        "os.system": Evil(os.system, touch),
        "exec": Evil(exec, code),
        "eval": Evil(eval, code),
        "import": Evil(__import__, "os"),
        "subprocess": Evil(subprocess.call, touch, -1, None, None, None, None, None, True, True),
        "open": Evil(open, str(marker), "w"),
        "partial": Evil(functools.partial, os.system, touch),
        "attrgetter": Evil(operator.attrgetter, "system"),
        "methodcaller": Evil(operator.methodcaller, "system", touch),
        "getattr": Evil(getattr, pd.DataFrame, "to_pickle"),
        "loads": Evil(pickle.loads, pickle.dumps(Evil(os.system, touch))),
        "numpy.load": Evil(np.load, str(marker.with_suffix(".npy")), None, True),
        "numpy.fromfile": Evil(np.fromfile, "/etc/hostname"),
        "pandas.read_pickle": Evil(pd.read_pickle, str(marker.with_suffix(".pkl"))),
        "pandas.eval": Evil(pd.eval, f"@{code}"),
        "pandas.read_csv": Evil(pd.read_csv, "/etc/hostname"),
        "object array": np.array([Evil(os.system, touch), 1.0], dtype=object),
        "object column": pd.DataFrame({"q50": np.array([Evil(os.system, touch)] * 2, dtype=object)}),
        "attributes": _with_attributes(Evil(os.system, touch)),
        "beside the frame": {"signals": PLAIN, "meta": Evil(os.system, touch)},
        "as a level": pd.DataFrame({"q50": [1.0]}, index=pd.Index([Evil(os.system, touch)], dtype=object)),
    }


def _with_attributes(evil: Evil) -> pd.DataFrame:
    frame = PLAIN.copy()
    frame.attrs["note"] = evil
    return frame


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("name", attacks(Path("x")))
def test_an_evil_pickle_is_refused_and_nothing_has_run(name: str, protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    raw = pickle.dumps(attacks(marker)[name], protocol)
    with pytest.raises(BadInput, match=r"was not run|no frame") as caught:
        pickled_table(raw)
    assert "to_parquet" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_attacks_would_have_worked(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    for name in ("os.system", "exec", "object column", "attributes", "beside the frame"):
        pickle.loads(pickle.dumps(attacks(marker)[name]))
        assert marker.exists(), name
        marker.unlink()


def call(module: str, name: str, *pushed: bytes) -> bytes:
    """A pickle by hand: a global by its dotted name, called with what was pushed."""
    return b"\x80\x04" + text(module) + text(name) + b"\x93(" + b"".join(pushed) + b"tR."


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


@pytest.mark.parametrize(
    "raw",
    [
        call("os", "system", text("true")),
        call("pandas", "io.common.os.system", text("true")),
        call("pandas", "DataFrame.to_pickle", text("x")),
        call("pandas.core.frame", "DataFrame.__init__.__globals__", text("x")),
        call("numpy", "f2py.compile", text("x")),
        call("numpy", "lib.npyio.load", text("x")),
        call("builtins", "getattr", text("x"), text("__class__")),
        call("builtins", "object"),
        call("copyreg", "_reconstructor", text("x"), text("y"), b"N"),
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"(cos\nsystem\nS'true'\no.",
        b"\x80\x02\x82\x01.",  # an extension code
        b"\x80\x02\x58\x01\x00\x00\x00xQ.",  # a persistent id
        b"\x80\x05\x97.",  # a buffer that is not there
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x00.",  # room for 2^56 bytes
        b"\x80\x04" + text("numpy") + text("ndarray") + b"\x93}" + text("shape") + b"K\x01sb.",  # changes a class
    ],
)
def test_a_pickle_written_by_hand_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput):
        pickled_table(raw)


def whole(number: int) -> bytes:
    held = number.to_bytes(number.bit_length() // 8 + 1, "little")
    if len(held) < 256:
        return b"\x8a" + bytes([len(held)]) + held
    return b"\x8b" + len(held).to_bytes(4, "little") + held


DEEP = b")" + b"\x85" * 1_000_000  # a tuple in a tuple …: its hash would overflow the interpreter's stack
LAUGHS = b"K\x01\x85" + b"2\x86" * 60  # a pair of the same pair …: its hash or text would take for ever
LISTS = b"]" + b"2\x86" * 60
HUGE = whole(10**5_000)  # more digits than Python shows
ALIKE = b"}(" + b"".join(whole(count * (2**61 - 1)) + b"N" for count in range(1, 60_000)) + b"u."


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"\x80\x04}" + DEEP + b"K\x01s.", "unusual keys"),
        (b"\x80\x04(" + DEEP + b"K\x01d.", "unusual keys"),
        (b"\x80\x04}(" + DEEP + b"K\x01u.", "unusual keys"),
        (b"\x80\x04}" + LAUGHS + b"K\x01s.", "unusual keys"),
        (b"\x80\x04}" + HUGE + b"K\x01s.", "in a way that no frame needs"),
        (b"\x80\x04" + ALIKE, "unusual keys"),
        (b"\x80\x04\x8f(" + DEEP + b"\x90.", "in a way that no frame needs"),
        (b"\x80\x04(" + DEEP + b"\x91.", "in a way that no frame needs"),
        (call("builtins", "getattr", text("x"), LAUGHS), "asks for an attribute"),
    ],
)
def test_a_pickle_that_would_hang_or_crash_python_itself_is_refused(raw: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        load_pickle(raw)


def test_a_packed_bomb_of_steps_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpswap.market.q50_pickle.MOST_STEPS", 10_000)
    for step in (b"(", b"]", b"}", b"N"):
        with pytest.raises(BadInput, match="more steps than a frame needs"):
            load_pickle(gzip.compress(b"\x80\x04" + step * 1_000_000))


def replaced(frame: pd.DataFrame, mark: str, pushed: bytes) -> bytes:
    """The pickle of a frame, with other steps in the place of a text."""
    raw = pickle.dumps(frame, 4)
    framed, mark_steps = raw.index(b"\x95"), text(mark)
    raw = raw[:framed] + raw[framed + 9 :]
    assert raw.count(mark_steps) == 1
    return raw.replace(mark_steps, pushed)


@pytest.mark.parametrize("pushed", [DEEP, LISTS, b"]K\x01a"])
def test_a_list_in_a_cell_is_a_short_text_however_deep_it_is(pushed: bytes) -> None:
    frame = PLAIN.assign(note=pd.Series(["MARK", *"abcde"], index=TIMES, dtype=object))
    value = pickled_table(replaced(frame, "MARK", pushed)).columns["note"][0]
    assert isinstance(value, str)
    assert value[0] in "(["
    assert len(value) < 100


@pytest.mark.parametrize("pushed", [DEEP, LISTS])
def test_a_zone_or_a_name_that_is_nested_without_end_is_a_short_text(pushed: bytes) -> None:
    local = PLAIN.tz_localize("Europe/Berlin")
    assert len(pickled_table(replaced(local, "Europe/Berlin", pushed)).zones[0]) <= 40
    named = pickled_table(replaced(PLAIN.rename_axis("MARK"), "MARK", pushed))
    assert len(named.index[0][0] or "") < 100


def test_an_unknown_unit_of_a_time_is_no_key() -> None:
    frame = PLAIN.assign(note=pd.Series([pd.Timestamp("2024-09-01"), *"abcde"], index=TIMES, dtype=object))
    raw = pickle.dumps(frame, 4)
    framed = raw.index(b"\x95")
    raw = raw[:framed] + raw[framed + 9 :]
    unit = b"NNK\x09t" if b"NNK\x09t" in raw else b"NNK\x0at"
    assert raw.count(unit) == 1
    with pytest.raises(BadInput):
        pickled_table(raw.replace(unit, b"NN" + LAUGHS + b"t"))


def test_a_million_columns_of_nothing_are_refused_at_once() -> None:
    raw = pickle.dumps(pd.DataFrame(np.empty((0, 1_234_567))).astype(object), 4)
    with pytest.raises(BadInput, match="0 rows and 1,234,567 columns"):
        pickled_table(raw)


def test_even_times_in_nanoseconds_are_times_although_pandas_calls_them_a_range() -> None:
    counts = TIMES.astype("datetime64[ns]").astype("int64")
    for index in (pd.RangeIndex(counts[0], counts[-1] + 1, counts[1] - counts[0], name="timestamp"), counts):
        table = pickled_table(pickle.dumps(PLAIN.set_index(index.rename("timestamp"))))
        assert [(name, list(values)) for name, values in table.index] == [("timestamp", list(counts))]


def test_what_is_named_is_only_written_down() -> None:
    found = load_pickle(call("pandas", "DataFrame", text("x")))
    assert isinstance(found, Part)
    assert (found.name, found.arguments, found.state) == ("DataFrame", ("x",), None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"K\x06\x86\x94", b"K\x60\x86\x94"),  # a shape larger than the values: numpy itself would read beyond them
        (b"K\x06\x86\x94", b"K\x05\x86\x94"),
        (b"slice", b"slicE"),
    ],
)
def test_a_frame_whose_parts_do_not_fit_is_refused(old: bytes, new: bytes) -> None:
    raw = pickle.dumps(pd.DataFrame({"o": ["x", None, 1, 2, 3, 4]}, dtype=object, index=TIMES), 4)
    assert old in raw
    with pytest.raises(BadInput):
        pickled_table(raw.replace(old, new))


SAMPLES = [pickle.dumps(frame, protocol) for frame in FORMS.values() for protocol in (2, 4, 5)]


@given(seed=st.integers(0, 2**32), sample=st.sampled_from(range(len(SAMPLES))))
@settings(max_examples=400, deadline=None)
def test_a_damaged_pickle_is_a_table_or_a_refusal(seed: int, sample: int) -> None:
    found = table_or_refusal(damaged(SAMPLES[sample], SAMPLES, random.Random(seed)))
    if isinstance(found, BadInput):
        assert found.hint
    else:
        assert all(len(values) == found.rows for values in found.columns.values())


def table_or_refusal(raw: bytes) -> RawTable | BadInput:
    try:
        return read_table(raw, is_pickle=True)
    except BadInput as error:
        return error


def test_a_pickle_that_is_cut_anywhere_is_refused() -> None:
    raw = pickle.dumps(mock_frame(20), 5)
    for length in range(0, len(raw) - 1, 37):
        with pytest.raises(BadInput):
            read_table(raw[:length], is_pickle=True)


def test_the_published_shape_is_read_whole() -> None:
    frame = published_frame(300)
    table = pickled_table(pickle.dumps(frame, 5))
    assert len(table.columns) == 75
    assert table.rows == 300
    assert np.array_equal(table.columns["q50"], frame["q50"].to_numpy())
