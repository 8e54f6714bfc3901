"""TradedMarket: one instrument that a strategy trades, and what it remembers of it."""

from __future__ import annotations

from dataclasses import dataclass

from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.position import Position as NautilusPosition

from pumpswap.model import ExitKind, Intent, TradeSide
from pumpswap.nautilus.instruments import base_decimals_of
from pumpswap.nautilus.money import units_of
from pumpswap.signals.q50_policy import Q50Action, Q50Verdict
from pumpswap.units import BPS

__all__ = ["TradedMarket"]


@dataclass(slots=True)
class TradedMarket:
    """``mean`` is Nautilus' own indicator: initialised when the policy's warm-up is over, and its value stands in the
    reasons of what is decided.
    """

    id: InstrumentId
    instrument: CurrencyPair
    pool: str
    mint: str
    mean: ExponentialMovingAverage | None
    closed_to_us: str = ""  # why nothing is bought now, by the instrument's status

    def reason(self, why: str, tick: QuoteTick) -> str:
        """``why``, with where the quote stands."""
        if self.mean is None or not self.mean.value:
            return why
        middle = (tick.bid_price.as_double() + tick.ask_price.as_double()) / 2
        above = round(100 * (middle / self.mean.value - 1), 2) + 0.0  # no minus before nothing
        return f"{why}, {above:+.2f} % to the mean of {self.mean.period} quotes"

    def analysed(self, verdict: Q50Verdict, tick: QuoteTick, held: NautilusPosition | None, strategy: str) -> Intent:
        """What would have been ordered, for a gate to decide on and books to keep."""
        is_buy = verdict.action is Q50Action.BUY
        units = 0 if held is None else units_of(held.quantity, base_decimals_of(self.instrument))
        return Intent(
            side=TradeSide.BUY if is_buy else TradeSide.SELL,
            pool=self.pool,
            mint=self.mint,
            at_ns=verdict.at_ns,
            reason=self.reason(verdict.why, tick) if is_buy else verdict.why,
            signal=verdict.signal,
            base_units=None if is_buy else units * verdict.share_bps // BPS,
            exit=None if is_buy else ExitKind.SIGNAL,
            strategy=f"nautilus:{strategy}",
        )
