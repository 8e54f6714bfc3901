"""Swap instructions of both generations (PROTOCOL 3.2 to 3.4)."""

from __future__ import annotations

from typing import NamedTuple

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import (
    AMM_FEE_CONFIG,
    ASSOCIATED_TOKEN_PROGRAM,
    FEES_PROGRAM,
    GLOBAL_CONFIG,
    GLOBAL_VOLUME_ACCUMULATOR,
    SYSTEM_PROGRAM,
    ata,
    creator_vault_authority,
    pool_v2,
    user_volume_accumulator,
)
from pumpswap.amm.codec import Record
from pumpswap.amm.execution import preferred_generation
from pumpswap.amm.fees import FeeSchedule
from pumpswap.amm.instructions.metas import READ, WRITE, WRITE_SIGN, amm_instruction, u64
from pumpswap.amm.program_errors import refusal
from pumpswap.amm.quote import BuyQuote, Quote, SellQuote
from pumpswap.amm.state import PoolState
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.units import U64_MAX

__all__ = ["SwapAccounts", "SwapKind", "remaining_accounts", "swap_instruction", "swap_kind", "v1_swap", "v2_swap"]

Role = tuple[Pubkey, tuple[bool, bool]]


class SwapKind(NamedTuple):
    """What a swap instruction is: its generation, its direction, and which side its first argument fixes."""

    generation: int
    is_buy: bool
    is_exact_quote: bool = False


_KINDS = {
    bytes.fromhex("66063d1201daebea"): SwapKind(1, True),
    bytes.fromhex("c62e1552b4d9e870"): SwapKind(1, True, True),
    bytes.fromhex("33e685a4017f83ad"): SwapKind(1, False),
    bytes.fromhex("b817ee6167c5d33d"): SwapKind(2, True),
    bytes.fromhex("c2ab1c46684d5b2f"): SwapKind(2, True, True),
    bytes.fromhex("5df6823ce7e940b2"): SwapKind(2, False),
}
_DISCRIMINATORS = {kind: discriminator for discriminator, kind in _KINDS.items()}


def swap_kind(data: bytes) -> SwapKind:
    """The kind of swap that instruction data asks for. Raises UsageError for data that is no swap."""
    kind = _KINDS.get(bytes(data[:8]))
    if kind is None:
        raise UsageError("this instruction is no swap", hint="pass what swap_instruction returned")
    return kind


class SwapAccounts(Record, frozen=True):
    """Who trades, through which token accounts, and which of the listed fee wallets are paid."""

    user: Pubkey
    user_base: Pubkey
    user_quote: Pubkey
    protocol_recipient: Pubkey
    buyback_wallet: Pubkey


def swap_instruction(  # noqa: PLR0913 (the public contract: every choice of a trade, by name)
    quote: Quote,
    state: PoolState,
    schedule: FeeSchedule,
    *,
    user: Pubkey,
    limit: int,
    generation: int | None = None,
    recipient_index: int = 0,
    buyback_index: int = 0,
    user_base_account: Pubkey | None = None,
    user_quote_account: Pubkey | None = None,
    track_volume: bool = False,
) -> Instruction:
    """The one instruction that executes ``quote`` with ``limit`` (see ``quote.limit``).

    ``generation`` None chooses by PROTOCOL 3.1. ``recipient_index`` and ``buyback_index`` (0 to 7) pick a wallet of
    the two lists in GlobalConfig; vary them to spread write locks. Token accounts default to the user's associated
    ones and must exist. ``track_volume`` has no effect on money.

    Raises TradeRefused for trades that are switched off (6020, 6021), a sale that would pay nothing, a limit of 0
    (6001, 6002), a cashback coin with generation 2 (6079); UsageError for an unknown generation or index.
    """
    chosen = preferred_generation(state) if generation is None else generation
    if chosen not in (1, 2):
        raise UsageError(f"there is no instruction generation {chosen}", hint="1, 2 or None")
    _check_buildable(quote, state, schedule, limit, chosen)
    pool, config = state.pool, schedule.global_config
    accounts = SwapAccounts(
        user,
        user_base_account or ata(user, pool.base_mint, state.base_token_program),
        user_quote_account or ata(user, pool.quote_mint, state.quote_token_program),
        _pick(config.protocol_recipients(is_mayhem_mode=pool.is_mayhem_mode), recipient_index, "recipient_index"),
        _pick(config.buyback_fee_recipients, buyback_index, "buyback_index"),
    )
    is_buy = isinstance(quote, BuyQuote)
    kind = SwapKind(chosen, is_buy, isinstance(quote, BuyQuote) and quote.spendable_quote is not None)
    data = _DISCRIMINATORS[kind] + _amounts(quote, limit)
    if chosen == 2:
        return v2_swap(data, state, accounts)
    tail = remaining_accounts(state, accounts, is_buy=is_buy, charges_creator=quote.needs_creator_accounts)
    return v1_swap(data + bytes([track_volume]) if is_buy else data, state, accounts, tail)


def v1_swap(data: bytes, state: PoolState, who: SwapAccounts, tail: list[Role]) -> Instruction:
    """v1 instruction of ready data: 23 fixed accounts for both buys, 21 for the sell, then ``tail``."""
    pool = state.pool
    vault_authority = creator_vault_authority(pool.coin_creator)
    recipient_account = ata(who.protocol_recipient, pool.quote_mint, state.quote_token_program)
    accounts: list[Role] = [
        *_common(state, who),
        (who.protocol_recipient, READ),
        (recipient_account, WRITE),
        (state.base_token_program, READ),
        (state.quote_token_program, READ),
        (SYSTEM_PROGRAM, READ),
        (ASSOCIATED_TOKEN_PROGRAM, READ),
    ]
    closing: list[Role] = [
        (ata(vault_authority, pool.quote_mint, state.quote_token_program), WRITE),
        (vault_authority, READ),
    ]
    if swap_kind(data).is_buy:
        closing += [(GLOBAL_VOLUME_ACCUMULATOR, READ), (user_volume_accumulator(who.user), WRITE)]
    closing += [(AMM_FEE_CONFIG, READ), (FEES_PROGRAM, READ), *tail]
    return amm_instruction(data[:8].hex(), data[8:], accounts, closing)


def v2_swap(data: bytes, state: PoolState, who: SwapAccounts) -> Instruction:
    """v2 instruction of ready data: 17 accounts, the same for buys and sells. The buyback account must exist."""
    accounts: list[Role] = [
        *_common(state, who),
        (state.base_token_program, READ),
        (state.quote_token_program, READ),
        (SYSTEM_PROGRAM, READ),
        (user_volume_accumulator(who.user), WRITE),
        (AMM_FEE_CONFIG, READ),
        (ata(who.buyback_wallet, state.pool.quote_mint, state.quote_token_program), WRITE),
    ]
    return amm_instruction(data[:8].hex(), data[8:], accounts)


def _common(state: PoolState, who: SwapAccounts) -> list[Role]:
    pool = state.pool
    return [
        (state.address, WRITE),
        (who.user, WRITE_SIGN),
        (GLOBAL_CONFIG, READ),
        (pool.base_mint, READ),
        (pool.quote_mint, READ),
        (who.user_base, WRITE),
        (who.user_quote, WRITE),
        (pool.pool_base_token_account, WRITE),
        (pool.pool_quote_token_account, WRITE),
    ]


def remaining_accounts(state: PoolState, who: SwapAccounts, *, is_buy: bool, charges_creator: bool) -> list[Role]:
    """Remaining accounts of a v1 trade (PROTOCOL 3.3). The program expects the creator side only when this trade's
    creator fee is not 0; with it on a free trade it answers 6053.
    """
    pool, quote_program = state.pool, state.quote_token_program
    tail: list[Role] = []
    if charges_creator:
        if pool.is_cashback_coin:
            accumulator = user_volume_accumulator(who.user)
            tail.append((ata(accumulator, pool.quote_mint, quote_program), WRITE))
            if not is_buy:
                tail.append((accumulator, WRITE))
        tail.append((pool_v2(pool.base_mint), READ))
    tail.append((who.buyback_wallet, READ))
    tail.append((ata(who.buyback_wallet, pool.quote_mint, quote_program), WRITE))
    return tail


def _check_buildable(quote: Quote, state: PoolState, schedule: FeeSchedule, limit: int, generation: int) -> None:
    config = schedule.global_config
    schedule.require_tiers(state)
    if generation == 2 and state.pool.is_cashback_coin:
        raise refusal(6079, "cashback coins trade through the v1 instructions only")
    if type(limit) is not int or limit > U64_MAX:
        raise UsageError(f"a limit of {limit!r}", hint="an integer of raw units, see quote.limit(slippage_bps)")
    if isinstance(quote, SellQuote):
        if config.sells_disabled:
            raise refusal(6021, "sells are disabled")
        if quote.user_quote_out <= 0:
            raise TradeRefused(
                "this sale would pay nothing", code=None, name="ZeroOutput", hint="sell more at once, or keep the dust"
            )
        if limit <= 0:
            # Pitfall 11: a sale without a limit is free money for whoever sandwiches it.
            raise refusal(6002, "a sale without a least price")
        return
    if config.buys_disabled:
        raise refusal(6020, "buys are disabled")
    if limit <= 0:
        raise refusal(6002 if quote.spendable_quote is None else 6001, "a buy without a limit")


def _amounts(quote: Quote, limit: int) -> bytes:
    if isinstance(quote, SellQuote):
        return u64(quote.base_in, limit)
    return u64(quote.base_out if quote.spendable_quote is None else quote.spendable_quote, limit)


def _pick(wallets: tuple[Pubkey, ...], index: int, name: str) -> Pubkey:
    if not 0 <= index < len(wallets):
        raise UsageError(f"{name} {index}", hint=f"0 to {len(wallets) - 1}")
    return wallets[index]
