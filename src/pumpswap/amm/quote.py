"""The exact result of a trade on a PoolState, fees itemised, and the limit its instruction carries."""

from __future__ import annotations

from fractions import Fraction

from pumpswap.amm.codec import Record
from pumpswap.errors import UsageError
from pumpswap.units import BPS, U64_MAX

__all__ = ["BuyQuote", "Quote", "SellQuote", "amounts_of"]


class _Terms(Record, frozen=True):
    """What every quote knows. Amounts are raw units; rates are the bps that were applied.

    ``gross_quote`` is what prices the swap. ``cashback`` takes the place of ``creator_fee`` on cashback coins (as in
    the events): it is paid like a fee and can be claimed back by the trader later. ``buyback_fee`` is a part of
    ``protocol_fee``, not a further cost.
    """

    gross_quote: int
    lp_fee: int
    protocol_fee: int
    creator_fee: int
    cashback: int
    buyback_fee: int
    lp_bps: int
    protocol_bps: int
    creator_bps: int
    base_reserve: int
    effective_quote_reserve: int

    @property
    def fees(self) -> int:
        """All that is charged on top of (buy) or taken from (sell) ``gross_quote``."""
        return self.lp_fee + self.protocol_fee + self.creator_fee + self.cashback

    @property
    def needs_creator_accounts(self) -> bool:
        """Whether the v1 tail carries the creator-side accounts: only when this trade's creator fee is not 0 (3.3)."""
        return self.creator_fee + self.cashback > 0


class BuyQuote(_Terms, frozen=True):
    """A purchase of base. ``spendable_quote`` is the budget of an exact-quote buy, None for an exact-base buy."""

    base_out: int
    total_quote: int
    spendable_quote: int | None = None

    @property
    def impact(self) -> Fraction:
        """Average price before fees / pre-trade spot price − 1, exactly."""
        spot = self.base_out * self.effective_quote_reserve
        return Fraction(self.gross_quote * self.base_reserve - spot, spot)

    def limit(self, slippage_bps: int) -> int:
        """Exact base: most quote to pay, rounded up. By budget: least base to accept, rounded down, at least 1.

        The most a u64 can say caps the former; such a limit is no limit any more, and the caller chose it.
        """
        _check_slippage(slippage_bps)
        if self.spendable_quote is None:
            return min(-(-self.total_quote * (BPS + slippage_bps) // BPS), U64_MAX)
        return max(self.base_out * (BPS - slippage_bps) // BPS, 1)


class SellQuote(_Terms, frozen=True):
    """A sale of base. ``requested_quote`` is what an exact-quote sale asked for, None for an exact-base sale."""

    base_in: int
    user_quote_out: int
    requested_quote: int | None = None

    @property
    def impact(self) -> Fraction:
        """1 − average price before fees / pre-trade spot price, exactly: positive when the sale moves the price."""
        return 1 - Fraction(self.gross_quote * self.base_reserve, self.base_in * self.effective_quote_reserve)

    def limit(self, slippage_bps: int) -> int:
        """Least quote to accept, rounded down, at least 1: a limit of 0 is free money for a sandwich."""
        _check_slippage(slippage_bps)
        return max(self.user_quote_out * (BPS - slippage_bps) // BPS, 1)


Quote = BuyQuote | SellQuote


def amounts_of(quote: Quote) -> tuple[int, int]:
    """(base units, quote units) that change hands, as the trader sees them: all fees of the venue in."""
    if isinstance(quote, BuyQuote):
        return quote.base_out, quote.total_quote
    return quote.base_in, quote.user_quote_out


def _check_slippage(slippage_bps: int) -> None:
    if type(slippage_bps) is not int or not 0 <= slippage_bps <= BPS:
        raise UsageError(f"slippage of {slippage_bps!r} bps", hint="an integer from 0 to 10000; 100 is one percent")
