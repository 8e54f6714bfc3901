"""``pumpswap backtest``: strategies in recorded markets that feel their trades."""

from __future__ import annotations

from pumpswap.cli.lazy import Entry, LazyGroup

__all__ = ["backtest"]

backtest = LazyGroup(
    "backtest",
    entries={
        "lookahead": Entry("pumpswap.cli.backtest_lookahead:lookahead", "does a strategy look into the future?"),
    },
    help="Try a strategy out on recorded markets: exact fills, and a market that feels our own trades.",
)
