"""Host exports that are broken are refused by file, line and column; the real export is read as a whole."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import format_utc
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.host_export import HostExport
from pumpswap.signals import NewPoolsSignalAnalyzer
from tests.market.export_folder import CANDLE, SNAPSHOT, snapshot, trade, write_csv, write_export
from tests.support.material import material, requires_material

AT = "2025-10-03 16:42:10"  # twelve seconds after the snapshot


# ---------------------------------------------------------------- broken exports


def test_a_missing_folder_a_file_and_missing_parts_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        HostExport(tmp_path / "nowhere")
    folder = write_export(tmp_path / "export", [snapshot()])
    with pytest.raises(BadInput, match="is no folder"):
        HostExport(folder / "trades.csv")
    (folder / "trades.csv").unlink()
    with pytest.raises(NotFound, match=r"has no trades.csv") as caught:
        HostExport(folder)
    assert "line of column names" in caught.value.hint


@pytest.mark.parametrize("column", ["pool_id", "collected_at", "reserve_in_usd", "dex_id"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    folder = write_export(tmp_path, [])
    columns = {key: value for key, value in SNAPSHOT.items() if key != column}
    write_csv(folder / "new_pools_history.csv", [columns], columns)
    with pytest.raises(BadInput, match=rf"new_pools_history.csv, line 1: no column {column}"):
        HostExport(folder)


@pytest.mark.parametrize("text", ["abc", "1,5", "1e9999", "Infinity", "0x10", "1_000", "--1", "9" * 200])
@pytest.mark.parametrize("column", ["reserve_in_usd", "base_token_price_usd", "volume_usd_h24", "signal_score"])
def test_an_unreadable_number_is_named_with_file_line_and_column(tmp_path: Path, column: str, text: str) -> None:
    rows = [snapshot(), snapshot(id="2", **{column: text})]
    with pytest.raises(BadInput, match=rf"new_pools_history.csv, line 3, {column}: .* is no number"):
        HostExport(write_export(tmp_path, rows))


@pytest.mark.parametrize("text", ["yesterday", "", "2025-10-03", "2025-13-03 10:00:00", "41:58:01:00"])
def test_an_unreadable_time_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"new_pools_history.csv, line 2, collected_at: .* is no complete time"):
        HostExport(write_export(tmp_path, [snapshot(collected_at=text)]))


def test_an_unreadable_trade_or_candle_is_named(tmp_path: Path) -> None:
    for trades, candles, match in (
        ([trade(AT) | {"volume_usd": "?"}], [], r"trades.csv, line 2, volume_usd"),
        ([trade(AT) | {"block_number": "1.5"}], [], r"trades.csv, line 2, block_number"),
        ([trade(AT) | {"block_timestamp": "now"}], [], r"trades.csv, line 2, block_timestamp"),
        ([], [CANDLE | {"timestamp": "x"}], r"ohlcv_data.csv, line 2, timestamp"),
        ([], [CANDLE | {"timestamp": "1759509720000"}], r"ohlcv_data.csv, line 2, timestamp"),
        ([], [CANDLE | {"close_price": "x"}], r"ohlcv_data.csv, line 2, close_price"),
    ):
        with pytest.raises(BadInput, match=match):
            HostExport(write_export(tmp_path, [snapshot()], trades, candles))


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda data: b"", "is empty"),
        (lambda data: data[:-30], r"line 2: \d+ fields, the header has"),
        (lambda data: data.replace(b"CAT / SOL", b"CAT, SOL"), "line 2: 24 fields, the header has 23"),
        (lambda data: data.replace(b"CAT", b"\xff\xfe"), "not UTF-8 text"),
        (lambda data: data.replace(b"CAT / SOL", b'"CAT"x'), "after line 1"),
        (lambda data: data.replace(b"CAT / SOL", b'"CAT'), "after line 1"),
        (lambda data: data.replace(b"id,pool_id", b"id,id"), "no column pool_id"),
        (lambda data: data.replace(b"type,", b"id,", 1), "a column name occurs twice"),
        (lambda data: b"\0\x01\x02" * 50, "no column"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, damage: object, match: str) -> None:
    path = write_export(tmp_path, [snapshot()]) / "new_pools_history.csv"
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(BadInput, match=match) as caught:
        HostExport(tmp_path)
    assert "\n" not in caught.value.what
    assert caught.value.hint


def test_a_byte_order_mark_and_blank_lines_are_no_damage(tmp_path: Path) -> None:
    path = write_export(tmp_path, [snapshot()]) / "new_pools_history.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\r\n\r\n"))
    assert HostExport(tmp_path).counts["snapshots"] == 1


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        export = write_export(Path(folder), [snapshot()])
        (export / "trades.csv").write_bytes(data)
        with pytest.raises(BadInput):
            HostExport(export)


# ---------------------------------------------------------------- the real export


@pytest.fixture(scope="module")
def real() -> HostExport:
    folder = material("real", "host_export")
    assert folder is not None
    return HostExport(folder)


@requires_material("real", "host_export")
def test_the_real_export_yields_every_row_once_and_skips_none(real: HostExport) -> None:
    updates = list(real.updates())
    assert real.counts == {
        "snapshots": 4_720,
        "trades": 371,
        "candles": 1_294,
        "candles_of_other_timeframes": 2_365,
        "amounts_cut": 0,
        "skipped_rows": 0,
    }
    assert sum(update.snapshot is not None for update in updates) == 4_720
    assert sum(update.swap is not None for update in updates) == 371
    assert len(updates) == 4_720 + 371 + 1_294
    times = [update.at_ns for update in updates]
    assert times == sorted(times)
    assert updates == list(real.updates())
    assert format_utc(min(u.at_ns for u in updates if u.snapshot)) == "2025-10-03 10:41:58"
    assert format_utc(max(u.at_ns for u in updates if u.snapshot)) == "2025-10-05 13:26:01"


@requires_material("real", "host_export")
def test_the_real_snapshots_have_a_state_or_the_reason_why_not(real: HostExport) -> None:
    updates = [update for update in real.updates() if update.snapshot]
    found = Counter(update.obstacle.partition(":")[0] for update in updates if update.snapshot.dex == "pumpswap")
    assert found == {"": 477, "the pool has no reserve": 18, "its prices contradict each other": 1}
    assert all((update.state is None) == bool(update.obstacle) for update in updates)
    # Nearly all new "pumpswap" pools of the export are not their coin's canonical pool: anybody made them.
    assert sum(update.state is not None and update.state.pool.is_canonical for update in updates) == 12


@requires_material("real", "host_export")
def test_the_real_scores_come_out_of_the_snapshots_metrics(real: HostExport) -> None:
    analyzer = NewPoolsSignalAnalyzer()
    worst = 0.0
    for update in real.updates():
        if update.snapshot and update.snapshot.stored_score is not None:
            score = analyzer.analyze_pool_signals(update.snapshot.metrics).signal_score
            worst = max(worst, abs(score - float(update.snapshot.stored_score)))
    assert 0 < worst <= 1e-4


@requires_material("real", "host_export")
def test_the_real_collapse_is_followed_trade_by_trade(real: HostExport) -> None:
    states = [u.state for u in real.updates() if u.pool.startswith("2Ausg8") and u.state]
    assert len(states) == 1 + 45 + 11  # its snapshot, the trades after it, the minutes that ended after it
    assert float(states[-1].spot_price / states[0].spot_price) < 1e-4


@requires_material("real", "host_export")
def test_the_older_real_snapshots_have_their_own_times() -> None:
    folder = material("real", "host_export")
    assert folder is not None
    export = HostExport(folder, snapshots="new_pools_history_2025_09.csv")
    seen = [update.snapshot for update in export.updates() if update.snapshot]
    assert len(seen) == export.counts["snapshots"] == 632
    assert format_utc(seen[0].at_ns).startswith("2025-09-16 07:32")
    assert format_utc(seen[-1].at_ns).startswith("2025-09-17 02:30")
