"""Discovery: the pools of a coin. Canonical addresses first; a search over the chain only on request (PROTOCOL 1.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from solders.pubkey import Pubkey

from pumpswap.amm import BondingCurve, PoolState
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    USDC_MINT,
    WSOL_MINT,
    bonding_curve,
    canonical_pool,
)
from pumpswap.amm.pool import POOL_DISCRIMINATOR
from pumpswap.chain.node import ChainAccount, Commitment, Node, ProgramFilter
from pumpswap.chain.pools import PoolReader
from pumpswap.errors import ProtocolDrift, PumpSwapError

__all__ = ["Discovery", "DiscoveryWarning", "FoundPool", "WarningKind", "find_pools"]

_BASE_MINT_AT, _QUOTE_MINT_AT = 43, 75


class WarningKind(Enum):
    """What to beware of."""

    FAKE_POOLS = "fake-pools"
    NOT_GRADUATED = "not-graduated"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class DiscoveryWarning:
    """``text`` is one sentence for people; ``pool`` is set when it is about one."""

    kind: WarningKind
    text: str
    pool: Pubkey | None = None


@dataclass(frozen=True, slots=True)
class FoundPool:
    """A pool of the coin. ``is_canonical``: at the address that only the Pump program can fill."""

    state: PoolState
    is_canonical: bool
    is_mint_the_base: bool = True

    @property
    def address(self) -> Pubkey:
        return self.state.address


@dataclass(frozen=True, slots=True)
class Discovery:
    """Pools of ``mint``: canonical ones first, then by quote mint and by what their vaults really hold."""

    mint: Pubkey
    pools: tuple[FoundPool, ...]
    curve: BondingCurve | None = None
    warnings: tuple[DiscoveryWarning, ...] = ()

    @property
    def canonical(self) -> FoundPool | None:
        """The pool to trade in: the canonical one of the curve's quote mint, else the first canonical one."""
        every = [one for one in self.pools if one.is_canonical]
        if self.curve is not None:
            quote = _curve_quote(self.curve)
            every.sort(key=lambda one: one.state.pool.quote_mint != quote)
        return every[0] if every else None


async def find_pools(
    node: Node,
    mint: Pubkey,
    *,
    search: bool = False,
    reader: PoolReader | None = None,
    commitment: Commitment = Commitment.CONFIRMED,
) -> Discovery:
    """Pools of a coin: the canonical ones for SOL, USDC and the curve's own quote mint.

    With ``search`` also every other pool that has this mint on either side; then a warning about fake pools is part of
    the answer. Raises the node's ChainError; NotServed when no endpoint allows the search.
    """
    chosen = reader or PoolReader(node, commitment=commitment)
    curve, canonical = await _canonical_addresses(node, mint, commitment)
    warnings: list[DiscoveryWarning] = []
    others: list[Pubkey] = []
    if search:
        others = [one for one in await _searched(node, mint, commitment) if one not in canonical]
        warnings.append(_beware(len(others)))

    def refused(address: Pubkey, failed: PumpSwapError) -> None:
        warnings.append(DiscoveryWarning(WarningKind.UNREADABLE, f"{address}: {failed.what}", address))

    states = await chosen.load_many([*canonical, *others], on_refusal=refused)
    pools = sorted((_found(state, mint) for state in states.values()), key=_rank)
    if curve is not None and not curve.complete and not any(one.is_canonical for one in pools):
        text = f"{mint} has not graduated: it still trades on its bonding curve"
        warnings.insert(0, DiscoveryWarning(WarningKind.NOT_GRADUATED, text))
    return Discovery(mint, tuple(pools), curve, tuple(warnings))


async def _canonical_addresses(
    node: Node, mint: Pubkey, commitment: Commitment
) -> tuple[BondingCurve | None, list[Pubkey]]:
    """The coin's curve, and those of its possible canonical addresses where there is an account."""
    usual = [canonical_pool(mint, quote) for quote in (WSOL_MINT, USDC_MINT) if quote != mint]
    found = await node.accounts([bonding_curve(mint), *usual], commitment=commitment)
    curve = _curve(found.accounts[0])
    existing = [one.address for one in found.accounts[1:] if one is not None]
    if curve is None:
        return None, existing
    own = canonical_pool(mint, _curve_quote(curve))
    if own not in usual:
        answer = await node.accounts([own], commitment=commitment, min_context_slot=found.slot)
        existing += [one.address for one in answer.accounts if one is not None]
    return curve, existing


def _curve(account: ChainAccount | None) -> BondingCurve | None:
    if account is None:
        return None
    if account.owner != PUMP_PROGRAM:
        # Anyone can send lamports to an address that nothing was created at.
        if account.owner == SYSTEM_PROGRAM and not account.data:
            return None
        raise ProtocolDrift(
            f"the bonding curve {account.address} belongs to {account.owner}", hint="stop trading and upgrade"
        )
    return BondingCurve.decode(account.data)


def _curve_quote(curve: BondingCurve) -> Pubkey:
    return WSOL_MINT if curve.quote_mint == SYSTEM_PROGRAM else curve.quote_mint


async def _searched(node: Node, mint: Pubkey, commitment: Commitment) -> Iterable[Pubkey]:
    kind = ProgramFilter(0, POOL_DISCRIMINATOR)
    found: dict[Pubkey, None] = {}
    for offset in (_BASE_MINT_AT, _QUOTE_MINT_AT):
        filters = (kind, ProgramFilter(offset, bytes(mint)))
        accounts: Sequence[ChainAccount] = await node.program_accounts(AMM_PROGRAM, filters, commitment=commitment)
        found |= dict.fromkeys(account.address for account in accounts)
    return found


def _found(state: PoolState, mint: Pubkey) -> FoundPool:
    pool = state.pool
    is_canonical = pool.is_canonical and state.address == canonical_pool(pool.base_mint, pool.quote_mint)
    return FoundPool(state, is_canonical and pool.base_mint == mint, pool.base_mint == mint)


def _rank(found: FoundPool) -> tuple[bool, int, int, bytes]:
    quotes = (WSOL_MINT, USDC_MINT)
    quote = found.state.pool.quote_mint
    kind = quotes.index(quote) if quote in quotes else len(quotes)
    return not found.is_canonical, kind, -found.state.real_quote_reserve, bytes(found.address)


def _beware(count: int) -> DiscoveryWarning:
    return DiscoveryWarning(
        WarningKind.FAKE_POOLS,
        f"the search found {count} more pools: anyone can make a pool with this mint and fake liquidity in it; "
        "trade in the canonical pool only, unless you know who made the other one",
    )
