from __future__ import annotations

import struct
from pathlib import Path

import pytest

from pumpswap.errors import NotFound
from pumpswap.research.qlib.health import check_health
from tests.research.qlib.world import ListSource, export, row


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    rows = [
        row("2025-10-03 10:30", "1"),
        row("2025-10-03 11:30", "1.5"),
        row("2025-10-03 13:30", "2.5", volume="3000"),
        row("2025-10-03 11:30", "4", pool="solana_Bb"),
    ]
    export(ListSource(rows), tmp_path / "d")
    return tmp_path / "d"


def test_holes_and_jumps_are_counted_and_are_no_fault(dataset: Path) -> None:
    health = check_health(dataset, "60min")
    aa, bb = health.symbols
    assert (aa.bars, aa.missing, aa.price_jumps, aa.volume_jumps) == (4, 1, 1, 1)
    assert (bb.bars, bb.missing, bb.price_jumps, bb.volume_jumps) == (1, 0, 0, 0)
    assert health.is_sound and health.calendar == 4
    assert check_health(dataset, "60min", price_threshold=0.4, volume_threshold=5).symbols[0].price_jumps == 2


def test_a_file_that_goes_past_the_calendar_is_a_fault(dataset: Path) -> None:
    path = dataset / "features/solana_bb/close.60min.bin"
    path.write_bytes(path.read_bytes() + path.read_bytes()[4:] * 5)
    health = check_health(dataset, "60min")
    assert not health.is_sound
    assert health.symbols[1].faults == (
        "close goes on after the end of the calendar",
        "its files differ in start or length",
    )


def test_cut_files_missing_files_and_strangers_are_faults(dataset: Path) -> None:
    path = dataset / "features/solana_aa/fdv.60min.bin"
    path.write_bytes(path.read_bytes()[:-1])
    (dataset / "features/solana_aa/volume.60min.bin").unlink()
    (dataset / "features/solana_cc").mkdir()
    health = check_health(dataset, "60min")
    assert health.symbols[0].faults == ("no volume", f"{path} is cut off")
    assert health.faults == ("1 folders of features belong to no instrument, for example solana_cc",)


@pytest.mark.parametrize("start", ["inf", "nan", "-1", "0.5"])
def test_a_file_that_begins_with_no_index_is_a_fault(dataset: Path, start: str) -> None:
    path = dataset / "features/solana_aa/close.60min.bin"
    path.write_bytes(struct.pack("<f", float(start)) + path.read_bytes()[4:])
    assert check_health(dataset, "60min").symbols[0].faults[-1].endswith("does not begin with an index")


def test_raw_collection_times_show_in_the_calendar(dataset: Path) -> None:
    (dataset / "calendars/60min.txt").write_text(
        "2025-10-03 10:30:00\n2025-10-03 11:30:00\n2025-10-03 11:42:10\n2025-10-03 13:30:00\n"
    )
    health = check_health(dataset, "60min")
    assert (health.irregular, health.is_sound) == (2, False)
    assert "listed from 2025-10-03 10:00:00" in health.symbols[0].faults[0]


def test_a_folder_without_this_frequency(dataset: Path) -> None:
    with pytest.raises(NotFound, match="no calendar of day"):
        check_health(dataset, "day")
