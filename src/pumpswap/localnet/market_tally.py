"""MarketTally: what has been traded on the practice market's pools, by the minute, over a day."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from solders.pubkey import Pubkey

__all__ = ["DAY_SECONDS", "HOUR_SECONDS", "MarketTally", "Traded"]

HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400


@dataclass(slots=True)
class _Minute:
    began: int
    price_before: Fraction
    buys: int = 0
    sells: int = 0
    quote_units: int = 0


@dataclass(frozen=True, slots=True)
class Traded:
    """Sums over a span. ``price_before``: quote units per raw base unit when it began; None without a trade in it."""

    buys: int
    sells: int
    quote_units: int
    price_before: Fraction | None


class MarketTally:
    """Counts trades that have succeeded; older ones than a day are forgotten."""

    def __init__(self) -> None:
        self._minutes: dict[Pubkey, deque[_Minute]] = {}

    def note(self, pool: Pubkey, unix_time: int, *, is_buy: bool, quote_units: int, price_before: Fraction) -> None:
        """One trade."""
        minutes = self._minutes.setdefault(pool, deque())
        began = unix_time - unix_time % 60
        if not minutes or minutes[-1].began != began:
            minutes.append(_Minute(began, price_before))
        while minutes[0].began <= unix_time - DAY_SECONDS:
            minutes.popleft()
        minute = minutes[-1]
        minute.buys += is_buy
        minute.sells += not is_buy
        minute.quote_units += quote_units

    def over(self, pool: Pubkey, unix_time: int, seconds: int) -> Traded:
        """What was traded in the last ``seconds``, whole minutes."""
        within = [minute for minute in self._minutes.get(pool, ()) if minute.began > unix_time - seconds]
        return Traded(
            buys=sum(minute.buys for minute in within),
            sells=sum(minute.sells for minute in within),
            quote_units=sum(minute.quote_units for minute in within),
            price_before=within[0].price_before if within else None,
        )
