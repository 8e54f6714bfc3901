"""The guard's view of a swap instruction: pool, accounts and amounts against the plan (PROTOCOL 3.2 to 3.4).

The expected instruction is built by the same code that builds ours, from the plan and from what only the chain knows
(mints, vaults, fee wallets; the program itself verifies those), and then compared account for account.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata, user_volume_accumulator
from pumpswap.amm.instructions.swap import SwapAccounts, SwapKind, remaining_accounts, swap_kind, v1_swap, v2_swap
from pumpswap.model import PlanKind, SpendPlan
from pumpswap.wallet.steps import Step

__all__ = ["GuardedSwap", "check_swap"]

# Positions in the account lists (PROTOCOL 3.2 and 3.4) that neither the plan nor a derivation gives.
_BASE_MINT, _QUOTE_MINT, _BASE_VAULT, _QUOTE_VAULT, _RECIPIENT = 3, 4, 7, 8, 9
_TOKEN_PROGRAMS = {1: (11, 12), 2: (9, 10)}
_V1_FIXED = {True: 23, False: 21}
_V1_CREATOR_VAULT, _V1_CREATOR_AUTHORITY = 17, 18
_V2_COUNT, _V2_BUYBACK = 17, 14


@dataclass(frozen=True, slots=True)
class GuardedSwap:
    """A swap within its plan: what it pays at most, whether that is wrapped SOL, and the instruction with its roles."""

    pays_sol: bool
    max_pay_units: int
    expected: Instruction


def check_swap(step: Step, plan: SpendPlan) -> GuardedSwap:
    """The swap, when it is the plan's. Raises GuardRefused."""
    kind = swap_kind(step.data)
    if plan.kind is not (PlanKind.BUY if kind.is_buy else PlanKind.SELL):
        raise step.refusal(f"is a {'buy' if kind.is_buy else 'sell'}; the plan is to {plan.kind.value}")
    pay = _check_amounts(step, kind, plan)
    expected = _expected(step, kind, plan)
    mint = step.accounts[_QUOTE_MINT if kind.is_buy else _BASE_MINT]
    return GuardedSwap(mint == WSOL_MINT, pay, expected)


def _check_amounts(step: Step, kind: SwapKind, plan: SpendPlan) -> int:
    """Most that the instruction may take. Amounts of 0 are refused: 0 as a limit means no limit."""
    data = step.data
    has_flag = len(data) == 25 and kind.generation == 1 and kind.is_buy and data[24] in (0, 1)
    if len(data) != 24 and not has_flag:
        raise step.refusal(f"has {len(data)} bytes of data, which is no swap of ours")
    first, second = int.from_bytes(data[8:16], "little"), int.from_bytes(data[16:24], "little")
    pay, receive = (second, first) if kind.is_buy and not kind.is_exact_quote else (first, second)
    if not 0 < pay <= plan.max_pay_units:
        raise step.refusal(f"may take {pay} raw units; the plan allows {plan.max_pay_units}")
    if receive <= 0 or receive < plan.min_receive_units:
        raise step.refusal(f"accepts {receive} raw units; the plan wants {plan.min_receive_units} at least")
    return pay


def _expected(step: Step, kind: SwapKind, plan: SpendPlan) -> Instruction:
    given = step.accounts
    fixed = _V1_FIXED[kind.is_buy] if kind.generation == 1 else _V2_COUNT
    fits = fixed + 2 <= len(given) <= fixed + 5 if kind.generation == 1 else len(given) == fixed
    if not fits:
        raise step.refusal(f"has {len(given)} accounts, which is no swap of ours")
    state = _state(step, kind, plan)
    buyback = given[-2] if kind.generation == 1 else plan.wallet
    who = SwapAccounts(
        plan.wallet,
        ata(plan.wallet, state.pool.base_mint, state.base_token_program),
        ata(plan.wallet, state.pool.quote_mint, state.quote_token_program),
        given[_RECIPIENT] if kind.generation == 1 else plan.wallet,
        buyback,
    )
    if (who.user_base, who.user_quote) != (plan.user_base_account, plan.user_quote_account):
        raise step.refusal("trades mints or accounts that are not those of the plan")
    own = {plan.wallet, who.user_base, who.user_quote, user_volume_accumulator(plan.wallet)}
    if kind.generation == 2:
        return _matched(step, v2_swap(step.data, state, who), {_V2_BUYBACK}, own)
    vault_owner = given[_V1_CREATOR_AUTHORITY]
    if given[_V1_CREATOR_VAULT] != ata(vault_owner, state.pool.quote_mint, state.quote_token_program):
        raise step.refusal("names a creator vault that does not belong to its owner")
    tail = _v1_tail(step, kind, state, who)
    expected = v1_swap(step.data, state, who, tail)
    return _matched(step, expected, {_V1_CREATOR_VAULT, _V1_CREATOR_AUTHORITY}, own)


def _state(step: Step, kind: SwapKind, plan: SpendPlan) -> PoolState:
    """What the message says of the pool, as far as the builders ask."""
    given = step.accounts
    base_program, quote_program = (given[at] for at in _TOKEN_PROGRAMS[kind.generation])
    if not {base_program, quote_program} <= {TOKEN_PROGRAM, TOKEN_2022_PROGRAM}:
        raise step.refusal("names a token program that is none")
    if plan.pool is None or given[0] != plan.pool:
        raise step.refusal("trades in another pool than the plan's")
    pool = _pool(given[_BASE_MINT], given[_QUOTE_MINT], given[_BASE_VAULT], given[_QUOTE_VAULT])
    return PoolState(pool, plan.pool, 1, 1, 1, base_program, quote_program)


@lru_cache(1024)
def _pool(base_mint: Pubkey, quote_mint: Pubkey, base_vault: Pubkey, quote_vault: Pubkey) -> Pool:
    zero = Pubkey.default()
    return Pool(
        pool_bump=0,
        index=0,
        creator=zero,
        base_mint=base_mint,
        quote_mint=quote_mint,
        lp_mint=zero,
        pool_base_token_account=base_vault,
        pool_quote_token_account=quote_vault,
        lp_supply=0,
    )


def _v1_tail(step: Step, kind: SwapKind, state: PoolState, who: SwapAccounts) -> list[tuple[Pubkey, tuple[bool, bool]]]:
    """The one of the tails of PROTOCOL 3.3 that the instruction has."""
    given = step.accounts[_V1_FIXED[kind.is_buy] :]
    for is_cashback in (False, True):
        pool = state.pool.with_changes(is_cashback_coin=is_cashback)
        coin = PoolState(pool, state.address, 1, 1, 1, state.base_token_program, state.quote_token_program)
        for charges in (True, False):
            tail = remaining_accounts(coin, who, is_buy=kind.is_buy, charges_creator=charges)
            if tuple(key for key, _ in tail) == given:
                return tail
    raise step.refusal("has remaining accounts that no trade of ours has")


def _matched(step: Step, expected: Instruction, free: set[int], own: set[Pubkey]) -> Instruction:
    """``expected`` with the free positions as given, when all others are equal."""
    metas = list(expected.accounts)
    for at, (meta, key) in enumerate(zip(metas, step.accounts, strict=True)):
        if at not in free and meta.pubkey != key:
            raise step.refusal(f"has account {key} at position {at}, where {meta.pubkey} belongs")
    if own & {step.accounts[at] for at in free | {_BASE_VAULT, _QUOTE_VAULT}}:
        raise step.refusal("names an account of the wallet as one of the pool's")
    actual = [type(meta)(key, meta.is_signer, meta.is_writable) for meta, key in zip(metas, step.accounts, strict=True)]
    return Instruction(expected.program_id, step.data, actual)
