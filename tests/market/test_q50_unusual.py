"""Q50 files that nobody has seen before, and damaged ones: the right rows, or a named refusal."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.errors import BadInput, PumpSwapError
from pumpswap.market.q50_file import Q50Reading, read_q50
from tests.market.q50_files import FLAT, as_file
from tests.support.q50 import REQUIRED, damaged, mock_frame, published_frame

# ------------------------------------------------------------------------------------------ frames never seen before


@st.composite
def unusual_frames(draw: st.DrawFn) -> tuple[pd.DataFrame, bool]:
    """A frame with any mixture of what goes wrong, and whether anything decisive is wrong with it."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(1, 40))
    frame = published_frame(rows, seed=rng.randrange(100)) if rng.random() < 0.7 else mock_frame(rows)
    clean = True
    if draw(st.booleans()):
        frame = frame.sample(frac=1, random_state=rng.randrange(100))
    if frame.index.nlevels == 2 and draw(st.booleans()):
        frame = frame.swaplevel()
    if draw(st.booleans()):
        frame.index = frame.index.set_names([None] * frame.index.nlevels)
    if draw(st.booleans()):
        name = rng.choice(REQUIRED[:6])
        frame.iloc[rng.randrange(rows), frame.columns.get_loc(name)] = np.nan
    if draw(st.booleans()):
        frame = pd.concat([frame, frame.iloc[[rng.randrange(rows)]]])
    if frame.index.nlevels == 1 and draw(st.booleans()):
        frame = frame.tz_localize(rng.choice(["UTC", "Asia/Tokyo", "+05:30"]))
    if draw(st.integers(0, 3)) == 0:
        frame = frame.drop(columns=rng.sample(REQUIRED, rng.randrange(1, 4)))
        clean = False
    if clean and draw(st.integers(0, 5)) == 0:
        frame = pd.concat([frame, frame.iloc[[0]].assign(q50=7.0)])
        clean = bool(frame["q50"].iloc[:-1].isna().iloc[0])
    return frame, clean


@given(made=unusual_frames())
@settings(max_examples=150, deadline=None)
def test_an_unusual_frame_gives_the_right_rows_or_a_refusal(
    made: tuple[pd.DataFrame, bool], tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame, clean = made
    path = as_file(tmp_path_factory.mktemp("frame"), frame)
    found = reading_or_refusal(path)
    good = frame.dropna(subset=[name for name in REQUIRED[:6] if name in frame])
    if isinstance(found, PumpSwapError):
        assert not clean or good.empty, found.what
        assert found.hint
        return
    times = good.index.get_level_values(
        next(place for place, level in enumerate(good.index.names or []) if _is_time(good.index, place))
    )
    instants = times.tz_localize("UTC") if times.tz is None else times.tz_convert("UTC")
    ordered = good.assign(_at=instants.as_unit("ns").asi8).drop_duplicates("_at", keep="last").sort_values("_at")
    series = found.frame.chosen()
    assert list(series.times_ns) == ordered["_at"].tolist()
    assert list(series.column("q50")) == ordered["q50"].tolist()
    assert len(series) + sum(found.dropped.values()) + found.repeated == len(frame)


def _is_time(index: pd.Index, place: int) -> bool:
    return isinstance(index.get_level_values(place), pd.DatetimeIndex)


def reading_or_refusal(path: Path) -> Q50Reading | PumpSwapError:
    try:
        return read_q50(path)
    except PumpSwapError as error:
        return error


@given(raw=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_frame_or_a_refusal(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(raw)
    assert isinstance(reading_or_refusal(path), PumpSwapError)


def table_file(form: str) -> bytes:
    buffer = io.BytesIO()
    table = pl.DataFrame({name: FLAT[name].tolist() for name in ("datetime", *REQUIRED)})
    if form == "parquet":
        table.write_parquet(buffer)
    else:
        table.write_csv(buffer)
    return buffer.getvalue()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_a_damaged_csv_is_a_frame_or_a_refusal(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.csv"
    sample = table_file("csv")
    path.write_bytes(damaged(sample, [sample], random.Random(seed)))
    found = reading_or_refusal(path)
    assert isinstance(found, PumpSwapError) or len(found.frame) <= 61


def test_a_damaged_parquet_never_ends_the_process(tmp_path: Path) -> None:
    # polars panics or aborts on some of these, which no except clause of the caller would survive.
    sample, path, refusals = table_file("parquet"), tmp_path / "damaged.parquet", 0
    rng = random.Random(5)
    for _ in range(12):
        path.write_bytes(damaged(sample, [sample], rng))
        refusals += isinstance(reading_or_refusal(path), PumpSwapError)
    assert refusals > 0


def test_a_parquet_that_aborts_its_reader_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "frame.parquet"
    path.write_bytes(table_file("parquet"))
    monkeypatch.setattr("pumpswap.market.q50_forms._PROBE", "import os; os.abort()")
    with pytest.raises(BadInput, match=r"polars ends on it \(signal 6\)"):
        read_q50(path)
    monkeypatch.setattr("pumpswap.market.q50_forms._PROBE", "import time; time.sleep(60)")
    monkeypatch.setattr("pumpswap.market.q50_forms._PROBE_SECONDS", 0.01)
    with pytest.raises(BadInput, match="TimeoutExpired"):
        read_q50(path)
