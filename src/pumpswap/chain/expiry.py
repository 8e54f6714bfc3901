"""Proof that a transaction is not on the chain and can never be: the only licence to sign another one.

"Not found" proves nothing. A node may lag, may have been restarted, may have lost its index, may lie. Each endpoint is
therefore a witness whose words count only under conditions, and several must agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.chain.fan_out import ask_each
from pumpswap.chain.node import Commitment, Node
from pumpswap.model import Attempt

__all__ = ["BLOCKHASH_BLOCKS", "Expiry", "Testimony", "prove_expiry", "testimony"]

BLOCKHASH_BLOCKS = 150  # a block-hash is valid for this many blocks after its own
_MOST_PAGES = 50


class Testimony(Enum):
    """What one endpoint has proven about one signature."""

    ABSENT = "absent"  # it has every block in which the transaction could be, and none of them holds it
    PRESENT = "present"  # it knows the signature
    VALID = "valid"  # by its finalised height the transaction can still land
    NOTHING = "nothing"  # it lags, has lost part of its history, or failed


@dataclass(frozen=True, slots=True)
class Expiry:
    """What was testified. One endpoint that knows the signature outweighs all that do not."""

    needed: int
    absent: tuple[str, ...] = ()
    present: tuple[str, ...] = ()

    @property
    def is_proven(self) -> bool:
        """Whether the transaction is absent for ever."""
        return not self.present and len(self.absent) >= self.needed

    @property
    def text(self) -> str:
        """For people."""
        if self.present:
            return f"seen by {', '.join(self.present)}"
        return f"{len(self.absent)} of {self.needed} endpoints have proven its absence"


async def prove_expiry(nodes: Sequence[Node], attempt: Attempt, needed: int) -> Expiry:
    """Ask every node for its testimony. ``needed`` of them of different names must prove absence, each by itself,
    and none contradict.
    """
    absent, present = set(), set()
    async for node, answer in ask_each(nodes, lambda node: testimony(node, attempt)):
        if answer is Testimony.ABSENT:
            absent.add(node.name)
        elif answer is Testimony.PRESENT:
            present.add(node.name)
    return Expiry(needed, tuple(sorted(absent)), tuple(sorted(present)))


async def testimony(node: Node, attempt: Attempt) -> Testimony:
    """What this node proves by itself. Raises ChainError when it fails, which proves nothing either."""
    final = await node.height(Commitment.FINALIZED)
    if final.block_height <= attempt.last_valid_block_height:
        return Testimony.VALID
    # Both the expiry height and the slot came from whoever gave the block-hash, perhaps another node. Slots are never
    # fewer than blocks; beyond that only the witness's own word on the hash counts, since slots may be skipped.
    if final.slot <= attempt.created_slot + BLOCKHASH_BLOCKS:
        return Testimony.VALID
    blockhash = Hash.from_string(attempt.blockhash)
    if await node.is_blockhash_valid(blockhash, commitment=Commitment.FINALIZED, min_context_slot=final.slot):
        return Testimony.VALID
    known = await node.statuses([attempt.signature], search_history=True)
    if any(status is not None for status in known.statuses):
        return Testimony.PRESENT
    if len(known.statuses) != 1 or known.slot < final.slot:
        return Testimony.NOTHING
    listed = await _is_listed(node, attempt)
    if listed is not False:
        return Testimony.PRESENT if listed else Testimony.NOTHING
    # Asked last: a node that was restarted in between has forgotten, and says so here.
    if await node.first_available_block() > attempt.created_slot:
        return Testimony.NOTHING
    return Testimony.ABSENT


async def _is_listed(node: Node, attempt: Attempt) -> bool | None:
    """Whether the fee payer's history back to the attempt's first slot names it; None when that cannot be read."""
    payer, before = _fee_payer(attempt), None
    for _ in range(_MOST_PAGES):
        page = await node.signatures_for(payer, before=before)
        if any(line.signature == attempt.signature for line in page):
            return True
        # A short page is no proof of an end: some endpoints cap the number of lines.
        if not page or page[-1].slot < attempt.created_slot:
            return False
        before = page[-1].signature
    return None


def _fee_payer(attempt: Attempt) -> Pubkey:
    return VersionedTransaction.from_bytes(attempt.raw).message.account_keys[0]
