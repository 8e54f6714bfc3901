"""Swap plans: what is built passes the wallet's guard and the size limit, and moves no more than the order says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.hash import Hash
from solders.pubkey import Pubkey

from pumpswap.amm import (
    Existing,
    FeeSchedule,
    PoolState,
    buy_exact_quote,
    current_schedule,
    sell_exact_base,
    swap_instruction,
    swap_sequence,
)
from pumpswap.amm.addresses import (
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    USDC_MINT,
    WSOL_MINT,
    ata,
    user_volume_accumulator,
)
from pumpswap.chain.dont_front import DONT_FRONT
from pumpswap.chain.transaction import ComputeBudget, build_message, transaction_bytes
from pumpswap.errors import InsufficientFunds, UsageError
from pumpswap.execution.reservations import Reservation, Reservations
from pumpswap.execution.swap_plan import Denial, SwapChoices, SwapPlan, Tip, WalletView, plan_swap
from pumpswap.model import Order, PlanKind, TradeSide
from pumpswap.wallet.guard import check_message
from pumpswap.wallet.limits import WalletLimits
from tests.support.market import SOL, START_NS, graduate

WALLET = Pubkey.from_bytes(b"w" * 32)
TIP = Tip(Pubkey.from_bytes(b"t" * 32), 5_000)
LIMITS = WalletLimits(100 * SOL, 1_000 * SOL, 0)
SCHEDULE: FeeSchedule = current_schedule()
FREE = Reservation()
BUDGET = ComputeBudget(200_000, 50_000)
FRESH = WalletView(WALLET, 0, 10 * SOL, None, None, False)


def buy(state: PoolState, lamports: int = SOL) -> Order:
    quote = buy_exact_quote(state, SCHEDULE, lamports)
    return order(TradeSide.BUY, state, quote, quote.limit(300), lamports, 0)


def sell(state: PoolState, units: int = 10**12) -> Order:
    quote = sell_exact_base(state, SCHEDULE, units)
    return order(TradeSide.SELL, state, quote, quote.limit(300), 0, units)


def order(side: TradeSide, state: PoolState, quote: Any, limit: int, lamports: int, units: int) -> Order:
    pool, mint = str(state.address), str(state.pool.base_mint)
    return Order("o1", "d1", side, pool, mint, START_NS, limit, quote, lamports, units, 300)


def planned(
    wanted: Order, state: PoolState, view: WalletView, choices: SwapChoices, reserved: Reservation = FREE
) -> SwapPlan:
    plan = plan_swap(wanted, state, SCHEDULE, view, choices, reserved)
    assert isinstance(plan, SwapPlan), plan
    return plan


CASES = list(
    itertools.product(
        (1, 2), (TradeSide.BUY, TradeSide.SELL), (TOKEN_PROGRAM, TOKEN_2022_PROGRAM), (False, True), (None, TIP)
    )
)


@pytest.mark.parametrize(("generation", "side", "program", "dont_front", "tip"), CASES)
def test_p38_what_is_built_passes_the_guard(
    generation: int, side: TradeSide, program: Pubkey, dont_front: bool, tip: Tip | None
) -> None:
    state = graduate(base_token_program=program)
    wanted = buy(state) if side is TradeSide.BUY else sell(state)
    view = FRESH if side is TradeSide.BUY else replace(FRESH, base_units=10**12)
    plan = planned(wanted, state, view, SwapChoices(generation, 3, 5, dont_front, tip))
    message = build_message(plan.instructions, WALLET, Hash.hash(b"h"), BUDGET)
    allowed = plan.spend_plan(BUDGET)
    check_message(message, allowed, LIMITS)
    assert transaction_bytes(message) <= 1_232
    assert allowed.max_fee_lamports == 5_000 + 10_000
    assert allowed.kind is (PlanKind.BUY if side is TradeSide.BUY else PlanKind.SELL)
    assert (DONT_FRONT in message.account_keys) is dont_front
    assert allowed.closable == (frozenset() if side is TradeSide.BUY else frozenset({plan.user_base}))


@pytest.mark.parametrize("side", list(TradeSide))
def test_even_the_largest_transaction_fits(side: TradeSide) -> None:
    """A cashback pool that must be extended, Token-2022, nothing there yet, with tip and marker."""
    state = graduate(is_cashback_coin=True, account_len=244, tail=b"", base_token_program=TOKEN_2022_PROGRAM)
    wanted = buy(state) if side is TradeSide.BUY else sell(state)
    view = FRESH if side is TradeSide.BUY else replace(FRESH, base_units=10**12)
    plan = planned(wanted, state, view, SwapChoices(1, 0, 0, dont_front=True, tip=TIP))
    message = build_message(plan.instructions, WALLET, Hash.hash(b"h"), BUDGET)
    check_message(message, plan.spend_plan(BUDGET), LIMITS)
    assert transaction_bytes(message) <= 1_232


@given(
    st.integers(10**6, 5 * SOL),
    st.one_of(st.none(), st.integers(0, 6 * SOL)),
    st.integers(0, 6 * SOL),
)
def test_only_the_shortfall_is_wrapped_and_what_others_reserved_does_not_count(
    lamports: int, wrapped: int | None, reserved: int
) -> None:
    state = graduate()
    view = replace(FRESH, wrapped_lamports=wrapped)
    plan = planned(buy(state, lamports), state, view, SwapChoices(2), Reservation(0, reserved))
    free = max((wrapped or 0) - reserved, 0)
    assert plan.wrap_lamports == max(lamports - free, 0)
    assert plan.from_wrapped_lamports == min(free, lamports)
    transfers = [one for one in plan.instructions if one.program_id == SYSTEM_PROGRAM]
    assert [int.from_bytes(one.data[4:], "little") for one in transfers] == [plan.wrap_lamports] * bool(
        plan.wrap_lamports
    )
    wsol = ata(WALLET, WSOL_MINT, TOKEN_PROGRAM)
    closes = [one for one in plan.instructions if one.program_id == TOKEN_PROGRAM and one.data == b"\x09"]
    assert all(one.accounts[0].pubkey != wsol for one in closes)


def test_only_a_sale_of_everything_closes_the_base_account() -> None:
    state = graduate()
    held = replace(FRESH, base_units=10**12, wrapped_lamports=0)
    assert planned(sell(state), state, held, SwapChoices(2)).closes_base
    assert not planned(sell(state), state, held, SwapChoices(2, close_emptied=False)).closes_base
    assert not planned(sell(state, 10**12 - 1), state, held, SwapChoices(2)).closes_base
    assert not planned(sell(state), state, replace(held, base_units=10**12 + 1), SwapChoices(2)).closes_base


def test_new_accounts_are_known_with_their_sizes() -> None:
    spl, token_2022 = graduate(), graduate(base_token_program=TOKEN_2022_PROGRAM)
    assert planned(buy(spl), spl, FRESH, SwapChoices(2)).new_account_bytes == (165, 165, 137)
    assert planned(buy(token_2022), token_2022, FRESH, SwapChoices(2)).new_account_bytes == (165, 170, 137)
    known = replace(FRESH, wrapped_lamports=0, base_units=0, has_accumulator=True)
    assert planned(buy(spl), spl, known, SwapChoices(2)).new_account_bytes == ()
    seller = replace(known, base_units=10**12, has_accumulator=False)
    assert planned(sell(spl), spl, seller, SwapChoices(1)).new_account_bytes == ()
    assert planned(sell(spl), spl, seller, SwapChoices(2)).new_account_bytes == (137,)
    assert user_volume_accumulator(WALLET) != WALLET


def denied(wanted: Order, state: PoolState, view: WalletView = FRESH, choices: SwapChoices | None = None) -> str:
    found = plan_swap(wanted, state, SCHEDULE, view, choices or SwapChoices(2), FREE)
    assert isinstance(found, Denial), found
    assert found.text
    return found.rule


def test_what_must_not_be_tried_is_denied_by_rule() -> None:
    state = graduate()
    assert denied(replace(buy(state), limit=buy(state).quote.base_out + 1), state) == "limit"  # type: ignore[union-attr]
    assert denied(sell(state), state) == "insufficient funds"
    assert denied(sell(state), state, replace(FRESH, base_units=10**12 - 1)) == "insufficient funds"
    assert denied(buy(state), graduate(2)) == "wrong pool"
    assert denied(buy(state), graduate(quote_mint=USDC_MINT)) == "unsupported pool"
    cashback = graduate(is_cashback_coin=True)
    assert denied(buy(cashback), cashback) == "refused"  # 6079: v1 only
    high = replace(sell(state), limit=sell(state).quote.user_quote_out + 1)  # type: ignore[union-attr]
    assert denied(high, state, replace(FRESH, base_units=10**12)) == "limit"


def test_a_wrap_beyond_the_order_is_a_mistake_of_the_caller() -> None:
    state = graduate()
    wanted = buy(state)
    swap = swap_instruction(wanted.quote, state, SCHEDULE, user=WALLET, limit=wanted.limit)
    with pytest.raises(UsageError):
        swap_sequence(swap, state, WALLET, Existing(), keep_wsol=True, wrap_lamports=SOL + 1)
    bare = swap_sequence(
        swap, state, WALLET, Existing(user_base=True, user_quote=True), keep_wsol=True, wrap_lamports=0
    )
    assert bare == [swap]


def test_reservations_never_give_the_same_lamports_twice() -> None:
    held, taken = Reservation(100, 50, "mint", 10), Reservations()
    taken.take("a", Reservation(60, 50, "mint", 10), held)
    for wanted in (Reservation(41), Reservation(0, 1), Reservation(0, 0, "mint", 1)):
        with pytest.raises(InsufficientFunds):
            taken.take("b", wanted, held)
    taken.take("b", Reservation(40, 0, "another mint", 10), replace(held, mint="another mint"))
    taken.take("a", Reservation(30), held)  # in place of what it had
    assert (taken.of("a").native_lamports, taken.others("a").native_lamports) == (30, 40)
    taken.release("a")
    taken.release("a")
    assert len(taken) == 1
