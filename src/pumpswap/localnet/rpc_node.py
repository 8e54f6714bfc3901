"""ServedChain: one endpoint's share of the practice chain: how far it lags, what it has forgotten, its bots."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.amm.pool import POOL_DISCRIMINATOR
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.encoding import mint_decimals
from pumpswap.localnet.faults import FaultPlan
from pumpswap.localnet.market import MARKET_POOLS, MarketBots

__all__ = ["MOST_LAG_SLOTS", "Market", "ServedChain"]

MOST_LAG_SLOTS = 240  # older accounts are not kept for certain


class Market(Protocol):
    """Pools on which bots trade, once per slot."""

    @property
    def pools(self) -> Sequence[PoolState]: ...

    def open(self, pools: int) -> Sequence[PoolState]: ...

    def step(self) -> object: ...


class ServedChain:
    """What all calls of one endpoint share. Several endpoints may serve one chain; one of them moves its time."""

    def __init__(self, chain: LocalChain, *, faults: FaultPlan, name: str, slot_ms: int, test_methods: bool) -> None:
        self.chain = chain
        self.faults = faults
        self.name = name
        self.slot_ms = slot_ms
        self.allows_test_methods = test_methods
        self.lag_slots = 0
        self.market: Market | None = None
        self._forgotten_before = 0
        self._decimals: dict[Pubkey, int] = {}

    @property
    def first_slot(self) -> int:
        """The oldest slot whose transactions this endpoint still knows."""
        return max(self._forgotten_before, self.chain.log.first_slot)

    def tip(self, stale_slots: int = 0) -> int:
        """The newest slot that this endpoint has seen, ``stale_slots`` further back than usual."""
        return self.chain.slot - min(self.lag_slots + stale_slots, MOST_LAG_SLOTS)

    def restart(self) -> None:
        """Come back without anything from before."""
        self._forgotten_before = self.chain.slot + 1

    def advance(self, slots: int = 1) -> None:
        """Let time pass; bots trade in every slot."""
        for _ in range(slots):
            self.chain.advance()
            if self.market is not None:
                self.market.step()

    def open_market(self, pools: int) -> Sequence[PoolState]:
        """Create pools and let bots trade on them from now on. Raises NotFound without the programs."""
        if self.market is not None:
            return self.market.open(pools)
        specs = [MARKET_POOLS[number % len(MARKET_POOLS)] for number in range(pools)]
        # A chain that was loaded, or has a market at another endpoint, must not get the same addresses again: that
        # would write new reserves over pools that people trade on.
        name, there = f"market {self.chain.seed}", self.pool_count()
        rng = random.Random(f"{name} after {there}" if there else name)
        self.market = MarketBots(self.chain, rng, specs=specs)
        return tuple(self.market.pools)

    def pool_count(self) -> int:
        """Pools on the chain."""
        accounts = self.chain.accounts_of(AMM_PROGRAM)
        return sum(account.data[:8] == POOL_DISCRIMINATOR for account in accounts)

    def decimals(self, mint: Pubkey) -> int | None:
        """Decimals of a mint; None when there is no such mint. They never change."""
        known = self._decimals.get(mint)
        if known is None:
            known = mint_decimals(self.chain.account(mint))
            if known is not None:
                self._decimals[mint] = known
        return known
