"""The real QLib reads what we wrote. Here only where its environment is made already; make acceptance makes it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.research.qlib.readback import compare_with_qlib
from tests.research.qlib.synthetic import synthetic_source
from tests.research.qlib.world import ListSource, export, row
from tests.support.real_qlib import qlib_python

pytestmark = pytest.mark.skipif(
    qlib_python() is None, reason="QLib is not installed here (sh scripts/bootstrap.sh qlib, or make acceptance)"
)


def test_qlib_returns_every_value_and_nan_at_every_hole(tmp_path: Path) -> None:
    source = synthetic_source(random.Random(5), pools=12, hours=60)
    export(source, tmp_path / "d")
    compared = compare_with_qlib(tmp_path / "d", "60min")
    assert compared.failures == []
    assert compared.values > 1_000 and compared.holes > 100


def test_qlib_reads_an_updated_dataset_of_days(tmp_path: Path) -> None:
    rows = [row("2025-10-03 10:30", "1", wish="DOG_SOLANA"), row("2025-10-06 12:30", "2", wish="DOG_SOLANA")]
    export(ListSource(rows[:1]), tmp_path / "d", freq="day")
    export(
        ListSource([*rows, row("2025-10-05 01:00", wish="DOG_SOLANA", pool="solana_Bb")]),
        tmp_path / "d",
        "update",
        freq="day",
    )
    compared = compare_with_qlib(tmp_path / "d", "day")
    assert compared.failures == []
    assert compared.instruments == {
        "DOG_SOLANA": [["2025-10-03 00:00:00", "2025-10-06 00:00:00"]],
        "DOG_SOLANA_BB": [["2025-10-05 00:00:00", "2025-10-05 00:00:00"]],
    }
