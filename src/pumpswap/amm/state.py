"""PoolState: one pool at one moment, and how trades and other instructions change it (PROTOCOL 4.1 and 4.9)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Self

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_PROGRAM
from pumpswap.amm.codec import Record
from pumpswap.amm.pool import EXTENDED_POOL_LEN, Pool
from pumpswap.amm.program_errors import refusal
from pumpswap.amm.quote import BuyQuote, Quote
from pumpswap.errors import TradeRefused, UsageError

__all__ = ["MAYHEM_SUPPLY", "PoolState"]

MAYHEM_SUPPLY = 1_000_000_000_000_000  # mayhem pools are tiered by this fixed supply, not by the mint's


class PoolState(Record, frozen=True):
    """Frozen snapshot of a pool. A record: it verifies nothing that needs the chain.

    Reserves are vault balances in raw units; ``base_supply`` is the live supply of the base mint (burns change the
    fee tier). ``slot`` says how old all of it is. Decimals are for display only.
    """

    pool: Pool
    address: Pubkey
    base_reserve: int
    quote_vault: int
    base_supply: int
    base_token_program: Pubkey = TOKEN_PROGRAM
    quote_token_program: Pubkey = TOKEN_PROGRAM
    slot: int = 0
    base_decimals: int = 6
    quote_decimals: int = 9

    @property
    def effective_quote_reserve(self) -> int:
        """``E``: quote vault + signed virtual reserves; the only reserve that prices."""
        return self.quote_vault + self.pool.virtual_quote_reserves

    @property
    def real_quote_reserve(self) -> int:
        """Quote units that can really be paid out: the vault without the fees owed to others."""
        return self.quote_vault - self.pool.fees_owed

    @property
    def market_cap(self) -> int:
        """Raw quote units; decides the fee tier. Raises TradeRefused for a pool without base reserve."""
        supply = MAYHEM_SUPPLY if self.pool.is_mayhem_mode else self.base_supply
        if self.base_reserve <= 0:
            raise empty_pool()
        return (self.quote_vault + self.pool.virtual_quote_reserves) * supply // self.base_reserve

    @property
    def spot_price(self) -> Fraction:
        """Raw quote units per raw base unit before fees, exactly."""
        if self.base_reserve <= 0:
            raise empty_pool()
        return Fraction(self.effective_quote_reserve, self.base_reserve)

    def after(self, quote: Quote, generation: int = 1) -> Self:
        """The state when ``quote`` has executed through instruction generation 1 or 2, same slot (PROTOCOL 4.9).

        Both generations move the price identically: the LP fee stays in the reserves. v2 also leaves the protocol
        and creator fees in the vault, books them in the pool's buckets and subtracts them from the virtual reserves.
        Raises TradeRefused (6079) for generation 2 on a cashback coin.
        """
        if generation not in (1, 2):
            raise UsageError(f"there is no instruction generation {generation}", hint="1 or 2")
        pool = self.pool
        if generation == 2 and pool.is_cashback_coin:
            raise refusal(6079, "cashback coins trade through the v1 instructions only")
        kept = quote.protocol_fee - quote.buyback_fee + quote.creator_fee if generation == 2 else 0
        if isinstance(quote, BuyQuote):
            base = self.base_reserve - quote.base_out
            vault = self.quote_vault + quote.gross_quote + quote.lp_fee + kept
        else:
            base = self.base_reserve + quote.base_in
            vault = self.quote_vault - (quote.gross_quote - quote.lp_fee) + kept
        if kept:
            pool = pool.with_changes(
                virtual_quote_reserves=pool.virtual_quote_reserves - kept,
                protocol_fees=pool.protocol_fees + quote.protocol_fee - quote.buyback_fee,
                creator_fees=pool.creator_fees + quote.creator_fee,
            )
        if generation == 2 and pool.account_len < EXTENDED_POOL_LEN:
            pool = pool.grown()  # v2 grows short accounts at the user's cost (PROTOCOL 3.4)
        return self._with(base_reserve=base, quote_vault=vault, pool=pool)

    def after_protocol_sweep(self) -> Self:
        """The state after ``sweep_protocol_fee``: the bucket leaves the vault, ``E`` stays."""
        return self._swept(self.pool.protocol_fees, protocol_fees=0)

    def after_creator_sweep(self) -> Self:
        """The state after ``sweep_creator_fee``."""
        return self._swept(self.pool.creator_fees, creator_fees=0)

    def after_boost(self, quote_in: int) -> tuple[Self, int]:
        """(state, base burned) after the boost authority spent ``quote_in`` on ``boost_buy_and_burn``: no fees, the
        bought base is burned, so the supply falls and with it the market cap of the tiers.
        """
        if quote_in <= 0:
            raise refusal(6002, "a boost of nothing")
        reserve = self.effective_quote_reserve
        if reserve <= 0 or self.base_reserve <= 0:
            raise empty_pool()
        burned = self.base_reserve * (quote_in - 1) // (reserve + quote_in - 1)
        state = self._with(
            base_reserve=self.base_reserve - burned,
            quote_vault=self.quote_vault + quote_in,
            base_supply=self.base_supply - burned,
        )
        return state, burned

    def after_liquidity(self, *, base_change: int, quote_change: int, lp_change: int) -> Self:
        """The state after a deposit (positive changes) or a withdrawal (negative ones): vaults and LP supply only."""
        return self._with(
            base_reserve=self.base_reserve + base_change,
            quote_vault=self.quote_vault + quote_change,
            pool=self.pool.with_changes(lp_supply=self.pool.lp_supply + lp_change),
        )

    def _swept(self, paid: int, **bucket: int) -> Self:
        pool = self.pool.with_changes(virtual_quote_reserves=self.pool.virtual_quote_reserves + paid, **bucket)
        return self._with(quote_vault=self.quote_vault - paid, pool=pool)

    def _with(self, **changes: Any) -> Self:
        return msgspec.structs.replace(self, **changes)


def empty_pool() -> TradeRefused:
    """A pool without reserves has no price. The program answers by direction (6016, 6025), or even accepts a buy
    against an empty quote side; nobody should trade there, so this is one refusal of ours without a code.
    """
    return TradeRefused(
        "the pool has no reserves",
        code=None,
        name="EmptyPool",
        hint="wait until it has liquidity, or check that this is the coin's canonical pool",
    )
