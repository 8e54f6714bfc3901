"""The four token instructions around a trade (PROTOCOL 7.1). The SPL client library is a network client's dependency
and takes 200 ms to import; these encodings are frozen by the chain.
"""

from __future__ import annotations

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from pumpswap.amm.addresses import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.amm.instructions.metas import READ, SIGN, WRITE, WRITE_SIGN, instruction

__all__ = ["close_account", "create_ata", "sync_native", "wrap_sol"]


def create_ata(payer: Pubkey, owner: Pubkey, mint: Pubkey, token_program: Pubkey) -> Instruction:
    """CreateIdempotent of an associated token account: does nothing when it exists."""
    accounts = (
        (payer, WRITE_SIGN),
        (ata(owner, mint, token_program), WRITE),
        (owner, READ),
        (mint, READ),
        (SYSTEM_PROGRAM, READ),
        (token_program, READ),
    )
    return instruction(ASSOCIATED_TOKEN_PROGRAM, b"\x01", accounts)


def sync_native(account: Pubkey) -> Instruction:
    """Makes a wrapped-SOL account count the lamports that were transferred to it."""
    return instruction(TOKEN_PROGRAM, b"\x11", ((account, WRITE),))


def close_account(account: Pubkey, owner: Pubkey, token_program: Pubkey = TOKEN_PROGRAM) -> Instruction:
    """Closes a token account to its owner. Wrapped SOL: *all* of it is unwrapped, also what other orders put there."""
    return instruction(token_program, b"\x09", ((account, WRITE), (owner, WRITE), (owner, SIGN)))


def wrap_sol(user: Pubkey, lamports: int, *, account_exists: bool, account: Pubkey | None = None) -> list[Instruction]:
    """Create the wrapped-SOL account if missing, transfer, sync. Nothing is transferred for 0 lamports."""
    target = account or ata(user, WSOL_MINT, TOKEN_PROGRAM)
    steps = [] if account_exists else [create_ata(user, user, WSOL_MINT, TOKEN_PROGRAM)]
    if lamports > 0:
        steps.append(transfer(TransferParams(from_pubkey=user, to_pubkey=target, lamports=lamports)))
        steps.append(sync_native(target))
    return steps
