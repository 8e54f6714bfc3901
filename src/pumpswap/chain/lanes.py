"""Lanes: the ways by which signed bytes reach a block. All of them carry the same bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.chain.fan_out import NodePool
from pumpswap.chain.node import Node
from pumpswap.errors import ChainError, EndpointDown, WrongNetwork

__all__ = ["Lane", "RpcLane"]


class Lane(Protocol):
    """A way to the block. ``min_tip_lamports`` is the least tip that it carries anything for; 0: it wants none."""

    @property
    def name(self) -> str: ...

    @property
    def min_tip_lamports(self) -> int: ...

    def tip_account(self, rng: Random) -> Pubkey | None:
        """An account that a tip may go to; None for lanes without tips."""
        ...

    async def send(self, raw: bytes) -> None:
        """Hand over signed bytes. Raises ChainError when nobody took them, which does not mean that nobody has them."""
        ...


class RpcLane:
    """All usable endpoints at once. Done when the first has taken the bytes; the others go on in the background."""

    name = "rpc"
    min_tip_lamports = 0

    def __init__(self, pool: NodePool) -> None:
        self._pool = pool
        self._on_the_way: set[asyncio.Task[None]] = set()

    def tip_account(self, rng: Random) -> Pubkey | None:
        """None: nobody to tip."""
        return None

    async def send(self, raw: bytes) -> None:
        """Raises EndpointDown when no endpoint took the bytes."""
        nodes = self._pool.usable()
        errors: list[ChainError | WrongNetwork] = []
        pending = {self._start(node, raw, errors.append) for node in nodes}
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # what is no ChainError is a bug
            if len(nodes) - len(pending) > len(errors):
                return
        told = "; ".join(error.what for error in errors) or "no endpoint is usable"
        raise EndpointDown(
            f"no endpoint confirmed that it took the transaction: {told}", hint="it may land all the same"
        )

    async def aclose(self) -> None:
        """Wait for what is still on its way."""
        await asyncio.gather(*self._on_the_way)

    def _start(
        self, node: Node, raw: bytes, on_error: Callable[[ChainError | WrongNetwork], None]
    ) -> asyncio.Task[None]:
        async def hand_over() -> None:
            try:
                await node.send(raw, skip_preflight=True)
            except (ChainError, WrongNetwork) as error:
                on_error(error)

        task = asyncio.ensure_future(hand_over())
        self._on_the_way.add(task)
        task.add_done_callback(self._on_the_way.discard)
        return task


def lanes_named(lanes: Sequence[Lane], names: frozenset[str]) -> tuple[Lane, ...]:
    """The lanes with these names; all of them for no name."""
    return tuple(lane for lane in lanes if not names or lane.name in names)
