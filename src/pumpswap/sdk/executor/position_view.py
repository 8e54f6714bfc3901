"""A position as the host's tables and classes name its columns, with the exact integers beside them."""

from __future__ import annotations

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND, iso_utc
from pumpswap.model import Mark, Position
from pumpswap.settings import ExitRules
from pumpswap.units import BPS, LAMPORTS_PER_SOL, from_units

__all__ = ["position_view"]


def position_view(
    position: Position, state: PoolState | None, mark: Mark | None = None, rules: ExitRules | None = None
) -> dict[str, object]:
    """Columns of ``pumpswap_positions`` and of the proof of concept's table; whole tokens need the pool's ``state``.

    ``current_value_sol`` is what a sale of all of it would bring now; None without a mark. The two exit prices are SOL
    per token, after the costs of selling.
    """
    decimals = None if state is None else state.base_decimals
    tokens = None if decimals is None else float(from_units(position.base_units, decimals))
    cost = position.cost_lamports
    entry = cost / LAMPORTS_PER_SOL / tokens if tokens else None
    value = None if mark is None or mark.obstacle else mark.value_lamports
    gain = None if value is None else value - cost
    percent = None if gain is None or not cost else gain * 100 / cost
    return {
        "mint_address": position.mint,
        "pool_id": f"solana_{position.pool}",
        "pair_address": position.pool,
        "token_amount": tokens,
        "average_buy_price": entry,
        "entry_price": entry,
        "total_sol_invested": cost / LAMPORTS_PER_SOL,
        "sol_invested": cost / LAMPORTS_PER_SOL,
        "current_value_sol": None if value is None else value / LAMPORTS_PER_SOL,
        "unrealized_pnl_sol": None if gain is None else gain / LAMPORTS_PER_SOL,
        "unrealized_pnl_percent": percent,
        "unrealized_pnl_percentage": percent,
        "realized_pnl_sol": position.realised_lamports / LAMPORTS_PER_SOL,
        "stop_loss_price": _bound(entry, 0 if rules is None else -rules.stop_loss_bps),
        "take_profit_price": _bound(entry, 0 if rules is None else rules.take_profit_bps),
        "entry_time": iso_utc(position.opened_ns),
        "first_buy_at": iso_utc(position.opened_ns),
        "first_buy_timestamp": position.opened_ns // NS_PER_SECOND,
        "last_trade_at": iso_utc(position.last_trade_ns),
        "last_trade_timestamp": position.last_trade_ns // NS_PER_SECOND,
        "trade_count": position.buys + position.sells,
        "is_active": position.is_open,
        "round": position.round,
        "base_units": position.base_units,
        "cost_lamports": cost,
        "value_lamports": value,
        "realised_lamports": position.realised_lamports,
        "obstacle": "" if mark is None else mark.obstacle,
    }


def _bound(entry: float | None, bps: int) -> float | None:
    return None if entry is None or not bps else entry * (BPS + bps) / BPS
