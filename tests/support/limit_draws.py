"""Random histories for an engine under test: limits that are reached, and operations as plain data."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import WSOL_MINT, pool_address, pool_authority
from tests.support.market import graduate

__all__ = ["POOLS", "ROOMY", "TOKENS", "Op", "draw_ops", "draw_settings", "opening_states"]

TOKENS, POOLS = 20, 30

# Limits that nothing reaches, for cases that make a few of them narrow.
ROOMY: dict[str, Any] = {
    "base_position_fraction": "0.05",
    "max_position_fraction": "1",
    "max_position_sol": "100",
    "min_position_sol": "0.001",
    "max_pool_share_bps": 10_000,
    "max_impact_bps": 10_000,
    "max_cost_bps": 10_000,
    "max_round_trip_loss_bps": 10_000,
    "slippage_bps": 300,
    "max_slippage_bps": 10_000,
    "max_token_sol": "100",
    "max_token_fraction": "1",
    "max_exposure_fraction": "1",
    "max_open_positions": 10_000,
    "native_reserve_sol": "0",
    "cost_allowance_sol": "0.01",
    "max_trades_per_minute": 1_000_000,
    "max_trades_per_hour": 1_000_000,
    "max_trades_per_day": 1_000_000,
    "cooldown_seconds": 0,
    "max_daily_loss_fraction": "1",
    "max_drawdown_fraction": "1",
    "max_losses_in_a_row": 1_000,
    "breaker_failures": 1_000,
    "min_liquidity_sol": "0",
    "liquidity_multiple": 1,
    "max_state_age_seconds": 10**6,
    "max_signal_age_seconds": 10**6,
    "allow_permissionless_pools": True,
}
CROWDED = 0.35  # of the episodes have few narrow limits, so that many orders are on their way at once


@dataclass(frozen=True)
class Op:
    """One thing that happens ``wait_ms`` after the one before. ``seed`` draws its details."""

    kind: str
    wait_ms: int
    pool: int
    seed: int


def opening_states() -> list[PoolState]:
    """A pool for each token; the first half of them have a second one, every other of those made by anybody."""
    found = [graduate(number) for number in range(1, TOKENS + 1)]
    for number in range(1, POOLS - TOKENS + 1):
        first = found[number - 1]
        maker = pool_authority(first.pool.base_mint) if number % 2 else first.pool.base_mint
        place = pool_address(1, maker, first.pool.base_mint, WSOL_MINT)
        account = graduate(number, index=1, creator=maker)
        found.append(PoolState(account.pool, place, account.base_reserve, account.quote_vault, account.base_supply))
    return found


KINDS = {
    "signal": 700, "burst": 40, "by hand": 40, "price": 60, "quiet": 40, "sale": 50, "pull": 12, "obstacle": 8,
    "stale": 15, "trading": 8, "resume": 30, "broken": 4, "lift": 40, "restart": 5, "panic": 2, "approve": 60,
}  # fmt: skip


def draw_ops(rng: random.Random, count: int) -> list[Op]:
    """``count`` operations, most of them signals; pauses from none to half a day."""
    kinds = rng.choices(list(KINDS), list(KINDS.values()), k=count)
    return [Op(kind, _wait_ms(rng), rng.randrange(POOLS), rng.getrandbits(32)) for kind in kinds]


def _wait_ms(rng: random.Random) -> int:
    long = rng.choice((400_000, 4_000_000, 43_000_000))
    return rng.choice((0, 0, 0, 50, 50, 300, 300, 1_000, 2_500, 7_000, 61_000, long))


def draw_settings(rng: random.Random) -> dict[str, Any]:
    """Limits that are reached, each in some of the episodes; in crowded ones only a few of them at once."""
    pick = rng.choice
    mints = [str(state.pool.base_mint) for state in opening_states()[:TOKENS]]
    risk: dict[str, Any] = {
        "base_position_fraction": pick(("0.01", "0.05", "0.5")),
        "kelly_fraction": pick(("0", "0.25", "1")),
        "max_position_fraction": pick(("0.02", "0.2", "1")),
        "max_position_sol": pick(("0.2", "1", "5")),
        "min_position_sol": pick(("0.001", "0.01", "0.1")),
        "max_pool_share_bps": pick((20, 200, 1_000)),
        "max_impact_bps": pick((10, 150, 800)),
        "max_round_trip_loss_bps": pick((250, 600, 2_000)),
        "slippage_bps": pick((0, 300, 2_000)),
        "max_slippage_bps": pick((2_000, 3_000)),
        "max_cost_bps": pick((200, 500, 2_000)),
        "max_token_sol": pick(("0.3", "2", "8")),
        "max_token_fraction": pick(("0.02", "0.1", "0.5")),
        "max_exposure_fraction": pick(("0.05", "0.3", "0.9")),
        "max_open_positions": pick((1, 3, 20, 20)),
        "native_reserve_sol": pick(("0.05", "0.05", "1", "9.5")),
        "cost_allowance_sol": pick(("0.005", "0.01", "0.1")),
        "max_trades_per_minute": pick((1, 4, 100, 100)),
        "max_trades_per_hour": pick((3, 20, 1_000, 1_000)),
        "max_trades_per_day": pick((10, 60, 10_000, 10_000)),
        "cooldown_seconds": pick((0, 60, 3_600)),
        "max_daily_loss_fraction": pick(("0.005", "0.05", "0.5", "0.5")),
        "max_drawdown_fraction": pick(("0.02", "0.1", "0.9", "0.9")),
        "max_losses_in_a_row": pick((1, 3, 100)),
        "losses_pause_seconds": pick((30, 3_600)),
        "breaker_failures": pick((2, 4, 50)),
        "breaker_seconds": pick((10, 300)),
        "breaker_successes": pick((1, 2)),
        "min_liquidity_sol": pick(("0", "0", "10", "84")),
        "liquidity_multiple": pick((1, 10, 60)),
        "max_state_age_seconds": pick((5, 60, 600)),
        "max_signal_age_seconds": pick((5, 60)),
        "allow_permissionless_pools": pick((True, False)),
        "require_screen": pick((True, False, False, False, False)),
        "deny_tokens": tuple(rng.sample(mints, pick((0, 0, 3)))),
        "allow_tokens": tuple(rng.sample(mints, pick((0, 0, 0, 12)))),
    }
    if rng.random() < CROWDED:
        risk = ROOMY | {name: risk[name] for name in rng.sample(sorted(risk), 6)}
        risk["max_slippage_bps"] = 3_000  # at least the slippage, whatever was drawn
    exits = {
        "take_profit_bps": pick((500, 3_000)),
        "stop_loss_bps": pick((300, 2_000)),
        "trailing_stop_bps": pick((0, 1_000)),
        "max_hold_seconds": pick((0, 120, 40_000)),
        "short_signal_bps": pick((0, 4_000, 10_000)),
        "slippage_bps": pick((300, 1_000)),
    }
    return {"risk": risk, "exits": exits, "paper": {"latency_ms": 0}, "signals": {"min_score": 60.0}}
