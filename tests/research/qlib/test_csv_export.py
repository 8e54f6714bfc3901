from __future__ import annotations

import json
from pathlib import Path

import pytest

from pumpswap.clock import ManualClock, parse_utc
from pumpswap.errors import BadInput, UsageError
from pumpswap.research.qlib.csv_export import export_csv
from pumpswap.research.qlib.observation import Kind
from pumpswap.research.qlib.sources import open_source
from tests.research.qlib.world import FAR_NS, ListSource, candle
from tests.support.material import material, requires_material


def test_columns_numbers_and_summary_are_the_hosts(tmp_path: Path) -> None:
    candles = [
        candle("2025-09-19 07:00", "0.00010512 0.00077152 0.00008489 0.00076021", volume="995095.08"),
        candle("2025-09-19 09:00", "1 2 1 2", volume="0"),
        candle("2025-09-19 09:00", "7 7 7 7"),
        candle("2025-09-19 09:15", "7 7 7 7", timeframe="15m"),
        candle("2025-09-19 08:00", "1 1 1 1", pool="Bb"),
    ]
    clock = ManualClock(parse_utc("2025-09-28T07:50:16.123113"))
    result = export_csv(ListSource(candles=candles, kind=Kind.CANDLES), tmp_path / "csv", "1h", clock)
    assert (tmp_path / "csv/solana_Aa.csv").read_text() == (
        "datetime,symbol,open,high,low,close,volume\n"
        "2025-09-19 07:00:00,solana_Aa,0.00010512,0.00077152,8.489e-05,0.00076021,995095.08\n"
        "2025-09-19 09:00:00,solana_Aa,1.0,2.0,1.0,2.0,0.0\n"
    )
    assert (tmp_path / "csv/export_summary.json").read_text() == (
        '{\n  "export_date": "2025-09-28T07:50:16.123113",\n  "timeframe": "1h",\n  "symbols_exported": 2,\n'
        '  "date_range": {\n    "start": "2025-09-19T07:00:00",\n    "end": "2025-09-19T09:00:00"\n  },\n'
        '  "success": true,\n  "files_created": 2,\n  "total_records": 3\n}'
    )
    assert result.repeated == 1


def test_a_candle_that_is_not_over_is_left_out(tmp_path: Path) -> None:
    source = ListSource(candles=[candle("2025-09-19 07:00"), candle("2025-09-19 08:00")], kind=Kind.CANDLES)
    result = export_csv(source, tmp_path / "csv", "1h", ManualClock(parse_utc("2025-09-19 08:59:59")))
    assert (result.records, result.last) == (1, "2025-09-19T07:00:00")


def test_nothing_of_anybody_else_is_replaced(tmp_path: Path) -> None:
    source = ListSource(candles=[candle("2025-09-19 07:00")], kind=Kind.CANDLES)
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv/mine.csv").touch()
    with pytest.raises(UsageError, match="somebody else"):
        export_csv(source, tmp_path / "csv", "1h", ManualClock(FAR_NS))
    # A collector's export has the same summary; one of ours may be written anew.
    (tmp_path / "csv/export_summary.json").write_text("{}")
    with pytest.raises(UsageError, match="somebody else"):
        export_csv(source, tmp_path / "csv", "1h", ManualClock(FAR_NS))
    assert (tmp_path / "csv/mine.csv").exists()
    for _ in range(2):
        export_csv(source, tmp_path / "ours", "1h", ManualClock(FAR_NS))
    (tmp_path / "csv/letter.txt").touch()
    with pytest.raises(UsageError, match="something else"):
        export_csv(source, tmp_path / "csv", "1h", ManualClock(FAR_NS))


def test_without_candles_of_this_length_nothing_is_written(tmp_path: Path) -> None:
    source = ListSource(candles=[candle("2025-09-19 07:00")], kind=Kind.CANDLES)
    with pytest.raises(BadInput, match="no candles of 5m"):
        export_csv(source, tmp_path / "csv", "5m", ManualClock(FAR_NS))
    with pytest.raises(UsageError, match="candles only"):
        export_csv(ListSource(), tmp_path / "csv", "1h", ManualClock(FAR_NS))


@requires_material("real", "host_export", "qlib_csv")
def test_the_hosts_own_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    folder = material("real", "host_export", "qlib_csv")
    assert folder is not None
    result = export_csv(open_source(folder), tmp_path / "csv", "1h", ManualClock(FAR_NS))
    theirs = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "csv").glob("*.csv")} == theirs
    summary = json.loads((tmp_path / "csv/export_summary.json").read_text())
    assert list(summary) == list(json.loads((folder / "export_summary.json").read_text()))
    assert (result.files, result.records) == (8, 2_033)
