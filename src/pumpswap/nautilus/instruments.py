"""Instruments of pools: a CurrencyPair whose symbol is the pool's address and whose base currency is the mint."""

from __future__ import annotations

from decimal import Decimal

from nautilus_trader.model.enums import CurrencyType
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Price
from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.errors import BadInput, TradeRefused
from pumpswap.nautilus.compat import FIXED, MONEY_MAX_WHOLE, QUANTITY_MAX_WHOLE, register_currency
from pumpswap.nautilus.constants import PRICE_PRECISION, PUMPSWAP_VENUE, SOL, SOL_DECIMALS
from pumpswap.nautilus.money import price_raw, qty
from pumpswap.units import BPS, LAMPORTS_PER_SOL

__all__ = ["base_decimals_of", "currency_of", "instrument_id", "instrument_of", "mint_of", "pool_of"]


def instrument_id(pool: str) -> InstrumentId:
    """``<pool address>.PUMPSWAP``."""
    return InstrumentId(Symbol(pool), PUMPSWAP_VENUE)


def pool_of(of: InstrumentId) -> str:
    """Address of the pool of an instrument. Raises BadInput for another venue, or a symbol that is no address."""
    if of.venue != PUMPSWAP_VENUE:
        raise BadInput(f"{of} is not an instrument of {PUMPSWAP_VENUE}")
    pool: str = of.symbol.value
    try:
        Pubkey.from_string(pool)
    except ValueError:
        raise BadInput(f"{of} names no pool", hint="the symbol is the address of the pool, in base58") from None
    return pool


def currency_of(mint: str, decimals: int) -> Currency:
    """The token as a currency, registered in this process: its code is the mint, since symbols are not unique.

    Registered each time: a catalog that is read before gives an unknown currency 8 decimals.
    """
    currency = Currency(mint, decimals, 0, mint, CurrencyType.CRYPTO)
    register_currency(currency)
    return currency


def instrument_of(state: PoolState, schedule: FeeSchedule, name: str = "", at_ns: int = 1) -> CurrencyPair:
    """The instrument of a pool as it is now; ``at_ns`` is when this is known.

    Fees are the rates that a trade would pay now; they change with the market cap. ``name`` is for people.
    Raises BadInput that says why a pool cannot be one: another quote than wrapped SOL, no reserves, a supply or a
    price beyond what Nautilus can hold, more decimals than this build has.
    """
    pool, mint, decimals = str(state.address), str(state.pool.base_mint), state.base_decimals
    _check(state, pool)
    try:
        rates = schedule.rates(state)
    except TradeRefused as refused:
        raise BadInput(f"pool {pool}: {refused.what}", hint=refused.hint) from refused
    fee = Decimal(sum(rates)) / BPS
    return CurrencyPair(
        instrument_id=instrument_id(pool),
        raw_symbol=Symbol(pool),
        base_currency=currency_of(mint, decimals),
        quote_currency=SOL,
        price_precision=PRICE_PRECISION,
        size_precision=decimals,
        price_increment=Price.from_raw(10 ** (FIXED - PRICE_PRECISION), PRICE_PRECISION),
        size_increment=qty(1, decimals),
        lot_size=None,
        max_quantity=None,
        min_quantity=None,
        max_notional=None,
        min_notional=None,
        max_price=None,
        min_price=None,
        margin_init=Decimal(0),
        margin_maint=Decimal(0),
        maker_fee=fee,
        taker_fee=fee,
        ts_event=at_ns,
        ts_init=at_ns,
        info={
            "mint": mint,
            "pool": pool,
            "name": name,
            "canonical": state.pool.is_canonical,
            "cashback": state.pool.is_cashback_coin,
            "base_decimals": decimals,
        },
    )


def mint_of(instrument: CurrencyPair) -> str:
    """The mint of an instrument's token."""
    mint: str = instrument.base_currency.code
    return mint


def base_decimals_of(instrument: CurrencyPair) -> int:
    """Decimals of an instrument's token; ``info`` keeps them also where a catalog forgot the currency."""
    info = instrument.info or {}
    return int(info.get("base_decimals", instrument.size_precision))


def _check(state: PoolState, pool: str) -> None:
    if state.pool.quote_mint != WSOL_MINT:
        raise BadInput(
            f"pool {pool} trades against {state.pool.quote_mint}", hint="the adapter trades pools against wrapped SOL"
        )
    if state.quote_decimals != SOL_DECIMALS:
        raise BadInput(f"pool {pool} has SOL of {state.quote_decimals} decimals", hint="read its state again")
    if not 0 <= state.base_decimals <= PRICE_PRECISION:
        raise BadInput(
            f"the token of pool {pool} has {state.base_decimals} decimals",
            hint=f"this build of NautilusTrader has {PRICE_PRECISION} at most",
        )
    largest = max(state.base_supply, state.base_reserve)
    most = min(QUANTITY_MAX_WHOLE, MONEY_MAX_WHOLE)  # a balance is money, whose maximum is the smaller
    if largest > most * 10**state.base_decimals:
        raise BadInput(
            f"the token of pool {pool} has a supply of {largest} units of {state.base_decimals} decimals",
            hint=f"NautilusTrader holds balances up to {most} whole tokens",
        )
    if state.base_reserve <= 0 or state.effective_quote_reserve <= 0:
        raise BadInput(f"pool {pool} has no reserves", hint="wait until it has liquidity")
    price_raw(state.effective_quote_reserve, state.base_reserve, state.base_decimals)
    worth = state.effective_quote_reserve * largest // state.base_reserve
    if worth > MONEY_MAX_WHOLE * LAMPORTS_PER_SOL:
        raise BadInput(
            f"all tokens of pool {pool} are worth {worth} lamports at its price",
            hint=f"NautilusTrader holds amounts up to {MONEY_MAX_WHOLE} SOL; such a pool cannot be an instrument",
        )
