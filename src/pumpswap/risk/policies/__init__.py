"""Policies: each answers one question with its numbers, and until when a refusal lasts. All are asked, every time.

A refusal carries every policy that failed. Sales are asked none of the limits of entries.
"""

from __future__ import annotations

from pumpswap.risk.policies.candidate import BookView, Candidate, Policy
from pumpswap.risk.policies.money import balance, concentration, exposure, native_reserve, per_token, size
from pumpswap.risk.policies.pool import freshness, impact, liquidity, price, slippage, venue, way_out
from pumpswap.risk.policies.reason import (
    TRADED,
    cooldown,
    declined,
    one_position,
    open_order,
    open_positions,
    signal,
    signal_age,
)
from pumpswap.risk.policies.sale import holding, known, sellable
from pumpswap.risk.policies.token import books, screen, token_lists
from pumpswap.risk.policies.trading import (
    circuit_breaker,
    daily_loss,
    drawdown,
    loss_streak,
    mode,
    trade_rate,
    trading_state,
    trading_state_of_sale,
)

__all__ = ["BUY_POLICIES", "SELL_POLICIES", "TRADED", "BookView", "Candidate", "Policy"]

BUY_POLICIES: tuple[Policy, ...] = (
    trading_state, mode, circuit_breaker, daily_loss, drawdown, loss_streak, trade_rate,
    signal, signal_age, one_position, open_order, cooldown, declined, open_positions,
    token_lists, screen, books,
    venue, freshness, liquidity,
    size, balance, native_reserve, per_token, concentration, exposure,
    impact, price, slippage, way_out,
)  # fmt: skip
SELL_POLICIES: tuple[Policy, ...] = (trading_state_of_sale, mode, known, freshness, open_order, holding, sellable)
