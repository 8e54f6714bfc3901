"""Find a transaction in a confirmed block. A hint is never believed: only the block's own content counts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from pumpswap.chain.fan_out import ask_each
from pumpswap.chain.node import Commitment, ConfirmedTransaction, Node
from pumpswap.model import Attempt

__all__ = ["find_landed"]


async def find_landed(
    nodes: Sequence[Node], attempt: Attempt, *, needed: int, is_thorough: bool
) -> ConfirmedTransaction | None:
    """The transaction of ``attempt`` in a confirmed block, as ``needed`` nodes of different names tell it alike.

    None while they do not: what one node alone says of its success, its balances or its slot may be a lie. Who is
    silent is waited for as long as its own time limit allows, but only while enough of them can still agree: one that
    hangs holds nobody up where the others have not found it, and one that is far away is heard where they have.
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
    silent = list(nodes)
    async with aclosing(ask_each(nodes, look)) as answers:
        async for node, answer in answers:
            silent.remove(node)
            if isinstance(answer, ConfirmedTransaction):
                told.setdefault(node.name, answer)
            alike = _most_alike(told)
            if len(alike) >= needed:
                return alike[0]
            if len(alike) + len({other.name for other in silent} - told.keys()) < needed:
                return None
    return None


def _most_alike(told: dict[str, ConfirmedTransaction]) -> list[ConfirmedTransaction]:
    """The largest group that tells the same effects."""
    groups = ([other for other in told.values() if _effects(other) == _effects(one)] for one in told.values())
    return max(groups, key=len, default=[])


def _effects(found: ConfirmedTransaction) -> ConfirmedTransaction:
    """Without what honest nodes tell in different ways: some cut logs, some leave the time or the units out."""
    return replace(found, block_time=None, logs=(), compute_units=0, raw=b"")


def _is_ours(found: ConfirmedTransaction, attempt: Attempt) -> bool:
    return found.signature == attempt.signature and found.raw in (b"", attempt.raw)
