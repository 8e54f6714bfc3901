"""Gap fill: the history of an address since a known line, and the order of several histories."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.chain.node import Commitment, ConfirmedTransaction, SignatureInfo
from pumpswap.errors import ChainError, EndpointDown

__all__ = ["FeedNode", "fetch_transactions", "history_since", "merged"]

PAGE = 1_000


class FeedNode(Protocol):
    """The part of a Node that a feed asks."""

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1_000,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]: ...

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None: ...


async def history_since(
    node: FeedNode,
    address: Pubkey,
    anchor: SignatureInfo | None,
    commitment: Commitment = Commitment.CONFIRMED,
    page: int = PAGE,
) -> tuple[SignatureInfo, ...]:
    """Lines of an address's history after ``anchor`` (all of it without one), from old to new, page by page.

    A node that does not know the anchor would go back to the beginning of time; it is stopped at the anchor's slot.
    Raises ChainError when any page fails: a history with a hole is none.
    """
    until = anchor.signature if anchor else None
    newest_first: list[SignatureInfo] = []
    before: str | None = None
    while True:
        lines = await node.signatures_for(address, before=before, until=until, limit=page, commitment=commitment)
        newest_first += lines
        if len(lines) < page or (anchor is not None and lines[-1].slot < anchor.slot):
            break
        if lines[-1].signature == before:
            raise EndpointDown("a node repeats a page of an address's history", hint="use another endpoint")
        before = lines[-1].signature
    kept = [one for one in newest_first if anchor is None or one.slot >= anchor.slot]
    return tuple(reversed(kept))


async def fetch_transactions(
    node: FeedNode, signatures: Sequence[str], commitment: Commitment = Commitment.CONFIRMED, at_once: int = 8
) -> list[ConfirmedTransaction | ChainError | None]:
    """Transactions in the order of ``signatures``; None where the node does not know one, the error where it failed."""
    gate = asyncio.Semaphore(at_once)

    async def one(signature: str) -> ConfirmedTransaction | ChainError | None:
        async with gate:
            try:
                return await node.transaction(signature, commitment)
            except ChainError as failed:
                return failed

    return list(await asyncio.gather(*(one(signature) for signature in signatures)))


def merged(pages: Sequence[Sequence[SignatureInfo]]) -> list[SignatureInfo]:
    """One history of several, from old to new, each line once.

    By slot; within a slot every page keeps its own order, and a line of several pages ties them together. What no page
    decides is in the order of the pages.
    """
    if len(pages) == 1:
        return list({one.signature: one for one in pages[0]}.values())
    slots: dict[int, list[list[SignatureInfo]]] = {}
    for page in pages:
        parts: dict[int, list[SignatureInfo]] = {}
        for one in page:
            parts.setdefault(one.slot, []).append(one)
        for slot, part in parts.items():
            slots.setdefault(slot, []).append(part)
    return [one for slot in sorted(slots) for one in _one_slot(slots[slot])]


def _one_slot(parts: list[list[SignatureInfo]]) -> list[SignatureInfo]:
    """Take, again and again, the first line that stands behind no other in any part."""
    heads = [0] * len(parts)
    taken: dict[str, SignatureInfo] = {}
    while True:
        for at, part in enumerate(parts):
            while heads[at] < len(part) and part[heads[at]].signature in taken:
                heads[at] += 1
        open_parts = [at for at, part in enumerate(parts) if heads[at] < len(part)]
        if not open_parts:
            return list(taken.values())
        behind = {one.signature for at in open_parts for one in parts[at][heads[at] + 1 :]}
        first = [parts[at][heads[at]] for at in open_parts]
        # Histories of one chain cannot contradict each other; should a node lie, the order of the pages decides.
        chosen = next((one for one in first if one.signature not in behind), first[0])
        taken[chosen.signature] = chosen
