"""The event that the program would report of a trade: for markets that are not the chain (PROTOCOL 5.2)."""

from __future__ import annotations

from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm.acts import BuyBase, BuyQuote, HopBuy, HopSell, Sell
from pumpswap.amm.codec import ZERO_KEY, Record
from pumpswap.amm.events.trades import BuyEvent, SellEvent
from pumpswap.amm.quote import BuyQuote as BoughtQuote
from pumpswap.amm.quote import Quote
from pumpswap.amm.quote import SellQuote as SoldQuote
from pumpswap.amm.state import PoolState
from pumpswap.errors import UsageError

__all__ = ["NOBODY", "SeenTrader", "TradeAct", "event_of"]

TradeAct = BuyBase | BuyQuote | Sell | HopBuy | HopSell

# The recipient of first-generation fees in made events: any key but zero, which says second generation.
NOBODY = Pubkey.from_bytes(b"\x01" * 32)


class SeenTrader(Record, frozen=True):
    """Who trades, and the base units that they held before."""

    user: Pubkey
    base_units: int = 0


def event_of(
    state: PoolState, quote: Quote, act: TradeAct, trader: SeenTrader, timestamp: int, buyback_bps: int = 0
) -> BuyEvent | SellEvent:
    """What the program reports when ``act`` executes with ``quote`` on ``state``; ``timestamp`` in Unix seconds,
    ``buyback_bps`` those of the GlobalConfig.
    """
    generation = 2 if isinstance(act, HopBuy | HopSell) else act.generation
    common = _common(state, quote, trader, generation) | {"timestamp": timestamp}
    common["buyback_fee_basis_points"] = 0 if state.pool.is_mayhem_mode else buyback_bps
    if isinstance(quote, BoughtQuote) and not isinstance(act, Sell | HopSell):
        return BuyEvent(**common, **_bought(quote, act, generation))
    if isinstance(quote, SoldQuote) and isinstance(act, Sell | HopSell):
        return SellEvent(
            **common,
            base_amount_in=quote.base_in,
            min_quote_amount_out=act.min_quote_amount_out if isinstance(act, Sell) else 0,
            quote_amount_out=quote.gross_quote,
            quote_amount_out_without_lp_fee=quote.gross_quote - quote.lp_fee,
            user_quote_amount_out=quote.user_quote_out,
        )
    raise UsageError("a purchase's quote with a sale's act, or the other way round", hint="pass what belongs together")


def _bought(quote: BoughtQuote, act: BuyBase | BuyQuote | HopBuy, generation: int) -> dict[str, Any]:
    """The two amounts change their meaning with the instruction."""
    if isinstance(act, BuyBase):
        amounts = (quote.gross_quote, act.max_quote_amount_in, quote.total_quote, quote.base_out, "buy")
    elif isinstance(act, BuyQuote):
        budget = act.spendable_quote_in
        amounts = (budget, budget, quote.gross_quote, act.min_base_amount_out, "buy_exact_quote_in")
    else:
        amounts = (act.amount_in, act.amount_in, quote.gross_quote, 0, "multi_hop_swap")
    paid, most, user, least, name = amounts
    return {
        "base_amount_out": quote.base_out,
        "quote_amount_in": paid,
        "max_quote_amount_in": most,
        "user_quote_amount_in": user,
        "min_base_amount_out": least,
        "ix_name": name if generation == 1 or isinstance(act, HopBuy) else f"{name}_v2",
        "quote_amount_in_with_lp_fee": quote.gross_quote + quote.lp_fee,
    }


def _common(state: PoolState, quote: Quote, trader: SeenTrader, generation: int) -> dict[str, Any]:
    pool = state.pool
    is_rebated = quote.cashback > 0
    owed = pool.creator_fees + (quote.creator_fee if generation == 2 else 0)
    return {
        "user_base_token_reserves": trader.base_units,
        "pool_base_token_reserves": state.base_reserve,
        "pool_quote_token_reserves": state.quote_vault,
        "lp_fee_basis_points": quote.lp_bps,
        "lp_fee": quote.lp_fee,
        "protocol_fee_basis_points": quote.protocol_bps,
        "protocol_fee": quote.protocol_fee,
        "pool": state.address,
        "user": trader.user,
        "protocol_fee_recipient": ZERO_KEY if generation == 2 else NOBODY,
        "protocol_fee_recipient_token_account": ZERO_KEY if generation == 2 else NOBODY,
        "coin_creator": pool.coin_creator,
        "coin_creator_fee_basis_points": 0 if is_rebated else quote.creator_bps,
        "coin_creator_fee": quote.creator_fee,
        "cashback_fee_basis_points": quote.creator_bps if is_rebated else 0,
        "cashback": quote.cashback,
        "buyback_fee": quote.buyback_fee,
        "virtual_quote_reserves": pool.virtual_quote_reserves,
        "can_boost": pool.is_boosted,
        "base_supply": state.base_supply,
        "creator_fee_unclaimed": owed,
    }
