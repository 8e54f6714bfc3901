"""The loader looks up past rows only, by the host's names, and follows its file without ever losing a good frame."""

from __future__ import annotations

import os
import pickle
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pumpswap.clock import NS_PER_SECOND, ManualClock, datetime_ns, parse_utc
from pumpswap.errors import BadInput, ConfigError, NotFound, UsageError
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.settings import Q50Settings, Settings
from pumpswap.signals.q50_rules import causal_columns
from tests.support.q50 import HOUR_NS, REQUIRED, START, mock_frame, published_frame

FRAME = published_frame(100)
FIRST = datetime(2018, 8, 2, tzinfo=UTC)
FIRST_NS = parse_utc(START)
END_NS = FIRST_NS + 99 * HOUR_NS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "macro_features.pkl"
    write(found, FRAME)
    return found


def write(path: Path, frame: pd.DataFrame) -> None:
    """As a careful producer does: a new file takes the place of the old one."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(pickle.dumps(frame))
    fresh.replace(path)


def loaded(path: Path, **options: Any) -> Q50SignalLoader:
    found = Q50SignalLoader(path, clock=ManualClock(END_NS), **options)
    found.load()
    return found


# ----------------------------------------------------------------------------------------------------------- looking


@pytest.mark.asyncio
async def test_a_row_is_found_at_its_very_time_and_after_it(path: Path) -> None:
    loader = Q50SignalLoader({"q50": {"features_path": str(path)}, "database": {}}, clock=ManualClock(END_NS))
    assert await loader.load_signals() is True
    for minutes in (0, 1, 59):
        found = await loader.get_signal_for_timestamp(FIRST + timedelta(hours=7, minutes=minutes))
        assert found is not None
        assert found["timestamp"] == FIRST + timedelta(hours=7)
        assert found["time_diff_minutes"] == minutes
        assert found["q50"] == FRAME["q50"].iloc[7]
    before = await loader.get_signal_for_timestamp(FIRST - timedelta(microseconds=1))
    assert before is None


@pytest.mark.asyncio
async def test_a_signal_has_every_column_but_the_label(path: Path) -> None:
    loader = loaded(path)
    found = await loader.get_signal_for_timestamp(FIRST + timedelta(hours=7))
    assert found is not None
    expected = {"timestamp", "time_diff_minutes", *FRAME.columns} - {"truth"}
    assert set(found) == expected
    assert found["side"] == ("short", "long", "hold")[FRAME["side"].iloc[7]]
    assert found["tradeable"] is bool(FRAME["tradeable"].iloc[7])
    assert loader.signal_at(FIRST_NS + 7 * HOUR_NS) == found


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2018, 8, 2, 7, 30),  # noqa: DTZ001  # the host's habit: no zone, meaning UTC
        datetime(2018, 8, 2, 9, 30, tzinfo=datetime.fromisoformat("2018-01-01T00:00:00+02:00").tzinfo),
        pd.Timestamp("2018-08-02 07:30"),
        pd.Timestamp("2018-08-02 07:30", tz="UTC"),
        "2018-08-02 07:30",
        "2018-08-02T07:30:00Z",
        FIRST_NS + 7 * HOUR_NS + HOUR_NS // 2,
    ],
)
@pytest.mark.asyncio
async def test_a_moment_may_be_said_in_any_way(moment: Any, path: Path) -> None:
    found = await loaded(path).get_signal_for_timestamp(moment)
    assert found is not None
    assert found["time_diff_minutes"] == 30


@pytest.mark.parametrize("wrong", ["soon", True, None, 1.5])
@pytest.mark.asyncio
async def test_what_is_no_moment_is_refused(wrong: Any, path: Path) -> None:
    with pytest.raises(UsageError, match="is no time"):
        await loaded(path).get_signal_for_timestamp(wrong)


@pytest.mark.asyncio
async def test_the_tolerance_is_the_frames_own_spacing_unless_it_is_given(path: Path, tmp_path: Path) -> None:
    after = FIRST + timedelta(hours=99)
    hourly = loaded(path)
    assert await hourly.get_signal_for_timestamp(after + timedelta(minutes=60)) is not None
    assert await hourly.get_signal_for_timestamp(after + timedelta(minutes=61)) is None
    given = {"q50": {"features_path": str(path), "signal_tolerance_minutes": 5}}
    strict = Q50SignalLoader(given, clock=ManualClock(END_NS))
    strict.load()
    assert await strict.get_signal_for_timestamp(after + timedelta(minutes=5)) is not None
    assert await strict.get_signal_for_timestamp(after + timedelta(minutes=6)) is None
    write(tmp_path / "mock.pkl", mock_frame(50))
    mock = loaded(tmp_path / "mock.pkl")
    end = datetime(2025, 8, 20, tzinfo=UTC) + timedelta(minutes=5 * 49)
    assert await mock.get_signal_for_timestamp(end + timedelta(minutes=5)) is not None
    assert await mock.get_signal_for_timestamp(end + timedelta(minutes=6)) is None


def test_the_latest_signal_is_that_of_the_injected_clock(path: Path) -> None:
    clock = ManualClock(FIRST_NS + 20 * HOUR_NS + 5)
    loader = Q50SignalLoader(path, clock=clock)
    loader.load()
    found = loader.get_latest_signal()
    assert found is not None
    assert found["timestamp"] == FIRST + timedelta(hours=20)
    clock.advance_to(END_NS + 2 * HOUR_NS)
    assert loader.get_latest_signal() is None
    assert loader.health_check()["has_signal_now"] is False


def test_a_range_is_a_pandas_frame_of_what_could_be_known(path: Path) -> None:
    loader = Q50SignalLoader(path, clock=ManualClock(FIRST_NS + 20 * HOUR_NS))
    assert loader.get_signals_in_range(FIRST, FIRST + timedelta(hours=5)).empty
    loader.load()
    found = loader.get_signals_in_range(FIRST + timedelta(hours=3), FIRST + timedelta(hours=5))
    assert list(found["q50"]) == FRAME["q50"].iloc[3:6].tolist()
    assert found.index.name == "timestamp"
    assert "truth" not in found
    assert len(loader.get_signals_in_range(FIRST, FIRST + timedelta(days=9))) == 21


def test_statistics_have_the_hosts_keys(path: Path) -> None:
    loader = Q50SignalLoader(path, clock=ManualClock(END_NS))
    assert loader.get_signal_statistics() == {"status": "no_signals_loaded"}
    loader.load()
    found = loader.get_signal_statistics()
    assert found["total_signals"] == 100
    assert found["tradeable_signals"] == int(FRAME["tradeable"].sum())
    assert found["date_range"]["start"] == "2018-08-02T00:00:00+00:00"
    assert found["q50_stats"]["mean"] == pytest.approx(FRAME["q50"].mean())
    assert found["q50_stats"]["std"] == pytest.approx(FRAME["q50"].std())
    assert found["q50_stats"]["positive_signals"] == int((FRAME["q50"] > 0).sum())
    assert found["vol_risk_stats"]["percentiles"]["70"] == pytest.approx(FRAME["vol_risk"].quantile(0.7))


def test_columns_are_checked_as_the_host_asks(path: Path) -> None:
    loader = Q50SignalLoader(path)
    assert loader.validate_signal_columns(FRAME)
    assert not loader.validate_signal_columns(FRAME.drop(columns=["q90", "tradeable"]))
    assert loader.missing_columns(FRAME.drop(columns=["q90", "tradeable"])) == ["q90", "tradeable"]
    assert list(loader.REQUIRED_COLUMNS) == REQUIRED


def test_a_row_may_become_visible_late(path: Path) -> None:
    loader = Q50SignalLoader(Q50Settings(path=path, visible_after_seconds=3_600), clock=ManualClock(END_NS))
    loader.load()
    found = loader.signal_at(FIRST_NS + 7 * HOUR_NS)
    assert found is not None
    assert found["timestamp"] == FIRST + timedelta(hours=6)
    assert found["time_diff_minutes"] == 0


# ------------------------------------------------------------------------------------------------------ loading again


@pytest.mark.asyncio
async def test_a_file_that_is_not_there_is_false_and_said(tmp_path: Path) -> None:
    loader = Q50SignalLoader(tmp_path / "none.pkl", clock=ManualClock(0))
    assert await loader.load_signals() is False
    assert await loader.get_signal_for_timestamp(FIRST) is None
    assert loader.get_latest_signal() is None
    health = loader.health_check()
    assert (health["signals_loaded"], health["features_file_exists"], health["signal_count"]) == (False, False, 0)
    assert "there is no file" in health["failure"]
    with pytest.raises(NotFound):
        loader.load()


@pytest.mark.asyncio
async def test_a_file_that_appears_later_is_found(tmp_path: Path) -> None:
    clock = ManualClock(END_NS)
    loader = Q50SignalLoader(tmp_path / "late.pkl", clock=clock)
    assert await loader.get_signal_for_timestamp(FIRST) is None
    write(tmp_path / "late.pkl", FRAME)
    assert await loader.get_signal_for_timestamp(FIRST) is None
    clock.advance_to(END_NS + 5 * NS_PER_SECOND)
    assert await loader.get_signal_for_timestamp(FIRST) is not None


def test_a_new_file_takes_the_place_of_the_old_one(path: Path) -> None:
    loader = loaded(path)
    assert loader.refresh() is False
    write(path, published_frame(130))
    assert loader.health_check()["is_current"] is False
    assert loader.refresh() is True
    assert loader.signal_at(END_NS + 30 * HOUR_NS) is not None
    health = loader.health_check()
    assert (health["reloads"], health["is_current"], health["failure"], health["signal_count"]) == (1, True, None, 130)


def test_the_same_content_again_is_no_new_frame(path: Path) -> None:
    loader = loaded(path)
    frame = loader.frame
    write(path, FRAME)
    assert loader.refresh() is True
    assert loader.frame is frame
    assert loader.health_check()["reloads"] == 0
    assert loader.refresh() is False


@pytest.mark.parametrize("length", [0, 1, 100, 5_000, -1])
def test_a_half_written_file_keeps_the_last_good_frame(length: int, path: Path) -> None:
    loader = loaded(path)
    whole = pickle.dumps(published_frame(130))
    path.write_bytes(whole[:length])
    assert loader.refresh() is False
    assert loader.signal_at(END_NS) is not None
    health = loader.health_check()
    assert (health["signals_loaded"], health["is_current"], health["signal_count"]) == (True, False, 100)
    assert str(path) in health["failure"]
    path.write_bytes(whole)
    assert loader.refresh() is True
    assert loader.health_check()["failure"] is None


def test_a_broken_file_is_read_once_and_not_at_every_look(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = loaded(path)
    path.write_bytes(b"broken")
    reads = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: reads.append(self) or real(self))
    for _ in range(5):
        assert loader.refresh() is False
    assert len(reads) == 1
    loader.clear_cache()
    assert loader.refresh() is False
    assert len(reads) == 2


def test_a_file_that_is_written_while_it_is_read_is_not_trusted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = loaded(path)
    write(path, published_frame(120))
    real = Path.read_bytes

    def read_while_another_writes(self: Path) -> bytes:
        found = real(self)
        write(path, published_frame(140))
        return found

    monkeypatch.setattr(Path, "read_bytes", read_while_another_writes)
    assert loader.refresh() is False
    assert loader.health_check()["failure"] == "the file is being written"
    assert loader.health_check()["signal_count"] == 100
    monkeypatch.setattr(Path, "read_bytes", real)
    assert loader.refresh() is True
    assert loader.health_check()["signal_count"] == 140


def test_a_file_that_is_gone_leaves_the_frame(path: Path) -> None:
    loader = loaded(path)
    path.unlink()
    assert loader.refresh() is False
    assert loader.signal_at(END_NS) is not None
    assert loader.health_check()["failure"] == "the file is gone"
    write(path, FRAME)
    assert loader.refresh() is True
    assert loader.health_check()["failure"] is None


def test_a_new_file_without_the_instrument_is_not_taken(path: Path) -> None:
    loader = Q50SignalLoader(Q50Settings(path=path, instrument="BTCUSDT"), clock=ManualClock(END_NS))
    loader.load()
    write(path, published_frame(100, instrument="ETHUSDT"))
    assert loader.refresh() is False
    assert "no instrument 'BTCUSDT'" in loader.health_check()["failure"]
    assert loader.signal_at(END_NS) is not None


def test_closing_lets_the_frame_go(path: Path) -> None:
    loader = loaded(path)
    loader.close()
    assert loader.frame is None
    assert loader.signal_at(END_NS) is None


def test_readers_see_one_frame_or_the_other_and_never_half_of_each(path: Path) -> None:
    frames = [published_frame(100, seed=seed) for seed in (1, 2)]
    allowed = {(frame["q50"].iloc[50], frame["q90"].iloc[50], frame["RSV1"].iloc[50]) for frame in frames}
    loader = loaded(path)
    stop, seen, failed = threading.Event(), set(), []

    def look() -> None:
        while not stop.is_set():
            found = loader.signal_at(FIRST_NS + 50 * HOUR_NS)
            if found is None:
                failed.append("nothing")
            else:
                seen.add((found["q50"], found["q90"], found["RSV1"]))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(10):
        write(path, frames[turn % 2])
        refreshers = [threading.Thread(target=loader.refresh) for _ in range(2)]
        for thread in refreshers:
            thread.start()
        for thread in refreshers:
            thread.join()
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert seen <= allowed
    assert loader.health_check()["reloads"] >= 9


# ------------------------------------------------------------------------------------------------------ configuration


def test_settings_of_every_kind_name_the_file(path: Path) -> None:
    host = {"q50": {"features_path": str(path)}}
    for config in (path, str(path), Q50Settings(path=path), Settings(q50=Q50Settings(path=path)), host):
        assert Q50SignalLoader(config).path == path


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (Q50Settings(), "no Q50 file"),
        ({}, "no q50.features_path"),
        ({"q50": {"features_path": ""}}, "no q50.features_path"),
        ({"q50": {"features_path": "x", "signal_tolerance_minutes": "5"}}, "signal_tolerance_minutes is '5'"),
        ({"q50": {"features_path": "x", "signal_tolerance_minutes": -1}}, "signal_tolerance_minutes is -1"),
        ({"q50": {"features_path": "x", "signal_tolerance_minutes": float("nan")}}, "signal_tolerance_minutes is nan"),
        ({"q50": {"features_path": "x", "signal_tolerance_minutes": float("inf")}}, "signal_tolerance_minutes is inf"),
        (Q50Settings(path=Path("x"), complete_by_rules=True), "no rules were given"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_at_once(config: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        Q50SignalLoader(config)
    assert caught.value.hint


def test_several_instruments_without_a_choice_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "two.pkl", pd.concat([FRAME, published_frame(10, instrument="ETHUSDT")]))
    with pytest.raises(ConfigError, match="2 instruments"):
        Q50SignalLoader(tmp_path / "two.pkl").load()


def test_the_code_of_the_side_and_the_rules_are_passed_on(tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    write(file, FRAME[["q10", "q50", "q90", "vol_raw"]])
    with pytest.raises(BadInput, match="columns are missing"):
        Q50SignalLoader(file).load()
    reading = Q50SignalLoader(Q50Settings(path=file, complete_by_rules=True), complete=causal_columns).load()
    assert "prob_up" in reading.computed
    write(file, FRAME.assign(side=-1))
    loader = Q50SignalLoader(Q50Settings(path=file, side_code="plan"), clock=ManualClock(END_NS))
    loader.load()
    found = loader.signal_at(END_NS)
    assert found is not None
    assert found["side"] == "short"


def test_pickled_files_are_not_executed_by_the_loader(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    file = tmp_path / "evil.pkl"
    file.write_bytes(pickle.dumps({"signals": Evil()}))
    with pytest.raises(BadInput, match=r"system, which no frame needs: it was not run"):
        Q50SignalLoader(file).load()
    assert not (tmp_path / "ran").exists()


def test_times_keep_their_nanoseconds() -> None:
    assert datetime_ns(pd.Timestamp(1_700_000_000_123_456_789)) == 1_700_000_000_123_456_789
