"""From fills to sales: which cost each sale has sold, by average cost, exactly as the books of positions do it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from operator import attrgetter

import msgspec

from pumpswap.analytics.performance.given import OUTSIDE, Sale
from pumpswap.errors import LedgerMismatch
from pumpswap.model import Adoption, LedgerEntry, Position
from pumpswap.model.booked import BookedFill, BookedRound, StoredRound
from pumpswap.portfolio.derive import PositionReplay, replay
from pumpswap.portfolio.movements import Movement

__all__ = ["RoundReplay", "Stored"]

Stored = Mapping[tuple[str, int], StoredRound]  # by pool and number
_NOT_STORED = StoredRound("", 0, None, 0)


_ORDER = attrgetter("opened_ns", "pool", "number")


class _Round(msgspec.Struct, gc=False):
    """A round on its way."""

    pool: str
    mint: str
    number: int
    opened_ns: int
    strategy: str
    exit_kind: str = ""
    closed_ns: int | None = None
    units: int = 0
    cost: int = 0
    bought: int = 0
    sold: int = 0
    realised: int = 0
    buys: int = 0
    sells: int = 0

    def booked(self, stored: Stored, until_ns: int) -> BookedRound:
        """A mark counts for the units that it has valued, and not before it was made."""
        known = stored.get((self.pool, self.number), _NOT_STORED)
        is_valued = self.closed_ns is None and known.base_units == self.units and known.marked_ns < until_ns
        return BookedRound(
            self.pool, self.mint, self.number, self.opened_ns, self.closed_ns, self.units, self.cost, self.bought,
            self.sold, self.realised, self.buys, self.sells, self.strategy, self.exit_kind, known.name,
            known.value_lamports if is_valued else None,
        )  # fmt: skip


@dataclass(slots=True)
class RoundReplay:
    """Takes what was booked, in the order in which it was, of all the time; remembers what is of the time from
    ``since_ns`` on up to ``until_ns``, that moment not included. Memory grows with the sales of that time and with
    rounds that are open.

    ``cost_before_lamports`` is what open units had cost at ``since_ns``, ``cost_after_lamports`` at ``until_ns``.
    ``adopted`` are (time, lamports) that owners named as costs, ``by_hand`` those that sales by hand brought to
    positions, of all the time. ``first_rounds`` are numbers of pools whose first fill here does not open their first
    round.
    """

    since_ns: int
    until_ns: int
    sales: list[Sale] = field(default_factory=list)
    adopted: list[tuple[int, int]] = field(default_factory=list)
    by_hand: list[tuple[int, int]] = field(default_factory=list)
    cost_before_lamports: int = 0
    cost_after_lamports: int = 0
    _open: dict[str, _Round] = field(default_factory=dict)
    first_rounds: Mapping[str, int] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _closed: list[_Round] = field(default_factory=list)
    # The round of a pool as it was at the end, where something was booked there afterwards.
    _at_the_end: dict[str, _Round | None] = field(default_factory=dict)

    def take_fills(self, fills: Iterable[BookedFill]) -> None:
        """Fills of mints that moved by our orders alone. Raises LedgerMismatch for a sale of what is not there."""
        for fill in fills:
            pool, units = fill.pool, fill.base_units
            current = self._open.get(pool)
            if fill.is_buy:
                self._bought(current or self._begin(fill, self._next(pool)), fill)
            elif current is None or units > current.units:
                raise LedgerMismatch(
                    f"order {fill.order_id} sells {units} units in {pool}, where"
                    f" {0 if current is None else current.units} are held",
                    hint="`pumpswap db check` says what is wrong with the books",
                )
            else:
                share = current.cost if units == current.units else current.cost * units // current.units
                current.sells += 1
                self._left(current, _sale(current, fill, units, fill.swap_lamports, share))

    def take_moved(
        self, entries: Iterable[LedgerEntry], adoptions: Iterable[Adoption], fills: Mapping[str, BookedFill]
    ) -> None:
        """Everything of mints that others have moved too: all entries of the movements of these mints, in sequence.

        ``fills`` by order. Raises LedgerMismatch for entries that no books can hold.
        """
        orders = {order: (fill.pool, fill.mint, "") for order, fill in fills.items()}
        books, known = PositionReplay(orders.get), dict[str, Position]()
        for step in replay(entries, adoptions):
            cause: BookedFill | Adoption | Movement = step
            if isinstance(step, Movement) and step.traded is not None:
                cause = fills.get(step.traded.order_id, step)  # without it the books refuse the step
            for position in books.take(step):
                self._changed(known.get(position.pool), position, cause)
                known[position.pool] = position

    def rounds(self, stored: Stored) -> list[BookedRound]:
        """Those that were closed in this time or are open at its end, in order of opening."""
        kept = self._at_the_end
        closed = [one for one in self._closed if one.closed_ns is not None and one.closed_ns < self.until_ns]
        now = [one for pool, one in self._open.items() if pool not in kept]
        found = closed + now + [one for one in kept.values() if one is not None]
        return [one.booked(stored, self.until_ns) for one in sorted(found, key=_ORDER)]

    # ------------------------------------------------------------------------------------------ one step

    def _changed(self, before: Position | None, position: Position, cause: BookedFill | Adoption | Movement) -> None:
        """A position as books have made it from the one before."""
        if before is None or before.round != position.round:
            before = Position(position.pool, position.mint, position.round, position.opened_ns)
            current = self._begin(cause if isinstance(cause, BookedFill) else position, position.round)
        else:
            current = self._open[position.pool]
        gone = before.base_units - position.base_units
        if gone <= 0:
            if isinstance(cause, BookedFill):
                return self._bought(current, cause)
            self.adopted.append((position.opened_ns, position.cost_lamports))
            return self._grown(current, position.base_units, position.cost_lamports, position.opened_ns)
        received, share = position.sold_lamports - before.sold_lamports, before.cost_lamports - position.cost_lamports
        if isinstance(cause, BookedFill) and position.sells > before.sells:
            current.sells += 1
            return self._left(current, _sale(current, cause, gone, received, share))
        at_ns = cause.first.at_ns if isinstance(cause, Movement) else cause.at_ns
        return self._left(
            current,
            Sale(at_ns, "", current.pool, current.mint, current.number, current.strategy, OUTSIDE, gone, received,
                 share, current.opened_ns, gone == current.units),
        )  # fmt: skip

    def _begin(self, first: BookedFill | Position, number: int) -> _Round:
        opened_ns, strategy = (first.at_ns, first.strategy) if isinstance(first, BookedFill) else (first.opened_ns, "")
        self._keep_the_end(first.pool, opened_ns)
        self._numbers[first.pool] = number
        current = self._open[first.pool] = _Round(first.pool, first.mint, number, opened_ns, strategy)
        return current

    def _next(self, pool: str) -> int:
        last = self._numbers.get(pool)
        return self.first_rounds.get(pool, 1) if last is None else last + 1

    def _bought(self, current: _Round, fill: BookedFill) -> None:
        self._grown(current, fill.base_units, -fill.swap_lamports, fill.at_ns)
        current.buys += 1

    def _grown(self, current: _Round, units: int, cost_lamports: int, at_ns: int) -> None:
        self._cost_changed(current.pool, cost_lamports, at_ns)
        current.units += units
        current.cost += cost_lamports
        current.bought += cost_lamports

    def _left(self, current: _Round, sale: Sale) -> None:
        self._cost_changed(current.pool, -sale.cost_lamports, sale.at_ns)
        current.units -= sale.base_units
        current.cost -= sale.cost_lamports
        current.sold += sale.received_lamports
        current.realised += sale.gain_lamports
        current.exit_kind = sale.exit_kind
        if not sale.order_id:
            self.by_hand.append((sale.at_ns, sale.received_lamports))
        if self.since_ns <= sale.at_ns < self.until_ns:
            self.sales.append(sale)
        if sale.closes:
            current.closed_ns = sale.at_ns
            del self._open[current.pool]
            if sale.at_ns >= self.since_ns:
                self._closed.append(current)

    def _cost_changed(self, pool: str, lamports: int, at_ns: int) -> None:
        if at_ns >= self.until_ns:
            self._keep_the_end(pool, at_ns)
            return
        self.cost_after_lamports += lamports
        if at_ns < self.since_ns:
            self.cost_before_lamports += lamports

    def _keep_the_end(self, pool: str, at_ns: int) -> None:
        if at_ns >= self.until_ns and pool not in self._at_the_end:
            current = self._open.get(pool)
            self._at_the_end[pool] = None if current is None else copy(current)


def _sale(current: _Round, fill: BookedFill, units: int, received: int, share: int) -> Sale:
    return Sale(
        fill.at_ns, fill.order_id, current.pool, current.mint, current.number, current.strategy, fill.exit_kind, units,
        received, share, current.opened_ns, units == current.units,
    )  # fmt: skip
