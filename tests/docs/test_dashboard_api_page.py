"""docs/dashboard-api.md names every route, every action and every limit as they are."""

from __future__ import annotations

import re
from pathlib import Path

from pumpswap.settings import Settings
from pumpswap.web.actions import ACKNOWLEDGE, ACTIONS
from pumpswap.web.live.hub import MOST_VIEWERS
from pumpswap.web.security.gate import LARGEST_BODY, LARGEST_QUERY
from tests.support.material import ROOT
from tests.web.serving import served

PAGE = (ROOT / "docs" / "dashboard-api.md").read_text(encoding="utf-8")


def test_every_route_is_in_the_table_and_no_other(tmp_path: Path) -> None:
    rows = [line.split("|")[1] for line in PAGE.split("## REST API")[1].splitlines() if line.startswith("| `")]
    named = {re.sub(r"/[A-Z]+$", "", name) for row in rows for name in re.findall(r"`([^`]+)`", row)}
    with served(Settings(data_dir=tmp_path)) as client:
        paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert named == {re.sub(r"/\{.*$", "", path.removeprefix("/api/v1/")) for path in paths}


def test_actions_and_limits_are_named() -> None:
    for name in (*ACTIONS, ACKNOWLEDGE):
        assert f"`{name}`" in PAGE
    assert (
        f"{LARGEST_BODY // 1024} KiB of a body, {LARGEST_QUERY // 1024} KiB of a query, {MOST_VIEWERS} viewers" in PAGE
    )
