"""Bodies of answers for parsers: a made-up one of each kind, and how to edit them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.gecko_world import GeckoWorld, dumped

WORLD = GeckoWorld(pool_count=6)


def pools(edit: Callable[[Any], None] = lambda told: None) -> bytes:
    """Three pools."""
    return edited(WORLD.pools([5, 4, 3]), edit)


def trades(edit: Callable[[Any], None] = lambda told: None) -> bytes:
    """Four trades of pool 2."""
    return edited(WORLD.trades(2, 4), edit)


def candles(edit: Callable[[Any], None] = lambda told: None) -> bytes:
    """Five one-minute candles of pool 2."""
    return edited(WORLD.candles(2, 60, None, 5), edit)


def pairs(edit: Callable[[Any], None] = lambda told: None) -> bytes:
    """Two pairs of DexScreener."""
    return edited({"schemaVersion": "1.0.0", "pairs": [WORLD.pair(5), WORLD.pair(4)]}, edit)


def edited(told: Any, edit: Callable[[Any], None]) -> bytes:
    edit(told)
    return dumped(told)
