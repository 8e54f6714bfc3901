"""Wrapped SOL: one long-lived account per wallet, topped up, never closed under an order (PROTOCOL 7.1, pitfall 21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.amm.instructions.tokens import close_account, create_ata, wrap_sol
from pumpswap.errors import GuardRefused, UsageError
from pumpswap.model import PlanKind, SpendPlan
from pumpswap.units import U64_MAX

__all__ = ["MOST_CLOSED", "EmptyAccount", "WalletAction", "close_empty", "top_up_lamports", "unwrap", "wrap"]

MOST_CLOSED = 20  # that many fit into one transaction with room to spare


@dataclass(frozen=True, slots=True)
class WalletAction:
    """Instructions without compute budget, and the plan that the guard lets through with them."""

    instructions: tuple[Instruction, ...]
    plan: SpendPlan


@dataclass(frozen=True, slots=True)
class EmptyAccount:
    """A token account of the wallet as the chain shows it now."""

    address: Pubkey
    owner: Pubkey
    mint: Pubkey
    token_program: Pubkey
    units: int


def top_up_lamports(needed_units: int, held_units: int) -> int:
    """What must be wrapped so that the account holds ``needed_units``: nothing when it does already."""
    return max(needed_units - held_units, 0)


def wrap(order_id: str, wallet: Pubkey, lamports: int, max_fee_lamports: int) -> WalletAction:
    """Move native SOL into the wallet's own wrapped-SOL account, which is created when missing.

    Raises UsageError for an amount that is none.
    """
    if type(lamports) is not int or not 0 < lamports <= U64_MAX:
        raise UsageError(f"{lamports!r} lamports cannot be wrapped", hint="a positive integer of lamports")
    plan = SpendPlan(
        order_id=order_id,
        kind=PlanKind.WRAP,
        wallet=wallet,
        max_fee_lamports=max_fee_lamports,
        max_wrap_lamports=lamports,
        account_owners=frozenset({wallet}),
        account_mints=frozenset({WSOL_MINT}),
    )
    # Created even if it seems to exist: it may have been closed since, and SOL sent to a bare address is stuck there.
    return WalletAction(tuple(wrap_sol(wallet, lamports, account_exists=False)), plan)


def unwrap(order_id: str, wallet: Pubkey, max_fee_lamports: int, unresolved: Sequence[str]) -> WalletAction:
    """Close the wrapped-SOL account: all of it becomes native SOL, its rent too.

    ``unresolved`` are the orders that may still land. Raises GuardRefused while there are any.
    """
    _refuse_while_unresolved("unwrapped", unresolved)
    account = ata(wallet, WSOL_MINT, TOKEN_PROGRAM)
    # Created first, idempotently: closing an account that is not there would be a paid failure.
    steps = (create_ata(wallet, wallet, WSOL_MINT, TOKEN_PROGRAM), close_account(account, wallet))
    plan = SpendPlan(
        order_id=order_id,
        kind=PlanKind.UNWRAP,
        wallet=wallet,
        max_fee_lamports=max_fee_lamports,
        account_owners=frozenset({wallet}),
        account_mints=frozenset({WSOL_MINT}),
        closable=frozenset({account}),
    )
    return WalletAction(steps, plan)


def close_empty(
    order_id: str, wallet: Pubkey, accounts: Sequence[EmptyAccount], max_fee_lamports: int, unresolved: Sequence[str]
) -> WalletAction:
    """Close empty token accounts of the wallet; their rent returns to it. At most 20 at once.

    Raises GuardRefused while orders are unresolved: one of them may be about to fill such an account. Raises UsageError
    for an account that is not empty, not the wallet's, or its wrapped-SOL account (see ``unwrap``).
    """
    _refuse_while_unresolved("closed", unresolved)
    if not 0 < len(accounts) <= MOST_CLOSED:
        raise UsageError(f"{len(accounts)} accounts to close", hint=f"1 to {MOST_CLOSED} at once")
    for each in accounts:
        if each.owner != wallet:
            raise UsageError(
                f"{each.address} belongs to {each.owner}", hint="only accounts of the wallet can be closed"
            )
        if each.units != 0:
            raise UsageError(f"{each.address} holds {each.units} raw units", hint="sell or move them first")
        if each.mint == WSOL_MINT:
            raise UsageError(f"{each.address} is wrapped SOL", hint="that is what unwrap is for")
    plan = SpendPlan(
        order_id=order_id,
        kind=PlanKind.CLOSE_EMPTY,
        wallet=wallet,
        max_fee_lamports=max_fee_lamports,
        closable=frozenset(each.address for each in accounts),
    )
    return WalletAction(tuple(close_account(each.address, wallet, each.token_program) for each in accounts), plan)


def _refuse_while_unresolved(what: str, unresolved: Sequence[str]) -> None:
    if unresolved:
        raise GuardRefused(
            f"nothing is {what} while {len(unresolved)} orders may still land (first: {unresolved[0]})",
            hint="wait until they are resolved, then try again",
        )
