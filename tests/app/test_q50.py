"""The frame of the settings as signals of an engine, following its file; what an inspection counts."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pumpswap.app.q50 import Q50Source, open_q50
from pumpswap.app.q50_inspection import inspect_q50
from pumpswap.clock import ManualClock, parse_utc
from pumpswap.errors import ConfigError
from pumpswap.model import PoolSnapshot, Side
from pumpswap.settings import Q50Settings, Settings
from pumpswap.signals.regimes import Regime
from tests.support.material import material, requires_material
from tests.support.q50 import HOUR_NS, START, published_frame

FRAME = published_frame(400)
FIRST_NS = parse_utc(START)
END_NS = FIRST_NS + 399 * HOUR_NS
DAY_NS = 24 * HOUR_NS


def settings(path: Path, **q50: Any) -> Settings:
    return Settings(q50=Q50Settings(path=path, **q50))


def write(path: Path, frame: pd.DataFrame) -> Path:
    path.write_bytes(pickle.dumps(frame))
    return path


def snapshot(at_ns: int) -> PoolSnapshot:
    return PoolSnapshot(pool_id="solana_P", pool="P", dex="pumpswap", at_ns=at_ns, base_mint="M")


def test_a_source_holds_until_there_is_a_frame_and_then_follows_it(tmp_path: Path) -> None:
    path = tmp_path / "frame.pkl"
    asked = settings(path)
    loader = open_q50(asked, ManualClock(END_NS))
    source = Q50Source(loader, asked)
    signal = source(snapshot(END_NS))
    assert (signal.side, signal.score, signal.reasons) == (Side.HOLD, 0.0, ("no Q50 frame: not loaded yet",))
    assert source.decide(END_NS).side is Side.HOLD
    write(path, FRAME)
    assert loader.refresh()
    sides = Counter(source(snapshot(FIRST_NS + hour * HOUR_NS)).side for hour in range(400))
    assert sides[Side.LONG] > 10
    last = END_NS + 30 * HOUR_NS
    assert source.decide(last).row is None
    write(path, published_frame(431))
    assert loader.refresh()
    row = source.decide(last).row
    assert row is not None
    assert row.at_ns == last


def test_a_new_frame_that_does_not_fit_gives_no_signal_and_says_why(tmp_path: Path) -> None:
    path = write(tmp_path / "frame.pkl", FRAME)
    asked = settings(path, instruments={"M": "ETHUSDT"})
    loader = open_q50(asked, ManualClock(END_NS))
    loader.load()
    signal = Q50Source(loader, asked)(snapshot(END_NS))
    assert signal.side is Side.HOLD
    assert "does not fit the settings" in signal.reasons[0]
    assert "ETHUSDT" in signal.reasons[0]


def test_a_path_may_be_given_instead_of_the_settings_own(tmp_path: Path) -> None:
    path = write(tmp_path / "frame.pkl", FRAME[["q10", "q50", "q90", "vol_raw"]])
    loader = open_q50(Settings(q50=Q50Settings(complete_by_rules=True)), ManualClock(END_NS), path)
    assert "tradeable" in loader.load().computed
    with pytest.raises(ConfigError, match="no Q50 file"):
        open_q50(Settings(), ManualClock(0))


def test_an_inspection_counts_what_is_there(tmp_path: Path) -> None:
    frame = FRAME.drop(FRAME.index[200:205])
    frame.iloc[3, frame.columns.get_loc("q50")] = float("nan")
    found = inspect_q50(settings(write(tmp_path / "frame.pkl", frame)), ManualClock(END_NS))
    assert (found.chosen.rows, found.chosen.gaps, found.chosen.missing_rows) == (394, 2, 6)
    assert found.chosen.longest_gap_ns == 6 * HOUR_NS
    assert found.reading.dropped == {"q50 is missing": 1}
    kept = frame.dropna(subset=["q50"])
    assert found.flags["tradeable"] == int(kept["tradeable"].sum())
    assert found.sides[Side.LONG] == int((kept["side"] == 1).sum())
    assert found.abs_q50[80] == pytest.approx(kept["q50"].abs().quantile(0.8))
    assert found.vol_risk[30] == pytest.approx(kept["vol_risk"].quantile(0.3))
    assert found.threshold is not None
    passed = {each.name: each.rows for each in found.rules}
    assert passed["design"] == 0
    assert passed["plan"] == found.flags["tradeable"]
    assert passed["POC strategy"] == 0
    assert 0 < passed["ours, long"] < passed["POC buys"]
    assert found.calibration.shares().keys() == set(Regime)


@pytest.mark.parametrize(
    ("change", "q50", "told"),
    [
        ({}, {"require_high_quality": True}, "nothing will ever pass, since require_high_quality is on"),
        ({"tradeable": False}, {}, "no row is tradeable"),
        ({}, {"warm_up": 401}, "400 rows are fewer than the warm-up of 401"),
        ({"q10": 0.9}, {}, "the quantiles cross in 400 of 400 rows"),
        ({"side": 0, "tradeable": False}, {}, "side is not hold in 400 rows that are not tradeable"),
        ({}, {"tolerance_seconds": 300}, "the tolerance of 300 s covers 8 % of the time"),
    ],
)
def test_an_inspection_warns(change: dict[str, Any], q50: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = write(tmp_path / "frame.pkl", FRAME.assign(**change))
    found = inspect_q50(settings(path, **q50), ManualClock(END_NS))
    assert any(told in warning for warning in found.warnings), found.warnings


def test_an_old_file_and_one_of_the_future_are_warned_about(tmp_path: Path) -> None:
    path = write(tmp_path / "frame.pkl", FRAME)
    assert not any("no signal now" in text for text in inspect_q50(settings(path), ManualClock(END_NS)).warnings)
    old = inspect_q50(settings(path), ManualClock(END_NS + 40 * DAY_NS)).warnings
    assert old[0] == "no signal now: the newest row is of 2018-08-18 15:00:00, 40 d ago"
    early = inspect_q50(settings(path), ManualClock(FIRST_NS - DAY_NS)).warnings
    assert "are not past yet" in early[0]


@requires_material("host", "q50_frame.csv")
def test_the_sample_of_the_real_frame_passes_as_many_rows_as_it_must() -> None:
    path = material("host", "q50_frame.csv")
    assert path is not None
    found = inspect_q50(settings(path), ManualClock(parse_utc("2024-09-17 15:30")))
    passed = {each.name: each.rows for each in found.rules}
    assert passed == {
        "design": 0,
        "plan": 246,
        "POC buys": 229,
        "POC sells": 17,
        "POC strategy": 0,
        "POC feasibility": 0,
        "ours, long": 44,
        "ours, short": 0,
    }
    assert found.warnings == ("high_quality is false in every row: the rule of the design passes none",)
