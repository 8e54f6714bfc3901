"""Node: what we ask of a Solana endpoint. One endpoint, a pool of them and the practice chain all answer to it.

Answers are our own frozen records, so that the rest of the package knows no client library. Every method raises
ChainError or one of its kinds; none of them retries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from solders.hash import Hash
from solders.pubkey import Pubkey

__all__ = [
    "AccountsAt",
    "BlockhashAt",
    "ChainAccount",
    "Commitment",
    "ConfirmedTransaction",
    "Height",
    "HoldingsAt",
    "Node",
    "NodeHealth",
    "ProgramFilter",
    "RanInstruction",
    "SignatureInfo",
    "SignatureStatus",
    "Simulation",
    "StatusesAt",
    "TokenBalance",
    "TokenHolding",
]


class Commitment(Enum):
    """How settled an answer must be."""

    PROCESSED = "processed"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"


@dataclass(frozen=True, slots=True)
class ChainAccount:
    """An account as a node tells it."""

    address: Pubkey
    owner: Pubkey
    lamports: int
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class AccountsAt:
    """Accounts of one slot, in the order in which they were asked for; None where there is none."""

    slot: int
    accounts: tuple[ChainAccount | None, ...]


@dataclass(frozen=True, slots=True)
class Height:
    """Slot and block height that belong together (skipped slots have no block, so heights lag behind slots)."""

    slot: int
    block_height: int


@dataclass(frozen=True, slots=True)
class BlockhashAt:
    """A block-hash, and the last block height at which a transaction that names it may land."""

    blockhash: Hash
    last_valid_block_height: int
    slot: int


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """Where a transaction is. ``err`` is None when it succeeded, else the node's own JSON (text or mapping)."""

    slot: int
    err: object | None
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class StatusesAt:
    """Statuses as a node knew them at ``slot``; None where it knew of none."""

    slot: int
    statuses: tuple[SignatureStatus | None, ...]


@dataclass(frozen=True, slots=True)
class SignatureInfo:
    """One line of an address's history, newest first."""

    signature: str
    slot: int
    err: object | None
    block_time: int | None = None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction would do. ``accounts`` are those asked for, as they would be afterwards."""

    slot: int
    err: object | None
    logs: tuple[str, ...]
    units_consumed: int
    accounts: tuple[ChainAccount | None, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """A token account's balance in a transaction. ``index`` points into ``ConfirmedTransaction.keys``."""

    index: int
    mint: Pubkey
    owner: Pubkey
    token_program: Pubkey
    units: int


@dataclass(frozen=True, slots=True)
class TokenHolding:
    """A token account and what is in it. Whose it is, the account itself says."""

    address: Pubkey
    units: int


@dataclass(frozen=True, slots=True)
class HoldingsAt:
    """Token accounts of one mint at one slot, the largest first."""

    slot: int
    holdings: tuple[TokenHolding, ...]


@dataclass(frozen=True, slots=True)
class RanInstruction:
    """An instruction as it ran. ``outer`` is the number of the top-level instruction, ``height`` 1 for that itself."""

    program: Pubkey
    accounts: tuple[Pubkey, ...]
    data: bytes
    outer: int
    height: int = 1


@dataclass(frozen=True, slots=True)
class ConfirmedTransaction:
    """A transaction of the chain with everything it changed. Only what is in here may be booked.

    ``keys`` are static keys, then loaded writable ones, then loaded read-only ones; balances are in their order.
    ``instructions`` holds every instruction, inner ones right behind the top-level one that called them. ``raw`` is the
    signed transaction. ``fee`` is signature and priority fee together, paid by ``keys[0]`` also when ``err`` is set.
    """

    signature: str
    slot: int
    block_time: int | None
    err: object | None
    fee: int
    keys: tuple[Pubkey, ...]
    pre_balances: tuple[int, ...]
    post_balances: tuple[int, ...]
    pre_tokens: tuple[TokenBalance, ...]
    post_tokens: tuple[TokenBalance, ...]
    instructions: tuple[RanInstruction, ...]
    logs: tuple[str, ...]
    compute_units: int
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class ProgramFilter:
    """Which accounts of a program: bytes at an offset. No data sizes: layouts grow (PROTOCOL 2.1)."""

    offset: int
    data: bytes


class Node(Protocol):
    """One endpoint, or something that stands for several. ``name`` is for people and holds no secret."""

    @property
    def name(self) -> str: ...

    async def genesis_hash(self) -> str:
        """Base58 hash of the first block: tells which network this is."""
        ...

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        """Slot and block height (getEpochInfo: one answer, so they belong together)."""
        ...

    async def accounts(
        self,
        addresses: Sequence[Pubkey],
        *,
        commitment: Commitment = Commitment.CONFIRMED,
        min_context_slot: int = 0,
    ) -> AccountsAt:
        """At most 100 accounts, all of one slot. Raises StaleNode when the node is behind ``min_context_slot``."""
        ...

    async def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        """The newest block-hash with its own expiry height."""
        ...

    async def is_blockhash_valid(
        self, blockhash: Hash, *, commitment: Commitment = Commitment.CONFIRMED, min_context_slot: int = 0
    ) -> bool:
        """Whether a transaction that names it may still land, as this node knows by itself.

        False also for a hash that the node has never seen. Raises StaleNode when it is behind ``min_context_slot``.
        """
        ...

    async def send(self, raw: bytes, *, skip_preflight: bool = True, min_context_slot: int = 0) -> str:
        """Broadcast signed bytes once; the node itself does not retry. Returns the signature.

        An error does not mean that the transaction will not land.
        """
        ...

    async def simulate(
        self, raw: bytes, *, accounts: Sequence[Pubkey] = (), commitment: Commitment = Commitment.CONFIRMED
    ) -> Simulation:
        """Run a transaction without landing it; signatures are not checked and the block-hash is replaced."""
        ...

    async def statuses(self, signatures: Sequence[str], *, search_history: bool = False) -> StatusesAt:
        """Statuses of at most 256 signatures."""
        ...

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        """A landed transaction; None when this node does not know it at this commitment."""
        ...

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1_000,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]:
        """History of an address, newest first, from ``before`` (exclusive) back to ``until`` (exclusive)."""
        ...

    async def first_available_block(self) -> int:
        """Lowest slot whose block this node still has. It cannot say that something older never happened."""
        ...

    async def priority_fees(self, addresses: Sequence[Pubkey]) -> tuple[tuple[int, int], ...]:
        """(slot, least micro-lamports per compute unit) of recent blocks that wrote to all of ``addresses``."""
        ...

    async def minimum_rent(self, size: int) -> int:
        """Lamports that keep an account of ``size`` bytes of data alive. Changed in 2026: always ask."""
        ...

    async def program_accounts(
        self, program: Pubkey, filters: Sequence[ProgramFilter] = (), *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        """All accounts of a program that pass the filters; many endpoints refuse this (NotServed)."""
        ...

    async def token_accounts(
        self, owner: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        """All token accounts of a wallet, of both token programs."""
        ...

    async def largest_holdings(self, mint: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED) -> HoldingsAt:
        """The 20 largest token accounts of a mint; some endpoints refuse this, or answer it from an older index."""
        ...

    async def version(self) -> Mapping[str, str]:
        """The node's software."""
        ...


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """How an endpoint has been doing."""

    name: str
    is_usable: bool
    latency_ms: float | None = None
    slot: int = 0
    lag_slots: int = 0
    failures_in_a_row: int = 0
    note: str = ""
    capabilities: Mapping[str, bool] = field(default_factory=dict)
