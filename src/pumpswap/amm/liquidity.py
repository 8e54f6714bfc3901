"""Deposits, withdrawals and pool creation (PROTOCOL 4.7). All of it uses the real quote reserve, never ``E``."""

from __future__ import annotations

from math import isqrt

from pumpswap.amm.codec import Record
from pumpswap.amm.program_errors import refusal
from pumpswap.amm.state import PoolState, empty_pool
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.units import BPS, U64_MAX

__all__ = [
    "DepositQuote",
    "InitialLiquidity",
    "WithdrawQuote",
    "deposit_by_base",
    "deposit_by_quote",
    "deposit_lp",
    "initial_liquidity",
    "withdraw_lp",
]

MINIMUM_LIQUIDITY = 100  # LP units that pool creation locks for ever


class DepositQuote(Record, frozen=True):
    """What ``lp_out`` LP units cost now."""

    lp_out: int
    base_in: int
    quote_in: int

    def limits(self, slippage_bps: int) -> tuple[int, int]:
        """(most base, most quote), rounded up."""
        factor = BPS + _checked(slippage_bps)
        return min(-(-self.base_in * factor // BPS), U64_MAX), min(-(-self.quote_in * factor // BPS), U64_MAX)


class WithdrawQuote(Record, frozen=True):
    """What ``lp_in`` LP units are worth now."""

    lp_in: int
    base_out: int
    quote_out: int

    def limits(self, slippage_bps: int) -> tuple[int, int]:
        """(least base, least quote), rounded down."""
        factor = BPS - _checked(slippage_bps)
        return self.base_out * factor // BPS, self.quote_out * factor // BPS


class InitialLiquidity(Record, frozen=True):
    """LP units of a new pool: the total becomes ``lp_supply``, the creator receives all but the locked minimum."""

    initial_liquidity: int
    minimum_liquidity: int
    lp_token_amount_out: int


def initial_liquidity(base_in: int, quote_in: int) -> InitialLiquidity:
    """LP units for creating a pool. Raises TradeRefused 6001/6002 for zero amounts, 6003 for isqrt < 100."""
    if base_in <= 0:
        raise refusal(6001, "a pool without base")
    if quote_in <= 0:
        raise refusal(6002, "a pool without quote")
    total = isqrt(base_in * quote_in)
    if total < MINIMUM_LIQUIDITY:
        raise refusal(6003, f"isqrt(base*quote) is {total}")
    return InitialLiquidity(total, MINIMUM_LIQUIDITY, total - MINIMUM_LIQUIDITY)


def deposit_lp(state: PoolState, lp_out: int) -> DepositQuote:
    """Cost of exactly ``lp_out`` LP units, both sides rounded up as the program does. Refuses boosted pools (6064)."""
    base, quote, supply = _reserves(state, lp_out)
    cost = DepositQuote(lp_out, -(-base * lp_out // supply), -(-quote * lp_out // supply))
    if max(cost.base_in, cost.quote_in) > U64_MAX:
        raise refusal(6024, f"a deposit of {cost.base_in} base and {cost.quote_in} quote is beyond 64 bits")
    return cost


def withdraw_lp(state: PoolState, lp_in: int) -> WithdrawQuote:
    """Worth of exactly ``lp_in`` LP units, both sides rounded down. Refuses boosted pools (6064)."""
    base, quote, supply = _reserves(state, lp_in)
    if lp_in > supply:
        raise TradeRefused(  # the program notices in the token program: insufficient funds
            f"{lp_in} LP units, the pool has {supply}", code=None, name="InsufficientFunds", hint="withdraw less"
        )
    return WithdrawQuote(lp_in, base * lp_in // supply, quote * lp_in // supply)


def deposit_by_base(state: PoolState, base_in: int) -> DepositQuote:
    """LP units for at most ``base_in`` base units, with what they really cost.

    The official client rounds the other side down here while the program rounds up, so its limits can be one unit
    short without slippage; ours are the program's cost of the LP units.
    """
    base, _, supply = _reserves(state, base_in)
    return deposit_lp(state, base_in * supply // base)


def deposit_by_quote(state: PoolState, quote_in: int) -> DepositQuote:
    """LP units for at most ``quote_in`` quote units, with what they really cost (see ``deposit_by_base``)."""
    _, quote, supply = _reserves(state, quote_in)
    return deposit_lp(state, quote_in * supply // quote)


def _reserves(state: PoolState, amount: int) -> tuple[int, int, int]:
    if amount <= 0:
        raise refusal(6001, f"an amount of {amount}")
    if state.pool.is_boosted:
        raise refusal(6064, "this pool is boosted")
    base, quote, supply = state.base_reserve, state.real_quote_reserve, state.pool.lp_supply
    if base <= 0 or quote <= 0 or supply <= 0:
        raise empty_pool()
    return base, quote, supply


def _checked(slippage_bps: int) -> int:
    if type(slippage_bps) is not int or not 0 <= slippage_bps <= BPS:
        raise UsageError(f"slippage of {slippage_bps!r} bps", hint="an integer from 0 to 10000; 100 is one percent")
    return slippage_bps
