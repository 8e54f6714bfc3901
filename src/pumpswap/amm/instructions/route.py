"""``multi_hop_swap``: several pools or curves in one transaction (PROTOCOL 3.5)."""

from __future__ import annotations

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import (
    AMM_FEE_CONFIG,
    GLOBAL_CONFIG,
    PUMP_EVENT_AUTHORITY,
    PUMP_FEE_CONFIG,
    PUMP_GLOBAL,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    user_volume_accumulator,
)
from pumpswap.amm.codec import Record
from pumpswap.amm.instructions.metas import READ, WRITE, WRITE_SIGN, amm_instruction, u64
from pumpswap.amm.multi_hop import MAX_HOPS
from pumpswap.amm.program_errors import refusal
from pumpswap.amm.state import PoolState
from pumpswap.errors import UsageError

__all__ = ["RouteAccounts", "RouteHop", "multi_hop_swap"]


class RouteHop(Record, frozen=True):
    """One venue of a route: a pool, or a bonding curve (then the vaults are the curve's token accounts)."""

    base_mint: Pubkey
    quote_mint: Pubkey
    venue: Pubkey
    base_vault: Pubkey
    quote_vault: Pubkey

    @classmethod
    def of_pool(cls, state: PoolState) -> RouteHop:
        """Hop through a pool."""
        pool = state.pool
        vaults = pool.pool_base_token_account, pool.pool_quote_token_account
        return cls(pool.base_mint, pool.quote_mint, state.address, *vaults)


class RouteAccounts(Record, frozen=True):
    """Who trades. ``buyback_account`` is the wallet's account in the quote mint of the leg that pays the protocol fee,
    and the wallet must be listed by the program of that leg.
    """

    user: Pubkey
    user_in: Pubkey
    user_out: Pubkey
    buyback_account: Pubkey


def multi_hop_swap(who: RouteAccounts, hops: Sequence[RouteHop], amount_in: int, min_amount_out: int) -> Instruction:
    """Exact-input route; all hops buy or all hops sell. User accounts and buyback account must exist.

    Raises TradeRefused 6002 for a zero amount or limit; UsageError for fewer than 1 or more than 6 hops.
    """
    if not 1 <= len(hops) <= MAX_HOPS:
        raise UsageError(f"a route of {len(hops)} hops", hint=f"1 to {MAX_HOPS} hops")
    if amount_in <= 0 or min_amount_out <= 0:
        raise refusal(6002, "a route needs an amount and a limit")
    accounts = (
        (who.user, WRITE_SIGN),
        (who.user_in, WRITE),
        (who.user_out, WRITE),
        (GLOBAL_CONFIG, READ),
        (AMM_FEE_CONFIG, READ),
        (user_volume_accumulator(who.user), WRITE),
        (who.buyback_account, WRITE),
        (TOKEN_PROGRAM, READ),
        (TOKEN_2022_PROGRAM, READ),
        (SYSTEM_PROGRAM, READ),
    )
    pump = ((PUMP_PROGRAM, READ), (PUMP_GLOBAL, READ), (PUMP_FEE_CONFIG, READ), (PUMP_EVENT_AUTHORITY, READ))
    venues = [
        entry
        for hop in hops
        for entry in (
            (hop.base_mint, READ),
            (hop.quote_mint, READ),
            (hop.venue, WRITE),
            (hop.base_vault, WRITE),
            (hop.quote_vault, WRITE),
        )
    ]
    return amm_instruction("2b644913e9f66f94", u64(amount_in, min_amount_out), accounts, (*pump, *venues))
