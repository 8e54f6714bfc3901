"""NautilusTrader brings pyarrow, with which pandas writes texts into pickles in another way: they are read the same."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.clock import ManualClock
from pumpswap.market.q50_arrow import Texts
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.market.q50_pickle import load_pickle
from pumpswap.market.q50_pickled_frame import pickled_table
from tests.market.test_q50_arrow import assert_the_texts
from tests.support.q50 import published_frame
from tests.support.q50_text_frames import text_frame

# pandas 2 as it is, and as pandas 3 is
INFERRED: list[Callable[[], AbstractContextManager[None]]] = [nullcontext]
if pd.__version__.startswith("2."):
    INFERRED.append(lambda: pd.option_context("future.infer_string", True))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", [None, "string[pyarrow]", "string[python]"])
def test_texts_are_read_exactly_from_every_protocol(dtype: str | None, protocol: int) -> None:
    for inferred in INFERRED:
        with inferred():
            assert_the_texts(pickled_table(pickle.dumps(text_frame(dtype), protocol)))
            assert pickled_table(pickle.dumps(text_frame(dtype).iloc[:0], protocol)).rows == 0


@pytest.mark.parametrize("protocol", range(6))
def test_a_frame_of_signals_is_the_same_as_in_parquet(protocol: int, tmp_path: Path) -> None:
    with INFERRED[-1]():
        frame = published_frame(200).assign(note=["é", None, "low", ""] * 50)
    frame.to_parquet(tmp_path / "macro_features.parquet")
    (tmp_path / "macro_features.pkl").write_bytes(pickle.dumps(frame, protocol))
    series = []
    for name in ("macro_features.parquet", "macro_features.pkl"):
        loader = Q50SignalLoader(tmp_path / name, clock=ManualClock(2**62))
        series.append(loader.load().frame.chosen())
    parquet, pickled = series
    assert list(pickled.times_ns) == list(parquet.times_ns)
    assert len(pickled.times_ns) == 200
    for name in ("q10", "q50", "q90", "vol_risk", "side", "note"):
        assert list(pickled.column(name)) == list(parquet.column(name)), name


@st.composite
def arrow_arrays(draw: st.DrawFn) -> Any:
    """Arrays of texts as pyarrow makes them by itself: taken, joined, cut, in chunks."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from([pa.string(), pa.large_string()]))
    texts = draw(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=30))
    found = pa.array(texts, kind)
    for _ in range(rng.randrange(3)):
        if rng.random() < 0.5 and len(found):
            found = found.take(pa.array([rng.randrange(len(found)) for _ in range(rng.randrange(20))], pa.int64()))
        found = found.slice(rng.randrange(len(found) + 1), rng.randrange(20))
    if draw(st.booleans()):
        return pa.chunked_array([found, found.slice(1), pa.array(texts, kind)][: rng.randrange(4)], kind)
    return found


@given(found=arrow_arrays(), protocol=st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_arrays_are_read_as_pyarrow_reads_them(found: Any, protocol: int) -> None:
    read = load_pickle(pickle.dumps(found, protocol))
    assert isinstance(read, Texts)
    assert read.values.tolist() == found.to_pylist()
