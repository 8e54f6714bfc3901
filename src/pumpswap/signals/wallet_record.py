"""WalletRecord: how a wallet has done so far, from its own swaps: rounds, first in first out, all pool fees in.

A round of a pool begins with a buy when nothing is held and ends when all but dust is sold. What a wallet sold without
having been seen to buy it counts for nothing: its cost is not known. Quote units are lamports: feed it SOL pools only.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from statistics import median

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Swap
from pumpswap.settings import FollowSettings

__all__ = ["WalletBook", "WalletRecord"]

_DUST = 100  # a hundredth of the most that was held
_SIGNATURE_LAMPORTS = 5_000  # the least that a transaction costs; what it paid for priority, a swap does not tell
_HABIT = 50  # buys that make the habit: sizes change over the years


@dataclass(frozen=True, slots=True)
class WalletRecord:
    """Closed rounds up to some moment. ``quick_rounds`` were over within ``follow.quick_sell_seconds``; ``small_buys``
    are those below ``follow.min_quote_sol``. ``habit_lamports`` is the median of its latest buys, None without any.
    """

    rounds: int = 0
    hits: int = 0
    cost_lamports: int = 0
    proceeds_lamports: int = 0
    quick_rounds: int = 0
    buys: int = 0
    small_buys: int = 0
    habit_lamports: int | None = None

    @property
    def hit_rate(self) -> float:
        """Share of the rounds that brought more than they cost; 0 without any."""
        return self.hits / self.rounds if self.rounds else 0.0

    @property
    def total_return(self) -> float:
        """What all closed rounds brought together, against what they cost."""
        return self.proceeds_lamports / self.cost_lamports - 1 if self.cost_lamports else 0.0

    @property
    def quick_share(self) -> float:
        """Share of the rounds that ended within seconds."""
        return self.quick_rounds / self.rounds if self.rounds else 0.0

    @property
    def small_share(self) -> float:
        """Share of the buys that are too small to mean anything."""
        return self.small_buys / self.buys if self.buys else 0.0


@dataclass(slots=True)
class _Lot:
    units: int
    lamports: int


@dataclass(slots=True)
class _Holding:
    """What a wallet holds of one pool's coin, as far as its buys were seen, and the round that is open."""

    lots: deque[_Lot] = field(default_factory=deque)
    opened_ns: int = 0
    most_units: int = 0
    cost_lamports: int = 0
    proceeds_lamports: int = 0

    @property
    def units(self) -> int:
        return sum(lot.units for lot in self.lots)


class WalletBook:
    """The record of one wallet, kept swap by swap in order of time."""

    def __init__(self, settings: FollowSettings) -> None:
        self._settings = settings
        self._small = settings.lamports("min_quote_sol")
        self._holdings: dict[str, _Holding] = {}
        self._sizes: deque[int] = deque(maxlen=_HABIT)
        self._record = WalletRecord()

    @property
    def record(self) -> WalletRecord:
        """As of the last swap that was taken in."""
        return self._record

    def held_units(self, pool: str) -> int:
        """What the wallet holds of a pool's coin, as far as its buys were seen."""
        holding = self._holdings.get(pool)
        return 0 if holding is None else holding.units

    def take(self, swap: Swap) -> None:
        """Take in a swap of this wallet."""
        if swap.is_buy:
            self._bought(swap)
        else:
            self._sold(swap)

    def _bought(self, swap: Swap) -> None:
        holding = self._holdings.setdefault(swap.pool, _Holding())
        if not holding.lots:
            holding.opened_ns, holding.most_units = swap.at_ns, 0
        holding.lots.append(_Lot(swap.base_units, swap.quote_units + _SIGNATURE_LAMPORTS))
        holding.most_units = max(holding.most_units, holding.units)
        self._sizes.append(swap.quote_units)
        self._count(buys=1, small_buys=int(swap.quote_units < self._small))
        self._record = replace(self._record, habit_lamports=int(median(self._sizes)))

    def _sold(self, swap: Swap) -> None:
        holding = self._holdings.get(swap.pool)
        if holding is None or not swap.base_units:
            return
        left, cost = swap.base_units, 0
        while left and holding.lots:
            lot = holding.lots[0]
            taken = min(left, lot.units)
            # Rounded up: a rest of nothing must not be left with a cost.
            part = -(-lot.lamports * taken // lot.units) if lot.units else lot.lamports
            lot.units, lot.lamports = lot.units - taken, lot.lamports - part
            left, cost = left - taken, cost + part
            if not lot.units:
                holding.lots.popleft()
        matched = swap.base_units - left
        holding.cost_lamports += cost
        holding.proceeds_lamports += max(swap.quote_units - _SIGNATURE_LAMPORTS, 0) * matched // swap.base_units
        if holding.units * _DUST <= holding.most_units:
            self._close(swap, holding)

    def _close(self, swap: Swap, holding: _Holding) -> None:
        cost = holding.cost_lamports + sum(lot.lamports for lot in holding.lots)  # dust is lost
        quick = swap.at_ns - holding.opened_ns <= self._settings.quick_sell_seconds * NS_PER_SECOND
        del self._holdings[swap.pool]
        self._count(
            rounds=1,
            hits=int(holding.proceeds_lamports > cost),
            cost_lamports=cost,
            proceeds_lamports=holding.proceeds_lamports,
            quick_rounds=int(quick),
        )

    def _count(self, **more: int) -> None:
        counted = {name: getattr(self._record, name) + value for name, value in more.items()}
        self._record = replace(self._record, **counted)
