"""The page about the tests knows every long check."""

from __future__ import annotations

import re

from tests.acceptance.checks import CHECKS
from tests.support.material import ROOT


def test_the_long_checks_of_the_page_are_those_that_run() -> None:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    table = text.split("\n## The long checks\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([\w.-]+)` \|", table, re.MULTILINE) == [check.name for check in CHECKS]


def test_the_paths_of_the_page_are_there() -> None:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    folder = ""
    for path in re.findall(r"`((?:tests/)?[\w/]*(?:test_)[\w*]*\.py|tests/[\w/]+)`", text):
        folder = path.rpartition("/")[0] if path.startswith("tests/") else folder
        assert list(ROOT.glob(path if path.startswith("tests/") else f"{folder}/{path}")), path
