"""The last blocks of the practice chain: slot, height, hash. Expired can be told from never heard of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from solders.hash import Hash

__all__ = ["MAX_AGE_BLOCKS", "Block", "BlockRing", "BlockhashState", "hash_of_block"]

MAX_AGE_BLOCKS = 150  # a transaction may land in a block at most this much higher than the one it names
_KEPT_BLOCKS = 300

BlockhashState = Literal["valid", "expired", "unknown"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block. Skipped slots have none, so heights lag behind slots."""

    slot: int
    height: int
    blockhash: Hash
    unix_time: int


def hash_of_block(seed: int, slot: int, fork: int) -> Hash:
    """The same seed gives the same chain; a slot that was rolled back gets another hash on its new fork."""
    return Hash.hash(f"pumpswap practice chain {seed} slot {slot} fork {fork}".encode())


class BlockRing:
    """Newest blocks, oldest first. 150 of them are valid, older ones are known but expired."""

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self._blocks: deque[Block] = deque(maxlen=_KEPT_BLOCKS)
        self._by_hash: dict[Hash, Block] = {}
        for block in blocks:
            self.add(block)

    def add(self, block: Block) -> None:
        if len(self._blocks) == _KEPT_BLOCKS:
            del self._by_hash[self._blocks[0].blockhash]
        self._blocks.append(block)
        self._by_hash[block.blockhash] = block

    @property
    def newest(self) -> Block:
        return self._blocks[-1]

    @property
    def all(self) -> tuple[Block, ...]:
        return tuple(self._blocks)

    def named(self, blockhash: Hash) -> Block | None:
        """The block of this hash, if it is remembered."""
        return self._by_hash.get(blockhash)

    def at_or_below(self, slot: int) -> Block:
        """The newest block that is not above ``slot``; the oldest one when all are."""
        for block in reversed(self._blocks):
            if block.slot <= slot:
                return block
        return self._blocks[0]

    def state(self, blockhash: Hash) -> BlockhashState:
        """Whether a transaction that names this hash may land in the newest block."""
        block = self._by_hash.get(blockhash)
        if block is None:
            return "unknown"
        return "valid" if self.newest.height - block.height <= MAX_AGE_BLOCKS else "expired"

    def is_valid_in(self, block: Block, blockhash: Hash) -> bool:
        """Whether a transaction that names this hash may land right after ``block``."""
        named = self._by_hash.get(blockhash)
        return named is not None and named.slot <= block.slot and block.height - named.height <= MAX_AGE_BLOCKS

    def replace_newest(self, count: int, seed: int, fork: int) -> None:
        """The newest ``count`` blocks get the hashes of another fork: what named the old ones can no longer land."""
        replaced = [self._blocks.pop() for _ in range(min(count, len(self._blocks)))]
        for block in reversed(replaced):
            del self._by_hash[block.blockhash]
            self.add(Block(block.slot, block.height, hash_of_block(seed, block.slot, fork), block.unix_time))
