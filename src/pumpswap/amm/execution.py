"""What an instruction does to a pool: order of checks, limits, new state, token transfers (PROTOCOL 4.9 and 6).

This is the program as arithmetic. The paper venue fills through it, so a paper fill is refused for the same reason
and with the same code as a live one.
"""

from __future__ import annotations

from pumpswap.amm.codec import Record
from pumpswap.amm.fees import FeeSchedule
from pumpswap.amm.liquidity import deposit_lp, withdraw_lp
from pumpswap.amm.program_errors import refusal
from pumpswap.amm.quote import BuyQuote, Quote, SellQuote
from pumpswap.amm.quotes import buy_exact_base, buy_exact_quote, sell_exact_base
from pumpswap.amm.state import PoolState
from pumpswap.errors import TradeRefused

__all__ = [
    "Execution",
    "Transfers",
    "execute_buy",
    "execute_buy_exact_quote_in",
    "execute_deposit",
    "execute_sell",
    "execute_withdraw",
    "preferred_generation",
    "transfers_of",
]


class Transfers(Record, frozen=True):
    """Token units a trade moves, by where they go. ``to_pool`` is what arrives in the quote vault of a buy."""

    user_base_change: int
    user_quote_change: int
    to_pool: int
    protocol_recipient: int
    creator_vault: int
    user_cashback: int
    buyback: int


class Execution(Record, frozen=True):
    """An accepted trade."""

    state: PoolState
    quote: Quote
    transfers: Transfers


def preferred_generation(state: PoolState) -> int:
    """Instruction generation to use (PROTOCOL 3.1): v2 since 2026-10-02, v1 for cashback coins."""
    return 1 if state.pool.is_cashback_coin else 2


def execute_buy(
    state: PoolState, schedule: FeeSchedule, base_amount_out: int, max_quote_amount_in: int, *, generation: int
) -> Execution:
    """``buy`` / ``buy_v2``. Raises TradeRefused with the code the program answers, checked in the program's order."""
    _check_open(state, schedule, generation, is_buy=True)
    if base_amount_out <= 0:
        raise refusal(6001, "a buy of nothing")
    if max_quote_amount_in <= 0:
        raise refusal(6002, "a buy that may cost nothing")
    quote = buy_exact_base(state, schedule, base_amount_out)
    if quote.total_quote > max_quote_amount_in:
        raise refusal(6004, f"the buy costs {quote.total_quote}, the limit is {max_quote_amount_in}")
    return _executed(state, quote, generation)


def execute_buy_exact_quote_in(
    state: PoolState, schedule: FeeSchedule, spendable_quote_in: int, min_base_amount_out: int, *, generation: int
) -> Execution:
    """``buy_exact_quote_in`` / ``buy_exact_quote_in_v2``."""
    _check_open(state, schedule, generation, is_buy=True)
    if min_base_amount_out <= 0:
        raise refusal(6001, "a least base of nothing")
    quote = buy_exact_quote(state, schedule, spendable_quote_in)
    if quote.base_out < min_base_amount_out:
        raise refusal(6040, f"the budget buys {quote.base_out}, the limit is {min_base_amount_out}")
    return _executed(state, quote, generation)


def execute_sell(
    state: PoolState, schedule: FeeSchedule, base_amount_in: int, min_quote_amount_out: int, *, generation: int
) -> Execution:
    """``sell`` / ``sell_v2``. Like the program, v1 sells dust for nothing when the limit is 0; v2 does not."""
    _check_open(state, schedule, generation, is_buy=False)
    quote = sell_exact_base(state, schedule, base_amount_in)
    if quote.user_quote_out < min_quote_amount_out:
        raise refusal(6004, f"the sale pays {quote.user_quote_out}, the limit is {min_quote_amount_out}")
    if generation == 2 and quote.user_quote_out == 0:
        raise TradeRefused("the sale pays nothing", code=None, name="ZeroOutput", hint="sell more at once")
    return _executed(state, quote, generation)


def execute_deposit(state: PoolState, lp_token_amount_out: int, max_base: int, max_quote: int) -> PoolState:
    """``deposit``. Raises TradeRefused 6004 when a side costs more than its limit, 6064 on boosted pools."""
    quote = deposit_lp(state, lp_token_amount_out)
    if quote.base_in > max_base or quote.quote_in > max_quote:
        raise refusal(6004, f"the deposit costs {quote.base_in} base and {quote.quote_in} quote")
    return state.after_liquidity(base_change=quote.base_in, quote_change=quote.quote_in, lp_change=quote.lp_out)


def execute_withdraw(state: PoolState, lp_token_amount_in: int, min_base: int, min_quote: int) -> PoolState:
    """``withdraw``. Raises TradeRefused 6004 when a side pays less than its limit, 6064 on boosted pools."""
    quote = withdraw_lp(state, lp_token_amount_in)
    if quote.base_out < min_base or quote.quote_out < min_quote:
        raise refusal(6004, f"the withdrawal pays {quote.base_out} base and {quote.quote_out} quote")
    return state.after_liquidity(base_change=-quote.base_out, quote_change=-quote.quote_out, lp_change=-quote.lp_in)


def transfers_of(quote: Quote, generation: int) -> Transfers:
    """Where the tokens of an executed quote go."""
    protocol = quote.protocol_fee - quote.buyback_fee
    paid_out = (protocol, quote.creator_fee, quote.cashback) if generation == 1 else (0, 0, 0)
    if isinstance(quote, SellQuote):
        return Transfers(-quote.base_in, quote.user_quote_out, 0, *paid_out, quote.buyback_fee)
    kept = 0 if generation == 1 else protocol + quote.creator_fee
    to_pool = quote.gross_quote + quote.lp_fee + kept
    return Transfers(quote.base_out, -quote.total_quote, to_pool, *paid_out, quote.buyback_fee)


def _check_open(state: PoolState, schedule: FeeSchedule, generation: int, *, is_buy: bool) -> None:
    if is_buy and schedule.global_config.buys_disabled:
        raise refusal(6020, "buys are disabled")
    if not is_buy and schedule.global_config.sells_disabled:
        raise refusal(6021, "sells are disabled")
    schedule.require_tiers(state)
    if generation == 2 and state.pool.is_cashback_coin:
        raise refusal(6079, "cashback coins trade through the v1 instructions only")


def _executed(state: PoolState, quote: BuyQuote | SellQuote, generation: int) -> Execution:
    return Execution(state.after(quote, generation), quote, transfers_of(quote, generation))
