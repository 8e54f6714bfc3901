"""v1 swap instructions written out by hand from the protocol's tables, so that any part of one can be wrong.

It shares nothing with the package's own builder: what the two must agree on is tested by running both.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import (
    AMM_EVENT_AUTHORITY,
    AMM_FEE_CONFIG,
    AMM_PROGRAM,
    ASSOCIATED_TOKEN_PROGRAM,
    FEES_PROGRAM,
    GLOBAL_CONFIG,
    GLOBAL_VOLUME_ACCUMULATOR,
    SYSTEM_PROGRAM,
    creator_vault_authority,
    pool_v2,
)
from tests.svm.trade_accounts import TradeAccounts

DISCRIMINATORS = {"buy": "66063d1201daebea", "buy_exact_quote_in": "c62e1552b4d9e870", "sell": "33e685a4017f83ad"}


def swap_data(name: str, first: int, second: int) -> bytes:
    """24 bytes: the optional track-volume byte of buys is left out."""
    return bytes.fromhex(DISCRIMINATORS[name]) + struct.pack("<QQ", first, second)


def cashback_tail(name: str, state: PoolState, who: TradeAccounts) -> list[AccountMeta]:
    """Part 1 and 2 of the tail, for cashback coins."""
    if not state.pool.is_cashback_coin:
        return []
    accumulator = [AccountMeta(who.accumulator, False, True)] if name == "sell" else []
    return [AccountMeta(who.cashback, False, True), *accumulator]


def pool_v2_tail(mint: Pubkey) -> list[AccountMeta]:
    """Part 3, for trades that charge a creator fee."""
    return [AccountMeta(pool_v2(mint), False, False)]


def buyback_tail(wallet: Pubkey, account: Pubkey, *, writable: bool = True) -> list[AccountMeta]:
    """Part 4, always."""
    return [AccountMeta(wallet, False, False), AccountMeta(account, False, writable)]


def full_tail(name: str, state: PoolState, who: TradeAccounts, *, charges_creator: bool) -> list[AccountMeta]:
    """The tail that the protocol asks for."""
    creator_side = [*cashback_tail(name, state, who), *pool_v2_tail(state.pool.base_mint)] if charges_creator else []
    return [*creator_side, *buyback_tail(who.buyback_wallet, who.buyback)]


def fixed_accounts(name: str, state: PoolState, who: TradeAccounts) -> list[AccountMeta]:
    """The 23 accounts of the buys, the 21 of the sell."""
    pool = state.pool
    rows: list[tuple[Pubkey, bool, bool]] = [
        (state.address, False, True),
        (who.user, True, True),
        (GLOBAL_CONFIG, False, False),
        (pool.base_mint, False, False),
        (pool.quote_mint, False, False),
        (who.user_base, False, True),
        (who.user_quote, False, True),
        (pool.pool_base_token_account, False, True),
        (pool.pool_quote_token_account, False, True),
        (who.recipient, False, False),
        (who.protocol, False, True),
        (state.base_token_program, False, False),
        (state.quote_token_program, False, False),
        (SYSTEM_PROGRAM, False, False),
        (ASSOCIATED_TOKEN_PROGRAM, False, False),
        (AMM_EVENT_AUTHORITY, False, False),
        (AMM_PROGRAM, False, False),
        (who.creator, False, True),
        (creator_vault_authority(pool.coin_creator), False, False),
    ]
    if name != "sell":
        rows += [(GLOBAL_VOLUME_ACCUMULATOR, False, False), (who.accumulator, False, True)]
    rows += [(AMM_FEE_CONFIG, False, False), (FEES_PROGRAM, False, False)]
    return [AccountMeta(*row) for row in rows]


def raw_swap(name: str, data: bytes, state: PoolState, who: TradeAccounts, tail: Sequence[AccountMeta]) -> Instruction:
    """The instruction of these parts, right or wrong."""
    return Instruction(AMM_PROGRAM, data, [*fixed_accounts(name, state, who), *tail])
