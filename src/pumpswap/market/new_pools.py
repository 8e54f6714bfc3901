"""NewPool: a pool that has just been made, and where it comes from (PROTOCOL 1.3 and 2.7).

A coin that graduates gets its pool from the Pump program in one transaction, at an address that only that program can
fill. Everybody else can make pools of any two mints too, and many are made to be confused with the real one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from typing import Final

from solders.pubkey import Pubkey

from pumpswap.amm import BondingCurve, Pool
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    PUMP_GLOBAL,
    PUMP_PROGRAM,
    bonding_curve,
    canonical_pool,
    pool_address,
    pool_authority,
)
from pumpswap.amm.events import (
    CompletePumpAmmMigrationEvent,
    CreatePoolEvent,
    EventSource,
    TransactionEvents,
    events_of_transaction,
)
from pumpswap.chain.node import ChainAccount, Commitment, ConfirmedTransaction, Node
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import MalformedAccount, NotFound, ProtocolDrift, PumpSwapError

__all__ = [
    "NewPool",
    "PoolOrigin",
    "judge",
    "migration_authority",
    "pools_of",
    "pools_reported",
    "reported_by",
    "unread",
]

_SUPPLY_AT: Final = 36  # of a mint account
_GLOBAL_DISCRIMINATOR: Final = bytes.fromhex("a7e8e8b1c86c727f")
_WITHDRAW_AUTHORITY_AT: Final = 113  # of the Pump program's Global


class PoolOrigin(Enum):
    """Where a pool comes from."""

    GRADUATED = "graduated"  # from the coin's finished bonding curve, proven
    PERMISSIONLESS = "permissionless"  # from somebody's wallet
    UNVERIFIED = "unverified"  # it may be either; not known is not graduated


@dataclass(frozen=True, slots=True)
class NewPool:
    """A pool as the program reported its creation. Amounts are raw units at that moment.

    ``is_migration``: the Pump program reported in the same transaction that this coin has moved into this pool, which
    is the canonical one. ``origin`` is only GRADUATED when the curve was read too and is complete; ``reason`` says why
    it is what it is. ``lp_burned`` is the share of the liquidity that nobody can withdraw, None when not known.
    """

    address: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    creator: Pubkey
    coin_creator: Pubkey
    lp_mint: Pubkey
    index: int
    slot: int
    at_ns: int
    signature: str
    base_units: int
    quote_units: int
    base_decimals: int
    quote_decimals: int
    lp_units: int
    is_mayhem_mode: bool
    is_migration: bool
    origin: PoolOrigin
    reason: str
    lp_burned: Fraction | None = None


def pools_of(transaction: ConfirmedTransaction) -> tuple[NewPool, ...]:
    """Pools that a confirmed transaction has made; none when it failed. Their curves have not been read."""
    return pools_reported(reported_by(transaction), transaction.signature, transaction.slot)


def reported_by(transaction: ConfirmedTransaction) -> TransactionEvents:
    """The events of a confirmed transaction; none when it failed."""
    if transaction.err is not None:
        return TransactionEvents((), EventSource.LOGS, failed=True)
    calls = None
    # A creation always calls the token programs: a transaction without inner calls was recorded without them.
    if any(one.height > 1 for one in transaction.instructions):
        calls = [(one.program, one.accounts, one.data) for one in transaction.instructions]
    return events_of_transaction(transaction.logs, calls)


def pools_reported(found: TransactionEvents, signature: str, slot: int) -> tuple[NewPool, ...]:
    """Pools among the events of a transaction. The program says which account emitted what, so nothing is forged."""
    moved = {one.event.pool: one.event for one in found.events if isinstance(one.event, CompletePumpAmmMigrationEvent)}
    return tuple(
        _reported(one.event, moved.get(one.event.pool), signature, slot)
        for one in found.events
        if isinstance(one.event, CreatePoolEvent)
    )


def _reported(
    event: CreatePoolEvent, migration: CompletePumpAmmMigrationEvent | None, signature: str, slot: int
) -> NewPool:
    origin, reason = _claim(event, migration)
    return NewPool(
        address=event.pool,
        base_mint=event.base_mint,
        quote_mint=event.quote_mint,
        creator=event.creator,
        coin_creator=event.coin_creator,
        lp_mint=event.lp_mint,
        index=event.index,
        slot=slot,
        at_ns=event.timestamp * NS_PER_SECOND,
        signature=signature,
        base_units=event.pool_base_amount,
        quote_units=event.pool_quote_amount,
        base_decimals=event.base_mint_decimals,
        quote_decimals=event.quote_mint_decimals,
        lp_units=event.initial_liquidity,
        is_mayhem_mode=event.is_mayhem_mode,
        is_migration=origin is PoolOrigin.UNVERIFIED and not reason,
        origin=origin,
        reason=reason or "its bonding curve was not read",
    )


def _claim(event: CreatePoolEvent, migration: CompletePumpAmmMigrationEvent | None) -> tuple[PoolOrigin, str]:
    """What the transaction alone shows. No reason: all that is missing is a look at the curve."""
    base, unverified = event.base_mint, PoolOrigin.UNVERIFIED
    if event.pool != pool_address(event.index, event.creator, base, event.quote_mint):
        return unverified, "its address is not that of its creator and mints"
    if event.creator != pool_authority(base):
        return PoolOrigin.PERMISSIONLESS, "made from a wallet, which can take its liquidity out"
    if migration is None:
        return unverified, "the Pump program made it and reported no migration"
    if (migration.mint, migration.bonding_curve) != (base, bonding_curve(base)):
        return unverified, "the migration that was reported is another coin's"
    if event.pool != canonical_pool(base, migration.quote_mint):
        return unverified, "it is not the canonical pool of the migration that was reported"
    return unverified, ""


async def judge(node: Node, pool: NewPool, commitment: Commitment = Commitment.CONFIRMED) -> NewPool:
    """The same pool with what its accounts show: whether its coin has really graduated, and who has its LP tokens.

    Raises ChainError when they cannot be read, StaleNode among others: a node may be a slot behind the one that told.
    """
    asked = [bonding_curve(pool.base_mint), pool.address, pool.lp_mint]
    found = await node.accounts(asked, commitment=commitment, min_context_slot=pool.slot)
    curve, account, mint = found.accounts
    try:
        stranger = _stranger(pool, account)
        if stranger:
            return replace(pool, origin=PoolOrigin.UNVERIFIED, reason=stranger)
        told = replace(pool, lp_burned=_burned(account, mint))
        if not pool.is_migration:
            return told
        obstacle = _obstacle(pool, curve)
    except ProtocolDrift as drift:
        return unread(pool, drift)
    if obstacle:
        return replace(told, reason=obstacle)
    reason = "migrated from its finished bonding curve into the canonical pool"
    return replace(told, origin=PoolOrigin.GRADUATED, reason=reason)


def unread(pool: NewPool, why: PumpSwapError) -> NewPool:
    """The same pool, of which nobody could look at the accounts."""
    if pool.origin is PoolOrigin.PERMISSIONLESS:
        return pool  # its transaction alone proves that
    return replace(pool, reason=f"its accounts cannot be read: {why.what}")


def _stranger(pool: NewPool, account: ChainAccount | None) -> str:
    """Why the account is not the pool that was reported; empty when it is."""
    if account is None or account.owner != AMM_PROGRAM:
        return "there is no pool at its address"
    told = Pool.decode(account.data)
    mints = (told.base_mint, told.quote_mint, told.lp_mint, told.creator)
    if mints != (pool.base_mint, pool.quote_mint, pool.lp_mint, pool.creator):
        return "its account names other mints, or another creator, than were reported"
    return ""


def _obstacle(pool: NewPool, account: ChainAccount | None) -> str:
    """Why the curve does not prove a graduation; empty when it does. Raises ProtocolDrift for unknown bytes."""
    if account is None or account.owner != PUMP_PROGRAM:
        return "its coin has no bonding curve"
    curve = BondingCurve.decode(account.data)
    if not curve.complete:
        return "its coin's bonding curve is not complete"
    if canonical_pool(pool.base_mint, curve.quote_mint) != pool.address:
        return "its coin's bonding curve names another quote token"
    return ""


def _burned(pool: ChainAccount | None, mint: ChainAccount | None) -> Fraction | None:
    """What the LP mint lacks of the supply that the pool reckons with."""
    if pool is None or mint is None or len(mint.data) < _SUPPLY_AT + 8:
        return None
    reckoned = Pool.decode(pool.data).lp_supply
    minted = int.from_bytes(mint.data[_SUPPLY_AT : _SUPPLY_AT + 8], "little")
    return 1 - Fraction(min(minted, reckoned), reckoned) if reckoned else None


async def migration_authority(node: Node, commitment: Commitment = Commitment.CONFIRMED) -> Pubkey:
    """The account that every migration mentions, and hardly anything else: its history is that of the graduates.

    Read from the Pump program's settings, since a fixed address would go blind when the program changes its mind.
    Raises NotFound on a chain without the Pump program, MalformedAccount for settings of another layout.
    """
    (account,) = (await node.accounts([PUMP_GLOBAL], commitment=commitment)).accounts
    if account is None or account.owner != PUMP_PROGRAM:
        raise NotFound("this chain has no settings of the Pump program", hint="watch all pools: --all")
    end = _WITHDRAW_AUTHORITY_AT + 32
    if account.data[:8] != _GLOBAL_DISCRIMINATOR or len(account.data) < end:
        raise MalformedAccount("the settings of the Pump program have another layout", hint="upgrade pumpswap")
    return Pubkey.from_bytes(account.data[_WITHDRAW_AUTHORITY_AT:end])
