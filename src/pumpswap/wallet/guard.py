"""The guard: what a transaction may do, checked against the plan of its order before a key touches it.

It reads the message that will be signed, not what somebody says about it. All that is not expressly allowed is
refused: programs, recipients, amounts, accounts, rights. See docs/wallets.md for the list.
"""

from __future__ import annotations

from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    ASSOCIATED_TOKEN_PROGRAM,
    COMPUTE_BUDGET_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    ata,
)
from pumpswap.amm.instructions.liquidity import extend_account
from pumpswap.amm.instructions.swap import swap_kind
from pumpswap.amm.instructions.tokens import close_account, create_ata, sync_native
from pumpswap.errors import UsageError
from pumpswap.model import PlanKind, SpendPlan
from pumpswap.wallet.guarded_swap import GuardedSwap, check_swap
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.steps import Step, is_front_marker, refused, steps_of, writable_count

__all__ = ["check_message"]

_SIGNATURE_LAMPORTS = 5_000
_MOST_UNITS = 1_400_000  # what the network grants at most, so what an unstated limit can cost at most
_MICRO = 1_000_000
_TRADES = (PlanKind.BUY, PlanKind.SELL)


def check_message(message: MessageV0, plan: SpendPlan, limits: WalletLimits | None) -> None:
    """Return when ``message`` does nothing beyond ``plan`` and ``limits``.

    Raises GuardRefused that names the instruction, its program and the reason. Without limits, nothing may spend SOL on
    a trade: live trading needs limits.
    """
    if not isinstance(message, MessageV0):
        raise refused("it is no version 0 message")
    if message.address_table_lookups:
        raise refused("it takes accounts from a lookup table, whose content cannot be checked here")
    header = message.header
    if header.num_required_signatures != 1 or header.num_readonly_signed_accounts != 0:
        raise refused("it wants other signatures than the wallet's")
    if not message.account_keys or message.account_keys[0] != plan.wallet:
        raise refused("its fee payer is not the wallet of the plan")
    _check_plan(plan)
    inspection = _Inspection(plan)
    for step in steps_of(message):
        inspection.take(step)
    inspection.check_whole()
    inspection.check_rights(message)
    _check_limits(inspection, limits)


class _Inspection:
    """One pass over the instructions: each must be allowed, and their sums too."""

    def __init__(self, plan: SpendPlan) -> None:
        self.plan = plan
        self.own_wsol = ata(plan.wallet, WSOL_MINT, TOKEN_PROGRAM)
        self.budget: dict[int, int] = {}
        self.wrapped = self.tipped = 0
        self.swaps: list[GuardedSwap] = []
        self.writable: set[Pubkey] = {plan.wallet}

    @property
    def fee_lamports(self) -> int:
        """Signature and priority fee of the transaction (PROTOCOL 7.4)."""
        units, price = self.budget.get(2, _MOST_UNITS), self.budget.get(3, 0)
        return _SIGNATURE_LAMPORTS - (-units * price // _MICRO)

    def take(self, step: Step) -> None:
        if step.program == COMPUTE_BUDGET_PROGRAM:
            self._compute_budget(step)
            return
        if step.program == SYSTEM_PROGRAM:
            expected = self._transfer(step)
        elif step.program in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
            expected = self._token(step)
        elif step.program == ASSOCIATED_TOKEN_PROGRAM:
            expected = self._new_account(step)
        elif step.program == AMM_PROGRAM:
            expected = self._amm(step)
        else:
            raise step.refusal("calls a program that no plan uses")
        self.writable.update(meta.pubkey for meta in expected.accounts if meta.is_writable)

    def check_whole(self) -> None:
        plan = self.plan
        wanted = int(plan.kind in _TRADES)
        if len(self.swaps) != wanted:
            raise refused(f"it swaps {len(self.swaps)} times; a plan to {plan.kind.value} swaps {wanted} times")
        if self.fee_lamports > plan.max_fee_lamports:
            raise refused(f"its fees are {self.fee_lamports} lamports; the plan allows {plan.max_fee_lamports}")
        if self.wrapped > plan.max_wrap_lamports:
            raise refused(f"it wraps {self.wrapped} lamports; the plan allows {plan.max_wrap_lamports}")
        if self.tipped > plan.max_tip_lamports:
            raise refused(f"it tips {self.tipped} lamports; the plan allows {plan.max_tip_lamports}")

    def check_rights(self, message: MessageV0) -> None:
        for key in message.account_keys[: max(writable_count(message), 0)]:
            if key not in self.writable:
                what = "the jitodontfront marker" if is_front_marker(key) else f"account {key}"
                raise refused(f"it makes {what} writable, which no instruction of the plan needs")

    def _compute_budget(self, step: Step) -> None:
        tag, rest = step.data[:1], step.data[1:]
        # 2 compute unit limit, 3 its price, 4 limit of loaded account data: more than one of a kind is a trick.
        length = {b"\x02": 4, b"\x03": 8, b"\x04": 4}.get(tag)
        if length != len(rest) or step.accounts:
            raise step.refusal("is neither a compute limit, nor its price, nor a limit of loaded data")
        if tag[0] in self.budget:
            raise step.refusal("sets the same budget a second time")
        self.budget[tag[0]] = int.from_bytes(rest, "little")

    def _transfer(self, step: Step) -> Instruction:
        if step.data[:4] != b"\x02\0\0\0" or len(step.data) != 12 or len(step.accounts) != 2:
            raise step.refusal("is no transfer")
        source, target = step.accounts
        lamports = int.from_bytes(step.data[4:], "little")
        if source != self.plan.wallet:
            raise step.refusal(f"takes SOL from {source}, which is not the wallet")
        if target == self.own_wsol:
            self.wrapped += lamports
        elif target in self.plan.tip_accounts:
            self.tipped += lamports
        else:
            raise step.refusal(f"sends {lamports} lamports to {target}, whom the plan does not pay")
        return transfer(TransferParams(from_pubkey=source, to_pubkey=target, lamports=lamports))

    def _token(self, step: Step) -> Instruction:
        if step.data == b"\x11":
            return step.must_equal(sync_native(self.own_wsol), "syncs another account than the wallet's wrapped SOL")
        if step.data != b"\x09" or not step.accounts:
            raise step.refusal("is neither a sync of wrapped SOL nor the closing of an account")
        account = step.accounts[0]
        if account not in self.plan.closable:
            raise step.refusal(f"closes {account}, which the plan does not close")
        if self.plan.kind is PlanKind.CLOSE_EMPTY and account == self.own_wsol:
            raise step.refusal("closes the wrapped-SOL account, which unwraps all of it; that is another plan")
        expected = close_account(account, self.plan.wallet, step.program)
        return step.must_equal(expected, "closes an account to somebody else, or for another owner")

    def _new_account(self, step: Step) -> Instruction:
        if step.data != b"\x01" or len(step.accounts) != 6:
            raise step.refusal("is no idempotent creation of an account")
        _, _, owner, mint, _, token_program = step.accounts
        if owner not in self.plan.account_owners:
            raise step.refusal(f"creates an account for {owner}, whom the plan does not name")
        if mint not in self.plan.account_mints:
            raise step.refusal(f"creates an account for mint {mint}, which the plan does not name")
        if token_program not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
            raise step.refusal("names a token program that is none")
        expected = create_ata(self.plan.wallet, owner, mint, token_program)
        return step.must_equal(expected, "creates an account with a wrong payer or address")

    def _amm(self, step: Step) -> Instruction:
        plan = self.plan
        if plan.kind not in _TRADES or plan.pool is None:
            raise step.refusal(f"has no place in a plan to {plan.kind.value}")
        extension = extend_account(plan.pool, plan.wallet)
        if step.data == bytes(extension.data):
            return step.must_equal(extension, "extends another account than the pool, or for another payer")
        try:
            swap_kind(step.data)
        except UsageError:
            raise step.refusal("is neither a swap nor the extension of the pool") from None
        self.swaps.append(check_swap(step, plan))
        return self.swaps[-1].expected


def _check_plan(plan: SpendPlan) -> None:
    if plan.kind not in _TRADES:
        return
    if plan.pool is None or plan.user_base_account is None or plan.user_quote_account is None:
        raise refused("its plan names no pool or no token accounts")
    if plan.max_pay_units <= 0 or plan.min_receive_units <= 0:
        raise refused("its plan has no bounds: what to pay at most and what to receive at least")


def _check_limits(inspection: _Inspection, limits: WalletLimits | None) -> None:
    """What the owner has set: no refusal of these is a bug, so each says what the owner can do."""
    plan = inspection.plan
    paid_sol = sum(swap.max_pay_units for swap in inspection.swaps if swap.pays_sol)
    if limits is None:
        if plan.kind is PlanKind.BUY or paid_sol:
            raise refused("the wallet has no limits", "set them with: pumpswap wallet limits")
        return
    if plan.kind is PlanKind.BUY and not paid_sol:
        raise refused(
            "it pays in another token than SOL, which the wallet's limits cannot measure", "buy where SOL is the quote"
        )
    spent = paid_sol + inspection.fee_lamports + inspection.tipped
    if spent > limits.max_order_lamports:
        # The gate lets a payment of exactly the limit pass: what the network takes is known only here.
        raise refused(
            f"it may spend {spent} lamports with fees and tip; the wallet's limit for an order is"
            f" {limits.max_order_lamports}",
            "leave room for the network's fees below the limit, or raise it: pumpswap wallet limits",
        )
