"""Afterwards: was our trade sandwiched? Read from the history of its pool in its slot (P11)."""

from __future__ import annotations

from solders.pubkey import Pubkey

from pumpswap.chain.dont_front import Sandwich, detect_sandwich
from pumpswap.chain.node import Node, SignatureInfo
from pumpswap.errors import NotFound
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import Swap

__all__ = ["find_sandwich"]

_PAGE = 1_000


async def find_sandwich(node: Node, pool: str, signature: str, slot: int) -> Sandwich | None:
    """Who traded around a swap of ``pool`` in its slot, or None when nobody did.

    Ask soon after the fill: the pool's history is read from now back to its slot. Raises NotFound when the node does
    not know one of the slot's transactions, and ChainError.
    """
    swaps: list[Swap] = []
    for info in await _slot_history(node, Pubkey.from_string(pool), slot):
        transaction = await node.transaction(info.signature)
        if transaction is None:
            hint = "ask a node with a longer history"
            raise NotFound(f"{node.name} lists transaction {info.signature} and does not know it", hint=hint)
        swaps += swaps_of(transaction)
    ours = next((swap for swap in swaps if swap.signature == signature and swap.pool == pool), None)
    return None if ours is None else detect_sandwich(ours, swaps)


async def _slot_history(node: Node, pool: Pubkey, slot: int) -> list[SignatureInfo]:
    """Successful transactions of the pool in a slot, in the order of execution."""
    found: list[SignatureInfo] = []
    before: str | None = None
    while True:
        page = await node.signatures_for(pool, before=before, limit=_PAGE)
        found += [info for info in page if info.slot == slot and info.err is None]
        if len(page) < _PAGE or page[-1].slot < slot:
            return found[::-1]
        before = page[-1].signature
