"""``signal q50``: what a frame is and says, for people and for scripts; a refusal is one clear line."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import answer, refusal, run
from tests.support.q50 import mock_frame, published_frame


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "macro_features.pkl"
    path.write_bytes(pickle.dumps(published_frame(400, start="2024-09-01")))
    return path


def test_an_inspection_for_people_fits_a_terminal(frame: Path) -> None:
    result = run("signal", "q50", "inspect", str(frame))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Q50 frame (pickle), BTCUSDT: 400 rows"
    assert lines[1].startswith("2024-09-01 00:00:00 UTC to 2024-09-17 15:00:00 UTC (")
    assert max(map(len, lines)) <= 80
    for rule in ("design", "plan", "POC buys", "ours, long"):
        assert any(line.startswith(rule) for line in lines), rule
    assert "Warning: high_quality is false in every row" in result.stderr


def test_an_inspection_for_scripts_has_all_figures(frame: Path) -> None:
    found = answer("signal", "q50", "inspect", str(frame))
    assert found["schema"] == "pumpswap.q50-inspection"
    assert found["chosen"]["instrument"] == "BTCUSDT"
    assert found["chosen"]["spacing_ns"] == "3600000000000"
    assert found["rows_that_are"]["high_quality"] == "0"
    assert {each["name"] for each in found["rules"]} >= {"design", "plan", "ours, long", "ours, short"}
    assert sum(int(count) for count in found["sides"].values()) == 400
    assert set(found["regimes"]) == {"low", "medium", "high", "extreme"}
    assert found["regimes"]["extreme"]["size_multiplier"] == 0.6
    assert any("high_quality" in warning for warning in found["warnings"])


def test_the_mock_frame_is_inspected_too(tmp_path: Path, frame: Path) -> None:
    path = tmp_path / "mock.pkl"
    path.write_bytes(pickle.dumps(mock_frame(300)))
    result = run("signal", "q50", "inspect", str(path))
    assert result.exit_code == 0, result.output
    assert "without the name of an instrument: 300 rows" in result.stdout
    assert "every 5 min" in result.stdout


def test_a_moment_has_a_side_and_its_reasons(frame: Path) -> None:
    at = ("signal", "q50", "at", "2024-09-12 08:30", str(frame))
    found = answer(*at)
    assert found["at"] == "2024-09-12T08:30:00.000000000Z"
    assert found["row_at"] == "2024-09-12T08:00:00.000000000Z"
    assert found["side"] in ("long", "short", "hold")
    assert found["age_ns"] == "1800000000000"
    shown = run(*at).stdout
    assert shown.splitlines()[0] == f"2024-09-12 08:30:00 UTC: {found['side']}"
    assert all(" ".join(reason.split()) in " ".join(shown.split()) for reason in found["reasons"])


def test_a_moment_before_the_frame_holds(frame: Path) -> None:
    found = answer("signal", "q50", "at", "2020-01-01", str(frame))
    assert (found["side"], found["row"], found["regime_multiplier"]) == ("hold", None, 0.0)
    assert found["reasons"] == ["no row yet: the first is of 2024-09-01 00:00:00"]


def test_the_file_of_the_settings_is_the_default(frame: Path, tmp_path: Path) -> None:
    config = tmp_path / "pumpswap.yaml"
    config.write_text(f"q50:\n  path: {frame}\n  warm_up: 50\n")
    found = answer("--config", str(config), "signal", "q50", "inspect")
    assert found["warm_up"] == "50"
    assert refusal(4, "signal", "q50", "inspect")["what"] == "there is no Q50 file to inspect"


def test_a_model_of_ones_own_is_completed(tmp_path: Path, frame: Path) -> None:
    path = tmp_path / "own.pkl"
    path.write_bytes(pickle.dumps(published_frame(300)[["q10", "q50", "q90", "vol_raw"]]))
    error = refusal(1, "signal", "q50", "inspect", str(path))
    assert "5 of 9 columns are missing" in error["what"]
    assert "--complete" in error["hint"]
    found = answer("signal", "q50", "inspect", str(path), "--complete")
    assert "tradeable" in found["computed_columns"]


def test_the_code_of_the_side_can_be_said(frame: Path) -> None:
    by_frame, by_plan = (
        answer("signal", "q50", "inspect", str(frame), "--side-code", code)["sides"] for code in ("frame", "plan")
    )
    assert (by_frame["hold"], by_frame["short"]) == (by_plan["short"], by_plan["hold"])


def test_an_evil_pickle_is_refused_in_one_line(tmp_path: Path, frame: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(Evil()))
    error = refusal(1, "signal", "q50", "inspect", str(path))
    assert "system, which no frame needs: it was not run" in error["what"]
    assert "to_parquet" in error["hint"]
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path, frame: Path) -> None:
    refusal(3, "signal", "q50", "inspect", str(tmp_path / "nothing.pkl"))
    refusal(3, "signal", "q50", "at", "2024-09-12", str(tmp_path / "nothing.pkl"))
    refusal(1, "signal", "q50", "inspect", str(tmp_path))
    refusal(4, "signal", "q50", "inspect", str(frame), "--instrument", "SOLUSDT")
