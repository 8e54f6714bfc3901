"""Long checks that have held are taken over for the same sources, and for no others."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.check import Findings
from tests.acceptance.held import Held


def test_what_has_held_is_found_again_for_the_same_sources_only(tmp_path: Path) -> None:
    found = Findings({"kills": 100, "share": 0.5}, ["kills 100"], [], ["after every kill"])
    Held(tmp_path, "a").keep("crashes", found, 7)
    assert Held(tmp_path, "a").found("crashes") == (found, 7)
    assert Held(tmp_path, "a").found("limits") is None
    assert Held(tmp_path, "b").found("crashes") is None


def test_sources_that_are_not_committed_keep_nothing(tmp_path: Path) -> None:
    held = Held(tmp_path, "")
    held.keep("crashes", Findings({}), 7)
    assert held.found("crashes") is None
    assert [*tmp_path.iterdir()] == []
