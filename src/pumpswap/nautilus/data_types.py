"""Custom data: swaps and pool states as they are, beside the quote and trade ticks that are made of them.

Amounts that need 64 unsigned bits are texts: Nautilus' integers in files are signed. ``state`` and ``event`` keep the
whole record, so that nothing exact is lost on the way through a catalog.
"""

# No ``from __future__ import annotations``: Nautilus reads the types of the fields from the classes themselves.

from typing import Any, Self

import msgspec
from nautilus_trader.core.data import Data
from nautilus_trader.model.custom import customdataclass
from nautilus_trader.model.data import CustomData, DataType
from nautilus_trader.model.identifiers import InstrumentId
from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.events import BuyEvent, SellEvent, decode_event, encode_event
from pumpswap.errors import BadInput
from pumpswap.model import Swap
from pumpswap.nautilus.instruments import instrument_id as id_of

__all__ = ["PumpSwapPoolState", "PumpSwapSwap", "data_type_of", "decode_state", "encode_state", "wrapped"]

_NOWHERE = InstrumentId.from_str("NONE.PUMPSWAP")
_STATE = msgspec.msgpack.Decoder(tuple[bytes, bytes, int, int, int, bytes, bytes, int, int, int])


@customdataclass
class PumpSwapPoolState(Data):
    """The state of a pool when it was told, or with an ``obstacle`` and an empty state, why it cannot be traded.

    ``sequence`` counts the updates of the market, from 0.
    """

    instrument_id: InstrumentId = _NOWHERE
    slot: int = 0
    base_reserve: str = "0"
    quote_vault: str = "0"
    effective_quote_reserve: str = "0"
    base_supply: str = "0"
    state: bytes = b""
    obstacle: str = ""
    sequence: int = 0

    @classmethod
    def of(cls, state: PoolState, *, ts_event: int, ts_init: int, sequence: int = 0) -> Self:
        """Of a state of ours."""
        return cls(
            ts_event=ts_event,
            ts_init=ts_init,
            instrument_id=id_of(str(state.address)),
            slot=state.slot,
            base_reserve=str(state.base_reserve),
            quote_vault=str(state.quote_vault),
            effective_quote_reserve=str(state.effective_quote_reserve),
            base_supply=str(state.base_supply),
            state=encode_state(state),
            sequence=sequence,
        )

    @classmethod
    def blocked(cls, pool: str, obstacle: str, *, ts_init: int, sequence: int = 0) -> Self:
        """Of a pool of which nothing is known but why."""
        return cls(ts_event=ts_init, ts_init=ts_init, instrument_id=id_of(pool), obstacle=obstacle, sequence=sequence)

    def __repr__(self) -> str:
        what = self.obstacle or f"{self.base_reserve} base units, {self.effective_quote_reserve} lamports"
        return f"PumpSwapPoolState({self.instrument_id}, slot {self.slot}, {what}, ts_init={self.ts_init})"

    def pool_state(self) -> PoolState | None:
        """The exact state, None for an obstacle."""
        return decode_state(self.state) if self.state else None


@customdataclass
class PumpSwapSwap(Data):
    """A trade of somebody: ``base_units`` and ``quote_units`` with all fees in, ``event`` what the program reported."""

    instrument_id: InstrumentId = _NOWHERE
    is_buy: bool = False
    base_units: str = "0"
    quote_units: str = "0"
    trader: str = ""
    signature: str = ""
    slot: int = 0
    index: int = 0
    event: bytes = b""
    at_ns: int = 0

    @classmethod
    def of(cls, swap: Swap, *, ts_event: int, ts_init: int) -> Self:
        """Of a swap of ours."""
        return cls(
            ts_event=ts_event,
            ts_init=ts_init,
            instrument_id=id_of(swap.pool),
            is_buy=swap.is_buy,
            base_units=str(swap.base_units),
            quote_units=str(swap.quote_units),
            trader=swap.trader,
            signature=swap.signature,
            slot=swap.slot,
            index=swap.index,
            event=b"" if swap.event is None else encode_event(swap.event),
            at_ns=swap.at_ns,
        )

    def __repr__(self) -> str:
        side = "buy" if self.is_buy else "sell"
        amounts = f"{self.base_units} base units, {self.quote_units} lamports"
        return f"PumpSwapSwap({self.instrument_id}, {side}, {amounts}, {self.signature}, ts_init={self.ts_init})"

    def swap(self) -> Swap:
        """The swap as our other parts know it."""
        event = decode_event(self.event) if self.event else None
        return Swap(
            pool=self.instrument_id.symbol.value,
            at_ns=self.at_ns,
            is_buy=self.is_buy,
            base_units=int(self.base_units),
            quote_units=int(self.quote_units),
            trader=self.trader,
            signature=self.signature,
            slot=self.slot,
            index=self.index,
            event=event if isinstance(event, BuyEvent | SellEvent) else None,
        )


def data_type_of(kind: type[Data], of: InstrumentId) -> DataType:
    """What a strategy subscribes to, with ``client_id=PUMPSWAP_CLIENT_ID``."""
    return DataType(kind, metadata={"instrument_id": of.value})


def wrapped(data: Any, data_type: DataType | None = None) -> CustomData:
    """As the data engine takes it."""
    return CustomData(data_type or data_type_of(type(data), data.instrument_id), data)


def encode_state(state: PoolState) -> bytes:
    """Every field, exactly."""
    return msgspec.msgpack.encode(
        (
            bytes(state.address),
            state.pool.encode(),
            state.base_reserve,
            state.quote_vault,
            state.base_supply,
            bytes(state.base_token_program),
            bytes(state.quote_token_program),
            state.slot,
            state.base_decimals,
            state.quote_decimals,
        )
    )


def decode_state(data: bytes) -> PoolState:
    """The state of ``encode_state``. Raises BadInput for other bytes."""
    try:
        address, pool, base, quote, supply, base_program, quote_program, slot, base_decimals, quote_decimals = (
            _STATE.decode(data)
        )
    except msgspec.MsgspecError as broken:
        raise BadInput(f"these bytes are no state of a pool: {broken}") from None
    return PoolState(
        pool=Pool.decode(pool),
        address=Pubkey.from_bytes(address),
        base_reserve=base,
        quote_vault=quote,
        base_supply=supply,
        base_token_program=Pubkey.from_bytes(base_program),
        quote_token_program=Pubkey.from_bytes(quote_program),
        slot=slot,
        base_decimals=base_decimals,
        quote_decimals=quote_decimals,
    )
