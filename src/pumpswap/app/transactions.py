"""What a transaction did: its swaps, what it cost its fee payer, why it failed, and whether it is one of our orders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.chain.dont_front import Sandwich
from pumpswap.chain.failures import Failure, classify
from pumpswap.chain.fills import SwapRequest, WalletChange, costs_of, tip_accounts_of, wallet_change
from pumpswap.chain.node import Commitment, ConfirmedTransaction
from pumpswap.errors import NotFound
from pumpswap.execution.sandwich import find_sandwich
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import Attempt, Costs, Swap
from pumpswap.sdk.connection import ChainConnection
from pumpswap.storage.database import open_database

__all__ = ["OurAttempt", "Transaction", "read_transaction"]


@dataclass(frozen=True, slots=True)
class OurAttempt:
    """A transaction of ours as the books know it. ``status`` is the order's: pending, filled, …"""

    attempt: Attempt
    run_id: int
    status: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """``content`` is None while the chain does not show it; then ``ours`` tells what may still happen.

    ``costs`` are those of the fee payer; ``change`` is what the transaction changed in its wallet. ``sandwich`` tells
    who traded around its first swap in the same slot.
    """

    signature: str
    content: ConfirmedTransaction | None
    ours: OurAttempt | None
    swaps: tuple[Swap, ...] = ()
    costs: Costs | None = None
    change: WalletChange | None = None
    failure: Failure | None = None
    block_height: int = 0
    sandwich: Sandwich | None = None

    @property
    def fee_payer(self) -> Pubkey | None:
        """Who paid the fee."""
        return None if self.content is None else self.content.keys[0]


async def read_transaction(connection: ChainConnection, signature: str) -> Transaction:
    """A transaction by its signature. Raises NotFound when neither the chain nor our books know it, ChainError."""
    ours = _ours(connection.settings.database_target, signature)
    content = await connection.node.transaction(signature, Commitment.CONFIRMED)
    if content is None:
        if ours is None:
            raise NotFound(
                f"no endpoint knows transaction {signature}, nor do our books",
                hint="it has not landed (yet), or it is older than what the endpoints keep; check the network",
            )
        height = await connection.node.height(Commitment.FINALIZED)
        return Transaction(signature, None, ours, block_height=height.block_height)
    payer = content.keys[0]
    swaps = swaps_of(content)
    pool = Pubkey.from_string(swaps[0].pool) if swaps else Pubkey.default()
    sandwich = await find_sandwich(connection.node, swaps[0].pool, signature, content.slot) if swaps else None
    request = SwapRequest(pool, Pubkey.default(), bool(swaps and swaps[0].is_buy), tip_accounts_of(content, payer))
    return Transaction(
        signature,
        content,
        ours,
        swaps=swaps,
        costs=costs_of(content, payer, request),
        change=wallet_change(content, payer),
        failure=None if content.err is None else classify(content.err, content.logs),
        sandwich=sandwich,
    )


def _ours(target: str | Path, signature: str) -> OurAttempt | None:
    if isinstance(target, Path) and not target.exists():
        return None
    with open_database(target) as database:
        found = database.attempt(signature)
        return None if found is None else OurAttempt(*found)
