"""Times and instruments of Q50 files: told apart, or refused with what to change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pumpswap.clock import parse_utc
from pumpswap.errors import ConfigError
from pumpswap.signals.q50_rules import causal_columns
from tests.market.q50_files import FLAT, FRAME, read, refused, same_rows
from tests.support.q50 import START, published_frame

# ----------------------------------------------------------------------------------------------------------- times


def test_a_zone_becomes_utc_and_is_told(tmp_path: Path) -> None:
    local = FRAME.tz_localize("UTC", level="datetime").tz_convert("Europe/Berlin", level="datetime")
    reading = read(tmp_path, local)
    assert reading.frame.chosen().times_ns[0] == parse_utc(START)
    assert reading.notes[0] == "times of the zone Europe/Berlin became UTC"


def test_the_hour_that_an_autumn_repeats_stays_two_hours(tmp_path: Path) -> None:
    times = pd.date_range("2024-10-26 22:00", periods=6, freq="h", tz="UTC").tz_convert("Europe/Berlin")
    frame = FRAME.iloc[:6].set_index(pd.DatetimeIndex(times, name="datetime"))
    assert len(read(tmp_path, frame).frame) == 6
    naive = frame.set_index(frame.index.tz_localize(None).rename("datetime"))
    assert "local times repeat an hour" in refused(tmp_path, naive).hint


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_unix_times_of_any_unit_are_read(unit: int, tmp_path: Path) -> None:
    start = parse_utc(START) // 10**9
    frame = FLAT.assign(timestamp=[(start + 3600 * row) * unit for row in range(60)]).drop(columns="datetime")
    assert list(read(tmp_path, frame).frame.chosen().times_ns)[:2] == [start * 10**9, (start + 3600) * 10**9]


def test_text_with_different_offsets_is_read(tmp_path: Path) -> None:
    stamps = ["2024-09-01 02:00:00+02:00", "2024-09-01T01:00:00Z", "2024-09-01 02:00"]
    frame = FLAT.iloc[:3].assign(datetime=stamps)
    expected = [parse_utc(f"2024-09-01 0{hour}:00") for hour in range(3)]
    assert list(read(tmp_path, frame, "frame.csv").frame.chosen().times_ns) == expected


@pytest.mark.parametrize(
    ("stamps", "told"),
    [
        (["2024-09-01", "yesterday"], "'yesterday' is no time"),
        (["2024-09-01", "1812-09-01"], "is before 1970"),
        ([1_700_000_000, 1_700_000_000_000], "mixes units"),
    ],
)
def test_a_time_that_cannot_be_one_is_refused(stamps: list[Any], told: str, tmp_path: Path) -> None:
    assert told in refused(tmp_path, FLAT.iloc[:2].assign(datetime=stamps)).what


@pytest.mark.parametrize(
    "last", ["9999-12-31", "2262-12-31", "0001-01-01", date(9999, 12, 31), datetime(1, 1, 1, tzinfo=UTC)]
)
def test_a_date_that_no_nanoseconds_can_say_is_no_time(last: Any, tmp_path: Path) -> None:
    frame = FLAT.iloc[:2].assign(datetime=pd.Series(["2024-09-01", last], dtype=object))
    for name in ("frame.pkl", "frame.csv"):
        assert "is no time" in refused(tmp_path, frame, name).what


def test_a_number_that_no_float_can_hold_is_a_text_beside_the_decision_and_refused_in_it(tmp_path: Path) -> None:
    large = pd.Series([10**400, None, *range(58)], index=FRAME.index, dtype=object)
    values = read(tmp_path, FRAME.assign(note=large)).frame.chosen().values(0)
    assert values["note"] == str(10**400)
    assert "is no number" in refused(tmp_path, FRAME.assign(q50=large)).what
    wide = FRAME[["q10", "q50", "q90", "vol_raw"]].assign(q90=1e308)
    assert "row 0 has a figure that is no number: q90" in refused(tmp_path, wide, complete=causal_columns).what


@pytest.mark.parametrize("stamps", [[20240901, 20240902], [45536.0, 45536.5], [0, 1], [float("nan"), 1.0]])
def test_days_and_counts_of_rows_are_no_unix_times(stamps: list[Any], tmp_path: Path) -> None:
    assert "is no Unix time" in refused(tmp_path, FLAT.iloc[:2].assign(datetime=stamps)).what
    assert "is no Unix time" in refused(tmp_path, FLAT.iloc[:2].assign(datetime=stamps), "frame.csv").what


def test_a_row_without_a_time_is_dropped(tmp_path: Path) -> None:
    stamps = [*FLAT["datetime"].iloc[:59], pd.NaT]
    assert read(tmp_path, FLAT.assign(datetime=stamps)).dropped == {"no time": 1}


def test_two_columns_of_time_must_agree(tmp_path: Path) -> None:
    assert same_rows(read(tmp_path, FLAT.assign(timestamp=FLAT["datetime"])).frame)
    later = FLAT["datetime"] + pd.Timedelta(hours=1)
    assert "disagree" in refused(tmp_path, FLAT.assign(timestamp=later)).what


def test_a_frame_without_times_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, FRAME.reset_index(drop=True))
    assert "there is no time" in error.what
    assert "timestamp or datetime" in error.hint


# ------------------------------------------------------------------------------------------------------ instruments


def test_of_several_instruments_one_must_be_chosen(tmp_path: Path) -> None:
    frame = pd.concat([FRAME, published_frame(30, seed=9, instrument="ETHUSDT")])
    found = read(tmp_path, frame).frame
    assert found.instruments == ("BTCUSDT", "ETHUSDT")
    assert len(found.chosen("ETHUSDT")) == 30
    with pytest.raises(ConfigError, match="2 instruments: BTCUSDT, ETHUSDT") as caught:
        found.chosen()
    assert "q50.instrument" in caught.value.hint
    with pytest.raises(ConfigError, match="no instrument 'SOL'"):
        found.chosen("SOL")


def test_numbers_may_be_instruments_also_in_a_level_without_a_name(tmp_path: Path) -> None:
    other = FLAT.assign(instrument=8, datetime=FLAT["datetime"] + pd.Timedelta(minutes=30), q50=-FLAT["q50"])
    both = pd.concat([FLAT.assign(instrument=7), other]).set_index(["instrument", "datetime"])
    for frame in (both, both.rename_axis([None, None]), both.swaplevel().rename_axis([None, None])):
        found = read(tmp_path, frame).frame
        assert found.instruments == ("7", "8")
        assert list(found.chosen("7").column("q50")) == FLAT["q50"].tolist()


def test_rows_of_many_instruments_in_any_order_stay_apart(tmp_path: Path) -> None:
    parts = {f"C{number}": published_frame(20, seed=number, instrument=f"C{number}") for number in range(7)}
    found = read(tmp_path, pd.concat(parts.values()).sample(frac=1, random_state=5)).frame
    assert set(found.instruments) == set(parts)
    for name, part in parts.items():
        assert list(found.chosen(name).column("q50")) == part["q50"].tolist()


@pytest.mark.parametrize("name", [None, "id", "row"])
def test_an_index_that_counts_rows_is_no_instrument(name: str | None, tmp_path: Path) -> None:
    frame = FLAT.drop(columns="instrument").set_index(pd.Index([5, 1, *range(10, 68)], name=name))
    assert read(tmp_path, frame).frame.instruments == ()


def test_a_row_without_an_instrument_is_dropped_where_others_have_one(tmp_path: Path) -> None:
    names = [*FLAT["instrument"].iloc[:58], None, ""]
    assert read(tmp_path, FLAT.assign(instrument=names)).dropped == {"no instrument": 2}


def test_three_levels_are_refused_by_name(tmp_path: Path) -> None:
    frame = FRAME.assign(venue="x").set_index("venue", append=True)
    assert "levels instrument, datetime, venue" in refused(tmp_path, frame).what
