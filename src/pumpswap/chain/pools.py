"""PoolReader: states of one pool or of thousands, each from accounts of one slot (PROTOCOL 2.1).

Pool, both vaults and base mint come from the same ``getMultipleAccounts`` call: a price made of a vault from before a
trade and one from after it would be wrong by the whole trade. What never changes (which vaults, which mints, token
programs, decimals) is read once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from solders.pubkey import Pubkey

from pumpswap.amm import Mint, Pool, PoolState, TokenAccount
from pumpswap.amm.addresses import AMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.chain.node import AccountsAt, ChainAccount, Commitment, Node
from pumpswap.chain.token_extensions import risky_extensions
from pumpswap.errors import MalformedAccount, NotFound, ProtocolDrift, PumpSwapError

__all__ = ["MintFacts", "PoolKeys", "PoolReader", "load_pool", "load_pools", "pool_of"]

Item = TypeVar("Item")
Refusal = Callable[[Pubkey, PumpSwapError], None]

_ACCOUNTS_PER_CALL = 100
_ACCOUNTS_PER_POOL = 4
_CALLS_AT_ONCE = 8  # the endpoint's own rate limit decides how fast; this bounds what is held in memory
_ADDRESS_HINT = "check the address and the network; find a coin's pool with: pumpswap pool find MINT"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolKeys:
    """Where a pool's figures are. Fixed when the pool is made."""

    base_mint: Pubkey
    quote_mint: Pubkey
    base_vault: Pubkey
    quote_vault: Pubkey

    @classmethod
    def of(cls, pool: Pool) -> PoolKeys:
        """The keys that a pool account names."""
        return cls(pool.base_mint, pool.quote_mint, pool.pool_base_token_account, pool.pool_quote_token_account)


@dataclass(frozen=True, slots=True)
class MintFacts:
    """What never changes about a mint. ``risks`` names extensions for which trading refuses it."""

    token_program: Pubkey
    decimals: int
    risks: tuple[str, ...] = ()


class PoolReader:
    """Reads pools through a node and remembers what never changes about them."""

    def __init__(self, node: Node, *, commitment: Commitment = Commitment.CONFIRMED) -> None:
        self._node, self._commitment = node, commitment
        self._keys: dict[Pubkey, PoolKeys] = {}
        self._mints: dict[Pubkey, MintFacts] = {}
        self._odd_lengths: set[int] = set()

    def keys(self, address: Pubkey) -> PoolKeys | None:
        """Vaults and mints of a pool that was read before."""
        return self._keys.get(address)

    def mint(self, address: Pubkey) -> MintFacts | None:
        """Facts about a mint of a pool that was read before."""
        return self._mints.get(address)

    async def load(self, address: Pubkey, *, min_context_slot: int = 0) -> PoolState:
        """State of one pool.

        Raises NotFound when there is no such account, MalformedAccount when it is no pool, ProtocolDrift when the AMM
        does not own it or a mint belongs to neither token program, and the node's ChainError.
        """
        return (await self.load_many([address], min_context_slot=min_context_slot))[address]

    async def load_many(
        self, addresses: Iterable[Pubkey], *, min_context_slot: int = 0, on_refusal: Refusal | None = None
    ) -> dict[Pubkey, PoolState]:
        """States of any number of pools, each consistent in itself; their slots may differ by a few.

        A pool that cannot be read is told to ``on_refusal`` and left out; without it, its error is raised as by
        ``load``. Errors of the node are always raised.
        """
        refuse = on_refusal or _raise
        wanted = list(dict.fromkeys(addresses))
        await self._learn_keys([one for one in wanted if one not in self._keys], refuse)
        known = [one for one in wanted if one in self._keys]
        mints = dict.fromkeys(self._keys[one].quote_mint for one in known)
        broken = await self._learn_mints([one for one in mints if one not in self._mints])
        ready: list[Pubkey] = []
        for one in known:
            failed = broken.get(self._keys[one].quote_mint)
            if failed is None:
                ready.append(one)
            else:
                refuse(one, failed)
        states: dict[Pubkey, PoolState] = {}

        async def read(batch: Sequence[Pubkey]) -> None:
            found = await self._accounts(self._places(batch), min_context_slot)
            for number, address in enumerate(batch):
                at = number * _ACCOUNTS_PER_POOL
                try:
                    states[address] = self._state(address, found.accounts[at : at + _ACCOUNTS_PER_POOL], found.slot)
                except (NotFound, ProtocolDrift) as failed:
                    refuse(address, failed)

        await _at_once(read, _batches(ready, _ACCOUNTS_PER_CALL // _ACCOUNTS_PER_POOL))
        return {address: states[address] for address in wanted if address in states}

    async def _learn_keys(self, addresses: Sequence[Pubkey], refuse: Refusal) -> None:
        async def read(batch: Sequence[Pubkey]) -> None:
            found = await self._accounts(batch)
            for address, account in zip(batch, found.accounts, strict=True):
                try:
                    self._keys[address] = PoolKeys.of(self._checked(pool_of(address, account)))
                except (NotFound, ProtocolDrift) as failed:
                    refuse(address, failed)

        await _at_once(read, _batches(addresses, _ACCOUNTS_PER_CALL))

    async def _learn_mints(self, mints: Sequence[Pubkey]) -> dict[Pubkey, PumpSwapError]:
        """Learn quote mints; what is wrong with those that cannot be used."""
        broken: dict[Pubkey, PumpSwapError] = {}

        async def read(batch: Sequence[Pubkey]) -> None:
            found = await self._accounts(batch)
            for address, account in zip(batch, found.accounts, strict=True):
                try:
                    self._learn_mint(_existing(account, f"mint {address}"))
                except (NotFound, ProtocolDrift) as failed:
                    broken[address] = failed

        await _at_once(read, _batches(mints, _ACCOUNTS_PER_CALL))
        return broken

    def _learn_mint(self, account: ChainAccount) -> Mint:
        mint = Mint.decode(account.data)
        if account.address not in self._mints:
            self._mints[account.address] = MintFacts(
                _token_program(account, "mint"), mint.decimals, risky_extensions(account.data)
            )
        return mint

    def _places(self, batch: Sequence[Pubkey]) -> list[Pubkey]:
        places: list[Pubkey] = []
        for address in batch:
            keys = self._keys[address]
            places += (address, keys.base_vault, keys.quote_vault, keys.base_mint)
        return places

    def _state(self, address: Pubkey, accounts: Sequence[ChainAccount | None], slot: int) -> PoolState:
        pool_account, base_account, quote_account, mint_account = accounts
        pool = self._checked(pool_of(address, pool_account))
        keys = self._keys[address]
        if PoolKeys.of(pool) != keys:
            del self._keys[address]
            raise ProtocolDrift(f"pool {address} changed its vaults or mints", hint="stop trading it and upgrade")
        mint = self._learn_mint(_existing(mint_account, f"mint {keys.base_mint}"))
        base, quote = self._mints[keys.base_mint], self._mints[keys.quote_mint]
        return PoolState(
            pool=pool,
            address=address,
            base_reserve=_vault(base_account, address, keys.base_vault, keys.base_mint, base.token_program),
            quote_vault=_vault(quote_account, address, keys.quote_vault, keys.quote_mint, quote.token_program),
            base_supply=mint.supply,
            base_token_program=base.token_program,
            quote_token_program=quote.token_program,
            slot=slot,
            base_decimals=base.decimals,
            quote_decimals=quote.decimals,
        )

    def _checked(self, pool: Pool) -> Pool:
        """Unknown lengths are loud, once each; they are refused where orders are made."""
        size = pool.account_len
        if size not in KNOWN_POOL_LENGTHS and size not in self._odd_lengths:
            self._odd_lengths.add(size)
            _log.warning("unknown-pool-length", extra={"account_len": size})
        return pool

    async def _accounts(self, addresses: Sequence[Pubkey], min_context_slot: int = 0) -> AccountsAt:
        return await self._node.accounts(addresses, commitment=self._commitment, min_context_slot=min_context_slot)


async def load_pool(node: Node, address: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED) -> PoolState:
    """State of one pool; errors as ``PoolReader.load``. Keep a PoolReader when reading again: it needs fewer calls."""
    return await PoolReader(node, commitment=commitment).load(address)


async def load_pools(
    node: Node,
    addresses: Iterable[Pubkey],
    *,
    commitment: Commitment = Commitment.CONFIRMED,
    on_refusal: Refusal | None = None,
) -> dict[Pubkey, PoolState]:
    """States of any number of pools; see ``PoolReader.load_many``."""
    return await PoolReader(node, commitment=commitment).load_many(addresses, on_refusal=on_refusal)


def pool_of(address: Pubkey, account: ChainAccount | None) -> Pool:
    """The pool in an account. Raises NotFound, ProtocolDrift when the AMM does not own it, MalformedAccount."""
    found = _existing(account, f"pool {address}")
    if found.owner != AMM_PROGRAM:
        raise ProtocolDrift(f"{address} is no PumpSwap pool: {found.owner} owns it", hint=_ADDRESS_HINT)
    return Pool.decode(found.data)


def _vault(account: ChainAccount | None, pool: Pubkey, address: Pubkey, mint: Pubkey, program: Pubkey) -> int:
    """Raw units in a vault, after checking that it is this pool's vault of this mint."""
    found = _existing(account, f"vault {address} of pool {pool}")
    if _token_program(found, "vault") != program:
        raise ProtocolDrift(
            f"vault {address} belongs to {found.owner}, its mint to {program}", hint="stop trading this pool"
        )
    vault = TokenAccount.decode(found.data)
    if vault.mint != mint or vault.owner != pool:
        raise MalformedAccount(f"{address} is no vault of pool {pool}", hint="stop trading this pool")
    return vault.amount


def _token_program(account: ChainAccount, what: str) -> Pubkey:
    if account.owner not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
        raise ProtocolDrift(
            f"{what} {account.address} belongs to {account.owner}, no token program",
            hint="such a token cannot be priced",
        )
    return account.owner


def _existing(account: ChainAccount | None, what: str) -> ChainAccount:
    if account is None:
        raise NotFound(f"there is no {what}", hint=_ADDRESS_HINT)
    return account


def _raise(address: Pubkey, failed: PumpSwapError) -> None:
    raise failed


def _batches(items: Sequence[Item], size: int) -> Iterable[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


async def _at_once(read: Callable[[Sequence[Pubkey]], Awaitable[None]], batches: Iterable[list[Pubkey]]) -> None:
    """Run ``read`` on every batch, a few at a time; the first error stops the others."""
    waiting = iter(batches)

    async def work() -> None:
        for batch in waiting:  # shared: every worker takes the next one
            await read(batch)

    workers = [asyncio.ensure_future(work()) for _ in range(_CALLS_AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
