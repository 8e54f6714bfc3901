"""LivePools: pool states kept current by account updates of a stream.

A stream tells one account at a time. A trade changes two vaults (and, in the second generation, the pool account), so
between two updates of the same slot the parts do not belong together. Updates of a slot are therefore held back until
the stream has reached a later one. If then one vault has changed without the other, an update was lost (or somebody
sent tokens to a vault): the pool is in doubt until it is read from the chain again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import Mint, Pool, PoolState, TokenAccount
from pumpswap.chain.node import ChainAccount
from pumpswap.chain.pools import PoolKeys
from pumpswap.errors import ProtocolDrift

__all__ = ["LivePools", "PoolAge"]

_POOL: Final = "pool"
_BASE: Final = "base vault"
_QUOTE: Final = "quote vault"
_MINT: Final = "base mint"


@dataclass(frozen=True, slots=True)
class PoolAge:
    """``slots`` since the pool's newest settled change or reading was known to hold; ``is_in_doubt``: do not trade."""

    slots: int
    is_in_doubt: bool
    reason: str = ""


@dataclass(slots=True)
class _Live:
    state: PoolState
    keys: PoolKeys
    slots: dict[str, int]  # by part: the slot as of which it is settled
    # Updates that are not settled yet: slot → part → account data.
    pending: dict[int, dict[str, bytes]] = field(default_factory=dict)
    doubt: str = ""


class LivePools:
    """States by address. ``put`` what was read, ``apply`` what a stream tells, ``advance`` when a slot is over."""

    def __init__(self) -> None:
        self._pools: dict[Pubkey, _Live] = {}
        self._parts: dict[Pubkey, list[tuple[Pubkey, str]]] = {}
        self._slot = 0

    def __len__(self) -> int:
        return len(self._pools)

    @property
    def slot(self) -> int:
        """The newest slot that the stream has reached."""
        return self._slot

    def watched(self) -> tuple[Pubkey, ...]:
        """The accounts whose updates are needed: pools, vaults and base mints."""
        return tuple(self._parts)

    def put(self, state: PoolState) -> None:
        """Take over a consistent reading; settles doubts that arose up to its slot. An older one is ignored."""
        live = self._pools.get(state.address)
        if live is None:
            live = self._pools[state.address] = _Live(state, PoolKeys.of(state.pool), {})
            self._watch(state.address, live.keys)
        elif state.slot < live.state.slot:
            return
        live.state, live.doubt = state, ""
        live.slots = dict.fromkeys((_POOL, _BASE, _QUOTE, _MINT), state.slot)
        live.pending = {slot: parts for slot, parts in live.pending.items() if slot > state.slot}

    def drop(self, address: Pubkey) -> None:
        """Forget a pool."""
        if self._pools.pop(address, None) is None:
            return
        for account in list(self._parts):
            kept = [one for one in self._parts[account] if one[0] != address]
            if kept:
                self._parts[account] = kept
            else:
                del self._parts[account]

    def apply(self, account: ChainAccount, slot: int) -> tuple[Pubkey, ...]:
        """Take over an account as of ``slot``; returns pools whose settled state changed by it.

        Updates may arrive late, twice or in any order: one that is not newer than what is settled changes nothing. An
        account that no pool here needs is ignored.
        """
        settled = self.advance(slot)
        for address, part in self._parts.get(account.address, ()):
            live = self._pools[address]
            if slot <= live.state.slot:
                _compare(live, part, account.data, slot)
                continue
            parts = live.pending.setdefault(slot, {})
            if parts.get(part, account.data) != account.data:
                # Which of two contents of one slot came later cannot be told once updates may be reordered.
                live.doubt = live.doubt or f"{part} told twice in slot {slot}, differently"
            parts[part] = account.data
        return settled

    def advance(self, slot: int) -> tuple[Pubkey, ...]:
        """The stream has reached ``slot``: everything before it is settled. Returns pools whose state changed."""
        if slot <= self._slot:
            return ()
        self._slot = slot
        return tuple(address for address, live in self._pools.items() if live.pending and _settle(live, before=slot))

    def doubt_all(self, reason: str) -> None:
        """After a gap in the stream no state can be trusted until it is read again."""
        for live in self._pools.values():
            live.doubt = live.doubt or reason

    def in_doubt(self) -> Mapping[Pubkey, str]:
        """Pools that must be read from the chain again, and why."""
        return {address: live.doubt for address, live in self._pools.items() if live.doubt}

    def state(self, address: Pubkey) -> PoolState | None:
        """The newest consistent state; None for a pool that is not here or in doubt."""
        live = self._pools.get(address)
        return live.state if live is not None and not live.doubt else None

    def states(self) -> Iterable[PoolState]:
        """All states that are not in doubt."""
        return (live.state for live in self._pools.values() if not live.doubt)

    def age(self, address: Pubkey) -> PoolAge | None:
        """How far behind the stream the state is; None for a pool that is not here.

        A pool that nobody trades is as fresh as the stream itself: silence says that nothing changed.
        """
        live = self._pools.get(address)
        if live is None:
            return None
        oldest = min(live.pending, default=None)
        known = self._slot if not live.doubt and oldest is None else live.state.slot
        return PoolAge(max(self._slot - known, 0), bool(live.doubt), live.doubt)

    def _watch(self, address: Pubkey, keys: PoolKeys) -> None:
        places = ((address, _POOL), (keys.base_vault, _BASE), (keys.quote_vault, _QUOTE), (keys.base_mint, _MINT))
        for account, part in places:
            self._parts.setdefault(account, []).append((address, part))


def _compare(live: _Live, part: str, data: bytes, slot: int) -> None:
    """An update that comes after its slot was settled: history, what we have, or news that came too late."""
    known = live.slots[part]
    if slot > known:
        live.doubt = live.doubt or f"{part} of slot {slot} came after slot {live.state.slot} was settled"
    elif slot == known and not _agrees(live.state, part, data):
        live.doubt = live.doubt or f"{part} of slot {slot} differs from what was settled"


def _settle(live: _Live, *, before: int) -> bool:
    """Take over the updates of all slots before ``before``; whether there were any."""
    slots = sorted(slot for slot in live.pending if slot < before)
    for slot in slots:
        parts = live.pending.pop(slot)
        if (_BASE in parts) != (_QUOTE in parts):
            live.doubt = live.doubt or f"one vault changed without the other in slot {slot}"
        try:
            live.state = _changed(live.state, parts, slot)
            live.slots.update(dict.fromkeys(parts, slot))
            if PoolKeys.of(live.state.pool) != live.keys:
                live.doubt = f"the pool changed its vaults or mints in slot {slot}"
        except ProtocolDrift as broken:
            live.doubt = f"slot {slot}: {broken.what}"
    return bool(slots)


def _changed(state: PoolState, parts: Mapping[str, bytes], slot: int) -> PoolState:
    changes: dict[str, Pool | int] = {"slot": slot}
    if _POOL in parts:
        changes["pool"] = Pool.decode(parts[_POOL])
    if _BASE in parts:
        changes["base_reserve"] = TokenAccount.decode(parts[_BASE]).amount
    if _QUOTE in parts:
        changes["quote_vault"] = TokenAccount.decode(parts[_QUOTE]).amount
    if _MINT in parts:
        changes["base_supply"] = Mint.decode(parts[_MINT]).supply
    return msgspec.structs.replace(state, **changes)


def _agrees(state: PoolState, part: str, data: bytes) -> bool:
    try:
        return _changed(state, {part: data}, state.slot) == state
    except ProtocolDrift:
        return False
