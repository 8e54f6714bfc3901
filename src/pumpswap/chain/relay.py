"""NodeRelay: a Node that hands every question to another one. What is asked stays; who is asked is the subclass's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from solders.hash import Hash
from solders.pubkey import Pubkey

from pumpswap.chain.node import (
    AccountsAt,
    BlockhashAt,
    ChainAccount,
    Commitment,
    ConfirmedTransaction,
    Height,
    HoldingsAt,
    Node,
    ProgramFilter,
    SignatureInfo,
    Simulation,
    StatusesAt,
)

__all__ = ["NodeRelay", "Question"]

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Question:
    """``method`` is the Node method's name. An answer must not be older than ``floor`` where it tells a slot.

    Slots are comparable at one ``commitment`` only. ``is_urgent`` questions do not wait for the rate limit.
    """

    method: str
    commitment: Commitment = Commitment.CONFIRMED
    floor: int = 0
    is_urgent: bool = False


class NodeRelay(ABC):
    """All methods of ``Node`` in terms of one."""

    @abstractmethod
    async def _relay(self, question: Question, ask: Callable[[Node], Awaitable[Answer]]) -> Answer:
        """Have ``ask`` answered by a node."""

    async def genesis_hash(self) -> str:
        return await self._relay(Question("genesis_hash"), lambda node: node.genesis_hash())

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        return await self._relay(Question("height", commitment), lambda node: node.height(commitment))

    async def accounts(
        self,
        addresses: Sequence[Pubkey],
        *,
        commitment: Commitment = Commitment.CONFIRMED,
        min_context_slot: int = 0,
    ) -> AccountsAt:
        return await self._relay(
            Question("accounts", commitment, min_context_slot),
            lambda node: node.accounts(addresses, commitment=commitment, min_context_slot=min_context_slot),
        )

    async def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        return await self._relay(
            Question("latest_blockhash", commitment), lambda node: node.latest_blockhash(commitment)
        )

    async def is_blockhash_valid(
        self, blockhash: Hash, *, commitment: Commitment = Commitment.CONFIRMED, min_context_slot: int = 0
    ) -> bool:
        return await self._relay(
            Question("is_blockhash_valid", commitment, min_context_slot),
            lambda node: node.is_blockhash_valid(blockhash, commitment=commitment, min_context_slot=min_context_slot),
        )

    async def send(self, raw: bytes, *, skip_preflight: bool = True, min_context_slot: int = 0) -> str:
        return await self._relay(
            Question("send", is_urgent=True),
            lambda node: node.send(raw, skip_preflight=skip_preflight, min_context_slot=min_context_slot),
        )

    async def simulate(
        self, raw: bytes, *, accounts: Sequence[Pubkey] = (), commitment: Commitment = Commitment.CONFIRMED
    ) -> Simulation:
        return await self._relay(
            Question("simulate", commitment),
            lambda node: node.simulate(raw, accounts=accounts, commitment=commitment),
        )

    async def statuses(self, signatures: Sequence[str], *, search_history: bool = False) -> StatusesAt:
        # A node answers this from its newest bank, whatever the statuses themselves say.
        return await self._relay(
            Question("statuses", Commitment.PROCESSED),
            lambda node: node.statuses(signatures, search_history=search_history),
        )

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        return await self._relay(
            Question("transaction", commitment), lambda node: node.transaction(signature, commitment)
        )

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1_000,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]:
        return await self._relay(
            Question("signatures_for", commitment),
            lambda node: node.signatures_for(address, before=before, until=until, limit=limit, commitment=commitment),
        )

    async def first_available_block(self) -> int:
        return await self._relay(Question("first_available_block"), lambda node: node.first_available_block())

    async def priority_fees(self, addresses: Sequence[Pubkey]) -> tuple[tuple[int, int], ...]:
        return await self._relay(Question("priority_fees"), lambda node: node.priority_fees(addresses))

    async def minimum_rent(self, size: int) -> int:
        return await self._relay(Question("minimum_rent"), lambda node: node.minimum_rent(size))

    async def program_accounts(
        self, program: Pubkey, filters: Sequence[ProgramFilter] = (), *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        return await self._relay(
            Question("program_accounts", commitment),
            lambda node: node.program_accounts(program, filters, commitment=commitment),
        )

    async def token_accounts(
        self, owner: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        return await self._relay(
            Question("token_accounts", commitment), lambda node: node.token_accounts(owner, commitment=commitment)
        )

    async def largest_holdings(self, mint: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED) -> HoldingsAt:
        return await self._relay(
            Question("largest_holdings", commitment), lambda node: node.largest_holdings(mint, commitment=commitment)
        )

    async def version(self) -> Mapping[str, str]:
        return await self._relay(Question("version"), lambda node: node.version())
