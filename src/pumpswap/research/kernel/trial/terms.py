"""The rows of a trial's books, and a trial's settings as one of them: whole numbers, each at its named place.

Books are rows of i64: the terms, the money, then a row for each pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.execution.costs import LAMPORTS_PER_SIGNATURE, priority_fee, rents_at
from pumpswap.execution.paper import V2_SINCE
from pumpswap.risk.caps import Caps, Share
from pumpswap.settings import Settings
from pumpswap.units import I64_MAX

__all__ = ["FIRST", "MONEY", "TERMS", "WIDTH", "terms_row"]

TERMS, MONEY, FIRST, WIDTH = 0, 1, 2, 64

TERM_NAMES = (
    "window_ns", "burst_bps", "turn_bps", "min_buyers", "since_ns", "start_ns", "until_ns", "start_lamports",
    "period_ns", "is_naive", "base_part", "base_whole", "fraction_part", "fraction_whole", "max_position",
    "min_position", "native_reserve", "cost_allowance", "max_token", "token_part", "token_whole", "exposure_part",
    "exposure_whole", "pool_share_bps", "max_impact_bps", "max_cost_bps", "max_loss_bps", "slippage_bps",
    "min_liquidity", "max_open", "per_minute", "per_hour", "per_day", "cooldown_ns", "daily_part", "daily_whole",
    "drawdown_part", "drawdown_whole", "max_losses", "losses_pause_ns", "breaker_failures", "max_state_age_ns",
    "max_signal_age_ns", "take_profit_bps", "stop_loss_bps", "trailing_bps", "trailing_after_bps", "max_hold_seconds",
    "flight_bps", "rug_bps", "new_supply", "exit_slippage_bps", "retry_seconds", "slippage_step_bps",
    "max_slippage_bps", "tip", "priority", "network_fee", "v2_since", "lower_rent_since",
)  # fmt: skip
(WINDOW_NS, BURST_BPS, TURN_BPS, MIN_BUYERS, SINCE_NS, START_NS, UNTIL_NS, START_LAMPORTS, PERIOD_NS, IS_NAIVE,
 BASE_PART, BASE_WHOLE, FRACTION_PART, FRACTION_WHOLE, MAX_POSITION, MIN_POSITION, NATIVE_RESERVE, COST_ALLOWANCE,
 MAX_TOKEN, TOKEN_PART, TOKEN_WHOLE, EXPOSURE_PART, EXPOSURE_WHOLE, POOL_SHARE_BPS, MAX_IMPACT_BPS, MAX_COST_BPS,
 MAX_LOSS_BPS, SLIPPAGE_BPS, MIN_LIQUIDITY, MAX_OPEN, PER_MINUTE, PER_HOUR, PER_DAY, COOLDOWN_NS, DAILY_PART,
 DAILY_WHOLE, DRAWDOWN_PART, DRAWDOWN_WHOLE, MAX_LOSSES, LOSSES_PAUSE_NS, BREAKER_FAILURES, MAX_STATE_AGE_NS,
 MAX_SIGNAL_AGE_NS, TAKE_PROFIT_BPS, STOP_LOSS_BPS, TRAILING_BPS, TRAILING_AFTER_BPS, MAX_HOLD_SECONDS, FLIGHT_BPS,
 RUG_BPS, NEW_SUPPLY, EXIT_SLIPPAGE_BPS, RETRY_SECONDS, SLIPPAGE_STEP_BPS, MAX_SLIPPAGE_BPS, TIP, PRIORITY,
 NETWORK_FEE, V2_SINCE_S, LOWER_RENT_SINCE) = range(len(TERM_NAMES))  # fmt: skip

# The money row. ``BALANCE`` to ``EQUITY`` are what the gate sees of one wish.
(CASH, RENT, MARKED, CLOCK, NEXT_EQUITY, BALANCE, EXPOSURE, TOKEN_EXPOSURE, EQUITY, DAY, DAY_START, DAY_IS_LOST, PEAK,
 IS_DRAWN_DOWN, LOSSES, LOSSES_UNTIL, FAILURES, HAS_ACCUMULATOR, ENTRIES, ORDERS, SUBMITTED, HELD, COSTS_HELD, FILLS,
 POINTS, PRIORITY_DRAWS, FAIL_DRAWS, STAMP) = range(28)  # fmt: skip

# The row of a pool. ``WATCH``: 0 untouched, else bits. ``SINCE``: the step from which on it differs from the record.
(WATCH, UNITS, COST, OPENED_NS, MARK, IS_BLOCKED_MARK, WANTED, SALE_FAILURES, REFUSALS, RETRY_NS, IS_BLOCKED,
 ENTRY_QUOTE, ENTRY_SUPPLY, PRODUCT_HIGH, PRODUCT_LOW, PEAK_VALUE, HAS_PEAK, CLOSED_NS, WISHED_NS, SINCE, NET, TAIL,
 HEAD, LAST, ROUND_BOUGHT) = range(25)  # fmt: skip
IS_HELD, IS_DIVERGED, IS_PUT = 1, 2, 4

MINT_TOKENS, MINT_RENT = 0, 1


def terms_row(settings: Settings, strategy: Mapping[str, int], run: Mapping[str, int]) -> NDArray[np.int64]:
    """The terms of a trial. ``strategy`` are the arguments of Momentum; ``run`` names ``since_ns``, ``start_ns``,
    ``until_ns``, ``start_lamports``, ``period_seconds`` and ``is_naive``. Raises UsageError for what has no room in 63
    bits.
    """
    risk, exits, paper, caps = settings.risk, settings.exits, settings.paper, Caps.of(settings.risk)
    told: dict[str, Any] = {
        "window_ns": strategy["window_seconds"] * NS_PER_SECOND,
        **{name: strategy[name] for name in ("burst_bps", "turn_bps", "min_buyers")},
        **{name: run[name] for name in ("since_ns", "start_ns", "until_ns", "start_lamports", "is_naive")},
        "period_ns": run["period_seconds"] * NS_PER_SECOND,
        **_share("base", caps.base_fraction),
        **_share("fraction", caps.max_fraction),
        **_share("token", caps.token_fraction),
        **_share("exposure", caps.exposure_fraction),
        **_share("daily", caps.daily_loss),
        **_share("drawdown", caps.drawdown),
        "max_loss_bps": risk.max_round_trip_loss_bps,
        "max_open": risk.max_open_positions,
        "per_minute": risk.max_trades_per_minute,
        "per_hour": risk.max_trades_per_hour,
        "per_day": risk.max_trades_per_day,
        "max_losses": risk.max_losses_in_a_row,
        "losses_pause_ns": risk.losses_pause_seconds * NS_PER_SECOND,
        "trailing_bps": exits.trailing_stop_bps,
        "flight_bps": exits.liquidity_flight_bps,
        "new_supply": int(exits.sell_on_new_supply),
        "exit_slippage_bps": exits.slippage_bps,
        "max_slippage_bps": exits.max_slippage_bps,
        "tip": paper.tip_lamports,
        "priority": priority_fee(paper),
        "network_fee": LAMPORTS_PER_SIGNATURE,
        "v2_since": V2_SINCE,
        "lower_rent_since": _rent_change(),
    }
    for name in ("max_position", "min_position", "native_reserve", "cost_allowance", "max_token", "min_liquidity",
                 "pool_share_bps", "cooldown_ns", "max_state_age_ns", "max_signal_age_ns"):  # fmt: skip
        told[name] = getattr(caps, name)
    for name in ("max_impact_bps", "max_cost_bps", "slippage_bps", "breaker_failures"):
        told[name] = getattr(risk, name)
    for name in ("take_profit_bps", "stop_loss_bps", "trailing_after_bps", "max_hold_seconds", "rug_bps",
                 "retry_seconds", "slippage_step_bps"):  # fmt: skip
        told[name] = getattr(exits, name)
    row = np.zeros(WIDTH, np.int64)
    for place, name in enumerate(TERM_NAMES):
        value = int(told[name])
        if not -I64_MAX <= value <= I64_MAX:
            raise UsageError(f"{name} of {value}", hint="the kernel computes with 63 bits: use the engine")
        row[place] = value
    return row


def _share(name: str, share: Share) -> dict[str, int]:
    return {f"{name}_part": share.numerator, f"{name}_whole": share.denominator}


@cache
def _rent_change() -> int:
    """The second from which the lower rents count: where ``rents_at`` changes."""
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if rents_at(middle) == rents_at(0) else (low, middle)
    return high
