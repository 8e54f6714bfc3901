"""Damage is found and named."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import polars as pl
import pytest

from pumpswap.clock import ManualClock
from pumpswap.errors import StorageError
from pumpswap.market.lake import Coverage, Lake, LakeReader, LakeWriter
from pumpswap.market.lake.columns import kind_of
from pumpswap.market.lake.exporting import export_parquet
from pumpswap.market.lake.manifest import LakeFile
from pumpswap.market.lake.part import sha256_of, write_part
from pumpswap.market.lake.verify import Problem, repair, verify
from tests.market.lake.rows import DAY, MIDNIGHT, candle, lake_of, many_swaps, swap


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two days of swaps and one of candles: four files."""
    lake = Lake(tmp_path / "lake")
    with LakeWriter(lake, clock=ManualClock(MIDNIGHT)) as writer:
        writer.add("swaps", many_swaps(300))
        writer.add("candles", [candle(minute) for minute in range(30)])
        writer.cover(Coverage(kind="swaps", network="solana", start_ns=MIDNIGHT, end_ns=MIDNIGHT + 2 * DAY))
        writer.commit()
        writer.add("swaps", [swap(86_400 + n, signature=f"Next{n}") for n in range(50)])
        writer.commit()
        writer.add("swaps", [swap(86_400 + n, signature=f"Later{n}", index=1) for n in range(50)])
    return lake


def problems(lake: Lake) -> list[tuple[str, Problem]]:
    return [(finding.path, finding.problem) for finding in verify(lake).findings]


def test_a_good_lake_is_good(lake: Lake) -> None:
    seen: list[LakeFile] = []
    result = verify(lake, progress=seen.append)
    assert (result.is_good, result.findings, result.notes) == (True, [], [])
    assert (result.files, result.rows, len(seen)) == (4, 430, 4)
    assert result.bytes == sum(file.bytes for file in seen)
    assert verify(lake, bytes_only=True).is_good
    assert verify(Lake(lake.folder / "none")).files == 0


def test_every_bit_of_the_manifest_counts(lake: Lake) -> None:
    """All of them: a dash that became a carriage return once hid every line after it."""
    good = lake.manifest().path.read_bytes()
    assert b"-" in good
    for at in range(len(good) - 1):  # without the end of the last line, that line was never finished
        for bit in range(8):
            wrong = bytearray(good)
            wrong[at] ^= 1 << bit
            lake.manifest().path.write_bytes(wrong)
            assert lake.manifest().damage, (at, bit, bytes(good[at : at + 1]))
    lake.manifest().path.write_bytes(good)
    assert lake.manifest().damage == []


def test_any_flipped_bit_is_found_and_named(lake: Lake) -> None:
    chance = random.Random(1)
    for file in lake.manifest().files.values():
        path = lake.folder / file.path
        good = path.read_bytes()
        places = {0, 3, 4, len(good) - 1, len(good) - 5, *(chance.randrange(len(good)) for _ in range(40))}
        for place in places:
            wrong = bytearray(good)
            wrong[place] ^= 1 << chance.randrange(8)
            path.write_bytes(wrong)
            (finding,) = verify(lake, bytes_only=True).findings
            assert (finding.path, finding.problem) == (file.path, Problem.CHANGED)
        path.write_bytes(good)
    assert verify(lake).is_good


def test_a_cut_file_a_missing_one_and_two_that_changed_places(lake: Lake) -> None:
    first, second, third, fourth = sorted(lake.manifest().files.values(), key=lambda file: file.path)
    path = lake.folder / first.path
    good = path.read_bytes()
    for length in (0, 1, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        assert problems(lake) == [(first.path, Problem.CUT)]
    path.write_bytes(good + b"x")
    assert problems(lake) == [(first.path, Problem.CHANGED)]
    path.unlink()
    assert problems(lake) == [(first.path, Problem.MISSING)]
    path.write_bytes(good)
    one, other = lake.folder / third.path, lake.folder / fourth.path
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    found = verify(lake).findings
    assert [(finding.path, finding.problem) for finding in found] == [
        (third.path, Problem.SWAPPED),
        (fourth.path, Problem.SWAPPED),
    ]
    assert found[0].text == f"it holds what {fourth.path} should hold"
    assert second.rows == 300


def test_every_line_that_the_manifest_loses_is_found(lake: Lake) -> None:
    path = lake.folder / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for number in range(len(lines)):
        path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        found = problems(lake)
        assert found
        if number < len(lines) - 1:
            assert ("manifest.jsonl", Problem.MANIFEST) in found
        else:  # nothing comes after it: the file that nobody lists gives it away
            assert [problem for _, problem in found] == [Problem.ORPHAN]
    for place in range(0, len(lines[0]) - 1, 7):
        wrong = bytearray(lines[0])
        wrong[place] ^= 4
        path.write_bytes(bytes(wrong) + b"".join(lines[1:]))
        assert ("manifest.jsonl", Problem.MANIFEST) in problems(lake), place


def test_what_a_killed_writer_leaves_is_a_note(lake: Lake) -> None:
    (lake.folder / "swaps" / "00000009-sw0.parquet.tmp").write_bytes(b"half")
    with (lake.folder / "manifest.jsonl").open("ab") as file:
        file.write(b'{"commit":{"nu')
    result = verify(lake)
    assert result.is_good
    assert len(result.notes) == 2
    assert "killed" in result.notes[0] and "half a file" in result.notes[1]


def relisted(lake: Lake, old: LakeFile, frame: pl.DataFrame, **changes: object) -> str:
    """A file that a wrong writer wrote, listed with its true digest."""
    path = lake.folder / old.path
    frame.write_parquet(path)
    told = {name: getattr(old, name) for name in old.__struct_fields__}
    told |= {"sha256": sha256_of(path), "bytes": path.stat().st_size, **changes}
    lake.manifest().append(0, [LakeFile(**told)])
    return old.path


def test_rows_are_checked_even_when_the_bytes_are_as_written(lake: Lake) -> None:
    old = lake.files("swaps")[0]
    good = pl.read_parquet(lake.folder / old.path, hive_partitioning=False)
    for frame, changes, problem in (
        (good.reverse(), {}, Problem.ORDER),
        (good.head(10), {}, Problem.ROWS),
        (good, {"min_ns": 0}, Problem.RANGE),
        (good, {"max_height": old.max_height + 1}, Problem.RANGE),
        (good.with_columns(pl.col("at_ns") + DAY), {"min_ns": old.min_ns + DAY, "max_ns": old.max_ns + DAY,
            "min_height": old.min_height + DAY, "max_height": old.max_height + DAY}, Problem.RANGE),
        (good.drop("event"), {}, Problem.COLUMNS),
        (good.with_columns(pl.col("base_units").cast(pl.Int64, strict=False)), {}, Problem.COLUMNS),
        (good.with_columns(pl.lit(None, pl.Boolean).alias("is_buy")), {}, Problem.COLUMNS),
    ):  # fmt: skip
        path = relisted(lake, old, frame, **changes)
        assert problems(lake) == [(path, problem)]
    relisted(lake, old, good)
    assert verify(lake).is_good


def test_the_same_row_in_two_files_is_found(lake: Lake) -> None:
    kind, old = kind_of("swaps"), lake.files("swaps")[0]
    frame = pl.read_parquet(lake.folder / old.path, hive_partitioning=False)
    again = write_part(lake, kind, old.date, "00000009-sw0", frame.head(3))
    lake.manifest().append(0, [again])
    found = verify(lake).findings
    assert [(finding.path, finding.problem) for finding in found] == [
        (old.path, Problem.DUPLICATES),
        (again.path, Problem.DUPLICATES),
    ]
    assert found[0].text.startswith("3 rows occur again")


def test_no_parquet_at_all(lake: Lake) -> None:
    old = lake.files("candles")[0]
    path = lake.folder / old.path
    path.write_bytes(b"PAR1 is not enough PAR1")
    told = {name: getattr(old, name) for name in old.__struct_fields__}
    lake.manifest().append(0, [LakeFile(**told | {"sha256": sha256_of(path), "bytes": path.stat().st_size})])
    assert problems(lake) == [(old.path, Problem.UNREADABLE)]


def test_repair_puts_aside_what_cannot_be_read_and_opens_the_gap_again(lake: Lake) -> None:
    bad = lake.files("swaps")[0]
    path = lake.folder / bad.path
    path.write_bytes(path.read_bytes()[:-1])
    stray = path.with_name("99999999-sw0.parquet")
    shutil.copy(path, stray)
    result = verify(lake)
    with LakeWriter(lake) as writer:
        assert repair(writer, result) == [bad.path, stray.relative_to(lake.folder).as_posix()]
    after = verify(lake)
    assert after.is_good
    assert after.notes == ["files in quarantine, which nothing reads: 2"]
    assert lake.gaps("swaps") == [(bad.min_ns, bad.max_ns + 1)]
    assert lake.covered("swaps") == [(bad.max_ns + 1, MIDNIGHT + 2 * DAY)]
    assert LakeReader(lake).swaps().select(pl.len()).collect().item() == 100
    with LakeWriter(lake) as writer:
        writer.add("swaps", many_swaps(300))
    assert writer.counts["swaps"].rows == 300
    assert verify(lake).is_good


def test_a_writer_at_work_is_no_damage(lake: Lake) -> None:
    """Files come and go while a long verification reads: what it was told at its beginning is not the last word."""
    clock = ManualClock(MIDNIGHT + DAY)

    def write(_file: LakeFile) -> None:
        with LakeWriter(lake, clock=clock) as writer:
            writer.add("swaps", [swap(86_400 + 70, signature=f"New{clock.now_ns()}")])
            writer.compact()
            clock.advance_to(clock.now_ns() + DAY)
            writer.commit()  # what was replaced is deleted

    result = verify(lake, progress=write)
    assert result.findings == []
    assert result.notes == ["files that a writer has replaced meanwhile, not looked at: 2"]
    assert verify(lake).is_good


def test_a_file_that_is_about_to_be_listed_is_no_orphan(lake: Lake) -> None:
    kind = kind_of("swaps")
    frame = pl.read_parquet(lake.folder / lake.files("swaps")[0].path, hive_partitioning=False)
    with LakeWriter(lake) as writer:
        name = f"{lake.manifest().commits + 1:08d}-sw0"
        path = write_part(lake, kind, "2025-11-26", name, frame.head(3)).path
        result = verify(lake)
        assert result.findings == []
        assert result.notes == [f"{path}: a writer is at work on it"]
        (lake.folder / path).unlink()
        assert writer.lake is lake
    write_part(lake, kind, "2025-11-26", name, frame.head(3))
    assert problems(lake) == [(path, Problem.ORPHAN)]


def test_repair_leaves_alone_what_is_right_by_now(lake: Lake) -> None:
    first, second, *_ = lake.files("swaps")
    kept = {file.path: (lake.folder / file.path).read_bytes() for file in (first, second)}
    manifest = lake.manifest().path.read_bytes()
    (lake.folder / first.path).write_bytes(b"damaged")
    lake.manifest().path.write_bytes(b"".join(manifest.splitlines(keepends=True)[:-1]))
    result = verify(lake)
    assert {finding.problem for finding in result.findings} == {Problem.CUT, Problem.ORPHAN}
    (lake.folder / first.path).write_bytes(kept[first.path])
    lake.manifest().path.write_bytes(manifest)  # somebody brought both back from a copy
    with LakeWriter(lake) as writer:
        assert repair(writer, result) == []
    assert verify(lake).is_good
    assert lake.gaps("swaps") == []


def test_damage_is_never_merged_into_a_new_file(lake: Lake) -> None:
    """Other bytes may still be good Parquet: a merge would give them a digest of their own."""
    first, *others = [file for file in lake.files("swaps") if file.date == "2025-11-27"]
    rows = pl.read_parquet(lake.folder / first.path, hive_partitioning=False)
    rows.with_columns(pl.col("quote_units") + 1).write_parquet(lake.folder / first.path)
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(86_400 + 70, signature="New")])
        writer.commit()
        assert writer.compact() == len(others)  # the others and the new one became one
    (finding,) = verify(lake).findings
    assert finding.path == first.path
    assert finding.problem in (Problem.CHANGED, Problem.CUT)
    candles = lake.files("candles")[0]
    rows = pl.read_parquet(lake.folder / candles.path, hive_partitioning=False)
    rows.with_columns(pl.lit("7").alias("close_usd")).write_parquet(lake.folder / candles.path)
    with LakeWriter(lake) as writer:
        writer.add("candles", [candle(1, "9")])
        with pytest.raises(StorageError, match="is damaged, and rows of its time are to be added"):
            writer.commit()


@pytest.mark.parametrize("name", ["la[k]e", "lak*"])
def test_the_name_of_a_folder_is_no_pattern(tmp_path: Path, name: str) -> None:
    """polars takes these signs for a pattern, and the rows of the neighbour for ours."""
    for folder in ("lake", name):
        lake = lake_of(tmp_path / folder, swap(1, signature=f"{folder}1"))
        lake_of(tmp_path / folder, swap(2, signature=f"{folder}2"))
    with LakeWriter(lake) as writer:
        assert writer.compact() == 1
    assert verify(lake).findings == []
    target = tmp_path / f"{name}.parquet"
    pl.DataFrame({"stranger": [1]}).write_parquet(tmp_path / "lake.parquet")
    assert export_parquet(LakeReader(lake).swaps(), target) == 2
    assert [one.signature for one in LakeReader(lake).read_swaps()] == [f"{name}1", f"{name}2"]
