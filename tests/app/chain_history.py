"""A practice chain with a history, and nodes on it that count, forget and fail."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.chain.node import Commitment, ConfirmedTransaction, SignatureInfo
from pumpswap.errors import EndpointDown
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.market import MarketBots
from pumpswap.localnet.programs import load_programs
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import Swap
from tests.support.material import material

__all__ = ["CountingNode", "History", "history"]


@dataclass
class History:
    """A chain on which bots have traded, and its pools."""

    chain: LocalChain
    bots: MarketBots
    pools: list[Pubkey]

    def go_on(self, slots: int) -> None:
        for _ in range(slots):
            self.bots.step()
            self.chain.advance()

    def swaps(self, pool: Pubkey) -> list[Swap]:
        """All swaps of a pool as the chain knows them, oldest first."""
        found = []
        for line in reversed(self.chain.history(pool)):
            transaction = self.chain.transaction(line.signature)
            assert transaction is not None
            found += [swap for swap in swaps_of(transaction) if swap.pool == str(pool)]
        return found


def history(slots: int, seed: int = 3) -> History:
    folder = material("chain")
    assert folder is not None
    chain = LocalChain(seed=seed)
    load_programs(chain, folder)
    bots = MarketBots(chain, random.Random(seed), trades_per_slot=3)
    pools = [state.address for state in bots.open(2)]
    made = History(chain, bots, pools)
    chain.advance(40)
    made.go_on(slots)
    chain.advance(2)
    return made


class CountingNode:
    """What a backfill asks, counted. ``fails`` goes by the number of the request; ``lost`` are not known to it."""

    def __init__(
        self, chain: LocalChain, *, fails: Callable[[int], bool] = lambda _: False, lost: frozenset[str] = frozenset()
    ) -> None:
        self._node = LocalNode(chain)
        self._fails, self._lost = fails, lost
        self.asked: Counter[str] = Counter()
        self.pages = 0
        self.requests = 0

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1_000,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]:
        self.pages += 1
        return await self._node.signatures_for(address, before=before, until=until, limit=limit, commitment=commitment)

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        self.requests += 1
        if self._fails(self.requests):
            raise EndpointDown("no answer", hint="try again")
        self.asked[signature] += 1
        return None if signature in self._lost else await self._node.transaction(signature, commitment)
