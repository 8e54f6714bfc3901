"""Our records as rows of the lake, and back: nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.events import BuyEvent, SellEvent, decode_event, encode_event
from pumpswap.errors import AmountOutOfRange, BadInput
from pumpswap.market.candle_file import Candle
from pumpswap.model import PoolSnapshot, SeenAct, Swap
from pumpswap.units import I64_MAX, U64_MAX

__all__ = ["FROM_ROW", "TO_ROW", "PoolStateSeen", "Row"]

Row = tuple[Any, ...]

_U32_MAX = 2**32 - 1

# Texts stay texts and whole numbers whole; any other number keeps its digits.
_METRICS = msgspec.json.Encoder(decimal_format="number")
_READ_METRICS = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class PoolStateSeen:
    """A state and when it was known."""

    at_ns: int
    state: PoolState


def _u64(value: int, what: str) -> int:
    if 0 <= value <= U64_MAX:
        return value
    raise AmountOutOfRange(f"{what} is {value}", hint="the chain and the lake hold whole numbers from 0 to 2^64-1")


def _time(value: int) -> int:
    # The last moment of 64-bit nanoseconds is in 2262; a time before 1970 is a mistake of the source.
    if 0 <= value <= I64_MAX:
        return value
    raise AmountOutOfRange(f"the time {value} is no nanoseconds since 1970", hint="times are 64-bit nanoseconds, UTC")


def _swap_row(swap: Swap, source: str) -> Row:
    if not swap.signature:
        raise BadInput(
            f"a swap of pool {swap.pool} has no signature",
            hint="(signature, index) names a swap: without it the same trade cannot be recognised when it comes again",
        )
    if not 0 <= swap.index <= _U32_MAX:
        raise AmountOutOfRange(f"the index of a swap is {swap.index}", hint="trades of a transaction count from 0")
    event = swap.event
    known: Row = (None,) * 7
    if event is not None:
        known = (
            event.pool_base_token_reserves,
            event.pool_quote_token_reserves,
            str(event.virtual_quote_reserves),
            event.lp_fee,
            event.protocol_fee,
            event.coin_creator_fee,
            encode_event(event),
        )
    return (
        swap.pool,
        _time(swap.at_ns),
        _u64(swap.slot, "a slot"),
        swap.signature,
        swap.index,
        0,  # its position: the writer knows it
        swap.is_buy,
        _u64(swap.base_units, "a swap's base amount"),
        _u64(swap.quote_units, "a swap's quote amount"),
        swap.trader,
        *known,
        source,
    )


def _swap(row: Mapping[str, Any]) -> Swap:
    event = None if row["event"] is None else decode_event(row["event"])
    return Swap(
        pool=row["pool"],
        at_ns=row["at_ns"],
        is_buy=row["is_buy"],
        base_units=row["base_units"],
        quote_units=row["quote_units"],
        trader=row["trader"],
        signature=row["signature"],
        slot=row["slot"],
        index=row["index"],
        event=event if isinstance(event, BuyEvent | SellEvent) else None,
    )


def _act_row(act: SeenAct, source: str) -> Row:
    if not act.signature:
        hint = "(signature, index) names an act: without it the same one cannot be recognised when it comes again"
        raise BadInput(f"an act on pool {act.pool} has no signature", hint=hint)
    if not (0 <= act.index <= _U32_MAX and 0 <= act.trades_before <= _U32_MAX):
        raise AmountOutOfRange(f"the index of an act is {act.index}", hint="acts of a transaction count from 0")
    return (
        act.pool,
        _time(act.at_ns),
        _u64(act.slot, "a slot"),
        act.signature,
        act.index,
        act.trades_before,
        0,  # its position: the writer knows it
        type(act.event).__name__,
        encode_event(act.event),
        source,
    )


def _act(row: Mapping[str, Any]) -> SeenAct:
    event = decode_event(row["event"])
    if event is None:
        raise BadInput(
            f"an act of the lake is a {row['name']}, which this version cannot read", hint="upgrade pumpswap"
        )
    return SeenAct(row["pool"], row["at_ns"], row["slot"], row["signature"], row["index"], row["trades_before"], event)


def _state_row(seen: PoolStateSeen, source: str) -> Row:
    state = seen.state
    return (
        str(state.address),
        _time(seen.at_ns),
        _u64(state.slot, "a slot"),
        _u64(state.base_reserve, "a base reserve"),
        _u64(state.quote_vault, "a quote vault"),
        str(state.pool.virtual_quote_reserves),
        _u64(state.base_supply, "a supply"),
        str(state.pool.base_mint),
        str(state.pool.quote_mint),
        state.base_decimals,
        state.quote_decimals,
        str(state.base_token_program),
        str(state.quote_token_program),
        state.pool.encode(),
        source,
    )


def _state(row: Mapping[str, Any]) -> PoolStateSeen:
    state = PoolState(
        pool=Pool.decode(row["account"]),
        address=Pubkey.from_string(row["pool"]),
        base_reserve=row["base_reserve"],
        quote_vault=row["quote_vault"],
        base_supply=row["base_supply"],
        base_token_program=Pubkey.from_string(row["base_token_program"]),
        quote_token_program=Pubkey.from_string(row["quote_token_program"]),
        slot=row["slot"],
        base_decimals=row["base_decimals"],
        quote_decimals=row["quote_decimals"],
    )
    return PoolStateSeen(row["at_ns"], state)


def _candle_row(candle: Candle, source: str) -> Row:
    figures = (candle.open_usd, candle.high_usd, candle.low_usd, candle.close_usd, candle.volume_usd)
    if not all(figure.is_finite() for figure in figures):
        raise BadInput(f"a candle of pool {candle.pool} has a figure that is no number", hint="leave the candle out")
    return (
        candle.pool,
        candle.timeframe,
        _time(candle.start_ns),
        _time(candle.known_ns),
        *(str(figure) for figure in figures),
        source,
    )


def _candle(row: Mapping[str, Any]) -> Candle:
    return Candle(
        pool=row["pool"],
        timeframe=row["timeframe"],
        start_ns=row["start_ns"],
        known_ns=row["known_ns"],
        open_usd=Decimal(row["open_usd"]),
        high_usd=Decimal(row["high_usd"]),
        low_usd=Decimal(row["low_usd"]),
        close_usd=Decimal(row["close_usd"]),
        volume_usd=Decimal(row["volume_usd"]),
    )


def _snapshot_row(snapshot: PoolSnapshot, source: str) -> Row:
    figures = (
        snapshot.base_price_usd,
        snapshot.base_price_quote,
        snapshot.quote_price_usd,
        snapshot.reserve_usd,
        snapshot.stored_score,
    )
    *prices, score = (None if figure is None else str(figure) for figure in figures)
    return (
        snapshot.pool,
        _time(snapshot.at_ns),
        snapshot.pool_id,
        snapshot.dex,
        snapshot.name,
        snapshot.base_mint,
        snapshot.quote_mint,
        None if snapshot.created_ns is None else _time(snapshot.created_ns),
        *prices,
        _METRICS.encode(snapshot.metrics).decode(),
        score,
        source,
    )


def _snapshot(row: Mapping[str, Any]) -> PoolSnapshot:
    def figure(name: str) -> Decimal | None:
        return None if row[name] is None else Decimal(row[name])

    return PoolSnapshot(
        pool_id=row["pool_id"],
        pool=row["pool"],
        dex=row["dex"],
        at_ns=row["at_ns"],
        name=row["name"],
        base_mint=row["base_mint"],
        quote_mint=row["quote_mint"],
        created_ns=row["created_ns"],
        base_price_usd=figure("base_price_usd"),
        base_price_quote=figure("base_price_quote"),
        quote_price_usd=figure("quote_price_usd"),
        reserve_usd=figure("reserve_usd"),
        metrics=_READ_METRICS.decode(row["metrics"]),
        stored_score=figure("stored_score"),
    )


TO_ROW: Mapping[str, Callable[[Any, str], Row]] = {
    "swaps": _swap_row,
    "acts": _act_row,
    "states": _state_row,
    "candles": _candle_row,
    "snapshots": _snapshot_row,
}
FROM_ROW: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "swaps": _swap,
    "acts": _act,
    "states": _state,
    "candles": _candle,
    "snapshots": _snapshot,
}
