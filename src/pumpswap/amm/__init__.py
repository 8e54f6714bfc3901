"""PumpSwap itself, pure and exact: accounts, fees, quotes, state transitions, instructions, events.

No clock, no network, no environment. Amounts are integers of raw units; refusals are ``pumpswap.errors.TradeRefused``
with the program's own code. Section numbers in docstrings refer to ``docs/protocol.md``.
"""

from pumpswap.amm.accounts import (
    BondingCurve,
    GlobalConfig,
    GlobalVolumeAccumulator,
    Mint,
    SharingConfig,
    TokenAccount,
    UserVolumeAccumulator,
)
from pumpswap.amm.events.decode import decode_event
from pumpswap.amm.execution import (
    Execution,
    Transfers,
    execute_buy,
    execute_buy_exact_quote_in,
    execute_deposit,
    execute_sell,
    execute_withdraw,
    preferred_generation,
    transfers_of,
)
from pumpswap.amm.fees import FeeConfig, Fees, FeeSchedule, FeeTier
from pumpswap.amm.instructions.sequences import Existing, swap_sequence
from pumpswap.amm.instructions.swap import swap_instruction
from pumpswap.amm.liquidity import deposit_lp, initial_liquidity, withdraw_lp
from pumpswap.amm.multi_hop import RouteQuote, check_route, quote_route
from pumpswap.amm.pool import FeeFamily, Pool
from pumpswap.amm.program_errors import explain, failure_from_logs
from pumpswap.amm.quote import BuyQuote, Quote, SellQuote
from pumpswap.amm.quotes import buy_exact_base, buy_exact_quote, sell_exact_base, sell_exact_quote
from pumpswap.amm.schedules import current_schedule, schedule_at
from pumpswap.amm.state import PoolState

__all__ = [
    "BondingCurve",
    "BuyQuote",
    "Execution",
    "Existing",
    "FeeConfig",
    "FeeFamily",
    "FeeSchedule",
    "FeeTier",
    "Fees",
    "GlobalConfig",
    "GlobalVolumeAccumulator",
    "Mint",
    "Pool",
    "PoolState",
    "Quote",
    "RouteQuote",
    "SellQuote",
    "SharingConfig",
    "TokenAccount",
    "Transfers",
    "UserVolumeAccumulator",
    "buy_exact_base",
    "buy_exact_quote",
    "check_route",
    "current_schedule",
    "decode_event",
    "deposit_lp",
    "execute_buy",
    "execute_buy_exact_quote_in",
    "execute_deposit",
    "execute_sell",
    "execute_withdraw",
    "explain",
    "failure_from_logs",
    "initial_liquidity",
    "preferred_generation",
    "quote_route",
    "schedule_at",
    "sell_exact_base",
    "sell_exact_quote",
    "swap_instruction",
    "swap_sequence",
    "transfers_of",
    "withdraw_lp",
]
