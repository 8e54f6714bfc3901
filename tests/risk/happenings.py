"""Orders and outcomes for a tracker: what happens, in as few words as a test needs."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.amm import buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.model import Costs, Denied, Filled, Order, Outcome, Position, Rejected, TradeSide, Unknown
from pumpswap.risk.tracker import RiskTracker
from tests.support.market import SOL, START_NS, at, graduate

BOUGHT = buy_exact_quote(graduate(), current_schedule(), SOL)
SOLD = sell_exact_base(graduate(), current_schedule(), BOUGHT.base_out)
HOW = ("filled", "rejected", "denied", "unknown")


def order(number: int, side: TradeSide = TradeSide.BUY, created_ns: int = START_NS) -> Order:
    """An order; its number is its id."""
    quote = BOUGHT if side is TradeSide.BUY else SOLD
    return Order(f"o{number}", f"d{number}", side, "pool", "mint", created_ns, 1, quote)


def outcome(of: Order, how: str, at_ns: int) -> Outcome:
    """How it ended."""
    if how == "filled":
        return Filled(of.order_id, at_ns, 1, of.quote, Costs(), "signature")
    if how == "rejected":
        return Rejected(of.order_id, at_ns, 1, 6040, "SlippageExceeded", "too far", Costs(), "signature")
    if how == "denied":
        return Denied(of.order_id, at_ns, "expired", "never landed")
    return Unknown(of.order_id, at_ns, "signature", 1)


def round_of(realised: int, at_ns: int) -> Position:
    """A closed round that has earned this."""
    return Position("pool", "mint", 1, START_NS, realised_lamports=realised, closed_ns=at_ns)


class Told:
    """A tracker and the numbers of its orders; every call happens so many seconds after the start."""

    def __init__(self, tracker: RiskTracker) -> None:
        self.tracker = tracker
        self._orders: dict[int, Order] = {}

    def enter(self, seconds: float = 0) -> int:
        number = len(self._orders) + 1
        self._orders[number] = order(number, created_ns=at(seconds))
        self.tracker.entered(self._orders[number])
        return number

    def end(self, number: int, how: str, seconds: float = 0) -> None:
        of = self._orders[number]
        self.tracker.ended(of, outcome(of, how, at(seconds)), None)

    def entry(self, how: str, seconds: float = 0) -> None:
        self.end(self.enter(seconds), how, seconds)

    def sale(self, how: str, seconds: float = 0, *, realised: int | None = None) -> None:
        """A sale that ends a round with a result, or leaves it open."""
        number = len(self._orders) + 1
        of = self._orders[number] = order(number, TradeSide.SELL, at(seconds))
        left = None if realised is None else round_of(realised, at(seconds))
        self.tracker.ended(of, outcome(of, how, at(seconds)), left)

    def restart(self, limits: object, *, lost: tuple[int, ...] = ()) -> Told:
        """A new process: what is on the way is given back, but for what is lost."""
        after = Told(RiskTracker(limits, self.tracker.state))  # type: ignore[arg-type]
        after._orders = dict(self._orders)
        after.tracker.restored([of for number, of in self._orders.items() if number not in lost])
        return after

    def order(self, number: int) -> Order:
        return replace(self._orders[number])
