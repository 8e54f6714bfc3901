"""TokenFactsReader: everything a screen looks at, read from the chain. One failing question leaves one group unread."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from solders.pubkey import Pubkey

from pumpswap.amm import BondingCurve, Mint, PoolState, SharingConfig, TokenAccount
from pumpswap.amm.addresses import (
    FEES_PROGRAM,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    bonding_curve,
    canonical_pool,
)
from pumpswap.chain.node import AccountsAt, ChainAccount, Node, ProgramFilter
from pumpswap.chain.pools import PoolReader
from pumpswap.chain.token_extensions import mint_controls
from pumpswap.clock import Clock
from pumpswap.errors import ChainError, MalformedAccount, NotFound, ProtocolDrift, PumpSwapError, UsageError
from pumpswap.market.discovery import find_pools
from pumpswap.model import Holder, HolderRole, Holders, MintBasics, PoolAge, PoolStanding, TokenFacts, TradingSeen
from pumpswap.sdk.pool_history import HistoryAsked, PoolHistory
from pumpswap.settings import ScreenSettings

__all__ = ["INCINERATOR", "TokenFactsReader"]

INCINERATOR = Pubkey.from_string(
    "1nc1nerator11111111111111111111111111111111"
)  # what it holds is burned by the runtime
_LISTED = 20  # getTokenLargestAccounts lists no more
_MULTISIG_LEN = 355
_MINT_AUTHORITY_AT, _FREEZE_AUTHORITY_AT, _IS_MADE_AT = 0, 46, 45
_NONE, _SOME = bytes(4), b"\1\0\0\0"

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Reading:
    """What is known so far about one mint."""

    mint: Pubkey
    account: ChainAccount
    basics: MintBasics
    curve: BondingCurve | None
    state: PoolState | None = None
    unread: dict[str, str] = field(default_factory=dict)

    async def attempt(self, group: str, work: Awaitable[Answer]) -> Answer | None:
        """None, with the reason kept, where ``work`` fails."""
        try:
            return await work
        except PumpSwapError as failed:
            self.unread[group] = failed.what
            return None


class TokenFactsReader:
    """Reads facts about tokens through a node."""

    def __init__(
        self, node: Node, clock: Clock, settings: ScreenSettings | None = None, *, reader: PoolReader | None = None
    ) -> None:
        self._node, self._clock = node, clock
        self._settings = settings or ScreenSettings()
        self._pools = reader or PoolReader(node)
        self._history = PoolHistory(node, self._settings)

    async def read(self, mint: Pubkey, pool: Pubkey | None = None) -> TokenFacts:
        """Facts about a token and its canonical pool, or ``pool``.

        Raises NotFound without such a mint, UsageError for a pool of another coin, ProtocolDrift for bytes that are no
        mint, and the node's ChainError when not even the mint can be read.
        """
        reading, slot = await self._begin(mint)
        reading.state = await reading.attempt("pool", self._pool(mint, pool))
        if reading.state is not None and reading.state.pool.base_mint != mint:
            raise UsageError(f"{pool} is no pool of {mint}", hint="find the pools of a coin with: pumpswap pool find")
        creators = await reading.attempt("creators", self._creators(reading))
        lp_minted, holders, history = await asyncio.gather(
            reading.attempt("lp", self._lp_minted(reading)),
            reading.attempt("holders", self._holders(reading, creators or ())),
            reading.attempt("trading", self._past(reading)),
        )
        age, trading = history if history is not None else (None, None)
        if age is None:
            reading.unread["age"] = reading.unread.get("trading", "nothing the program reported proves an age")
        return TokenFacts(
            mint=str(mint),
            at_ns=self._clock.now_ns(),
            slot=slot,
            basics=reading.basics,
            pool=None if reading.state is None else _standing(reading.state, reading.curve, lp_minted),
            age=age,
            holders=holders,
            creators=creators,
            trading=trading,
            unread=reading.unread,
        )

    async def _begin(self, mint: Pubkey) -> tuple[_Reading, int]:
        curve_at = bonding_curve(mint)
        found = await self._node.accounts([mint, curve_at])
        account, curve = found.accounts
        if account is None:
            raise NotFound(f"there is no mint {mint}", hint="check the address and the network")
        if account.owner not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
            raise NotFound(f"{mint} is no token: {account.owner} owns it", hint="pass the mint of the coin")
        reading = _Reading(mint, account, _basics(account), None)
        if curve is not None and curve.owner == PUMP_PROGRAM:
            try:
                reading.curve = BondingCurve.decode(curve.data)
            except ProtocolDrift as failed:
                reading.unread["curve"] = failed.what
        return reading, found.slot

    async def _pool(self, mint: Pubkey, pool: Pubkey | None) -> PoolState:
        if pool is not None:
            return await self._pools.load(pool)
        found = await find_pools(self._node, mint, reader=self._pools)
        if found.canonical is None:
            told = "; ".join(warning.text for warning in found.warnings)
            raise NotFound(told or f"{mint} has no canonical pool", hint="name another pool with --pool")
        return found.canonical.state

    async def _lp_minted(self, reading: _Reading) -> int:
        """Supply of the LP mint: what could be withdrawn."""
        pool = _known(reading).pool
        (account,) = (await self._node.accounts([pool.lp_mint])).accounts
        if account is None:
            raise NotFound(f"there is no LP mint {pool.lp_mint}", hint="ask another endpoint")
        if account.owner not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
            raise ProtocolDrift(f"the LP mint belongs to {account.owner}", hint="stop trading this pool")
        return Mint.decode(account.data).supply

    async def _creators(self, reading: _Reading) -> tuple[str, ...]:
        """Wallets behind the coin: its creator, and those who share the creator fees."""
        named = [] if reading.curve is None else [reading.curve.creator]
        if reading.state is not None:
            named.append(reading.state.pool.coin_creator)
        wanted = [one for one in dict.fromkeys(named) if one != SYSTEM_PROGRAM]
        if not wanted:
            raise NotFound("neither a bonding curve nor a pool names a creator", hint="is it a coin of pump.fun?")
        found: AccountsAt = await self._node.accounts(wanted)
        wallets: list[Pubkey] = []
        for address, account in zip(wanted, found.accounts, strict=True):
            if account is not None and account.owner == FEES_PROGRAM and _is_sharing(account):
                shared = SharingConfig.decode(account.data)
                wallets += [shared.admin, *(one.pubkey for one in shared.shareholders)]
            else:
                wallets.append(address)
        return tuple(str(one) for one in dict.fromkeys(wallets) if one != SYSTEM_PROGRAM)

    async def _holders(self, reading: _Reading, creators: Sequence[str]) -> Holders:
        """The largest owners; where the node does not list them, all of them by a search."""
        roles = _roles(reading, creators, self._settings.excluded_holders)
        try:
            listed = await self._node.largest_holdings(reading.mint)
            addresses = [one.address for one in listed.holdings]
            found = await self._node.accounts(addresses) if addresses else AccountsAt(listed.slot, ())
            # Another node may be behind the list: what it does not know yet is somebody's all the same.
            pairs = zip(listed.holdings, found.accounts, strict=True)
            unseen = {str(holding.address): holding.units for holding, account in pairs if account is None}
            return _owners(found.accounts, reading.mint, roles, unseen, is_complete=len(addresses) < _LISTED)
        except ChainError as failed:
            first = failed.what
        try:
            every = await self._node.program_accounts(reading.account.owner, [ProgramFilter(0, bytes(reading.mint))])
        except ChainError as failed:
            raise NotFound(f"{first}; and {failed.what}", hint="add an endpoint that lists holders") from None
        return _owners(every, reading.mint, roles, {}, is_complete=True)

    async def _past(self, reading: _Reading) -> tuple[PoolAge | None, TradingSeen]:
        state = _known(reading)
        hook = reading.basics.controls.hook_program
        asked = HistoryAsked(state.address, self._clock.now_ns(), None if hook is None else Pubkey.from_string(hook))
        return await self._history.read(asked)


def _known(reading: _Reading) -> PoolState:
    if reading.state is None:
        raise NotFound(reading.unread.get("pool", "there is no pool"), hint="name a pool with --pool")
    return reading.state


def _basics(account: ChainAccount) -> MintBasics:
    """Raises MalformedAccount for bytes that are no mint."""
    mint, data = Mint.decode(account.data), account.data
    if data[_IS_MADE_AT] != 1:
        raise MalformedAccount("this mint is not initialised", hint="pass the mint of the coin")
    return MintBasics(
        token_program=str(account.owner),
        decimals=mint.decimals,
        supply_units=mint.supply,
        mint_authority=_authority(data, _MINT_AUTHORITY_AT),
        freeze_authority=_authority(data, _FREEZE_AUTHORITY_AT),
        controls=mint_controls(data),
    )


def _authority(data: bytes, at: int) -> str | None:
    """None when it was given up for good."""
    tag, key = data[at : at + 4], data[at + 4 : at + 36]
    if tag not in (_NONE, _SOME):
        raise MalformedAccount("an authority of this mint cannot be read", hint="the layout may have changed")
    return str(Pubkey.from_bytes(key)) if tag == _SOME else None


def _standing(state: PoolState, curve: BondingCurve | None, lp_minted: int | None) -> PoolStanding:
    pool = state.pool
    # The creator alone would let pass a second pool of another index; the address does not.
    is_canonical = pool.is_canonical and state.address == canonical_pool(pool.base_mint, pool.quote_mint)
    return PoolStanding(
        address=str(state.address),
        is_canonical=is_canonical,
        is_graduated=None if curve is None else curve.complete,
        base_units=state.base_reserve,
        effective_quote_units=state.effective_quote_reserve,
        real_quote_units=state.real_quote_reserve,
        quote_decimals=state.quote_decimals,
        lp_supply_units=pool.lp_supply,
        lp_minted_units=lp_minted,
    )


def _is_sharing(account: ChainAccount) -> bool:
    return account.data[:8] == SharingConfig.DISCRIMINATOR


def _roles(reading: _Reading, creators: Sequence[str], excluded: Sequence[str]) -> dict[str, HolderRole]:
    roles = dict.fromkeys(creators, HolderRole.CREATOR)
    roles |= dict.fromkeys(excluded, HolderRole.EXCLUDED)
    roles[str(canonical_pool(reading.mint, WSOL_MINT))] = HolderRole.POOL
    if reading.state is not None:
        roles[str(reading.state.address)] = HolderRole.POOL
    roles[str(bonding_curve(reading.mint))] = HolderRole.CURVE
    roles |= dict.fromkeys((str(INCINERATOR), str(SYSTEM_PROGRAM)), HolderRole.BURNED)
    return roles


def _owners(
    accounts: Sequence[ChainAccount | None],
    mint: Pubkey,
    roles: dict[str, HolderRole],
    unseen: dict[str, int],
    *,
    is_complete: bool,
) -> Holders:
    """Owners of token accounts, all accounts of one together. ``unseen`` are accounts whose owner is not known, with
    what the list says that they hold.
    """
    held: dict[str, int] = defaultdict(int, unseen)
    for account in accounts:
        if account is None or len(account.data) == _MULTISIG_LEN:
            continue
        token = TokenAccount.decode(account.data)
        if token.mint == mint and token.amount:
            held[str(token.owner)] += token.amount
    listed = [Holder(owner, units, roles.get(owner, HolderRole.HOLDER)) for owner, units in held.items()]
    listed.sort(key=lambda one: (-one.units, one.owner))
    return Holders(tuple(listed), is_complete)
