"""A paper run that is killed again and again goes on with its books, its locks and its exits."""

from __future__ import annotations

from pathlib import Path

from tests.crash.paper_kills import run_paper_kills


def test_a_paper_run_survives_kill_9_at_any_moment(tmp_path: Path) -> None:
    found = run_paper_kills(tmp_path / "books.sqlite", seed=1, kills=4)
    assert found.kills == 4
    assert found.trades > 10
    assert found.outcomes["Filled"] == found.trades
