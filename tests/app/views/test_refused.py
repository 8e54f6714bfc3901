"""Refused buys of a page: the newest ones, each with all of its sales, and since when they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pumpswap.app.books import Books
from pumpswap.app.views import refused
from pumpswap.app.views.sight import Sight
from pumpswap.clock import ManualClock
from pumpswap.model import WhatIf
from pumpswap.settings import Settings
from pumpswap.storage import open_database
from tests.storage import samples


def test_of_many_refusals_the_newest_count_each_with_all_its_sales(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", samples.NS)
        for number in (1, 2, 3):
            at_ns = samples.NS + number
            run.save_decision(samples.decision(number, accepted=False))
            first = WhatIf(f"d{number:06d}", f"P{number}", "M", "signal", at_ns, 300, at_ns + 300, 10, 7, at_ns, 12)
            for seconds in (300, 3_600):
                run.what_ifs.save(replace(first, horizon_seconds=seconds))
        sight = Sight(Books(database, run, run.header()), Settings(), ManualClock(samples.NS + 10))
        whole = refused.refused_buys(sight)
        assert [row.followed for row in whole.rows if not row.rule] == [3, 3]
        monkeypatch.setattr(refused, "_MOST", 5)
        newest = refused.refused_buys(sight)
        assert [row.followed for row in newest.rows if not row.rule] == [2, 2]
        assert newest.since_ns == samples.NS + 2
