"""Priority fee: what others pay for the same accounts, between a floor and a cap, stepped up per attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.chain.node import Node
from pumpswap.errors import ChainError
from pumpswap.settings import SendingSettings
from pumpswap.units import BPS

__all__ = ["PriorityPrice", "contended_accounts", "percentile", "price_of_attempt", "recent_price"]


@dataclass(frozen=True, slots=True)
class PriorityPrice:
    """Micro-lamports per compute unit, and how they were found."""

    micro_lamports: int
    note: str


def contended_accounts(state: PoolState) -> tuple[Pubkey, ...]:
    """The accounts of a pool that every trade on it locks (PROTOCOL 7.4): the pool and its two vaults.

    Nobody else locks the wallet's own accounts, so they would only hide what the pool costs.
    """
    pool = state.pool
    return state.address, pool.pool_base_token_account, pool.pool_quote_token_account


def percentile(fees: Sequence[int], share: int) -> int:
    """Nearest-rank percentile of unsorted fees; 0 without any. ``share`` is 0 to 100."""
    if not fees:
        return 0
    ordered = sorted(fees)
    return ordered[max(-(-share * len(ordered) // 100) - 1, 0)]


async def recent_price(node: Node, accounts: Sequence[Pubkey], settings: SendingSettings) -> PriorityPrice:
    """The price for a first attempt. An endpoint that cannot say costs no trade: then it is the floor, and a note."""
    try:
        recent = await node.priority_fees(accounts)
    except ChainError as failed:
        return PriorityPrice(_bounded(0, settings), f"floor: {failed.what}")
    found = percentile([fee for _, fee in recent], settings.priority_percentile)
    note = f"percentile {settings.priority_percentile} of {len(recent)} blocks: {found}"
    return PriorityPrice(_bounded(found, settings), note)


def price_of_attempt(recent: int, previous: int | None, settings: SendingSettings) -> int:
    """Micro-lamports for an attempt: the recent price, at least one step above the attempt before, at most the cap."""
    if previous is None:
        return _bounded(recent, settings)
    stepped = -(-previous * settings.priority_step_bps // BPS)
    return _bounded(max(recent, stepped), settings)


def _bounded(price: int, settings: SendingSettings) -> int:
    return min(max(price, settings.priority_floor_micro_lamports), settings.priority_cap_micro_lamports)
