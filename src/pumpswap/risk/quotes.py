"""PoolQuotes: exact quotes on one state of one pool, each computed once however many ask."""

from __future__ import annotations

from fractions import Fraction

from pumpswap.amm import BuyQuote, FeeSchedule, PoolState, SellQuote, buy_exact_base, buy_exact_quote, sell_exact_base
from pumpswap.amm.largest import cost_over_spot

__all__ = ["PoolQuotes", "round_trip_loss"]


class PoolQuotes:
    """Of ``state`` under ``schedule``. Whatever raises TradeRefused raises it each time."""

    def __init__(self, state: PoolState, schedule: FeeSchedule) -> None:
        self.state, self.schedule = state, schedule
        self._buys: dict[int, BuyQuote] = {}
        self._impacts: dict[int, Fraction] = {}
        self._costs: dict[int, Fraction] = {}
        self._losses: dict[int, Fraction] = {}

    def buy(self, budget: int) -> BuyQuote:
        """What ``budget`` quote units buy."""
        found = self._buys.get(budget)
        if found is None:
            found = self._buys[budget] = buy_exact_quote(self.state, self.schedule, budget)
        return found

    def buy_units(self, base_units: int) -> BuyQuote:
        """What exactly ``base_units`` cost."""
        return buy_exact_base(self.state, self.schedule, base_units)

    def sell(self, base_units: int) -> SellQuote:
        """What ``base_units`` bring."""
        return sell_exact_base(self.state, self.schedule, base_units)

    def impact(self, budget: int) -> Fraction:
        """Average price before fees against spot."""
        found = self._impacts.get(budget)
        if found is None:
            found = self._impacts[budget] = self.buy(budget).impact
        return found

    def cost(self, budget: int) -> Fraction:
        """Average price after all fees against spot."""
        found = self._costs.get(budget)
        if found is None:
            found = self._costs[budget] = cost_over_spot(self.buy(budget))
        return found

    def after_buy(self, budget: int) -> PoolState:
        """The pool when ``budget`` has been spent on it."""
        return self.state.after(self.buy(budget))

    def round_trip_loss(self, budget: int) -> Fraction:
        """Share of ``budget`` that is lost by buying and selling again at once: fees and impact of both ways, exactly.

        Raises TradeRefused when either side would be refused: then there is no way out.
        """
        found = self._losses.get(budget)
        if found is None:
            bought = self.buy(budget)
            sold = sell_exact_base(self.state.after(bought), self.schedule, bought.base_out)
            found = self._losses[budget] = Fraction(bought.total_quote - sold.user_quote_out, bought.total_quote)
        return found


def round_trip_loss(state: PoolState, schedule: FeeSchedule, budget: int) -> Fraction:
    """``PoolQuotes.round_trip_loss`` for a single question."""
    return PoolQuotes(state, schedule).round_trip_loss(budget)
