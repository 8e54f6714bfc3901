"""The Pool account, in every length it ever had (PROTOCOL 2.1)."""

from __future__ import annotations

import struct
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar, Self

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import NATIVE_MINT_2022, SYSTEM_PROGRAM, USDC_MINT, WSOL_MINT, pool_authority
from pumpswap.amm.codec import ZERO_KEY
from pumpswap.errors import AmountOutOfRange, MalformedAccount
from pumpswap.units import U64_MAX

__all__ = ["CURRENT_POOL_LEN", "EXTENDED_POOL_LEN", "KNOWN_POOL_LENGTHS", "POOL_DISCRIMINATOR", "FeeFamily", "Pool"]

POOL_DISCRIMINATOR = bytes.fromhex("f19a6d0411b16dbc")
MIN_POOL_LEN = 211  # launch, March 2025; nothing shorter ever existed
CURRENT_POOL_LEN = 287  # since 2026-10-02
EXTENDED_POOL_LEN = 301  # what extend_account and the v2 trades grow an account to
KNOWN_POOL_LENGTHS = frozenset({211, 243, 244, 245, 261, 270, 271, 287, 300, 301})

_FIXED = struct.Struct("<8sBH32s32s32s32s32s32sQ32sBBQqQBBQQ")
_UNPACK = struct.Struct("<8sBH192xQ32xBBQqQBBQQ").unpack_from  # without the keys
_NEW, _SET = object.__new__, object.__setattr__
_SOL_MINTS = frozenset({ZERO_KEY, WSOL_MINT, NATIVE_MINT_2022})


class FeeFamily(Enum):
    """Which part of the FeeConfig prices a pool (PROTOCOL 4.1)."""

    FLAT = "flat"  # permissionless pools
    SOL = "sol"
    STABLE = "stable"
    EXOTIC = "exotic"


class _LazyKey:
    """A public key that becomes an object when first read: seven of them cost as much as all the rest of decoding."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, pool: Any, owner: type | None = None) -> Any:
        if pool is None:
            return self
        key = pool.__dict__[self._name] = Pubkey.from_bytes(pool.__dict__["_raw"][self._offset : self._offset + 32])
        return key


def _key_at(offset: int) -> Any:
    return _LazyKey(offset)


class Pool:
    """A Pool account, immutable. Field names are the IDL's; fields newer than the account read as zero.

    ``account_len`` and ``tail`` keep what this version does not interpret, so that ``Pool.decode(d).encode() == d``.
    """

    pool_bump: int
    index: int
    creator: Pubkey = _key_at(11)
    base_mint: Pubkey = _key_at(43)
    quote_mint: Pubkey = _key_at(75)
    lp_mint: Pubkey = _key_at(107)
    pool_base_token_account: Pubkey = _key_at(139)
    pool_quote_token_account: Pubkey = _key_at(171)
    lp_supply: int
    coin_creator: Pubkey = _key_at(211)
    # Zero in most accounts: then the class answers, and decoding has less to write down.
    is_mayhem_mode: bool = False
    is_cashback_coin: bool = False
    virtual_quote_reserves: int = 0
    creator_fee_bps: int = 0
    can_edit_creator_fee: bool = False
    is_holder_reward: bool = False
    protocol_fees: int = 0
    creator_fees: int = 0
    account_len: int
    tail: bytes

    FIELDS: ClassVar[tuple[str, ...]] = (
        "pool_bump", "index", "creator", "base_mint", "quote_mint", "lp_mint", "pool_base_token_account",
        "pool_quote_token_account", "lp_supply", "coin_creator", "is_mayhem_mode", "is_cashback_coin",
        "virtual_quote_reserves", "creator_fee_bps", "can_edit_creator_fee", "is_holder_reward", "protocol_fees",
        "creator_fees", "account_len", "tail",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 (a record has as many fields as the account)
        self,
        pool_bump: int,
        index: int,
        creator: Pubkey,
        base_mint: Pubkey,
        quote_mint: Pubkey,
        lp_mint: Pubkey,
        pool_base_token_account: Pubkey,
        pool_quote_token_account: Pubkey,
        lp_supply: int,
        coin_creator: Pubkey = ZERO_KEY,
        is_mayhem_mode: bool = False,
        is_cashback_coin: bool = False,
        virtual_quote_reserves: int = 0,
        creator_fee_bps: int = 0,
        can_edit_creator_fee: bool = False,
        is_holder_reward: bool = False,
        protocol_fees: int = 0,
        creator_fees: int = 0,
        account_len: int = EXTENDED_POOL_LEN,
        tail: bytes = b"\0" * (EXTENDED_POOL_LEN - CURRENT_POOL_LEN),
    ) -> None:
        values = dict(locals())
        self.__dict__.update({name: values[name] for name in self.FIELDS})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Pool is immutable; use with_changes({name}=…)")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pool) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"Pool({', '.join(f'{name}={getattr(self, name)!s}' for name in self.FIELDS[:-1])})"

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.FIELDS)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Pool of account bytes. Raises MalformedAccount for another account, below 211 bytes, or a bool above 1."""
        # The hot path of every stream: one unpack, no slices, the i128 as two halves (the high one is 0 or −1).
        if type(data) is not bytes:
            data = bytes(data)  # a buffer may change under the keys that are read later
        size = len(data)
        if size < CURRENT_POOL_LEN:
            _check_short(data)
            raw = data.ljust(CURRENT_POOL_LEN, b"\0")
        else:
            raw = data
        (discriminator, bump, index, lp_supply, mayhem, cashback, low, high, creator_bps, editable, rewards,
         protocol_fees, creator_fees) = _UNPACK(raw)  # fmt: skip
        if discriminator != POOL_DISCRIMINATOR:
            raise _no_pool()
        values = {
            "_raw": raw,
            "pool_bump": bump,
            "index": index,
            "lp_supply": lp_supply,
            "account_len": size,
            "tail": data[CURRENT_POOL_LEN:],
        }
        if mayhem | cashback | editable | rewards:
            if mayhem | cashback | editable | rewards > 1:
                raise MalformedAccount("a bool of this Pool is neither 0 nor 1", hint="the layout may have changed")
            values["is_mayhem_mode"] = mayhem == 1
            values["is_cashback_coin"] = cashback == 1
            values["can_edit_creator_fee"] = editable == 1
            values["is_holder_reward"] = rewards == 1
        if low or high or protocol_fees or creator_fees or creator_bps:
            values["virtual_quote_reserves"] = (high << 64) + low if high else low
            values["creator_fee_bps"] = creator_bps
            values["protocol_fees"] = protocol_fees
            values["creator_fees"] = creator_fees
        pool = _NEW(cls)
        _SET(pool, "__dict__", values)
        return pool

    def encode(self) -> bytes:
        """Account bytes of ``account_len``.

        Raises MalformedAccount when this length cannot hold a newer field, AmountOutOfRange when a type cannot.
        """
        try:
            full = _FIXED.pack(
                POOL_DISCRIMINATOR, self.pool_bump, self.index, bytes(self.creator), bytes(self.base_mint),
                bytes(self.quote_mint), bytes(self.lp_mint), bytes(self.pool_base_token_account),
                bytes(self.pool_quote_token_account), self.lp_supply, bytes(self.coin_creator), self.is_mayhem_mode,
                self.is_cashback_coin, self.virtual_quote_reserves & U64_MAX, self.virtual_quote_reserves >> 64,
                self.creator_fee_bps, self.can_edit_creator_fee, self.is_holder_reward, self.protocol_fees,
                self.creator_fees,
            )  # fmt: skip
        except struct.error as wrong:
            raise AmountOutOfRange(f"a field of this Pool: {wrong}", hint="u64 fields go from 0 to 2^64-1") from None
        full += self.tail
        if any(full[self.account_len :]):
            raise MalformedAccount(
                f"a Pool of {self.account_len} bytes cannot hold its newer fields", hint="grow it first: pool.grown()"
            )
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
        return self.lengthened(EXTENDED_POOL_LEN)

    def lengthened(self, account_len: int) -> Self:
        """The pool in an account of so many bytes, new ones zero. A longer account stays as it is."""
        if account_len <= self.account_len:
            return self
        missing = max(account_len - CURRENT_POOL_LEN, 0) - len(self.tail)
        return self.with_changes(account_len=account_len, tail=self.tail + b"\0" * max(missing, 0))

    def with_changes(self, **changes: Any) -> Self:
        """A copy with other figures; what was derived from the identity of the pool stays derived."""
        unknown = changes.keys() - set(self.FIELDS)
        if unknown:
            raise TypeError(f"a Pool has no field {', '.join(sorted(unknown))}")
        values = {**self.__dict__, **changes}
        if _IDENTITY & changes.keys():
            for derived in _DERIVED:
                values.pop(derived, None)
        changed = _NEW(type(self))
        _SET(changed, "__dict__", values)
        return changed


def _check_short(data: bytes) -> None:
    """Raises MalformedAccount unless these bytes can be a Pool of an earlier layout."""
    if data[:8] != POOL_DISCRIMINATOR:
        raise _no_pool()
    if len(data) < MIN_POOL_LEN:
        raise MalformedAccount(
            f"a Pool has at least {MIN_POOL_LEN} bytes, not {len(data)}", hint="read the whole account, without a slice"
        )


def _no_pool() -> MalformedAccount:
    return MalformedAccount("these bytes are no Pool account", hint="a Pool starts with f19a6d0411b16dbc")


_DERIVED = ("is_canonical", "fee_family", "has_coin_creator")
_IDENTITY = frozenset({"creator", "base_mint", "quote_mint", "coin_creator"})
