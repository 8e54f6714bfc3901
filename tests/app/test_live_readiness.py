"""Whether a passed check of the way to the chain still counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.app.live_readiness import check_obstacle, store_check
from pumpswap.clock import NS_PER_SECOND
from pumpswap.settings import RunSettings, Settings
from pumpswap.storage.database import open_database
from tests.support.market import START_NS

HOUR = 3_600


@pytest.mark.parametrize(
    ("seconds_ago", "told"),
    [
        (0, ""),
        (HOUR, ""),
        (HOUR + 1, "more than 1 h ago"),
        (-60, ""),  # of a machine whose clock is a little ahead
        (-61, "is stamped later than now"),
        (-365 * 24 * HOUR, "is stamped later than now"),
    ],
)
def test_a_check_counts_for_so_long_and_not_before_it_was_made(tmp_path: Path, seconds_ago: int, told: str) -> None:
    settings = Settings(data_dir=tmp_path, run=RunSettings(live_check_hours=1))
    with open_database(settings.database_target) as database:
        run = database.start_run("live", START_NS, None, {})
        store_check(run, settings, START_NS - seconds_ago * NS_PER_SECOND)
        found = check_obstacle(run, settings, START_NS)
    assert (told in found) if told else found == ""
