"""The writer: whole or not at all, and each row once."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from pumpswap.clock import ManualClock
from pumpswap.errors import AmountOutOfRange, BadInput, StorageError, UsageError
from pumpswap.market.lake import Coverage, Lake, LakeWriter
from tests.market.lake.rows import DAY, MIDNIGHT, MINUTE, candle, lake_of, many_swaps, swap


def stored(lake: Lake, kind: str = "swaps") -> pl.DataFrame:
    """What any reader of Parquet sees who goes by the list of files."""
    frames = [pl.read_parquet(lake.folder / file.path, hive_partitioning=False) for file in lake.files(kind)]
    return pl.concat(frames) if frames else pl.DataFrame()


def test_a_file_per_day_and_flush_sorted_by_pool(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, swap(5, "B"), swap(1, "B"), swap(3, "A"), swap(86_400, "A"))

    first, second = lake.files("swaps")
    assert (first.date, first.rows, second.date, second.rows) == ("2025-11-26", 3, "2025-11-27", 1)
    assert first.path == "swaps/network=solana/date=2025-11-26/00000001-sw0.parquet"
    assert (first.min_ns, first.max_ns) == (MIDNIGHT + 10**9, MIDNIGHT + 5 * 10**9)
    rows = pl.read_parquet(tmp_path / first.path, hive_partitioning=False)
    assert rows.get_column("pool").to_list() == ["A", "B", "B"]
    assert rows.get_column("signature").to_list() == ["Signature3", "Signature1", "Signature5"]


def test_the_same_swap_again_is_dropped_and_counted(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(1), swap(2), swap(1)])
        writer.commit()
        writer.add("swaps", [swap(2), swap(3)])
    assert (writer.counts["swaps"].rows, writer.counts["swaps"].duplicates) == (3, 2)
    assert writer.counts["swaps"].conflicts == 0
    with LakeWriter(lake) as again:
        again.add("swaps", [swap(1), swap(2), swap(3)])
    assert (again.counts["swaps"].rows, again.counts["swaps"].duplicates) == (0, 3)
    assert sorted(stored(lake).get_column("signature")) == ["Signature1", "Signature2", "Signature3"]


def test_trades_of_one_transaction_are_told_apart(tmp_path: Path) -> None:
    rows = [swap(1), swap(1, index=1), swap(1, "Pool2")]
    assert stored(lake_of(tmp_path, *rows)).height == 3


def test_the_first_swap_stays_and_another_one_of_its_name_is_a_conflict(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, swap(1, quote_units=7))
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(1, quote_units=8)])
    assert stored(lake).get_column("quote_units").to_list() == [7]
    assert (writer.counts["swaps"].duplicates, writer.counts["swaps"].conflicts) == (1, 1)


def test_a_corrected_candle_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        writer.add("candles", [candle(0), candle(1), candle(2)])
        writer.commit()
        writer.add("candles", [candle(1, "1.7"), candle(2)])
    counts = writer.counts["candles"]
    assert (counts.rows, counts.replaced, counts.duplicates) == (4, 1, 1)
    rows = stored(lake, "candles").sort("start_ns")
    assert rows.get_column("close_usd").to_list() == ["1.5", "1.7", "1.5"]
    with LakeWriter(lake) as writer:  # within one batch too the last one counts
        writer.add("candles", [candle(0, "2"), candle(0, "3")])
    assert stored(lake, "candles").sort("start_ns").get_column("close_usd").to_list() == ["3", "1.7", "1.5"]


def test_small_files_of_a_day_are_merged_and_nothing_changes(tmp_path: Path) -> None:
    lake, swaps = Lake(tmp_path), many_swaps(400)
    with LakeWriter(lake, flush_rows=10) as writer:
        writer.add("swaps", swaps)
    files = len(lake.files("swaps"))
    assert 1 < files <= 17
    before = stored(lake).sort("signature")
    with LakeWriter(lake) as writer:
        gone = writer.compact()
    (only,) = lake.files("swaps")
    assert (only.rows, gone) == (400, files - 1)
    assert stored(lake).sort("signature").equals(before)
    assert stored(lake).equals(stored(lake).sort("pool", "slot", "at_ns", "position", "index", "signature"))


def test_replaced_files_stay_for_readers_and_go_later(tmp_path: Path) -> None:
    lake, clock = Lake(tmp_path), ManualClock(MIDNIGHT)
    with LakeWriter(lake, clock=clock) as writer:
        for number in range(3):
            writer.add("swaps", [swap(number)])
            writer.commit()
        writer.compact()
        assert len(list(tmp_path.rglob("*.parquet"))) == 4
        clock.advance_to(MIDNIGHT + 11 * MINUTE)
        writer.commit()
        assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert stored(lake).height == 3


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake), pytest.raises(StorageError, match="another process is writing") as refused:
        LakeWriter(lake).__enter__()
    assert "wait until it is done" in refused.value.hint
    with LakeWriter(lake) as free:
        free.add("swaps", [swap(1)])


def test_a_closed_writer_refuses(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not open"):
        LakeWriter(Lake(tmp_path)).commit()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (swap(1, signature=""), BadInput),
        (swap(1, base_units=2**64), AmountOutOfRange),
        (swap(1, quote_units=-1), AmountOutOfRange),
        (swap(1, at_ns=-1), AmountOutOfRange),
        (swap(1, at_ns=2**63), AmountOutOfRange),
        (swap(1, index=-1), AmountOutOfRange),
    ],
)
def test_a_row_that_cannot_be_held_is_refused_and_those_before_it_are_kept(
    tmp_path: Path, wrong: object, error: type[Exception]
) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(error), LakeWriter(lake) as writer:
        writer.add("swaps", [swap(0), wrong, swap(2)])
    assert stored(lake).get_column("signature").to_list() == ["Signature0"]


def test_frames_are_taken_as_they_are_or_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    required = {
        "pool": ["A"], "at_ns": [MIDNIGHT], "slot": [1], "signature": ["s"], "index": [0], "is_buy": [True],
        "base_units": [2**63], "quote_units": [1], "trader": [""],
    }  # fmt: skip
    good = pl.DataFrame(required, schema_overrides={"base_units": pl.UInt64})
    with LakeWriter(lake) as writer:
        writer.add_frame("swaps", good)
        for wrong, said in (
            (good.drop("pool"), "no column pool"),
            (good.with_columns(pl.lit(1).alias("price")), "no column price"),
            (good.with_columns(pl.lit(1.5).alias("quote_units")), "quote_units is Float64"),
            (good.with_columns(pl.lit(-1).alias("quote_units")), "a value of quote_units"),
            (good.with_columns(pl.lit(None, pl.String).alias("pool")), "pool is null in 1 rows"),
            (good.with_columns(pl.lit("").alias("signature")), "signature is empty"),
            (good.with_columns(pl.lit(-5).alias("at_ns")), "at_ns is negative"),
        ):
            with pytest.raises(BadInput, match=said):
                writer.add_frame("swaps", wrong)
    row = stored(lake).row(0, named=True)
    assert (row["base_units"], row["event"], row["lp_fee"], row["source"]) == (2**63, None, None, "")


def test_unknown_kinds_and_networks_are_refused(tmp_path: Path) -> None:
    with LakeWriter(Lake(tmp_path)) as writer, pytest.raises(UsageError, match="no kind 'trades'"):
        writer.add("trades", [])
    with pytest.raises(UsageError, match="no name of a network"):
        Lake(tmp_path, "../other")


def test_claims_are_stored_with_the_rows_before_them(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    claim = Coverage(kind="swaps", network="solana", start_ns=MIDNIGHT, end_ns=MIDNIGHT + DAY, pool="Pool1")
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(1)])
        writer.cover(claim)
        assert lake.covered("swaps", "Pool1") == []
        writer.commit()
        assert lake.covered("swaps", "Pool1") == [(MIDNIGHT, MIDNIGHT + DAY)]
    assert lake.covered("swaps") == []
    assert lake.manifest().commits == 1


def test_a_commit_that_failed_claims_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    (tmp_path / "swaps").write_text("a file where the folder should be")
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(1)])
        writer.cover(Coverage(kind="swaps", network="solana", start_ns=MIDNIGHT, end_ns=MIDNIGHT + DAY))
        with pytest.raises(StorageError, match="cannot be written"):
            writer.commit()
        # Whoever commits again on his way out must not hide why.
        with pytest.raises(StorageError, match=r"has failed before: .*cannot be written: Not a directory"):
            writer.commit()
    assert lake.covered("swaps") == []


KILLED = """
import sys
from pathlib import Path
from pumpswap.market.lake import Lake, LakeWriter
from tests.market.lake.rows import many_swaps
with LakeWriter(Lake(Path(sys.argv[1])), flush_rows=40) as writer:
    print("ready", flush=True)
    writer.add("swaps", many_swaps(4000))
"""


def test_a_writer_killed_at_any_moment_leaves_whole_commits_and_the_next_one_completes_them(tmp_path: Path) -> None:
    lake, swaps = Lake(tmp_path), many_swaps(4000)
    for delay in (0.0, 0.05, 0.15, 0.4):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        rows = stored(lake)
        assert lake.manifest().damage == []
        assert rows.height == sum(file.rows for file in lake.files("swaps"))
        if rows.height:
            assert rows.get_column("signature").n_unique() == rows.height
    with LakeWriter(lake) as writer:
        writer.add("swaps", swaps)
    counts = writer.counts["swaps"]
    assert counts.rows + counts.duplicates == 4000
    assert stored(lake).get_column("signature").n_unique() == stored(lake).height == 4000
    assert not list(tmp_path.rglob("*.tmp"))


def test_what_a_crash_left_behind_is_not_read_and_is_put_aside(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, swap(1))
    (only,) = lake.files("swaps")
    folder = (tmp_path / only.path).parent
    (folder / "00000002-sw0.parquet.tmp").write_bytes(b"PAR1 half")
    # The rename was done, the commit was not.
    (folder / "00000002-sw0.parquet").write_bytes((tmp_path / only.path).read_bytes())
    with (tmp_path / "manifest.jsonl").open("ab") as file:
        file.write(b'{"commit":{"number":2,"add":[{"path":"sw')
    assert stored(lake).height == 1
    assert lake.manifest().is_cut
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(2)])
    assert stored(lake).height == 2
    assert not lake.manifest().is_cut
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == [
        "swaps__network=solana__date=2025-11-26__00000002-sw0.parquet"
    ]
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_damaged_manifest_is_not_written_to(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        for number in range(3):
            writer.add("swaps", [swap(number)])
            writer.commit()
    lines = (tmp_path / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    for wrong in (
        lines[1:],
        lines[:1] + lines[2:],
        [lines[1], lines[0], lines[2]],
        [lines[0][:-10] + b"\n", *lines[1:]],
    ):
        (tmp_path / "manifest.jsonl").write_bytes(b"".join(wrong))
        assert lake.manifest().damage
        with pytest.raises(BadInput, match=r"manifest\.jsonl"), LakeWriter(lake):
            pass
    (tmp_path / "manifest.jsonl").write_bytes(b"".join(lines))
    assert lake.manifest().damage == []


def test_files_of_a_manifest_that_has_lost_its_end_are_not_written_over(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        for number in range(4):
            writer.add("swaps", [swap(number)])
            writer.commit()
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    with LakeWriter(lake) as writer:
        for number in range(10, 13):
            writer.add("swaps", [swap(number)])
            writer.commit()
    assert stored(lake).height == 5
    aside = [pl.read_parquet(one).get_column("signature").item() for one in (tmp_path / "quarantine").iterdir()]
    assert sorted(aside) == ["Signature2", "Signature3"]


def test_a_manifest_that_vanishes_while_writing_is_said(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, swap(1))
    path = tmp_path / "manifest.jsonl"
    content = path.read_bytes()
    for left in (None, content[:-5]):
        path.write_bytes(content)
        with LakeWriter(lake) as writer:
            path.unlink()
            if left is not None:
                path.write_bytes(left)
            writer.add("swaps", [swap(2)])
            with pytest.raises(StorageError, match="is not what it was"):
                writer.commit()
        assert path.exists() == (left is not None)


def test_a_full_disk_is_said_and_what_was_committed_stays(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, swap(1))
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(2)])
        with small_files(200), pytest.raises(StorageError, match="cannot be written"):
            writer.commit()
    assert stored(lake).height == 1
    assert lake.manifest().damage == []
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(2)])
    assert stored(lake).height == 2


@contextmanager
def small_files(most_bytes: int) -> Iterator[None]:
    """No file may grow beyond this, as when the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_long_manifest_begins_anew_and_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, lengths = Lake(tmp_path), []
    with LakeWriter(lake) as writer:
        monkeypatch.setitem(type(writer._manifest).is_long.fget.__globals__, "_LONG", 60)
        for number in range(80):
            writer.add("swaps", [swap(number)])
            start = MIDNIGHT + number * MINUTE
            writer.cover(Coverage(kind="swaps", network="solana", start_ns=start, end_ns=start + MINUTE))
            writer.commit()
            lengths.append((tmp_path / "manifest.jsonl").read_bytes().count(b"\n"))
            assert lake.covered("swaps") == [(MIDNIGHT, start + MINUTE)]
    assert 1 in lengths
    assert max(lengths) < 80
    assert stored(lake).height == 80
    assert (lake.manifest().damage, lake.manifest().commits) == ([], writer._manifest.commits)
    assert len(lake.manifest().coverage) < 30
    with LakeWriter(lake) as again:
        again.discard(lake.files("swaps")[0].path)
    before = lake.gaps("swaps")
    manifest = lake.manifest()
    manifest.shorten(5)
    assert lake.gaps("swaps") == before != []
    assert lake.manifest().damage == []
    lines = (tmp_path / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 1
    manifest.append(6)
    (tmp_path / "manifest.jsonl").write_bytes((tmp_path / "manifest.jsonl").read_bytes()[len(lines[0]) :])
    assert lake.manifest().damage


def test_networks_are_kept_apart(tmp_path: Path) -> None:
    lake_of(tmp_path, swap(1))
    other = Lake(tmp_path, "devnet")
    assert other.files("swaps") == []
    with LakeWriter(other) as writer:
        writer.add("swaps", [swap(1), swap(2)])
    assert (len(stored(other)), len(stored(Lake(tmp_path)))) == (2, 1)
