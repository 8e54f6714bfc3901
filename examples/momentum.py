"""Momentum on swaps, over three markets: `python examples/momentum.py`. Invented markets, and invented luck."""

from __future__ import annotations

from pumpswap import format_units
from pumpswap.engine.strategies import Momentum
from pumpswap.engine.trial import try_strategies
from pumpswap.settings import Settings

SETTINGS = Settings.model_validate(
    {"risk": {"base_position_fraction": "0.02"}, "exits": {"stop_loss_bps": 1_500, "max_hold_seconds": 600}}
)


def main() -> None:
    """What a burst of buying was worth after all costs, market by market."""
    total = 0
    for seed in (1, 2, 3):
        summary = try_strategies([Momentum(burst_bps=400, min_buyers=6)], SETTINGS, seed=seed).summary
        won = sum(position.realised_lamports > 0 for position in summary.closed)
        total += summary.equity_change_lamports
        change = format_units(summary.equity_change_lamports, 9)
        print(f"market {seed}: {summary.fills} fills, {won} of {len(summary.closed)} rounds won, {change} SOL")
    print(f"together {format_units(total, 9)} SOL: of crowds that are invented, which proves nothing about real ones")


if __name__ == "__main__":
    main()
