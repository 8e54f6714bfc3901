"""Transactions of ours with the plan that they belong to, for the tests of the guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from pumpswap.amm import (
    Existing,
    FeeSchedule,
    PoolState,
    Quote,
    buy_exact_base,
    buy_exact_quote,
    current_schedule,
    sell_exact_base,
    swap_instruction,
    swap_sequence,
)
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.amm.instructions.swap import swap_kind
from pumpswap.errors import GuardRefused
from pumpswap.model import PlanKind, SpendPlan
from pumpswap.wallet import WalletLimits, check_message
from tests.support.market import graduate

SEED = bytes(range(1, 33))
WALLET = Keypair.from_seed(SEED).pubkey()
STRANGER = Pubkey.from_bytes(b"\x77" * 32)
TIP = Pubkey.from_bytes(b"\x55" * 32)
MARKER = Pubkey.from_string("jitodontfront111111111111111111111111111111")
BLOCKHASH = Hash(b"\x33" * 32)
LIMITS = WalletLimits(2 * 10**9, 10 * 10**9, 5 * 10**7)
WSOL = ata(WALLET, WSOL_MINT, TOKEN_PROGRAM)
FEE, TIP_LAMPORTS = 5_000 + 20_000, 10_000
FREE = {1: {7, 8}, 2: {7, 8, 14}}  # vaults, and v2's buyback account: the program itself verifies them
BUDGET = [set_compute_unit_limit(200_000), set_compute_unit_price(100_000)]


@dataclass(frozen=True)
class Trade:
    """Instructions, and the plan that allows exactly them."""

    steps: tuple[Instruction, ...]
    plan: SpendPlan

    @property
    def swap_at(self) -> int:
        (at,) = [at for at, each in enumerate(self.steps) if is_swap(each)]
        return at

    def message(self) -> MessageV0:
        return compiled(self.steps)

    def with_steps(self, steps: Sequence[Instruction]) -> Trade:
        return replace(self, steps=tuple(steps))

    def with_swap(self, *, data: bytes | None = None, accounts: Sequence[AccountMeta] | None = None) -> Trade:
        old = self.steps[self.swap_at]
        new = Instruction(old.program_id, old.data if data is None else data, list(accounts or old.accounts))
        return self.with_steps([*self.steps[: self.swap_at], new, *self.steps[self.swap_at + 1 :]])


def is_swap(each: Instruction) -> bool:
    try:
        swap_kind(each.data)
    except Exception:
        return False
    return len(each.accounts) >= 17


def compiled(steps: Sequence[Instruction], payer: Pubkey = WALLET) -> MessageV0:
    return MessageV0.try_compile(payer, list(steps), [], BLOCKHASH)


def pool(*, cashback: bool = False, creator: bool = True, token_2022: bool = False, **fields: Any) -> PoolState:
    program = TOKEN_2022_PROGRAM if token_2022 else TOKEN_PROGRAM
    plain = graduate(7, is_cashback_coin=cashback, base_token_program=program, **fields)
    changes: dict[str, Any] = {
        "pool_base_token_account": ata(plain.address, plain.pool.base_mint, program),
        "pool_quote_token_account": ata(plain.address, WSOL_MINT, TOKEN_PROGRAM),
    }
    if not creator:
        changes["coin_creator"] = Pubkey.default()
    account = plain.pool.with_changes(**changes)
    return PoolState(
        account, plain.address, plain.base_reserve, plain.quote_vault, plain.base_supply, base_token_program=program
    )


def trade(
    what: str = "buy_quote",
    *,
    state: PoolState | None = None,
    generation: int | None = None,
    units: int = 10**9,
    existing: Existing | None = None,
    keep_wsol: bool = True,
    tip: bool = False,
    marker: bool = False,
) -> Trade:
    """A trade as ours are built: budget, [tip], everything around the swap."""
    state, schedule = state or pool(), current_schedule()
    quoting: dict[str, Callable[[PoolState, FeeSchedule, int], Quote]] = {
        "buy_quote": buy_exact_quote,
        "buy_base": buy_exact_base,
        "sell": sell_exact_base,
    }
    quote = quoting[what](state, schedule, units)
    limit = quote.limit(300)
    swap = swap_instruction(quote, state, schedule, user=WALLET, limit=limit, generation=generation)
    first, second = (int.from_bytes(swap.data[at : at + 8], "little") for at in (8, 16))
    pay, receive = (second, first) if what == "buy_base" else (first, second)
    if marker:
        swap = Instruction(swap.program_id, swap.data, [*swap.accounts, AccountMeta(MARKER, False, False)])
    steps = swap_sequence(swap, state, WALLET, existing or Existing(), keep_wsol=keep_wsol)
    tips = [transfer(TransferParams(from_pubkey=WALLET, to_pubkey=TIP, lamports=TIP_LAMPORTS))] if tip else []
    plan = SpendPlan(
        order_id="o-1",
        kind=PlanKind.SELL if what == "sell" else PlanKind.BUY,
        wallet=WALLET,
        max_fee_lamports=FEE,
        pool=state.address,
        user_base_account=ata(WALLET, state.pool.base_mint, state.base_token_program),
        user_quote_account=WSOL,
        max_pay_units=pay,
        min_receive_units=receive,
        max_wrap_lamports=0 if what == "sell" else pay,
        max_tip_lamports=TIP_LAMPORTS if tip else 0,
        tip_accounts=frozenset({TIP}) if tip else frozenset(),
        account_owners=frozenset({WALLET}),
        account_mints=frozenset({WSOL_MINT, state.pool.base_mint}),
        closable=frozenset() if keep_wsol else frozenset({WSOL}),
    )
    return Trade((*BUDGET, *tips, *steps), plan)


def refusal(message: object, plan: SpendPlan, limits: WalletLimits | None = LIMITS) -> str:
    """What the guard says of a message that it must refuse."""
    with pytest.raises(GuardRefused) as caught:
        check_message(message, plan, limits)  # type: ignore[arg-type]
    assert caught.value.what.startswith("not signed: ")
    assert "nothing was signed" in caught.value.hint
    return caught.value.what
