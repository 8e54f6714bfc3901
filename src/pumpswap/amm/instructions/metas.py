"""Account lists as text tables: one line per account, role after the key."""

from __future__ import annotations

from collections.abc import Iterable

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_EVENT_AUTHORITY, AMM_PROGRAM

__all__ = ["READ", "SIGN", "WRITE", "WRITE_SIGN", "Entry", "amm_instruction", "instruction", "u64"]

Entry = tuple[Pubkey, bool, bool]  # key, is signer, is writable

READ = (False, False)
WRITE = (False, True)
SIGN = (True, False)
WRITE_SIGN = (True, True)


def instruction(program: Pubkey, data: bytes, accounts: Iterable[tuple[Pubkey, tuple[bool, bool]]]) -> Instruction:
    """Instruction of (key, role) pairs."""
    return Instruction(program, data, [AccountMeta(key, *role) for key, role in accounts])


def amm_instruction(
    discriminator: str,
    arguments: bytes,
    accounts: Iterable[tuple[Pubkey, tuple[bool, bool]]],
    tail: Iterable[tuple[Pubkey, tuple[bool, bool]]] = (),
) -> Instruction:
    """AMM instruction: ``accounts``, then event authority and program as Anchor's event macro wants, then ``tail``."""
    fixed = (*accounts, (AMM_EVENT_AUTHORITY, READ), (AMM_PROGRAM, READ), *tail)
    return instruction(AMM_PROGRAM, bytes.fromhex(discriminator) + arguments, fixed)


def u64(*values: int) -> bytes:
    """Little-endian u64 arguments."""
    return b"".join(value.to_bytes(8, "little") for value in values)
