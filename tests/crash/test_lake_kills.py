"""A lake whose writers are killed; the long check does it a hundred times."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from pumpswap.market.lake import Lake
from tests.crash.lake_kills import BrokenLake, _check, kill_writers


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    found = kill_writers(tmp_path, 4, Random(1))
    assert found.kills == 4
    assert found.acknowledged > 0
    # The judge can say no: of a file that is gone, and of rows that were never written.
    found.acknowledged += 1_000
    with pytest.raises(BrokenLake, match="is lost"):
        _check(Lake(tmp_path), found)
    path = tmp_path / Lake(tmp_path).files("swaps")[0].path
    path.unlink()
    with pytest.raises(BrokenLake, match="missing"):
        _check(Lake(tmp_path), found)
