"""Every page can be reached: from the navigation of the site, and from its first page."""

from __future__ import annotations

import re

import pytest

from tests.support.material import ROOT

PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md") if path.name != "index.md")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_in_the_navigation_and_on_the_first_page(page: str) -> None:
    assert re.search(rf"^  - .*: {re.escape(page)}$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"]({page})" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
