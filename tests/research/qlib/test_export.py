from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.research.qlib.frequency import FREQUENCIES
from pumpswap.research.qlib.observation import FIELDS, Filters, Kind
from tests.research.qlib.world import FAR_NS, ListSource, candle, export, f32, read_bin, row, tree

HOUR_NS = 3_600 * NS_PER_SECOND


def close_of(folder: Path, symbol: str = "solana_aa", field: str = "close") -> tuple[int, list[float | None]]:
    return read_bin(folder / "features" / symbol / f"{field}.60min.bin")


def test_the_layout_is_qlibs(tmp_path: Path) -> None:
    export(
        ListSource([row("2025-10-03 10:41:58", "0.3"), row("2025-10-03 11:05", "0.4", pool="solana_Bb")]),
        tmp_path / "d",
    )
    assert (tmp_path / "d/calendars/60min.txt").read_text() == "2025-10-03 10:00:00\n2025-10-03 11:00:00\n"
    assert (tmp_path / "d/instruments/all.txt").read_text() == (
        "SOLANA_AA\t2025-10-03 10:00:00\t2025-10-03 10:00:00\nSOLANA_BB\t2025-10-03 11:00:00\t2025-10-03 11:00:00\n"
    )
    folders = tmp_path / "d/features"
    assert {path.name for path in folders.iterdir()} == {"solana_aa", "solana_bb"}
    assert {path.name for path in (folders / "solana_bb").iterdir()} == {f"{field}.60min.bin" for field in FIELDS}
    assert close_of(tmp_path / "d", "solana_bb") == (1, [f32("0.4")])


def test_the_day_calendar_has_dates(tmp_path: Path) -> None:
    export(ListSource([row("2025-10-03 23:59:59"), row("2025-10-05 00:00")]), tmp_path / "d", freq="day")
    assert (tmp_path / "d/calendars/day.txt").read_text() == "2025-10-03\n2025-10-04\n2025-10-05\n"


def test_a_missing_hour_is_nan_and_nothing_shifts(tmp_path: Path) -> None:
    export(ListSource([row("2025-10-03 10:00", "1"), row("2025-10-03 13:00", "4")]), tmp_path / "d")
    assert close_of(tmp_path / "d") == (0, [1, None, None, 4])
    assert len((tmp_path / "d/calendars/60min.txt").read_text().splitlines()) == 4


def test_a_missing_figure_stays_nan(tmp_path: Path) -> None:
    export(
        ListSource([row("2025-10-03 10:00", fdv="7"), row("2025-10-03 11:00"), row("2025-10-03 12:00", None)]),
        tmp_path / "d",
    )
    assert close_of(tmp_path / "d", field="fdv") == (0, [7, None, None])
    assert close_of(tmp_path / "d") == (0, [1, 1, None])


def test_of_several_rows_in_a_bar_the_last_gives_the_figures_and_all_the_prices(tmp_path: Path) -> None:
    rows = [
        row("2025-10-03 10:00", "3", fdv="1"),
        row("2025-10-03 10:20", "9", fdv="2"),
        row("2025-10-03 10:40", "2", fdv="3"),
        row("2025-10-03 10:59:59.999999", "5", fdv="4"),
        row("2025-10-03 11:00", "6", fdv="5"),
    ]
    export(ListSource(rows), tmp_path / "d")
    found = {field: close_of(tmp_path / "d", field=field)[1] for field in ("open", "high", "low", "close", "fdv")}
    assert found == {"open": [3, 6], "high": [9, 6], "low": [2, 6], "close": [5, 6], "fdv": [4, 5]}


def test_a_bar_says_nothing_of_what_came_after_it(tmp_path: Path) -> None:
    rows = [row("2025-10-03 10:10", "1"), row("2025-10-03 10:50", "2"), row("2025-10-03 11:10", "3")]
    changed = [*rows[:2], row("2025-10-03 11:10", "99", fdv="8"), row("2025-10-03 11:00", "0.1")]
    export(ListSource(rows), tmp_path / "a")
    export(ListSource(changed), tmp_path / "b")
    for field in FIELDS:
        assert close_of(tmp_path / "a", field=field)[1][0] == close_of(tmp_path / "b", field=field)[1][0]


def test_a_bar_that_is_not_over_is_left_out(tmp_path: Path) -> None:
    rows = [row("2025-10-03 10:10"), row("2025-10-03 11:10")]
    result = export(ListSource(rows), tmp_path / "d", now_ns=parse_utc("2025-10-03 11:59:59"))
    assert (result.last, result.counts.unfinished) == ("2025-10-03 10:00:00", 1)
    assert export(ListSource(rows), tmp_path / "d", now_ns=parse_utc("2025-10-03 12:00")).last == "2025-10-03 11:00:00"


def test_a_bar_may_have_to_settle(tmp_path: Path) -> None:
    rows = [row("2025-10-03 10:10"), row("2025-10-03 11:10")]
    now_ns = parse_utc("2025-10-03 12:30")
    assert export(ListSource(rows), tmp_path / "d", now_ns=now_ns, settle_seconds=1_801).last == "2025-10-03 10:00:00"
    assert export(ListSource(rows), tmp_path / "d", now_ns=now_ns, settle_seconds=1_800).last == "2025-10-03 11:00:00"


@pytest.mark.parametrize(
    ("figures", "kept"),
    [
        ({"liquidity": "1000", "volume": "100"}, True),
        ({"liquidity": "999.9999"}, False),
        ({"volume": "99.99"}, False),
        ({"liquidity": None}, False),
        ({"volume": None}, False),
    ],
)
def test_the_hosts_filters(tmp_path: Path, figures: dict[str, str | None], kept: bool) -> None:
    result = export(ListSource([row("2025-10-03 10:00", **figures), row("2025-10-03 11:00")]), tmp_path / "d")
    assert (result.first == "2025-10-03 10:00:00", result.counts.filtered) == (kept, 0 if kept else 1)


def test_candles_replace_seen_prices_and_count_while_the_latest_row_passes(tmp_path: Path) -> None:
    rows = [row("2025-10-03 10:30", "7"), row("2025-10-03 13:30", "7", liquidity="1")]
    candles = [candle(f"2025-10-03 {hour}:00", "1 2 0.5 1.5") for hour in ("09", "10", "11", "12", "13", "14")]
    result = export(ListSource(rows, candles), tmp_path / "d")
    assert close_of(tmp_path / "d") == (0, [1.5, 1.5, 1.5])
    assert close_of(tmp_path / "d", field="high") == (0, [2, 2, 2])
    assert close_of(tmp_path / "d", field="volume") == (0, [700, None, None])  # of 24 hours; a candle's is another
    assert result.counts.not_admitted == 3


def test_candles_alone_make_bars_of_the_longest_ones_in_each(tmp_path: Path) -> None:
    candles = [
        candle("2025-10-03 10:00", "1 4 1 2", volume="40"),
        candle("2025-10-03 10:15", "9 9 9 9", timeframe="15m"),
        candle("2025-10-03 11:00", "2 3 2 3", timeframe="15m", volume="5"),
        candle("2025-10-03 11:00", "8 8 8 8", timeframe="15m", volume="5"),
        candle("2025-10-03 11:45", "3 6 1 5", timeframe="15m", volume="6"),
    ]
    result = export(ListSource(candles=candles, kind=Kind.CANDLES), tmp_path / "d")
    found = {field: close_of(tmp_path / "d", field=field)[1] for field in ("open", "high", "low", "close", "volume")}
    assert found == {"open": [1, 2], "high": [4, 6], "low": [1, 1], "close": [2, 5], "volume": [40, 11]}
    assert (result.kind, result.counts.repeated) == ("candles", 1)


def test_start_and_end_bound_the_bars(tmp_path: Path) -> None:
    rows = [row(f"2025-10-03 {hour}:30") for hour in (10, 11, 12, 13)]
    result = export(
        ListSource(rows),
        tmp_path / "d",
        start_ns=parse_utc("2025-10-03 11:59"),
        end_ns=parse_utc("2025-10-03 13:59"),
    )
    assert (result.first, result.last) == ("2025-10-03 11:00:00", "2025-10-03 12:00:00")


def test_an_update_pads_a_hole_and_adds_new_symbols(tmp_path: Path) -> None:
    first = [row("2025-10-03 10:30", "1")]
    later = [row("2025-10-03 14:30", "5"), row("2025-10-03 12:30", "9", pool="solana_Bb")]
    export(ListSource(first), tmp_path / "d")
    result = export(ListSource(first + later), tmp_path / "d", "update")
    assert close_of(tmp_path / "d") == (0, [1, None, None, None, 5])
    assert close_of(tmp_path / "d", "solana_bb") == (2, [9])
    assert (result.symbols, result.changed, result.bars) == (2, 2, 5)


def test_an_update_without_anything_new_changes_nothing(tmp_path: Path) -> None:
    source = ListSource([row("2025-10-03 10:30"), row("2025-10-03 11:30", None)])
    export(source, tmp_path / "d")
    before = tree(tmp_path / "d")
    assert export(source, tmp_path / "d", "update").changed == 0
    assert tree(tmp_path / "d") == before


@pytest.mark.parametrize(
    ("late", "what"),
    [
        (row("2025-10-03 10:45", "2"), "high of SOLANA_AA is 2 in the source and 1 here, at 2025-10-03 10:00:00"),
        (row("2025-10-03 11:45", "2"), "open of SOLANA_AA is 2 in the source and nan here, at 2025-10-03 11:00:00"),
        (row("2025-10-03 09:45", "2"), "open of SOLANA_AA is 2 in the source and nan here, at 2025-10-03 09:00:00"),
        (row("2025-10-03 11:45", pool="solana_Bb"), "solana_Bb is new, but has bars before the end of the dataset"),
    ],
)
def test_an_update_refuses_late_data_and_leaves_all_as_it_was(tmp_path: Path, late: object, what: str) -> None:
    rows = [row("2025-10-03 10:30"), row("2025-10-03 12:30")]
    export(ListSource(rows), tmp_path / "d")
    before = tree(tmp_path)
    with pytest.raises(BadInput, match="the past has changed") as caught:
        export(ListSource([*rows, late, row("2025-10-03 13:30")]), tmp_path / "d", "update")  # type: ignore[list-item]
    assert what in caught.value.what
    assert tree(tmp_path) == before
    start_ns = parse_utc("2025-10-03 13:00")
    assert (
        export(ListSource([*rows, late, row("2025-10-03 13:30")]), tmp_path / "d", "update", start_ns=start_ns).bars
        == 4
    )  # type: ignore[list-item]


def test_a_source_that_lost_its_past_is_no_obstacle_to_an_update(tmp_path: Path) -> None:
    old, new = [row("2025-10-03 10:30", "1")], [row("2025-10-03 12:30", "2")]
    export(ListSource(old), tmp_path / "a")
    export(ListSource(new), tmp_path / "a", "update")
    export(ListSource(old + new), tmp_path / "b")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


ROWS = st.lists(
    st.builds(
        lambda pool, minutes, price, fdv, liquidity: row(
            parse_utc("2025-10-03") + minutes * 60 * NS_PER_SECOND,
            price,
            pool=f"solana_{pool}",
            wish="TWIN_SOLANA" if pool in "BC" else "",
            fdv=fdv,
            liquidity=liquidity,
        ),
        st.sampled_from("ABCD"),
        st.integers(0, 20 * 60),
        st.sampled_from(["1", "0.3", "2.5e-7", None]),
        st.sampled_from(["1e9", None]),
        st.sampled_from(["5000", "10"]),
    ),
    max_size=30,
)
CANDLES = st.lists(
    st.builds(
        lambda pool, quarter, length, volume: candle(
            parse_utc("2025-10-03") + quarter * (3_600 if length == "1h" else 900) * NS_PER_SECOND,
            pool=pool,
            timeframe=length,
            volume=volume,
        ),
        st.sampled_from("ABE"),
        st.integers(0, 20),
        st.sampled_from(["1h", "15m"]),
        st.sampled_from(["0", "3.25"]),
    ),
    max_size=15,
    unique_by=lambda one: (one.pool, one.timeframe, one.start_ns),
)


@pytest.mark.parametrize("kind", list(Kind))
@given(rows=ROWS, candles=CANDLES, cuts=st.lists(st.integers(0, 21 * 60), max_size=5))
@settings(max_examples=60)
def test_any_chain_of_updates_equals_one_export_of_everything(
    tmp_path_factory: pytest.TempPathFactory, kind: Kind, rows: list[object], candles: list[object], cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("split")
    whole, parts = folder / "whole", folder / "parts"
    ends = [parse_utc("2025-10-03") + minutes * 60 * NS_PER_SECOND for minutes in sorted(cuts)]
    rows = rows if kind is Kind.SNAPSHOTS else []
    for end_ns in [*ends, FAR_NS]:
        source = ListSource(rows, candles, kind=kind, until_ns=end_ns)  # type: ignore[arg-type]
        if parts.exists():
            export(source, parts, "update", now_ns=end_ns)
        else:
            with suppress(BadInput):  # nothing to export yet
                export(source, parts, now_ns=end_ns)
    source = ListSource(rows, candles, kind=kind)  # type: ignore[arg-type]
    if parts.exists():
        export(source, whole)
        assert tree(parts) == tree(whole)
    else:
        with pytest.raises(BadInput, match="nothing to export"):
            export(source, whole)


def test_fix_adds_missing_symbols_within_the_calendar_and_touches_no_other(tmp_path: Path) -> None:
    rows = [row("2025-10-03 10:30"), row("2025-10-03 12:30")]
    export(ListSource(rows), tmp_path / "d")
    before = tree(tmp_path / "d/features")
    missed = [row(f"2025-10-03 {hour}:30", "3", pool="solana_Bb") for hour in ("09", "11", "13")]
    result = export(ListSource([*rows, row("2025-10-03 11:15", "8"), *missed]), tmp_path / "d", "fix")
    assert (result.changed, result.outside, result.bars) == (1, 2, 3)
    assert close_of(tmp_path / "d", "solana_bb") == (1, [3])
    after = tree(tmp_path / "d/features")
    assert {name: after[name] for name in before} == before


def test_what_is_not_a_dataset_of_ours_is_not_replaced(tmp_path: Path) -> None:
    source = ListSource([row("2025-10-03 10:30")])
    (tmp_path / "home/letters").mkdir(parents=True)
    with pytest.raises(UsageError, match="something else"):
        export(source, tmp_path / "home")
    for part in ("calendars", "features", "instruments"):
        (tmp_path / "theirs" / part).mkdir(parents=True)
    with pytest.raises(UsageError, match="another program"):
        export(source, tmp_path / "theirs")
    result = export(source, tmp_path / "theirs", backup_dir=tmp_path / "backups")
    assert result.backup == tmp_path / "backups/theirs_backup_20300101_000000"
    assert {path.name for path in result.backup.iterdir()} == {"calendars", "features", "instruments"}


def test_a_backup_inside_of_what_is_replaced_would_go_with_it(tmp_path: Path) -> None:
    source = ListSource([row("2025-10-03 10:30")])
    export(source, tmp_path / "d")
    before = tree(tmp_path)
    for place in (tmp_path / "d", tmp_path / "d/backups", tmp_path / "d/../d/features"):
        with pytest.raises(UsageError, match="is replaced as a whole"):
            export(source, tmp_path / "d", backup_dir=place)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("note", ["{", "[]", "[" * 100_000, '{"schema": 1}'])
def test_a_note_that_cannot_be_read_stops_an_update(tmp_path: Path, note: str) -> None:
    source = ListSource([row("2025-10-03 10:30")])
    export(source, tmp_path / "d")
    (tmp_path / "d/pumpswap.json").write_text(note)
    with pytest.raises(BadInput, match="cannot be read"):
        export(source, tmp_path / "d", "update")


def test_update_and_fix_need_a_dataset_made_in_the_same_way(tmp_path: Path) -> None:
    source = ListSource([row("2025-10-03 10:30")])
    with pytest.raises(NotFound, match="does not exist"):
        export(source, tmp_path / "d", "update")
    export(source, tmp_path / "d")
    with pytest.raises(UsageError, match="other filters"):
        export(source, tmp_path / "d", "update", filters=Filters(min_liquidity_usd=Filters().min_volume_usd))
    with pytest.raises(NotFound, match="no calendar of day"):
        export(source, tmp_path / "d", "fix", freq="day")
    with pytest.raises(UsageError, match="other kind"):
        export(ListSource(candles=[candle("2025-10-03 10:00")], kind=Kind.CANDLES), tmp_path / "d", "update")
    (tmp_path / "d/pumpswap.json").unlink()
    with pytest.raises(UsageError, match="not written by pumpswap"):
        export(source, tmp_path / "d", "update")


def test_a_killed_export_leaves_the_old_dataset(tmp_path: Path) -> None:
    source = ListSource([row("2025-10-03 10:30")])
    export(source, tmp_path / "d")
    before = tree(tmp_path / "d")
    # Killed between the two renames, and killed while the new one was written.
    (tmp_path / "d").rename(tmp_path / ".d.old")
    (tmp_path / ".d.new/features").mkdir(parents=True)
    assert export(source, tmp_path / "d", "update").changed == 0
    assert tree(tmp_path / "d") == before
    assert {path.name for path in tmp_path.iterdir()} == {"d"}


def test_a_failed_export_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to export"):
        export(ListSource([row("2025-10-03 10:30", volume="1")]), tmp_path / "d")
    assert list(tmp_path.iterdir()) == []


def test_the_calendar_must_be_one_that_qlib_can_count(tmp_path: Path) -> None:
    rows = [row("1971-01-01"), row("2025-10-03 10:30")]
    with pytest.raises(BadInput, match="more than 16,777,216 bars") as caught:
        export(ListSource(rows), tmp_path / "d", freq="1min")
    assert "--start" in caught.value.hint


def test_a_figure_beyond_float32_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"fdv of solana_Aa: 1.0000E\+40 is too large"):
        export(ListSource([row("2025-10-03 10:30", fdv="1e40")]), tmp_path / "d")


def test_the_note_says_how_the_dataset_was_made(tmp_path: Path) -> None:
    export(ListSource([row("2025-10-03 10:30")]), tmp_path / "d")
    assert json.loads((tmp_path / "d/pumpswap.json").read_text()) == {
        "schema": "pumpswap.qlib_dataset",
        "version": 1,
        "frequency": "60min",
        "kind": "snapshots",
        "fields": list(FIELDS),
        "filters": {"min_liquidity_usd": "1000", "min_volume_usd": "100", "min_quality": "50"},
        "symbols": {"solana_Aa": "SOLANA_AA"},
    }


@given(st.sampled_from(sorted(FREQUENCIES)), st.integers(0, 4_000_000_000))
def test_a_bar_holds_its_start_and_not_its_end(name: str, second: int) -> None:
    frequency = FREQUENCIES[name]
    bar = frequency.bar_of(second * NS_PER_SECOND)
    assert frequency.start_ns(bar) <= second * NS_PER_SECOND < frequency.end_ns(bar)
    assert frequency.parse(frequency.text(bar)) == bar
