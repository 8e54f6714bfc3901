"""Bytes of mints and token accounts, for writing them to the practice chain directly."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from solders.pubkey import Pubkey

SPL_ACCOUNT_LEN = 165
TOKEN_2022_ACCOUNT_LEN = 170  # what the associated-token program makes: with the immutable-owner extension
_IMMUTABLE_OWNER = b"\x02" + struct.pack("<HH", 7, 0)


def token_account(mint: Pubkey, owner: Pubkey, units: int, *, native_reserve: int | None = None) -> bytes:
    """165 bytes; ``native_reserve`` marks a wrapped-SOL account and is its rent, kept apart from the amount."""
    native = struct.pack("<IQ", 1, native_reserve) if native_reserve is not None else bytes(12)
    return bytes(mint) + bytes(owner) + struct.pack("<Q", units) + bytes(36) + b"\x01" + native + bytes(44)


def token_2022_account(mint: Pubkey, owner: Pubkey, units: int) -> bytes:
    """170 bytes, as the associated-token program lays it out."""
    return token_account(mint, owner, units) + _IMMUTABLE_OWNER


def mint(supply: int, decimals: int, authority: Pubkey | None = None) -> bytes:
    """82 bytes, valid under both token programs."""
    minter = struct.pack("<I", 1) + bytes(authority) if authority is not None else bytes(36)
    return minter + struct.pack("<QBB", supply, decimals, 1) + bytes(36)


def transfer_fee_mint(supply: int, decimals: int, fee_bps: int) -> bytes:
    """Token-2022 mint that withholds ``fee_bps`` of every transfer."""
    fee = struct.pack("<QQH", 0, 2**64 - 1, fee_bps)
    return extended_mint(supply, decimals, {1: bytes(72) + fee + fee})


def extended_mint(supply: int, decimals: int, extensions: Mapping[int, bytes]) -> bytes:
    """Token-2022 mint with these extensions, by kind."""
    listed = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in extensions.items())
    return mint(supply, decimals).ljust(165, b"\0") + b"\x01" + listed


def transfer_fee_account(mint_key: Pubkey, owner: Pubkey, units: int) -> bytes:
    """Token account of such a mint, with nothing withheld."""
    return token_account(mint_key, owner, units) + b"\x02" + struct.pack("<HHQ", 2, 8, 0)
