"""The other accounts around a pool (PROTOCOL 2.2 to 2.8), in every historic length."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any, ClassVar, Self

from solders.pubkey import Pubkey

from pumpswap.amm.codec import I64, U8, U64, ZERO_KEY, Flag, Key, KeyList7, KeyList8, Record, U64x30, layout_of
from pumpswap.errors import AmountOutOfRange, MalformedAccount

__all__ = [
    "BondingCurve",
    "GlobalConfig",
    "GlobalVolumeAccumulator",
    "Mint",
    "Shareholder",
    "SharingConfig",
    "SharingStatus",
    "TokenAccount",
    "UserVolumeAccumulator",
]

_WHOLE = "read the whole account, without a slice"
_KIND = "check the address: token accounts and mints belong to the same program"
_NO_KEYS_7 = (ZERO_KEY,) * 7
_NO_KEYS_8 = (ZERO_KEY,) * 8


class Account(Record, frozen=True):
    """An Anchor account: discriminator, then the fields of the class; shorter accounts read as zero-padded."""

    DISCRIMINATOR: ClassVar[bytes]
    MIN_LEN: ClassVar[int]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises MalformedAccount for another account, one that is too short, or an impossible value."""
        check_account(data, cls.DISCRIMINATOR, cls.MIN_LEN, cls.__name__)
        try:
            return cls(*layout_of(cls).unpack(data[8:], pad_anywhere=True))
        except ValueError as broken:
            raise MalformedAccount(f"{cls.__name__}: {broken}", hint="the layout may have changed") from None

    def encode(self) -> bytes:
        """Account bytes in the newest layout. Raises AmountOutOfRange when a field does not fit its type."""
        values: list[Any] = [getattr(self, name) for name in self.__struct_fields__]
        try:
            return self.DISCRIMINATOR + layout_of(type(self)).pack(values)
        except (struct.error, OverflowError, ValueError) as wrong:
            raise AmountOutOfRange(f"{type(self).__name__}: {wrong}", hint="a field does not fit its type") from None


def check_account(data: bytes, discriminator: bytes, min_len: int, name: str) -> None:
    """Raises MalformedAccount unless ``data`` starts as account ``name`` and is long enough."""
    if data[:8] != discriminator:
        raise MalformedAccount(f"these bytes are no {name} account", hint=f"a {name} starts with {discriminator.hex()}")
    if len(data) < min_len:
        raise MalformedAccount(f"a {name} has at least {min_len} bytes, not {len(data)}", hint=_WHOLE)


class GlobalConfig(Account, frozen=True):
    """Settings of the AMM. The three ``*_fee_basis_points`` no longer price anything: rates come from the FeeConfig."""

    DISCRIMINATOR = bytes.fromhex("95089ccaa0fcb0d9")
    MIN_LEN = 313  # May 2025

    admin: Key
    lp_fee_basis_points: U64
    protocol_fee_basis_points: U64
    disable_flags: U8
    protocol_fee_recipients: KeyList8
    coin_creator_fee_basis_points: U64 = 0
    admin_set_coin_creator_authority: Key = ZERO_KEY
    whitelist_pda: Key = ZERO_KEY
    reserved_fee_recipient: Key = ZERO_KEY
    mayhem_mode_enabled: Flag = False
    reserved_fee_recipients: KeyList7 = _NO_KEYS_7
    is_cashback_enabled: Flag = False
    buyback_fee_recipients: KeyList8 = _NO_KEYS_8
    buyback_basis_points: U64 = 0
    boost_authority: Key = ZERO_KEY
    boost_enabled: Flag = False
    creator_fee_configurable: Flag = False
    max_configurable_creator_fee_bps: U64 = 0

    @property
    def buys_disabled(self) -> bool:
        """Bit 3 of ``disable_flags``: every buy answers 6020."""
        return bool(self.disable_flags & 8)

    @property
    def sells_disabled(self) -> bool:
        """Bit 4 of ``disable_flags``: every sell answers 6021."""
        return bool(self.disable_flags & 16)

    def protocol_recipients(self, *, is_mayhem_mode: bool) -> tuple[Pubkey, ...]:
        """The eight wallets a trade may pay the protocol fee to; using the other list fails with 6013."""
        if is_mayhem_mode:
            return (self.reserved_fee_recipient, *self.reserved_fee_recipients)
        return self.protocol_fee_recipients


class UserVolumeAccumulator(Account, frozen=True):
    """Per-user counters; also owns the user's cashback accounts."""

    DISCRIMINATOR = bytes.fromhex("56ff700e66359afa")
    MIN_LEN = 40

    user: Key
    needs_claim: Flag = False
    total_unclaimed_tokens: U64 = 0
    total_claimed_tokens: U64 = 0
    current_sol_volume: U64 = 0
    last_update_timestamp: I64 = 0
    has_total_claimed_tokens: Flag = False
    cashback_earned: U64 = 0
    total_cashback_claimed: U64 = 0


class GlobalVolumeAccumulator(Account, frozen=True):
    """Token-incentive programme; all zero on mainnet, the programme is not running."""

    DISCRIMINATOR = bytes.fromhex("ca2af62b8ebe1eff")
    MIN_LEN = 8

    start_time: I64 = 0
    end_time: I64 = 0
    seconds_in_a_day: I64 = 0
    mint: Key = ZERO_KEY
    total_token_supply: U64x30 = (0,) * 30
    sol_volumes: U64x30 = (0,) * 30


class BondingCurve(Account, frozen=True):
    """A coin's curve in the Pump program; ``complete`` means it has graduated or is about to."""

    DISCRIMINATOR = bytes.fromhex("17b7f83760d8ac60")
    MIN_LEN = 115

    virtual_token_reserves: U64
    virtual_quote_reserves: U64
    real_token_reserves: U64
    real_quote_reserves: U64
    token_total_supply: U64
    complete: Flag
    creator: Key
    is_mayhem_mode: Flag = False
    is_cashback_coin: Flag = False
    quote_mint: Key = ZERO_KEY
    creator_fee_bps: U64 = 0
    can_edit_creator_fee: Flag = False
    is_holder_reward: Flag = False
    creator_fee: U64 = 0
    protocol_fees: U64 = 0
    depth: U8 = 0
    initial_virtual_quote_reserves: U64 = 0
    post_complete_base_out: U64 = 0
    post_complete_quote_in: U64 = 0


class SharingStatus(IntEnum):
    """State of a shared creator fee."""

    PAUSED = 0
    ACTIVE = 1


class Shareholder(Record, frozen=True):
    """One receiver of shared creator fees."""

    pubkey: Pubkey
    share_bps: int


class SharingConfig(Record, frozen=True):
    """Shared creator fees of a coin (Pump-Fees program); then ``Pool.coin_creator`` is this account."""

    bump: int
    version: int
    status: int
    mint: Pubkey
    admin: Pubkey
    admin_revoked: bool
    shareholders: tuple[Shareholder, ...]

    DISCRIMINATOR: ClassVar[bytes] = bytes.fromhex("d84a0900388c5d4b")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises MalformedAccount for another account or one that is cut inside the list."""
        check_account(data, cls.DISCRIMINATOR, 80, cls.__name__)
        count = int.from_bytes(data[76:80], "little")
        if len(data) < 80 + 34 * count:
            raise MalformedAccount(
                f"a SharingConfig with {count} shareholders does not fit {len(data)} bytes", hint=_WHOLE
            )
        if data[75] > 1:
            raise MalformedAccount(
                "a bool of this SharingConfig is neither 0 nor 1", hint="the layout may have changed"
            )
        holders = tuple(
            Shareholder(Pubkey.from_bytes(data[at : at + 32]), int.from_bytes(data[at + 32 : at + 34], "little"))
            for at in range(80, 80 + 34 * count, 34)
        )
        mint, admin = Pubkey.from_bytes(data[11:43]), Pubkey.from_bytes(data[43:75])
        return cls(data[8], data[9], data[10], mint, admin, data[75] == 1, holders)


class TokenAccount(Record, frozen=True):
    """An SPL or Token-2022 account, as far as needed. ``is_native`` is the rent reserve of a wrapped-SOL account."""

    mint: Pubkey
    owner: Pubkey
    amount: int
    state: int
    is_native: int | None

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises MalformedAccount below 165 bytes."""
        if len(data) < 165:
            raise MalformedAccount(f"a token account has at least 165 bytes, not {len(data)}", hint=_WHOLE)
        if len(data) > 165 and data[165] == 1:
            raise MalformedAccount("these bytes are a Token-2022 mint, not a token account", hint=_KIND)
        native = int.from_bytes(data[113:121], "little") if data[109:113] == b"\1\0\0\0" else None
        amount = int.from_bytes(data[64:72], "little")
        return cls(Pubkey.from_bytes(data[:32]), Pubkey.from_bytes(data[32:64]), amount, data[108], native)


class Mint(Record, frozen=True):
    """What pricing needs of a mint."""

    supply: int
    decimals: int

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises MalformedAccount below 82 bytes."""
        if len(data) < 82:
            raise MalformedAccount(f"a mint has at least 82 bytes, not {len(data)}", hint=_WHOLE)
        # Token-2022 marks its accounts at byte 165; a plain token account has exactly 165 bytes, and no mint has.
        if len(data) == 165 or (len(data) > 165 and data[165] == 2):
            raise MalformedAccount("these bytes are a token account, not a mint", hint=_KIND)
        return cls(int.from_bytes(data[36:44], "little"), data[44])
