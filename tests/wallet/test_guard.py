"""The guard: what we build passes; every way of changing it is refused, by name (pain points P37 and P38)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.compute_budget import (
    request_heap_frame,
    set_compute_unit_limit,
    set_compute_unit_price,
    set_loaded_accounts_data_size_limit,
)
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    AssignParams,
    TransferParams,
    advance_nonce_account,
    assign,
    transfer,
)

from pumpswap.amm import Existing
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    ASSOCIATED_TOKEN_PROGRAM,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    USDC_MINT,
    WSOL_MINT,
    ata,
)
from pumpswap.amm.instructions.liquidity import extend_account
from pumpswap.amm.instructions.swap import swap_kind
from pumpswap.amm.instructions.tokens import close_account, create_ata, sync_native
from pumpswap.errors import GuardRefused
from pumpswap.model import PlanKind
from pumpswap.wallet import WalletLimits, check_message
from tests.wallet.trades import (
    FEE,
    FREE,
    LIMITS,
    MARKER,
    STRANGER,
    TIP_LAMPORTS,
    WALLET,
    WSOL,
    Trade,
    compiled,
    is_swap,
    pool,
    refusal,
    trade,
)

U64 = 2**64 - 1


@st.composite
def trades(draw: st.DrawFn) -> Trade:
    cashback = draw(st.booleans())
    state = pool(cashback=cashback, creator=draw(st.booleans()), token_2022=draw(st.booleans()))
    what = draw(st.sampled_from(["buy_quote", "buy_base", "sell"]))
    exists = st.booleans()
    return trade(
        what,
        state=state,
        generation=1 if cashback else draw(st.sampled_from([1, 2])),
        units=draw(st.integers(10**6, 10**9)) * (1_000 if what != "buy_quote" else 1),
        existing=Existing(
            user_base=draw(exists), user_quote=draw(exists), pool_account_len=draw(st.sampled_from([None, 245, 301]))
        ),
        keep_wsol=draw(st.booleans()),
        tip=draw(st.booleans()),
        marker=draw(st.booleans()),
    )


WIDE = WalletLimits(U64, U64, 0)


@settings(max_examples=150, deadline=None)
@given(trades())
def test_every_trade_that_we_build_passes(ours: Trade) -> None:
    check_message(ours.message(), ours.plan, WIDE)


# ------------------------------------------------------------------ one instruction more


def pay(to: Pubkey, lamports: int, source: Pubkey = WALLET) -> Instruction:
    return transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=lamports))


def token_call(data: bytes, *accounts: tuple[Pubkey, bool, bool], program: Pubkey = TOKEN_PROGRAM) -> Instruction:
    return Instruction(program, data, [AccountMeta(*each) for each in accounts])


OTHER_BASE = Pubkey.from_bytes(b"\x09" * 32)
INTRUDERS = {
    "a transfer to a stranger": pay(STRANGER, 1),
    "a transfer of nothing to a stranger": pay(STRANGER, 0),
    "a wrap beyond the plan": pay(WSOL, 1),
    "an unknown program": Instruction(STRANGER, b"", []),
    "a memo": Instruction(Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"), b"hi", []),
    "the curve program": Instruction(PUMP_PROGRAM, b"\1" * 8, [AccountMeta(WALLET, True, True)]),
    "a change of the wallet's owner": assign(AssignParams(pubkey=WALLET, owner=STRANGER)),
    "a durable nonce": advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=STRANGER, authorized_pubkey=WALLET)
    ),
    "a heap frame": request_heap_frame(64 * 1024),
    "a second compute limit": set_compute_unit_limit(1),
    "a second price": set_compute_unit_price(0),
    "a token transfer": token_call(
        b"\3" + (1).to_bytes(8, "little"), (WSOL, False, True), (STRANGER, False, True), (WALLET, True, False)
    ),
    "an approval of a delegate": token_call(
        b"\4" + (1).to_bytes(8, "little"), (WSOL, False, True), (STRANGER, False, False), (WALLET, True, False)
    ),
    "a new token authority": token_call(
        b"\6\2\1" + bytes(STRANGER), (WSOL, False, True), (WALLET, True, False)
    ),
    "a Token-2022 transfer": token_call(
        b"\3" + (1).to_bytes(8, "little"), (WSOL, False, True), (STRANGER, False, True), (WALLET, True, False),
        program=TOKEN_2022_PROGRAM,
    ),
    "a sync of another account": sync_native(STRANGER),
    "the closing of an account that is not in the plan": close_account(STRANGER, WALLET),
    "the closing of the base account": close_account(ata(WALLET, pool().pool.base_mint, TOKEN_PROGRAM), WALLET),
    "an account for a stranger": create_ata(WALLET, STRANGER, WSOL_MINT, TOKEN_PROGRAM),
    "an account of another mint": create_ata(WALLET, WALLET, USDC_MINT, TOKEN_PROGRAM),
    "an account that must not exist": Instruction(
        ASSOCIATED_TOKEN_PROGRAM, b"\0", create_ata(WALLET, WALLET, WSOL_MINT, TOKEN_PROGRAM).accounts
    ),
    "an account at a wrong address": Instruction(
        ASSOCIATED_TOKEN_PROGRAM, b"\1",
        [*create_ata(WALLET, WALLET, WSOL_MINT, TOKEN_PROGRAM).accounts[:1], AccountMeta(STRANGER, False, True),
         *create_ata(WALLET, WALLET, WSOL_MINT, TOKEN_PROGRAM).accounts[2:]],
    ),
    "an account of a false token program": create_ata(WALLET, WALLET, WSOL_MINT, PUMP_PROGRAM),
    "the extension of another account": extend_account(STRANGER, WALLET),
    "another instruction of the AMM": Instruction(AMM_PROGRAM, bytes.fromhex("b712469c946da122") + bytes(24), []),
}  # fmt: skip


@pytest.mark.parametrize("intruder", INTRUDERS.values(), ids=INTRUDERS)
@pytest.mark.parametrize("what", ["buy_quote", "sell"])
def test_p38_one_foreign_instruction_anywhere_is_refused(what: str, intruder: Instruction) -> None:
    ours = trade(what, existing=Existing(user_quote=what == "sell"))
    for at in range(len(ours.steps) + 1):
        steps = [*ours.steps[:at], intruder, *ours.steps[at:]]
        try:
            message = compiled(steps)
        except Exception:  # solders will not even write it down
            continue
        said = refusal(message, ours.plan)
        # Sums and rights belong to the whole; everything else names the instruction, counted from 1.
        assert re.search(r"instruction \d+ of \d+ \(|it wraps|it makes", said), said


def test_a_refusal_names_number_program_and_reason() -> None:
    ours = trade()
    message = compiled([*ours.steps, pay(STRANGER, 5)])
    count = len(ours.steps) + 1
    said = refusal(message, ours.plan)
    assert said.startswith(f"not signed: instruction {count} of {count} (System) sends 5 lamports to {STRANGER}")


def test_the_limit_of_loaded_data_may_be_set_once() -> None:
    ours = trade()
    size = set_loaded_accounts_data_size_limit(200_000)
    check_message(compiled([size, *ours.steps]), ours.plan, LIMITS)
    assert "a second time" in refusal(compiled([size, size, *ours.steps]), ours.plan)


# ------------------------------------------------------------------ the swap


@settings(max_examples=60, deadline=None)
@given(trades(), st.data())
def test_p38_no_account_of_the_swap_can_be_exchanged(ours: Trade, data: st.DataObject) -> None:
    swap = ours.steps[ours.swap_at]
    generation = swap_kind(swap.data).generation
    count = sum(meta.pubkey != MARKER for meta in swap.accounts)
    at = data.draw(st.integers(0, count - 1))
    replacement = data.draw(st.sampled_from([STRANGER, WALLET, WSOL, swap.accounts[(at + 1) % count].pubkey]))
    old = swap.accounts[at]
    if replacement == old.pubkey:
        return
    accounts = list(swap.accounts)
    accounts[at] = AccountMeta(replacement, False, old.is_writable)
    message = ours.with_swap(accounts=accounts).message()
    if at in FREE[generation] and replacement not in (WALLET, WSOL, ours.plan.user_base_account):
        check_message(message, ours.plan, WIDE)
    else:
        refusal(message, ours.plan, WIDE)


@settings(max_examples=60, deadline=None)
@given(trades(), st.integers(1, 2**32))
def test_p38_a_swap_never_pays_more_or_accepts_less(ours: Trade, more: int) -> None:
    data = bytes(ours.steps[ours.swap_at].data)
    kind = swap_kind(data)
    first, second = (int.from_bytes(data[at : at + 8], "little") for at in (8, 16))
    pays_second = kind.is_buy and not kind.is_exact_quote

    def changed(one: int, two: int) -> MessageV0:
        body = data[:8] + one.to_bytes(8, "little") + two.to_bytes(8, "little") + data[24:]
        return ours.with_swap(data=body).message()

    paid, received = (second, first) if pays_second else (first, second)
    for worse_pay, worse_receive in (
        (min(paid + more, U64), received),
        (U64, received),
        (0, received),
        (paid, max(received - more, 0)),
        (paid, 0),
    ):
        pair = (worse_receive, worse_pay) if pays_second else (worse_pay, worse_receive)
        refusal(changed(*pair), ours.plan, WIDE)
    better = (received, paid - 1) if pays_second else (paid - 1, received)
    check_message(changed(*better), ours.plan, WIDE)


@settings(max_examples=30, deadline=None)
@given(trades())
def test_a_plan_swaps_exactly_once_in_its_own_direction(ours: Trade) -> None:
    swap = ours.steps[ours.swap_at]
    assert "swaps 2 times" in refusal(compiled([*ours.steps, swap]), ours.plan, WIDE)
    assert "swaps 0 times" in refusal(
        compiled([each for each in ours.steps if not is_swap(each)]),
        replace(ours.plan, closable=frozenset({WSOL})),
        WIDE,
    )
    other = PlanKind.BUY if ours.plan.kind is PlanKind.SELL else PlanKind.SELL
    assert "the plan is to" in refusal(ours.message(), replace(ours.plan, kind=other), WIDE)
    for kind in (PlanKind.WRAP, PlanKind.UNWRAP, PlanKind.CLOSE_EMPTY):
        assert "has no place in a plan to" in refusal(ours.message(), replace(ours.plan, kind=kind), WIDE)


@pytest.mark.parametrize("what", ["buy_quote", "buy_base", "sell"])
@pytest.mark.parametrize("generation", [1, 2])
def test_the_data_of_a_swap_has_one_length(what: str, generation: int) -> None:
    ours = trade(what, generation=generation)
    data = bytes(ours.steps[ours.swap_at].data)
    for wrong in (data[:23], data + b"\0" * 8, data[:8], data[:24] + b"\2"):
        refusal(ours.with_swap(data=wrong).message(), ours.plan)
    flagged = ours.with_swap(data=data[:24] + b"\1").message()
    if generation == 1 and what != "sell":
        check_message(flagged, ours.plan, LIMITS)
        check_message(ours.with_swap(data=data[:24]).message(), ours.plan, LIMITS)
    else:
        refusal(flagged, ours.plan)


def test_a_swap_of_another_program_or_pool_is_refused() -> None:
    ours = trade()
    old = ours.steps[ours.swap_at]
    imitation = Instruction(STRANGER, bytes(old.data), list(old.accounts))
    steps = [*ours.steps[: ours.swap_at], imitation, *ours.steps[ours.swap_at + 1 :]]
    assert f"({STRANGER}) calls a program that no plan uses" in refusal(compiled(steps), ours.plan)
    assert "another pool" in refusal(ours.message(), replace(ours.plan, pool=STRANGER))
    assert "mints or accounts" in refusal(ours.message(), replace(ours.plan, user_base_account=STRANGER))
    assert "mints or accounts" in refusal(ours.message(), replace(ours.plan, user_quote_account=STRANGER))


@pytest.mark.parametrize(
    "changes",
    [
        {"pool": None},
        {"user_base_account": None},
        {"user_quote_account": None},
        {"max_pay_units": 0},
        {"min_receive_units": 0},
        {"max_pay_units": -1},
    ],
    ids=str,
)
def test_a_plan_without_bounds_is_refused(changes: dict[str, int | None]) -> None:
    ours = trade()
    assert "its plan" in refusal(ours.message(), replace(ours.plan, **changes))  # type: ignore[arg-type]


# ------------------------------------------------------------------ money around the swap


def test_fees_tips_and_wraps_are_summed_against_the_plan() -> None:
    ours = trade(tip=True)
    check_message(ours.message(), ours.plan, LIMITS)
    for name in ("max_fee_lamports", "max_wrap_lamports", "max_tip_lamports"):
        less = replace(ours.plan, **{name: getattr(ours.plan, name) - 1})
        assert "the plan allows" in refusal(ours.message(), less)
    assert "whom the plan does not pay" in refusal(ours.message(), replace(ours.plan, tip_accounts=frozenset()))
    tip = next(each for each in ours.steps if each.program_id == SYSTEM_PROGRAM)
    assert f"it tips {2 * TIP_LAMPORTS} lamports" in refusal(compiled([*ours.steps, tip]), ours.plan)


def test_an_unstated_compute_limit_counts_as_the_most_that_the_network_grants() -> None:
    ours = trade()
    priced = compiled([set_compute_unit_price(1_000), *ours.steps[2:]])
    check_message(priced, replace(ours.plan, max_fee_lamports=5_000 + 1_400), LIMITS)
    assert "its fees are 6400 lamports" in refusal(priced, replace(ours.plan, max_fee_lamports=6_399))
    rounded = compiled([set_compute_unit_limit(1), set_compute_unit_price(1), *ours.steps[2:]])
    check_message(rounded, replace(ours.plan, max_fee_lamports=5_001), LIMITS)
    assert "its fees are 5001 lamports" in refusal(rounded, replace(ours.plan, max_fee_lamports=5_000))


def test_p38_a_closed_account_pays_its_rent_to_the_wallet_only() -> None:
    ours = trade(keep_wsol=False)
    close = ours.steps[-1]
    account, _, owner = close.accounts
    for accounts in (
        [account, AccountMeta(STRANGER, False, True), owner],
        [account, AccountMeta(WSOL, False, True), owner],
        [account, AccountMeta(WALLET, False, True), AccountMeta(STRANGER, False, False)],
        [account, AccountMeta(WALLET, False, True), owner, AccountMeta(STRANGER, False, False)],
        [],
    ):
        changed = Instruction(close.program_id, bytes(close.data), accounts)
        refusal(compiled([*ours.steps[:-1], changed]), ours.plan)
    assert "which the plan does not close" in refusal(ours.message(), replace(ours.plan, closable=frozenset()))


# ------------------------------------------------------------------ limits of the wallet


def test_an_order_spends_at_most_the_wallets_limit_fees_and_tip_included() -> None:
    ours = trade(tip=True)
    spent = ours.plan.max_pay_units + FEE + TIP_LAMPORTS
    check_message(ours.message(), ours.plan, WalletLimits(spent, spent, 0))
    limits = WalletLimits(spent - 1, spent, 0)
    said = refusal(ours.message(), ours.plan, limits)
    assert f"may spend {spent} lamports with fees and tip; the wallet's limit for an order is {spent - 1}" in said
    with pytest.raises(GuardRefused) as caught:  # the gate knows no network fees: this is no bug to report
        check_message(ours.message(), ours.plan, limits)
    assert caught.value.hint.endswith("or raise it: pumpswap wallet limits")


def test_a_wallet_without_limits_sells_but_never_buys() -> None:
    selling, buying = trade("sell"), trade()
    check_message(selling.message(), selling.plan, None)
    assert "the wallet has no limits" in refusal(buying.message(), buying.plan, None)


def usdc_buy() -> Trade:
    ours = trade(existing=Existing(user_quote=True))
    swap = ours.steps[ours.swap_at]
    account = ata(WALLET, USDC_MINT, TOKEN_PROGRAM)
    metas = list(swap.accounts)
    buyback = Pubkey.from_bytes(b"\x44" * 32)
    for at, key in ((4, USDC_MINT), (6, account), (14, ata(buyback, USDC_MINT, TOKEN_PROGRAM))):
        metas[at] = AccountMeta(key, metas[at].is_signer, metas[at].is_writable)
    steps: Sequence[Instruction] = [
        each for each in ours.steps if each.program_id not in (SYSTEM_PROGRAM, TOKEN_PROGRAM)
    ]
    changed = replace(ours, steps=tuple(steps)).with_swap(accounts=metas)
    return replace(changed, plan=replace(changed.plan, user_quote_account=account))


def test_a_buy_that_limits_in_sol_cannot_measure_is_refused() -> None:
    ours = usdc_buy()
    assert "in another token than SOL" in refusal(ours.message(), ours.plan)


def test_selling_wrapped_sol_counts_as_spending_it() -> None:
    ours = trade("sell", existing=Existing(user_base=True, user_quote=True))
    swap = ours.steps[ours.swap_at]
    base = ours.plan.user_base_account
    assert base is not None
    metas = list(swap.accounts)
    for at, key in ((3, WSOL_MINT), (4, metas[3].pubkey), (5, WSOL), (6, base)):
        metas[at] = AccountMeta(key, False, metas[at].is_writable)
    inverse = ours.with_swap(accounts=metas)
    plan = replace(ours.plan, user_base_account=WSOL, user_quote_account=base)
    check_message(inverse.message(), plan, WIDE)
    assert "the wallet has no limits" in refusal(inverse.message(), plan, None)
    assert "limit for an order" in refusal(inverse.message(), plan, WalletLimits(plan.max_pay_units, U64, 0))
