"""Ask several endpoints the same thing at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from pumpswap.chain.node import Node
from pumpswap.errors import ChainError, WrongNetwork

__all__ = ["NodePool", "ask_each"]

T = TypeVar("T")


class NodePool(Protocol):
    """The endpoints that are configured, and those of them that are fit to be asked now."""

    @property
    def nodes(self) -> Sequence[Node]: ...

    def usable(self) -> Sequence[Node]: ...


async def ask_each(
    nodes: Sequence[Node], ask: Callable[[Node], Awaitable[T]]
) -> AsyncGenerator[tuple[Node, T | ChainError | WrongNetwork], None]:
    """Answers and failures of all nodes, as they come in.

    Close the iterator to give up on the others: each has a time limit of its own, and one that hangs need not hold up
    what the others know.
    """
    asked = {asyncio.ensure_future(_ask(node, ask)): node for node in nodes}
    try:
        pending = set(asked)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task, node in asked.items():
                if task in done:
                    yield node, task.result()
    finally:
        for task in asked:
            task.cancel()


async def _ask(node: Node, ask: Callable[[Node], Awaitable[T]]) -> T | ChainError | WrongNetwork:
    try:
        return await ask(node)
    except (ChainError, WrongNetwork) as error:
        return error
