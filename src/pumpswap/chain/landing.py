"""Find a transaction in a confirmed block. A hint is never believed: only the block's own content counts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from pumpswap.chain.fan_out import ask_each
from pumpswap.chain.node import Commitment, ConfirmedTransaction, Node
from pumpswap.errors import ChainError, WrongNetwork
from pumpswap.model import Attempt

__all__ = ["find_landed"]

_SILENCE_SECONDS = 2.0


async def find_landed(
    nodes: Sequence[Node], attempt: Attempt, *, needed: int, is_thorough: bool
) -> ConfirmedTransaction | None:
    """The transaction of ``attempt`` in a confirmed block, as ``needed`` nodes of different names tell it alike.

    None while they do not: what one node alone says of its success, its balances or its slot may be a lie.
    A status alone proves nothing: the node must also hand out the transaction, with these very bytes. A processed one
    may still be rolled back. ``is_thorough`` searches the whole history and asks for the content even where there is no
    status, since nodes forget statuses after a few minutes and at every restart.
    """

    async def look(node: Node) -> ConfirmedTransaction | None:
        known = await node.statuses([attempt.signature], search_history=is_thorough)
        status = known.statuses[0] if known.statuses else None
        is_settled = status is not None and status.commitment is not Commitment.PROCESSED
        if not is_settled and not is_thorough:
            return None
        found = await node.transaction(attempt.signature, Commitment.CONFIRMED)
        return found if found is not None and _is_ours(found, attempt) else None

    told: dict[str, ConfirmedTransaction] = {}
    async with aclosing(ask_each(nodes, look, within_seconds=_SILENCE_SECONDS)) as answers:
        async for node, answer in answers:
            if answer is None or isinstance(answer, ChainError | WrongNetwork):
                continue
            told.setdefault(node.name, answer)
            alike = [other for other in told.values() if _effects(other) == _effects(answer)]
            if len(alike) >= needed:
                return alike[0]
    return None


def _effects(found: ConfirmedTransaction) -> ConfirmedTransaction:
    """Without what honest nodes tell in different ways: some cut logs, some leave the time or the units out."""
    return replace(found, block_time=None, logs=(), compute_units=0, raw=b"")


def _is_ours(found: ConfirmedTransaction, attempt: Attempt) -> bool:
    return found.signature == attempt.signature and found.raw in (b"", attempt.raw)
