"""Block-hashes, each with its own expiry height, kept fresh so that signing never waits for one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pumpswap.chain.expiry import BLOCKHASH_BLOCKS
from pumpswap.chain.node import BlockhashAt, Commitment, Node
from pumpswap.clock import Clock
from pumpswap.errors import ChainError, StaleNode

__all__ = ["BlockhashCache"]

_NS_PER_MS = 1_000_000
_TOLERATED_BLOCKS = 64  # two endpoints behind one name may be this far apart


class BlockhashCache:
    """The newest block-hash of a node.

    A held hash is handed out while it is younger than ``max_age_ms``: an older one would leave its transaction too
    little time to land. One that was asked for just then is handed out however long the node took to answer: it is the
    newest that there is. It never goes back to an older hash, and no hash is ever given the expiry of another.
    """

    def __init__(self, node: Node, clock: Clock, *, refresh_ms: int = 2_000, max_age_ms: int = 10_000) -> None:
        self._node = node
        self._clock = clock
        self._refresh_ms = refresh_ms
        self._max_age_ns = max_age_ms * _NS_PER_MS
        self._held: BlockhashAt | None = None
        self._held_ns = 0
        self._stored = 0  # how many answers
        self._failure: ChainError | None = None

    @property
    def failure(self) -> ChainError | None:
        """Why the last refresh in the background failed; None when it did not."""
        return self._failure

    async def get(self, *, newer_than: int = 0) -> BlockhashAt:
        """A useful block-hash whose expiry height is above ``newer_than``. From memory while a fresh one is there.

        Raises ChainError when the node fails, StaleNode when all that it has is too old.
        """
        held = self._held if self._is_young() else None
        if held is None or held.last_valid_block_height <= newer_than:
            stored = self._stored
            await self.refresh()
            # Whoever asked: what came in meanwhile is new. Its age would be the node's time to answer, twice.
            held = self._held if self._stored > stored else None
        if held is None or held.last_valid_block_height <= newer_than:
            raise StaleNode(
                f"{self._node.name} has no block-hash that is new enough to sign with",
                hint="its node lags behind the chain: wait, or use another endpoint",
            )
        return held

    async def refresh(self) -> None:
        """Ask for a new one. Raises ChainError, and StaleNode for an answer that cannot be right."""
        asked_ns = self._clock.now_ns()
        answer = await self._node.latest_blockhash(Commitment.CONFIRMED)
        height = (await self._node.height(Commitment.CONFIRMED)).block_height
        left = answer.last_valid_block_height - height
        if not 0 < left <= BLOCKHASH_BLOCKS + _TOLERATED_BLOCKS:
            raise StaleNode(
                f"{self._node.name} gave a block-hash with {left} blocks left to live at height {height}",
                hint="that cannot be right: use another endpoint",
            )
        if self._held is None or answer.slot >= self._held.slot:
            self._held, self._held_ns, self._stored = answer, asked_ns, self._stored + 1

    async def keep_fresh(self, until: asyncio.Event, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Refresh in the background until ``until`` is set. Failures are kept in ``failure`` and tried again."""
        while not until.is_set():
            try:
                await self.refresh()
                self._failure = None
            except ChainError as error:
                self._failure = error
            await sleep(self._refresh_ms / 1_000)

    def _is_young(self) -> bool:
        return self._clock.now_ns() - self._held_ns <= self._max_age_ns
