"""The largest trades that a pool takes, exact to the last unit: a budget within limits, a sale that it can pay."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from pumpswap.amm.fees import FeeSchedule
from pumpswap.amm.quote import BuyQuote
from pumpswap.amm.quotes import buy_exact_quote, sell_exact_base
from pumpswap.amm.state import PoolState
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.units import BPS, U64_MAX

__all__ = ["cost_over_spot", "largest_buy", "largest_sale"]

_ROUNDINGS = 2  # three fees, each rounded up, take at most this much off the amount that prices the swap


def cost_over_spot(quote: BuyQuote) -> Fraction:
    """Average price after all fees / pre-trade spot price − 1, exactly: impact and fees in one figure."""
    spot = quote.base_out * quote.effective_quote_reserve
    return Fraction(quote.total_quote * quote.base_reserve - spot, spot)


def largest_buy(
    state: PoolState,
    schedule: FeeSchedule,
    *,
    most: int,
    max_impact: Fraction,
    max_cost_over_spot: Fraction | None = None,
) -> int:
    """The largest budget up to ``most`` quote units, fees included, whose exact impact is within ``max_impact`` and,
    where asked for, whose average price after all fees is within ``max_cost_over_spot`` of the spot price. 0 when no
    budget is, or when the pool does not trade.

    Base comes out in whole units, so a larger budget can have the smaller impact: within one unit of base the price
    only rises, at the next one it falls back. The closed form bounds what can pass from above and below; from the
    upper bound the search goes down, one unit of base at a time, to the first budget that passes. It takes at most
    about 1 / ``max_impact`` steps, and one or two where a unit of base is worth little.

    Raises UsageError for a negative limit.
    """
    if max_impact < 0 or (max_cost_over_spot is not None and max_cost_over_spot < 0):
        raise UsageError("a limit of impact or cost cannot be negative", hint="1 % is Fraction(1, 100)")
    if state.base_reserve <= 0 or state.effective_quote_reserve <= 0:
        return 0
    try:
        return _Search(state, schedule, max_impact, max_cost_over_spot).from_above(min(most, U64_MAX))
    except TradeRefused:
        return 0


def largest_sale(state: PoolState, schedule: FeeSchedule, *, most: int) -> int:
    """The largest sale up to ``most`` base units that the pool pays now with at least one quote unit; 0 when none is.

    Virtual reserves price a sale and cannot pay it (PROTOCOL pitfall 15), so a large one may have to go in parts. What
    leaves the vault never falls when more is sold, so the bound has a closed form; below it only fees that are rounded
    up can stand in the way, which the last few units of proceeds decide.
    """
    base, reserve, units = state.base_reserve, state.effective_quote_reserve, min(most, U64_MAX)
    if units <= 0 or base <= 0 or reserve <= 0:
        return 0
    rates = schedule.rates(state)
    if sum(rates) >= BPS:
        return 0
    # The vault loses g − ⌈g · lp⌉ = ⌊g · (1 − lp)⌋ of gross proceeds g: the largest g that is within what it holds.
    gross = ((state.real_quote_reserve + 1) * BPS - 1) // (BPS - rates[0])
    while gross > 0:
        if reserve > gross + 1:  # the most units with ⌊E·b / (B + b)⌋ ≤ gross; otherwise no amount is worth more
            units = min(units, ((gross + 1) * base - 1) // (reserve - gross - 1))
        if _pays(state, schedule, units):
            return units
        gross = reserve * units // (base + units) - 1
    return 0


def _pays(state: PoolState, schedule: FeeSchedule, units: int) -> bool:
    try:
        return sell_exact_base(state, schedule, units).user_quote_out > 0
    except TradeRefused:
        return False


class _Search:
    """What stays the same while budgets are tried. ``net`` is a budget without its fees, before they are rounded."""

    def __init__(
        self, state: PoolState, schedule: FeeSchedule, max_impact: Fraction, max_cost: Fraction | None
    ) -> None:
        self._state, self._schedule = state, schedule
        self._each_rate = schedule.rates(state)
        self._rates = sum(self._each_rate)
        self._base, self._reserve = state.base_reserve, state.effective_quote_reserve
        self._max_impact, self._max_cost = max_impact, max_cost

    def from_above(self, most: int) -> int:
        least, bound = self._bounds()
        budget = min(most, self._budget_of(bound + _ROUNDINGS))
        while budget > 0 and self._net_of(budget) >= least:
            try:
                quote = buy_exact_quote(self._state, self._schedule, budget)
            except TradeRefused:
                if self._out_of(self._net_of(budget)) == 0:
                    return 0  # too little for one unit of base, and so is all below
                budget -= 1
                continue
            lower = self._lower(budget, quote)
            if lower == budget:
                return budget
            budget = lower
        return 0

    def _bounds(self) -> tuple[int, int]:
        """(least, most) gross that can pass. Unrounded, a gross g buys B(g−1)/(E+g−1), so its impact is at least
        g/E + 1/(g−1); its cost is at least that and the rates on top. Both are quadratic in g.
        """
        over, scale = self._max_impact.numerator, self._max_impact.denominator
        if self._max_cost is not None:
            whole = self._max_cost.denominator * (BPS + self._rates)
            left = (
                self._max_cost.numerator + self._max_cost.denominator
            ) * BPS - whole  # of the limit, after the rates
            if left * scale < over * whole:
                over, scale = left, whole
        if over <= 0:
            return 1, 0
        middle = scale + over * self._reserve
        square = middle**2 - 4 * self._reserve * (over + scale) * scale
        if square < 0:
            return 1, 0
        root = isqrt(square)
        return (middle - root) // (2 * scale), (middle + root) // (2 * scale)

    def _lower(self, budget: int, quote: BuyQuote) -> int:
        """``budget`` itself when its quote passes, else the largest one below it that still might."""
        out, net = quote.base_out, self._net_of(budget)
        able = self._priced(out, self._max_impact)
        lower = budget - 1
        passes = quote.gross_quote <= able
        if self._max_cost is not None:
            most_total = self._priced(out, self._max_cost)
            if quote.total_quote > most_total:
                passes = False
                lower = min(lower, self._budget_of(self._cheaper(net, quote.fees, self._max_cost)))
            # What is paid includes fees, so a total within the limit cannot belong to a gross above this.
            able = min(able, most_total * BPS // (BPS + self._rates))
        if passes:
            return budget
        # Smaller budgets price at most ``net``; as long as that buys no more base, nothing between the two passes.
        if self._out_of(net) > out:
            return lower
        first = 1 - (-out * self._reserve // (self._base - out))  # the least gross that still buys ``out``
        return min(lower, self._budget_of((able if able >= first else first - 1) + _ROUNDINGS))

    def _cheaper(self, net: int, fees: int, limit: Fraction) -> int:
        """Most net that may cost no more than ``limit`` over spot, given that ``net`` with its ``fees`` costs more.
        While no fee changes its rounded amount, the condition gross + fees ≤ (1 + limit)·E·(g−1)/(E+g−1) is quadratic
        again; below that stretch all is open.
        """
        changes = max(((-(-net * rate // BPS) - 1) * BPS // rate for rate in self._each_rate if rate), default=0)
        scale, reserve, owed = limit.denominator, self._reserve, fees + 1
        middle = limit.numerator * reserve - scale * owed
        square = middle**2 - 4 * scale**2 * reserve * owed
        if square < 0:
            return changes
        return max((middle + isqrt(square)) // (2 * scale) + 1 + _ROUNDINGS, changes)

    def _priced(self, out: int, limit: Fraction) -> int:
        """Most quote units for ``out`` base units at ``limit`` above the spot price."""
        above = limit.numerator + limit.denominator
        return out * self._reserve * above // (self._base * limit.denominator)

    def _out_of(self, gross: int) -> int:
        return self._base * (gross - 1) // (self._reserve + gross - 1) if gross > 1 else 0

    def _net_of(self, budget: int) -> int:
        return budget * BPS // (BPS + self._rates)

    def _budget_of(self, net: int) -> int:
        """The largest budget whose net is at most ``net``."""
        return ((net + 1) * (BPS + self._rates) - 1) // BPS
