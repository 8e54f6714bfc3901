"""Q50 files of every form, also damaged and unusual ones: the right frame, or a refusal that says what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pumpswap.clock import parse_utc
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.q50_file import read_q50
from pumpswap.model import Side
from pumpswap.model.q50 import Q50_REQUIRED
from pumpswap.signals.q50_rules import causal_columns
from tests.market.q50_files import FLAT, FRAME, as_file, read, refused, same_rows
from tests.support.material import material, requires_material
from tests.support.q50 import HOUR_NS, REQUIRED, START, mock_frame, published_frame

# ------------------------------------------------------------------------------------------------------------ forms


@pytest.mark.parametrize(
    ("held", "name"),
    [
        (FRAME, "frame.pkl"),
        (FRAME.swaplevel(), "frame.pkl"),
        (FRAME.rename_axis([None, None]), "frame.pkl"),
        (FRAME.swaplevel().rename_axis([None, None]), "frame.pickle"),
        (FRAME.sample(frac=1, random_state=3), "frame.pkl"),
        (FRAME.tz_localize("UTC", level="datetime"), "frame.pkl"),
        (FLAT, "frame.pkl"),
        (FLAT.rename(columns={"datetime": "timestamp"}), "frame.pkl"),
        ({"signals": FRAME}, "frame.pkl"),
        ({"macro_features": FRAME}, "frame.pkl"),
        ({"signals": FLAT.to_dict("list")}, "frame.pkl"),
        (FLAT, "frame.parquet"),
        (FLAT.rename(columns={"datetime": "__index_level_1__", "instrument": "__index_level_0__"}), "frame.parquet"),
        (FLAT, "frame.csv"),
        (FLAT.sample(frac=1, random_state=4), "frame.csv"),
        (FLAT.to_csv(index=False, sep=";"), "frame.csv"),
        ("\ufeff" + FLAT.to_csv(index=False), "frame.csv"),
        (FLAT.astype(str).to_csv(index=False), "frame.csv"),
        (FLAT.astype(str), "frame.pkl"),
        (FLAT.astype(dict.fromkeys(REQUIRED[:6], "Float64") | dict.fromkeys(REQUIRED[6:], "boolean")), "frame.pkl"),
    ],
)
def test_the_same_frame_in_any_form_is_the_same_frame(held: Any, name: str, tmp_path: Path) -> None:
    reading = read(tmp_path, held, name)
    series = reading.frame.chosen()
    assert same_rows(reading.frame)
    assert series.instrument == "BTCUSDT"
    assert list(series.times_ns) == [parse_utc(START) + hour * HOUR_NS for hour in range(60)]
    assert series.spacing_ns == HOUR_NS
    assert reading.dropped == {}
    codes = FRAME["side"].tolist()
    assert [side.value for side in series.column("side")] == [("short", "long", "hold")[code] for code in codes]
    assert "truth" not in series.column_names
    assert any("truth" in note for note in reading.notes)


def test_a_csv_with_its_index_is_read(tmp_path: Path) -> None:
    assert same_rows(read(tmp_path, FRAME.to_csv(), "frame.csv").frame)
    reading = read(tmp_path, mock_frame(30).rename_axis(None).to_csv(), "frame.csv")
    assert reading.frame.chosen().instrument is None


def test_the_mock_frame_is_read(tmp_path: Path) -> None:
    frame = mock_frame(500)
    reading = read(tmp_path, frame)
    series = reading.frame.chosen()
    assert series.spacing_ns == 5 * 60 * 10**9
    assert len(series) == 500
    assert not series.has_side
    row = series.row(17)
    expected = Side.HOLD if not row.tradeable else Side.LONG if row.q50 > 0 else Side.SHORT
    assert row.side is expected
    assert any("side" in note for note in reading.notes)
    # The host's configuration may name the instrument of a frame that names none.
    assert reading.frame.chosen("BTCUSDT") is series


@requires_material("host", "q50_frame.csv")
def test_the_sample_of_the_real_frame_has_its_counts() -> None:
    path = material("host", "q50_frame.csv")
    assert path is not None
    series = read_q50(path).frame.chosen()
    assert len(series) == 400
    sides = list(series.column("side"))
    assert [sides.count(side) for side in (Side.LONG, Side.SHORT, Side.HOLD)] == [229, 17, 154]
    assert [sum(series.column(name)) for name in ("tradeable", "high_quality")] == [246, 0]
    assert len(series.column_names) == 56  # 59 without instrument, datetime and truth


def test_fifty_thousand_rows_of_all_columns_are_read(tmp_path: Path) -> None:
    piece = published_frame(500)
    frame = pd.concat([piece.reset_index(drop=True)] * 100, ignore_index=True)
    times = pd.date_range(START, periods=50_000, freq="h")
    frame.index = pd.MultiIndex.from_product([["BTCUSDT"], times], names=["instrument", "datetime"])
    series = read(tmp_path, frame).frame.chosen()
    assert len(series) == 50_000
    assert len(series.column_names) == 74
    assert series.row(49_999).q50 == piece["q50"].iloc[-1]


# ------------------------------------------------------------------------------------------------------------ sides


@pytest.mark.parametrize("codes", [[1, 0, -1], [1.0, 0.0, -1.0], ["1", "0", "-1"], ["long", "short", "hold"]])
def test_a_side_is_read_by_the_code_of_the_frame(codes: list[Any], tmp_path: Path) -> None:
    frame = FRAME.iloc[:3].assign(side=pd.Series(codes, index=FRAME.index[:3], dtype=object))
    assert list(read(tmp_path, frame).frame.chosen().column("side")) == [Side.LONG, Side.SHORT, Side.HOLD]


def test_the_plan_has_another_code_and_must_be_named(tmp_path: Path) -> None:
    frame = FRAME.iloc[:3].assign(side=[1, 0, -1])
    read_by_plan = read(tmp_path, frame, side_code="plan").frame.chosen()
    assert list(read_by_plan.column("side")) == [Side.LONG, Side.HOLD, Side.SHORT]


@pytest.mark.parametrize("wrong", [2, -2, 0.5, "buy", 10**30])
def test_another_side_is_refused(wrong: object, tmp_path: Path) -> None:
    frame = FRAME.iloc[:3].assign(side=pd.Series([1, wrong, -1], index=FRAME.index[:3], dtype=object))
    error = refused(tmp_path, frame)
    assert "column side, row 1" in error.what
    assert "1 long, 0 short, -1 hold" in error.what


def test_flags_are_no_sides(tmp_path: Path) -> None:
    assert "side holds true and false" in refused(tmp_path, FRAME.assign(side=True)).what


# ------------------------------------------------------------------------------------------------- what is missing


def test_all_missing_columns_are_named_at_once_and_what_each_is_for(tmp_path: Path) -> None:
    error = refused(tmp_path, FRAME.drop(columns=["q90", "prob_up", "tradeable"]))
    assert "3 of 9 columns are missing" in error.what
    for name in ("q90", "prob_up", "tradeable"):
        assert f"{name} ({Q50_REQUIRED[name]})" in error.what


def test_the_rules_complete_a_frame_when_they_are_asked_to(tmp_path: Path) -> None:
    frame = FRAME[["q10", "q50", "q90", "vol_raw"]]
    assert "complete" in refused(tmp_path, frame).hint
    reading = read(tmp_path, frame, complete=lambda columns: causal_columns(columns, warm_up=20))
    series = reading.frame.chosen()
    assert list(series.column("q50")) == FRAME["q50"].tolist()
    assert list(series.column("prob_up")) == pytest.approx(FRAME["prob_up"].tolist(), rel=1e-12)
    assert not any(series.column("tradeable")[:19])
    assert any(series.column("tradeable")[19:])
    assert "expected_value" in reading.computed
    assert "prob_up" in reading.computed


def test_the_rules_leave_alone_what_the_file_says(tmp_path: Path) -> None:
    frame = FRAME[["q10", "q50", "q90", "vol_risk"]].assign(prob_up=0.75, side=-1)
    reading = read(tmp_path, frame, complete=causal_columns)
    assert set(reading.frame.chosen().column("prob_up")) == {0.75}
    assert set(reading.frame.chosen().column("side")) == {Side.HOLD}


def test_even_the_rules_need_something(tmp_path: Path) -> None:
    error = refused(tmp_path, FRAME[["q10", "q90", "vol_raw"]], complete=causal_columns)
    assert "q50" in error.what
    assert "one of vol_raw and vol_risk" in error.hint


def test_rows_that_lack_what_a_decision_needs_are_dropped_and_counted(tmp_path: Path) -> None:
    frame = FRAME.copy()
    frame.iloc[3, frame.columns.get_loc("q50")] = np.nan
    frame.iloc[4, frame.columns.get_loc("q50")] = np.nan
    frame.iloc[4, frame.columns.get_loc("vol_risk")] = np.nan
    frame.iloc[5, frame.columns.get_loc("vol_risk")] = -1.0
    frame.iloc[6, frame.columns.get_loc("prob_up")] = 1.5
    frame["tradeable"] = frame["tradeable"].astype(object)
    frame.iloc[7, frame.columns.get_loc("tradeable")] = None
    reading = read(tmp_path, frame)
    assert reading.dropped == {
        "q50 is missing": 2,
        "vol_risk is negative": 1,
        "prob_up is outside 0…1": 1,
        "tradeable is missing": 1,
    }
    assert len(reading.frame) == 55
    assert reading.rows_in_file == 60


def test_a_gap_in_a_feature_costs_no_row_and_is_told_as_unknown(tmp_path: Path) -> None:
    frame = FRAME.copy()
    frame.iloc[3, frame.columns.get_loc("RSV1")] = np.nan
    frame.iloc[4, frame.columns.get_loc("RSV1")] = np.inf
    series = read(tmp_path, frame).frame.chosen()
    assert len(series) == 60
    assert series.values(3)["RSV1"] is None
    assert series.values(4)["RSV1"] is None
    assert series.values(5)["RSV1"] == FRAME["RSV1"].iloc[5]


@pytest.mark.parametrize("name", ["q10", "q50", "q90", "vol_raw", "vol_risk", "prob_up"])
def test_an_infinity_where_a_decision_looks_is_refused(name: str, tmp_path: Path) -> None:
    frame = FRAME.copy()
    frame.iloc[3, frame.columns.get_loc(name)] = -np.inf
    assert f"{name} has 1 infinite values" in refused(tmp_path, frame).what


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("q50", "much", "column q50, row 2: 'much' is no number"),
        ("q50", [1.0], "is no number"),
        ("tradeable", "maybe", "column tradeable, row 2: 'maybe' is neither true nor false"),
        ("tradeable", 2, "neither true nor false"),
        ("vol_risk", 1j, "builtins.complex, which no frame needs"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_place(
    name: str, value: Any, told: str, tmp_path: Path
) -> None:
    values = FRAME[name].astype(object).tolist()
    values[2] = value
    frame = FRAME.assign(**{name: pd.Series(values, index=FRAME.index, dtype=object)})
    assert told in refused(tmp_path, frame).what


# --------------------------------------------------------------------------------------------------- repeated rows


def test_a_row_that_is_repeated_word_for_word_counts_once(tmp_path: Path) -> None:
    reading = read(tmp_path, pd.concat([FRAME, FRAME.iloc[[4, 9]], FRAME.iloc[[9]]]))
    assert reading.repeated == 3
    assert same_rows(reading.frame)


def test_a_time_with_two_different_rows_is_refused(tmp_path: Path) -> None:
    other = FRAME.iloc[[4]].assign(q50=0.5)
    error = refused(tmp_path, pd.concat([FRAME, other]))
    assert "1 times occur twice with different values of q50" in error.what
    assert "2018-08-02 04:00:00" in error.what


def test_rows_that_differ_only_in_the_label_are_the_same(tmp_path: Path) -> None:
    reading = read(tmp_path, pd.concat([FRAME, FRAME.iloc[[4]].assign(truth=9.0)]))
    assert reading.repeated == 1


# ------------------------------------------------------------------------------------------------------- not a frame


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "neither a pickle, Parquet nor CSV"),
        (b"\x00\x01\x02", "neither a pickle, Parquet nor CSV"),
        (b"PAR1 and no more", "cannot be read as Parquet"),
        (b"PK\x03\x04 a zip", "unpack it first|packed in a way"),
        (b"q10,q50\n1,2", "the last line of the CSV is cut"),
        (b"datetime,q50\n2024-09-01,0.1,7\n", "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_frame_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "frame.bin"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=told):
        read_q50(path)


def test_columns_that_occur_twice_are_refused_in_a_csv_too(tmp_path: Path) -> None:
    twice = pd.concat([FLAT, -FLAT[["q50"]]], axis=1)
    assert "columns occur twice: q50" in refused(tmp_path, twice.to_csv(index=False), "frame.csv").what
    old = FLAT.to_csv(index=False, lineterminator="\r")
    assert refused(tmp_path, old, "frame.csv").what


def test_a_polars_beside_the_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "polars.py").write_text("open('ran', 'w')")
    path = as_file(tmp_path, FLAT, "frame.parquet")
    monkeypatch.chdir(tmp_path)
    assert same_rows(read_q50(path).frame)
    assert not (tmp_path / "ran").exists()


def test_a_whole_number_that_fits_no_integer_stays_what_it_is(tmp_path: Path) -> None:
    frame = FRAME.assign(large=np.full(60, 2**64 - 1, dtype="uint64"))
    assert read(tmp_path, frame).frame.chosen().values(3)["large"] == 2.0**64


def test_an_empty_frame_is_refused(tmp_path: Path) -> None:
    assert "it is empty" in refused(tmp_path, FRAME.iloc[:0]).what
    assert "it is empty" in refused(tmp_path, ",".join(FLAT.columns) + "\n", "frame.csv").what
    assert "60 rows: q50 is missing" in refused(tmp_path, FRAME.assign(q50=np.nan)).what


def test_a_missing_file_and_a_folder_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file"):
        read_q50(tmp_path / "nothing.pkl")
    with pytest.raises(BadInput, match="is a folder"):
        read_q50(tmp_path)
