"""The page about filling the lake is true: its Python runs against a server on loopback, its commands exist."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from pumpswap.clock import NS_PER_SECOND, SystemClock
from tests.cli.running import run
from tests.support.gecko_server import GeckoServer
from tests.support.gecko_world import GeckoWorld
from tests.support.material import ROOT

TEXT = (ROOT / "docs" / "data-commands.md").read_text(encoding="utf-8")


def test_the_python_runs(tmp_path: Path) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    world: dict[str, Any] = {}
    exec(snippet, world)
    now = SystemClock().now_ns() // NS_PER_SECOND
    with GeckoServer(GeckoWorld(pool_count=1, at_seconds=now, traded_seconds=2 * 86_400)) as server:
        held = asyncio.run(world["fill"](server.world.pool_address(0), server.settings(), tmp_path))
    assert 40 <= held <= 48


@pytest.mark.parametrize("name", ["download", "backfill", "record"])
def test_every_option_that_the_page_names_exists(name: str) -> None:
    section = TEXT.split(f"## `data {name}`")[1].split("\n## ")[0]
    page = run("data", name, "--help").stdout
    named = re.findall(r"`(--[a-z-]+)", section)
    assert all(option in page for option in named), named
