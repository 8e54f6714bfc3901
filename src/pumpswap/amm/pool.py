"""The Pool account, in every length it ever had (PROTOCOL 2.1)."""

from __future__ import annotations

import struct
from enum import Enum
from functools import cached_property
from typing import Any, Self

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import NATIVE_MINT_2022, SYSTEM_PROGRAM, USDC_MINT, WSOL_MINT, pool_authority
from pumpswap.amm.codec import ZERO_KEY, Record
from pumpswap.errors import MalformedAccount

__all__ = ["EXTENDED_POOL_LEN", "KNOWN_POOL_LENGTHS", "POOL_DISCRIMINATOR", "FeeFamily", "Pool"]

POOL_DISCRIMINATOR = bytes.fromhex("f19a6d0411b16dbc")
MIN_POOL_LEN = 211  # launch, March 2025; nothing shorter ever existed
CURRENT_POOL_LEN = 287  # since 2026-10-02
EXTENDED_POOL_LEN = 301  # what extend_account and the v2 trades grow an account to
KNOWN_POOL_LENGTHS = frozenset({211, 243, 244, 245, 261, 270, 271, 287, 300, 301})

_FIXED = struct.Struct("<8sBH32s32s32s32s32s32sQ32sBB16sQBBQQ")
_SOL_MINTS = frozenset({ZERO_KEY, WSOL_MINT, NATIVE_MINT_2022})


class FeeFamily(Enum):
    """Which part of the FeeConfig prices a pool (PROTOCOL 4.1)."""

    FLAT = "flat"  # permissionless pools
    SOL = "sol"
    STABLE = "stable"
    EXOTIC = "exotic"


class Pool(Record, frozen=True, dict=True):
    """A Pool account. Field names are the IDL's; fields newer than the account read as zero.

    ``account_len`` and ``tail`` keep what this version does not interpret, so that ``Pool.decode(d).encode() == d``.
    """

    pool_bump: int
    index: int
    creator: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    lp_mint: Pubkey
    pool_base_token_account: Pubkey
    pool_quote_token_account: Pubkey
    lp_supply: int
    coin_creator: Pubkey = ZERO_KEY
    is_mayhem_mode: bool = False
    is_cashback_coin: bool = False
    virtual_quote_reserves: int = 0
    creator_fee_bps: int = 0
    can_edit_creator_fee: bool = False
    is_holder_reward: bool = False
    protocol_fees: int = 0
    creator_fees: int = 0
    account_len: int = EXTENDED_POOL_LEN
    tail: bytes = b"\0" * (EXTENDED_POOL_LEN - CURRENT_POOL_LEN)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Pool of account bytes. Raises MalformedAccount for another account, below 211 bytes, or a bool above 1."""
        size = len(data)
        if data[:8] != POOL_DISCRIMINATOR:
            raise MalformedAccount("these bytes are no Pool account", hint="a Pool starts with f19a6d0411b16dbc")
        if size < MIN_POOL_LEN:
            raise MalformedAccount(f"a Pool has at least {MIN_POOL_LEN} bytes, not {size}")
        raw = data if size >= CURRENT_POOL_LEN else data.ljust(CURRENT_POOL_LEN, b"\0")
        (_, bump, index, creator, base, quote, lp, base_vault, quote_vault, lp_supply, coin_creator, mayhem, cashback,
         virtual, creator_bps, editable, rewards, protocol_fees, creator_fees) = _FIXED.unpack_from(raw)  # fmt: skip
        if mayhem > 1 or cashback > 1 or editable > 1 or rewards > 1:
            raise MalformedAccount("a bool of this Pool is neither 0 nor 1", hint="the layout may have changed")
        key = Pubkey.from_bytes
        return cls(
            bump, index, key(creator), key(base), key(quote), key(lp), key(base_vault), key(quote_vault), lp_supply,
            key(coin_creator), mayhem == 1, cashback == 1, int.from_bytes(virtual, "little", signed=True), creator_bps,
            editable == 1, rewards == 1, protocol_fees, creator_fees, size, data[CURRENT_POOL_LEN:],
        )  # fmt: skip

    def encode(self) -> bytes:
        """Account bytes of ``account_len``. Raises MalformedAccount when this length cannot hold a field's value."""
        full = _FIXED.pack(
            POOL_DISCRIMINATOR, self.pool_bump, self.index, bytes(self.creator), bytes(self.base_mint),
            bytes(self.quote_mint), bytes(self.lp_mint), bytes(self.pool_base_token_account),
            bytes(self.pool_quote_token_account), self.lp_supply, bytes(self.coin_creator), self.is_mayhem_mode,
            self.is_cashback_coin, self.virtual_quote_reserves.to_bytes(16, "little", signed=True),
            self.creator_fee_bps, self.can_edit_creator_fee, self.is_holder_reward, self.protocol_fees,
            self.creator_fees,
        )  # fmt: skip
        full += self.tail
        if any(full[self.account_len :]):
            raise MalformedAccount(f"a Pool of {self.account_len} bytes cannot hold its newer fields")
        return full[: self.account_len].ljust(self.account_len, b"\0")

    @cached_property
    def is_canonical(self) -> bool:
        """Whether the Pump program created it (PROTOCOL 1.3): the creator decides, not the index."""
        return self.creator == pool_authority(self.base_mint)

    @cached_property
    def fee_family(self) -> FeeFamily:
        """The part of the FeeConfig that applies. Cached: it costs an address derivation."""
        if not self.is_canonical:
            return FeeFamily.FLAT
        if self.quote_mint in _SOL_MINTS:
            return FeeFamily.SOL
        return FeeFamily.STABLE if self.quote_mint == USDC_MINT else FeeFamily.EXOTIC

    @cached_property
    def has_coin_creator(self) -> bool:
        """Whether trades owe a creator fee at all."""
        return self.coin_creator != SYSTEM_PROGRAM

    @property
    def fees_owed(self) -> int:
        """Quote units in the vault that belong to others: both fee buckets."""
        return self.protocol_fees + self.creator_fees

    @property
    def boost_reserves(self) -> int:
        """Virtual liquidity of a boosted pool; trades and sweeps never change it."""
        return self.virtual_quote_reserves + self.protocol_fees + self.creator_fees

    @property
    def is_boosted(self) -> bool:
        """A pool is boosted iff boost reserves exist; virtual reserves alone also move with fees owed."""
        return self.boost_reserves != 0

    def grown(self) -> Self:
        """The pool after ``extend_account``: 301 bytes, new fields zero. A longer account stays as it is."""
        missing = EXTENDED_POOL_LEN - max(self.account_len, CURRENT_POOL_LEN)
        if missing <= 0:
            return self
        return self.with_changes(account_len=EXTENDED_POOL_LEN, tail=self.tail + b"\0" * missing)

    def with_changes(self, **changes: Any) -> Self:
        """A copy with other figures; what was derived from the identity of the pool stays derived."""
        changed = msgspec.structs.replace(self, **changes)
        if not _IDENTITY & changes.keys():
            changed.__dict__.update(self.__dict__)
        return changed


_IDENTITY = frozenset({"creator", "base_mint", "quote_mint", "coin_creator"})
