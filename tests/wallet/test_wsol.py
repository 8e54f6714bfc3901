"""Wrapped SOL and empty accounts: what we build passes the guard, and orders in flight keep their accounts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.amm.instructions.tokens import close_account, create_ata, sync_native
from pumpswap.errors import GuardRefused, UsageError
from pumpswap.model import PlanKind
from pumpswap.wallet import check_message
from pumpswap.wallet.wsol import MOST_CLOSED, EmptyAccount, WalletAction, close_empty, top_up_lamports, unwrap, wrap
from tests.wallet.trades import BUDGET, FEE, LIMITS, STRANGER, WALLET, WSOL, compiled


def passes(action: WalletAction) -> None:
    message = compiled([*BUDGET, *action.instructions])
    check_message(message, action.plan, LIMITS)
    check_message(message, action.plan, None)
    with pytest.raises(GuardRefused, match="its fees"):
        check_message(message, replace(action.plan, max_fee_lamports=FEE - 1), LIMITS)


def empty(number: int, program: Pubkey = TOKEN_PROGRAM) -> EmptyAccount:
    mint = Pubkey.from_bytes(bytes([number]) * 32)
    return EmptyAccount(ata(WALLET, mint, program), WALLET, mint, program, 0)


def test_wrapping_creates_transfers_and_syncs() -> None:
    action = wrap("w-1", WALLET, 5, FEE)
    assert list(action.instructions) == [
        create_ata(WALLET, WALLET, WSOL_MINT, TOKEN_PROGRAM),
        transfer(TransferParams(from_pubkey=WALLET, to_pubkey=WSOL, lamports=5)),
        sync_native(WSOL),
    ]
    assert (action.plan.kind, action.plan.order_id, action.plan.max_wrap_lamports) == (PlanKind.WRAP, "w-1", 5)
    passes(action)
    with pytest.raises(GuardRefused, match="it wraps 10 lamports; the plan allows 5"):
        check_message(compiled([*BUDGET, *action.instructions, action.instructions[1]]), action.plan, LIMITS)


@pytest.mark.parametrize("lamports", [0, -1, 2**64, 1.5, True])
def test_an_amount_that_is_none_is_not_wrapped(lamports: int) -> None:
    with pytest.raises(UsageError, match="cannot be wrapped"):
        wrap("w-1", WALLET, lamports, FEE)


def test_a_top_up_is_the_difference_and_never_negative() -> None:
    assert [top_up_lamports(10, held) for held in (0, 4, 10, 11)] == [10, 6, 0, 0]


def test_unwrapping_closes_the_one_account_to_the_wallet() -> None:
    action = unwrap("u-1", WALLET, FEE, [])
    assert action.instructions[-1] == close_account(WSOL, WALLET)
    assert action.plan.closable == {WSOL}
    passes(action)
    stolen = Instruction(
        TOKEN_PROGRAM,
        b"\x09",
        [AccountMeta(WSOL, False, True), AccountMeta(STRANGER, False, True), AccountMeta(WALLET, True, False)],
    )
    with pytest.raises(GuardRefused, match="closes an account to somebody else"):
        check_message(compiled([*BUDGET, stolen]), action.plan, LIMITS)


def test_empty_accounts_of_both_programs_are_closed_together() -> None:
    accounts = [empty(each, TOKEN_2022_PROGRAM if each % 2 else TOKEN_PROGRAM) for each in range(1, MOST_CLOSED + 1)]
    action = close_empty("c-1", WALLET, accounts, FEE, [])
    assert len(action.instructions) == MOST_CLOSED
    passes(action)
    # One signature and its length byte come on top: the network's limit is 1232 bytes.
    assert len(bytes(compiled([*BUDGET, *action.instructions]))) + 66 <= 1232
    for wrong in ([], [*accounts, empty(99)]):
        with pytest.raises(UsageError, match="accounts to close"):
            close_empty("c-1", WALLET, wrong, FEE, [])


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (replace(empty(1), units=1), "holds 1 raw units"),
        (replace(empty(1), owner=STRANGER), "belongs to"),
        (EmptyAccount(WSOL, WALLET, WSOL_MINT, TOKEN_PROGRAM, 0), "is wrapped SOL"),
    ],
)
def test_only_empty_accounts_of_the_wallet_are_closed(account: EmptyAccount, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        close_empty("c-1", WALLET, [empty(2), account], FEE, [])


def test_the_wrapped_sol_account_never_goes_with_the_empty_ones() -> None:
    action = close_empty("c-1", WALLET, [empty(1)], FEE, [])
    plan = replace(action.plan, closable=frozenset({WSOL}))
    with pytest.raises(GuardRefused, match="closes the wrapped-SOL account"):
        check_message(compiled([*BUDGET, close_account(WSOL, WALLET)]), plan, LIMITS)


def test_nothing_is_closed_while_an_order_may_still_land() -> None:
    with pytest.raises(GuardRefused, match=r"2 orders may still land \(first: o-7\)"):
        unwrap("u-1", WALLET, FEE, ["o-7", "o-8"])
    with pytest.raises(GuardRefused, match=r"2 orders may still land \(first: o-7\)"):
        close_empty("c-1", WALLET, [empty(1)], FEE, ["o-7", "o-8"])
