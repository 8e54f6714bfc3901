"""Find a transaction in a confirmed block. A hint is never believed: only the block's own content counts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from pumpswap.chain.fan_out import ask_each
from pumpswap.chain.node import Commitment, ConfirmedTransaction, Node
from pumpswap.errors import ChainError, WrongNetwork
from pumpswap.model import Attempt

__all__ = ["find_landed"]

_SILENCE_SECONDS = 2.0


async def find_landed(nodes: Sequence[Node], attempt: Attempt, *, is_thorough: bool) -> ConfirmedTransaction | None:
    """The transaction of ``attempt``, from the first node that has it in a confirmed block; None when none shows it.

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

    async with aclosing(ask_each(nodes, look, within_seconds=_SILENCE_SECONDS)) as answers:
        async for _, answer in answers:
            if answer is not None and not isinstance(answer, ChainError | WrongNetwork):
                return answer
    return None


def _is_ours(found: ConfirmedTransaction, attempt: Attempt) -> bool:
    return found.signature == attempt.signature and found.raw in (b"", attempt.raw)
