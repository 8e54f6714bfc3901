"""P22: a web API that disappears must not matter to anything that trades."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pumpswap

ROOT = Path(pumpswap.__file__).parent
TRADES = ("amm", "chain", "engine", "execution", "portfolio", "risk", "sdk", "signals", "wallet")
SOURCES = ("pumpswap.market.gecko", "pumpswap.market.dexscreener", "pumpswap.market.source", "pumpswap.market.http_")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


def test_p22_no_room_that_trades_knows_a_market_data_service() -> None:
    knowing = {
        f"{path.relative_to(ROOT)}: {name}"
        for room in TRADES
        for path in (ROOT / room).rglob("*.py")
        for name in imported(path)
        if name.startswith(SOURCES)
    }
    assert knowing == set()


def test_p22_and_of_the_market_only_what_collects_does() -> None:
    knowing = {
        path.stem for path in (ROOT / "market").glob("*.py") for name in imported(path) if name.startswith(SOURCES)
    }
    assert {"dexscreener", "source_agreement"} <= knowing
    feeds = {"chain_feed", "live_pools", "discovery", "new_pools", "new_pool_feed", "sequencer", "simulator"}
    assert not knowing & feeds
