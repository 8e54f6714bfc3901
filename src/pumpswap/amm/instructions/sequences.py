"""Whole instruction sequences around a swap, a deposit, a withdrawal, a new pool, a fee collection (PROTOCOL 7.1)."""

from __future__ import annotations

from typing import NamedTuple

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata, creator_vault_authority
from pumpswap.amm.codec import Record
from pumpswap.amm.instructions.fees import collect_coin_creator_fee
from pumpswap.amm.instructions.liquidity import (
    LiquidityAccounts,
    NewPool,
    create_pool,
    deposit,
    extend_account,
    withdraw,
)
from pumpswap.amm.instructions.swap import swap_kind
from pumpswap.amm.instructions.tokens import close_account, create_ata, wrap_sol
from pumpswap.amm.liquidity import DepositQuote, WithdrawQuote
from pumpswap.amm.state import PoolState
from pumpswap.errors import UsageError

__all__ = [
    "Existing",
    "collect_sequence",
    "create_pool_sequence",
    "deposit_sequence",
    "swap_sequence",
    "withdraw_sequence",
]

EXTENDED_ENOUGH = 300  # the official client leaves pool accounts from this length on alone


class Existing(Record, frozen=True):
    """What exists on chain already. ``pool_account_len`` None means unknown (then v1 sequences extend the pool)."""

    user_base: bool = False
    user_quote: bool = False
    user_lp: bool = False
    pool_account_len: int | None = None


class _Side(NamedTuple):
    mint: Pubkey
    token_program: Pubkey
    account: Pubkey
    exists: bool


def swap_sequence(  # noqa: PLR0913 (the public contract: every choice around a trade, by name)
    swap: Instruction,
    state: PoolState,
    user: Pubkey,
    existing: Existing,
    *,
    keep_wsol: bool = False,
    wrap_lamports: int | None = None,
    close_emptied: bool = False,
) -> list[Instruction]:
    """Everything around one swap instruction: extend (v1), wrap, token accounts, swap, unwrap.

    The generation, direction, amounts and token accounts are read from ``swap`` itself, so the sequence cannot wrap
    another amount than the instruction may spend. Wrapping covers the instruction's limit, not the quote: if the price
    moves within the slippage the swap must not run dry (pitfall 22). ``keep_wsol`` leaves the wrapped-SOL account open;
    closing it sweeps all that is in it, also for other strategies (pitfall 21).

    ``wrap_lamports`` replaces the amount that is wrapped, for a wallet whose wrapped-SOL account holds some already.
    ``close_emptied`` closes the base account behind a sale, so that its rent comes back; the caller knows that the
    sale empties it, since the whole transaction fails otherwise. Raises UsageError for a wrap beyond the limit.
    """
    generation, is_buy, _ = swap_kind(swap.data)
    pool = state.pool
    base = _Side(pool.base_mint, state.base_token_program, swap.accounts[5].pubkey, existing.user_base)
    quote = _Side(pool.quote_mint, state.quote_token_program, swap.accounts[6].pubkey, existing.user_quote)
    paying, receiving = (quote, base) if is_buy else (base, quote)
    steps = [extend_account(state.address, user)] if generation == 1 and _must_extend(existing) else []
    if paying.mint == WSOL_MINT:
        steps += wrap_sol(user, _to_wrap(swap, wrap_lamports), account_exists=paying.exists, account=paying.account)
    if not receiving.exists:
        steps.append(create_ata(user, user, receiving.mint, receiving.token_program))
    steps.append(swap)
    if close_emptied and not is_buy and base.mint != WSOL_MINT:
        steps.append(close_account(base.account, user, base.token_program))
    if keep_wsol:
        return steps
    return steps + [close_account(side.account, user) for side in (paying, receiving) if side.mint == WSOL_MINT]


def deposit_sequence(
    state: PoolState, user: Pubkey, quote: DepositQuote, limits: tuple[int, int], existing: Existing
) -> list[Instruction]:
    """Extend, wrap the limits, LP account, deposit, unwrap."""
    pool, who = state.pool, LiquidityAccounts.associated(state, user)
    steps = [extend_account(state.address, user)] if _must_extend(existing) else []
    unwrap: list[Pubkey] = []
    if pool.base_mint == WSOL_MINT:
        steps += wrap_sol(user, limits[0], account_exists=existing.user_base)
        unwrap.append(who.user_base)
    if pool.quote_mint == WSOL_MINT:
        steps += wrap_sol(user, limits[1], account_exists=existing.user_quote)
        unwrap.insert(0, who.user_quote)
    if not existing.user_lp:
        steps.append(create_ata(user, user, pool.lp_mint, TOKEN_2022_PROGRAM))
    steps.append(deposit(state, who, quote.lp_out, *limits))
    return steps + [close_account(account, user) for account in unwrap]


def withdraw_sequence(
    state: PoolState, user: Pubkey, quote: WithdrawQuote, limits: tuple[int, int], existing: Existing
) -> list[Instruction]:
    """Extend, token accounts, withdrawal; a wrapped-SOL account is closed only when it was made here."""
    pool, who = state.pool, LiquidityAccounts.associated(state, user)
    steps = [extend_account(state.address, user)] if _must_extend(existing) else []
    if not existing.user_base:
        steps.append(create_ata(user, user, pool.base_mint, state.base_token_program))
    if not existing.user_quote:
        steps.append(create_ata(user, user, pool.quote_mint, state.quote_token_program))
    steps.append(withdraw(state, who, quote.lp_in, *limits))
    if pool.base_mint == WSOL_MINT and not existing.user_base:
        steps.append(close_account(who.user_base, user))
    if pool.quote_mint == WSOL_MINT and not existing.user_quote:
        steps.append(close_account(who.user_quote, user))
    return steps


def create_pool_sequence(
    new: NewPool, base_in: int, quote_in: int, existing: Existing, *, vaults_exist: tuple[bool, bool] = (False, False)
) -> list[Instruction]:
    """Wrap the exact amounts, the pool's two vaults, create_pool, unwrap."""
    user, pool = new.creator, new.address
    steps: list[Instruction] = []
    unwrap: list[Pubkey] = []
    if new.base_mint == WSOL_MINT:
        steps += wrap_sol(user, base_in, account_exists=existing.user_base)
        unwrap.append(ata(user, WSOL_MINT, TOKEN_PROGRAM))
    if new.quote_mint == WSOL_MINT:
        steps += wrap_sol(user, quote_in, account_exists=existing.user_quote)
        unwrap.insert(0, ata(user, WSOL_MINT, TOKEN_PROGRAM))
    sides = ((new.base_mint, new.base_token_program), (new.quote_mint, new.quote_token_program))
    for (mint, program), exists in zip(sides, vaults_exist, strict=True):
        if not exists:
            steps.append(create_ata(user, pool, mint, program))
    steps.append(create_pool(new, base_in, quote_in))
    return steps + [close_account(account, user) for account in unwrap]


def collect_sequence(
    coin_creator: Pubkey, quote_mint: Pubkey, quote_token_program: Pubkey, existing: Existing, *, payer: Pubkey | None
) -> list[Instruction]:
    """Vault and creator account if missing, collect. With ``payer`` None the creator pays, and unwraps its SOL.

    ``existing.user_base`` stands for the creator's vault here, ``existing.user_quote`` for its own account.
    """
    paying = payer or coin_creator
    steps: list[Instruction] = []
    if not existing.user_base:
        steps.append(create_ata(paying, creator_vault_authority(coin_creator), quote_mint, quote_token_program))
    if not existing.user_quote:
        steps.append(create_ata(paying, coin_creator, quote_mint, quote_token_program))
    steps.append(collect_coin_creator_fee(coin_creator, quote_mint, quote_token_program))
    if quote_mint == WSOL_MINT and payer is None:
        steps.append(close_account(ata(coin_creator, WSOL_MINT, TOKEN_PROGRAM), coin_creator))
    return steps


def _must_extend(existing: Existing) -> bool:
    return existing.pool_account_len is None or existing.pool_account_len < EXTENDED_ENOUGH


def _to_wrap(swap: Instruction, wrap_lamports: int | None) -> int:
    spend = _spend_of(swap)
    if wrap_lamports is None:
        return spend
    if not 0 <= wrap_lamports <= spend:
        hint = "wrap at most what is missing for this trade"
        raise UsageError(f"wrapping {wrap_lamports} lamports for a trade that spends {spend} at most", hint=hint)
    return wrap_lamports


def _spend_of(swap: Instruction) -> int:
    """Most that the instruction can take from the user's paying account."""
    first, second = int.from_bytes(swap.data[8:16], "little"), int.from_bytes(swap.data[16:24], "little")
    kind = swap_kind(swap.data)
    return second if kind.is_buy and not kind.is_exact_quote else first
