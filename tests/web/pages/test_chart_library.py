"""The chart library: one file with its version in its address, which a browser keeps; pages only refer to it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.web.serving import POOL, books_in, served


def test_a_page_refers_to_a_library_that_is_kept_for_good(tmp_path: Path) -> None:
    with served(books_in(tmp_path)) as client:
        for path in ("/", f"/pools/{POOL}"):
            page = client.get(path).text
            (address,) = re.findall(r'<script src="(/static/plotly[^"]*)" defer>', page)
            assert len(page) < 400_000
        answer = client.get(address)
        assert answer.status_code == 200 and "javascript" in answer.headers["content-type"]
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.content[:4] == b"/**\n"


def test_whoever_asks_again_is_not_sent_it_again(tmp_path: Path) -> None:
    with served(books_in(tmp_path)) as client:
        first = client.get("/static/plotly.min.js")
        assert first.headers["cache-control"] == "no-cache"
        again = client.get("/static/plotly.min.js", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
