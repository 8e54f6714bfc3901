"""What a chain feed works on: what streams tell, and what nodes answer when the feed asks. Recordings hold these."""

from __future__ import annotations

from typing import Any

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.addresses import AMM_PROGRAM, PUMP_PROGRAM
from pumpswap.amm.events import CPI_PREFIX, Instruction
from pumpswap.chain.node import ConfirmedTransaction, SignatureInfo
from pumpswap.chain.streams import (
    AccountChanged,
    Connected,
    Disconnected,
    LogsSeen,
    SignatureSeen,
    SlotSeen,
)
from pumpswap.market.swaps_of import Normalised, normalise_parts

__all__ = [
    "FeedInput",
    "HistorySeen",
    "PoolRead",
    "StampedInput",
    "TransactionMissing",
    "TransactionSeen",
    "decoder",
    "encoder",
]


class HistorySeen(msgspec.Struct, frozen=True, tag="history"):
    """Histories of the feed's addresses, in their order, each from old to new, since what was settled before.

    ``asked_slot`` is the newest slot that the stream had told when the question was asked. ``is_start``: the last
    lines before the feed began, which it does not tell any more.
    """

    asked_slot: int
    pages: tuple[tuple[SignatureInfo, ...], ...]
    is_start: bool = False


class EventCall(msgspec.Struct, frozen=True):
    """A call that may carry an event."""

    program: Pubkey
    accounts: tuple[Pubkey, ...]
    data: bytes


class TransactionSeen(msgspec.Struct, frozen=True, tag="transaction"):
    """A transaction that was asked for: what its swaps are read from. ``calls`` is None when none were recorded."""

    slot: int
    signature: str
    err: object | None
    logs: tuple[str, ...]
    calls: tuple[EventCall, ...] | None

    @classmethod
    def of(cls, transaction: ConfirmedTransaction) -> TransactionSeen:
        """The part of a transaction that tells swaps."""
        calls = None
        if any(one.height > 1 for one in transaction.instructions):
            calls = tuple(
                EventCall(one.program, one.accounts, one.data)
                for one in transaction.instructions
                if one.program in (AMM_PROGRAM, PUMP_PROGRAM) and one.data[:8] == CPI_PREFIX
            )
        return cls(transaction.slot, transaction.signature, transaction.err, transaction.logs, calls)

    def normalised(self) -> Normalised:
        """Its swaps; the transaction must have succeeded."""
        calls: list[Instruction] | None = None
        if self.calls is not None:
            calls = [(one.program, one.accounts, one.data) for one in self.calls]
        return normalise_parts(self.signature, self.slot, self.logs, calls)


class TransactionMissing(msgspec.Struct, frozen=True, tag="missing"):
    """A transaction that is in the history and that no node gave."""

    signature: str


class PoolRead(msgspec.Struct, frozen=True, tag="pool"):
    """The state of a pool, read as a whole; ``pool`` is its account."""

    slot: int
    address: Pubkey
    pool: bytes
    base_reserve: int
    quote_vault: int
    base_supply: int
    base_token_program: Pubkey
    quote_token_program: Pubkey
    base_decimals: int
    quote_decimals: int

    @classmethod
    def of(cls, state: PoolState) -> PoolRead:
        """The same state, as a recording holds it."""
        return cls(
            slot=state.slot,
            address=state.address,
            pool=state.pool.encode(),
            base_reserve=state.base_reserve,
            quote_vault=state.quote_vault,
            base_supply=state.base_supply,
            base_token_program=state.base_token_program,
            quote_token_program=state.quote_token_program,
            base_decimals=state.base_decimals,
            quote_decimals=state.quote_decimals,
        )

    def state(self) -> PoolState:
        """The state that was read. Raises MalformedAccount when the account's bytes are none of a pool."""
        return PoolState(
            pool=Pool.decode(self.pool),
            address=self.address,
            base_reserve=self.base_reserve,
            quote_vault=self.quote_vault,
            base_supply=self.base_supply,
            base_token_program=self.base_token_program,
            quote_token_program=self.quote_token_program,
            slot=self.slot,
            base_decimals=self.base_decimals,
            quote_decimals=self.quote_decimals,
        )


FeedInput = (
    AccountChanged
    | LogsSeen
    | SignatureSeen
    | SlotSeen
    | Connected
    | Disconnected
    | HistorySeen
    | PoolRead
    | TransactionSeen
    | TransactionMissing
)


class StampedInput(msgspec.Struct, frozen=True):
    """An input and when it came."""

    at_ns: int
    entry: FeedInput


def encoder() -> msgspec.json.Encoder:
    """Writes inputs: the same input gives the same bytes."""
    return msgspec.json.Encoder(enc_hook=_plain, order="deterministic")


def decoder() -> msgspec.json.Decoder[StampedInput]:
    """Reads stamped inputs back, equal to what was written."""
    return msgspec.json.Decoder(StampedInput, dec_hook=_typed)


def _plain(value: Any) -> str:
    if isinstance(value, Pubkey):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} is no part of a recording")


def _typed(kind: type[Any], value: Any) -> Any:
    if kind is Pubkey:
        return Pubkey.from_string(value)
    if kind is object:
        return value  # a node's own JSON
    raise NotImplementedError(f"{kind.__name__} is no part of a recording")
