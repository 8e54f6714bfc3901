"""GeckoTerminal's records as the nouns of the house: snapshots, swaps, candles. What does not fit says why."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.market.candle_file import TIMEFRAMES, Candle
from pumpswap.market.gecko.records import GeckoPool, GeckoTrade, PoolPage
from pumpswap.market.trade_file import ObservedTrade
from pumpswap.model import PoolSnapshot, Swap
from pumpswap.model.collected import SeenCandle
from pumpswap.units import U64_MAX

__all__ = ["TradedPair", "candle_of", "observed_trade", "snapshot_of", "swap_of", "traded_pair"]

_WSOL = str(WSOL_MINT)


@dataclass(frozen=True, slots=True)
class TradedPair:
    """The two sides of a pool. Decimals come from the mints, or from a service that tells them: never a guess."""

    pool: str
    base_mint: str
    quote_mint: str
    base_decimals: int
    quote_decimals: int


def snapshot_of(pool: GeckoPool, at_ns: int) -> PoolSnapshot:
    """A pool as seen at ``at_ns``, with the figures of the host's formula as the service wrote them.

    ``base_price_quote`` is the price in SOL, so pools with another quote token have none.
    """
    hour, day = pool.transactions.get("h1"), pool.transactions.get("h24")
    figures: dict[str, Decimal | int | None] = {
        "volume_usd_h24": pool.volumes_usd.get("h24"),
        "reserve_in_usd": pool.reserve_usd,
        "price_change_percentage_h1": pool.price_changes.get("h1"),
        "price_change_percentage_h24": pool.price_changes.get("h24"),
        "transactions_h1_buys": None if hour is None else hour.buys,
        "transactions_h1_sells": None if hour is None else hour.sells,
        "transactions_h24_buys": None if day is None else day.buys,
        "transactions_h24_sells": None if day is None else day.sells,
    }
    return PoolSnapshot(
        pool_id=f"{pool.network}_{pool.address}",
        pool=pool.address,
        dex=pool.dex,
        at_ns=at_ns,
        name=pool.name,
        base_mint=pool.base_token,
        quote_mint=pool.quote_token,
        created_ns=pool.created_ns,
        base_price_usd=pool.base_price_usd,
        base_price_quote=pool.base_price_native if pool.quote_token == _WSOL else None,
        quote_price_usd=pool.quote_price_usd,
        reserve_usd=pool.reserve_usd,
        metrics={key: str(figure) for key, figure in figures.items() if figure is not None},
    )


def traded_pair(pool: GeckoPool, page: PoolPage) -> TradedPair:
    """The sides of a pool, with the decimals that its answer tells. Raises UsageError when it tells them not."""
    sides = [page.tokens.get(mint or "") for mint in (pool.base_token, pool.quote_token)]
    base, quote = (None if side is None else side.decimals for side in sides)
    if pool.base_token is None or pool.quote_token is None or base is None or quote is None:
        raise UsageError(
            f"the tokens of {pool.address} or their decimals are not in the answer",
            hint="read the decimals from the mint accounts",
        )
    return TradedPair(pool.address, pool.base_token, pool.quote_token, base, quote)


def swap_of(trade: GeckoTrade, pair: TradedPair) -> Swap | str:
    """A trade in raw units, all fees in them, or why it is none of this pair.

    The service tells no order within a transaction, so ``index`` is 0 and ``event`` None: where the chain can be asked,
    its own swaps are better.
    """
    sides = (pair.quote_mint, pair.base_mint)
    if (trade.from_token, trade.to_token) != (sides if trade.is_buy else sides[::-1]):
        return f"its tokens are not those of a {'buy' if trade.is_buy else 'sell'} in this pool"
    quote, base = (trade.from_amount, trade.to_amount) if trade.is_buy else (trade.to_amount, trade.from_amount)
    quote_units, base_units = _units(quote, pair.quote_decimals), _units(base, pair.base_decimals)
    if quote_units is None or base_units is None:
        return "an amount has more decimals than its token, is nothing, or is beyond 64 bits"
    return Swap(
        pool=pair.pool,
        at_ns=trade.at_ns,
        is_buy=trade.is_buy,
        base_units=base_units,
        quote_units=quote_units,
        trader=trade.trader,
        signature=trade.transaction,
        slot=trade.slot,
    )


def observed_trade(trade: GeckoTrade, pair: TradedPair) -> ObservedTrade | str:
    """A trade with its prices in USD, or why it is none. Only for pools quoted in SOL."""
    if pair.quote_mint != _WSOL:
        return "the pool is not quoted in SOL"
    swap = swap_of(trade, pair)
    if isinstance(swap, str):
        return swap
    sol, token = (trade.from_price_usd, trade.to_price_usd)
    if not trade.is_buy:
        sol, token = token, sol
    if not sol or not token or trade.volume_usd is None:
        return "a price or the volume is missing"
    return ObservedTrade(swap, trade.volume_usd, token, sol)


def candle_of(candle: SeenCandle, pool: str) -> Candle:
    """A candle of ``pool``, known when it ends: the newest one of an answer may still be growing."""
    end_seconds = candle.start_seconds + TIMEFRAMES[candle.timeframe]
    return Candle(
        pool=pool,
        timeframe=candle.timeframe,
        start_ns=candle.start_seconds * NS_PER_SECOND,
        known_ns=end_seconds * NS_PER_SECOND,
        open_usd=candle.open_usd,
        high_usd=candle.high_usd,
        low_usd=candle.low_usd,
        close_usd=candle.close_usd,
        volume_usd=candle.volume_usd,
    )


def _units(amount: Decimal, decimals: int) -> int | None:
    units = Fraction(amount) * 10**decimals  # not scaleb, which rounds to the context's precision
    return int(units) if units.denominator == 1 and 0 < units <= U64_MAX else None
