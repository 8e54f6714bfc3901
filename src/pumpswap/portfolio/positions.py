"""Positions by pool and round, average cost, realised profit: all integers, nothing lost in rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pumpswap.amm import BuyQuote
from pumpswap.errors import LedgerMismatch
from pumpswap.model import Adoption, Filled, Order, Position
from pumpswap.portfolio.movements import Departure

__all__ = ["PositionBook", "adopted", "bought", "cut_down", "in_order", "sold"]


def bought(position: Position, base_units: int, *, paid_lamports: int, rent_lamports: int, at_ns: int) -> Position:
    """The position after a buy: all that was paid is cost, rent is a deposit and kept apart."""
    return replace(
        position,
        base_units=position.base_units + base_units,
        cost_lamports=position.cost_lamports + paid_lamports,
        bought_lamports=position.bought_lamports + paid_lamports,
        rent_lamports=position.rent_lamports + rent_lamports,
        buys=position.buys + 1,
        last_trade_ns=at_ns,
    )


def sold(position: Position, base_units: int, *, received_lamports: int, rent_lamports: int, at_ns: int) -> Position:
    """The position after a sale of ours. ``received_lamports`` is what it brought after all fees and costs."""
    return replace(
        _given_up(position, base_units, received_lamports, at_ns),
        rent_lamports=position.rent_lamports + rent_lamports,
        sells=position.sells + 1,
        last_trade_ns=at_ns,
    )


def adopted(adoption: Adoption, number: int, name: str = "") -> Position:
    """The position of an adoption as round ``number`` of its pool. Nothing was traded, so no buy is counted."""
    return Position(
        adoption.pool,
        adoption.mint,
        number,
        adoption.at_ns,
        base_units=adoption.base_units,
        cost_lamports=adoption.cost_lamports,
        bought_lamports=adoption.cost_lamports,
        name=name or adoption.name,
    )


def cut_down(held: Iterable[Position], balance: int, departure: Departure, at_ns: int) -> list[Position]:
    """Open positions of one mint after tokens have left by somebody else's hand: those that changed.

    ``balance`` is what the wallet has of the mint now. What no position holds leaves first; only what the positions
    hold beyond the balance is cut, the newest round first, as a sale for their part of the proceeds: the last position
    that is cut gets what is left of it.
    """
    rounds = in_order(held)
    excess = max(sum(position.base_units for position in rounds) - balance, 0)
    missing, proceeds = excess, departure.proceeds_of(min(excess, departure.base_units))
    left = proceeds
    changed = []
    for position in reversed(rounds):
        if missing == 0:
            break
        units = min(missing, position.base_units)
        received = left if units == missing else proceeds * units // excess
        missing, left = missing - units, left - received
        changed.append(_given_up(position, units, received, at_ns))
    return changed


def in_order(positions: Iterable[Position]) -> list[Position]:
    """Positions in order of opening."""
    return sorted(positions, key=lambda position: (position.opened_ns, position.pool))


def _given_up(position: Position, base_units: int, received_lamports: int, at_ns: int) -> Position:
    """The share of the cost is rounded down, so the last sale takes what is left: over a round the realised figures add
    up to exactly what came in minus what went out.
    """
    if not 0 < base_units <= position.base_units:
        raise LedgerMismatch(f"{base_units} base units sold, {position.base_units} held", hint="this is a bug")
    is_all = base_units == position.base_units
    share = position.cost_lamports if is_all else position.cost_lamports * base_units // position.base_units
    return replace(
        position,
        base_units=position.base_units - base_units,
        cost_lamports=position.cost_lamports - share,
        sold_lamports=position.sold_lamports + received_lamports,
        realised_lamports=position.realised_lamports + received_lamports - share,
        closed_ns=at_ns if is_all else None,
    )


class PositionBook:
    """The latest round of every pool and all rounds before it.

    ``recall`` tells the latest stored round of a pool, for a book that has taken over the open rounds only: the closed
    ones of years are looked up when their pool comes up again, and those that are closed from now on are not kept
    either. Its iteration tells the open ones alone.
    """

    def __init__(self, recall: Callable[[str], Position | None] | None = None) -> None:
        self._latest: dict[str, Position] = {}
        self._open: dict[str, Position] = {}  # of them, so that a long history costs the next decision nothing
        self._closed: list[Position] = []
        self._recall = recall
        self._asked: set[str] = set()

    def open_round(self, pool: str) -> Position | None:
        """The open position in a pool."""
        position = self._open.get(pool)
        if position is None and self._recall is not None:
            position = self._round(pool)
        return position if position and position.is_open else None

    def latest(self, pool: str) -> Position | None:
        """The latest round of a pool, open or closed; None without one."""
        return self._round(pool)

    def last_closed_ns(self, pool: str) -> int | None:
        """When the latest round of a pool ended; None while it is open or without one."""
        position = self._round(pool)
        return position.closed_ns if position else None

    def _round(self, pool: str) -> Position | None:
        if self._recall is not None and pool not in self._latest and pool not in self._asked:
            self._asked.add(pool)
            stored = self._recall(pool)
            if stored is not None:
                self._put(stored)
        return self._latest.get(pool)

    def _put(self, position: Position) -> None:
        self._latest[position.pool] = position
        if position.is_open:
            self._open[position.pool] = position
        else:
            self._open.pop(position.pool, None)

    def next_round(self, pool: str) -> int:
        """The number that a new round in a pool gets."""
        latest = self._round(pool)
        return 1 if latest is None else latest.round + 1

    def held(self) -> Iterable[Position]:
        """Open positions in no order that matters, for sums."""
        return self._open.values()

    def open_positions(self) -> list[Position]:
        """Open positions in order of opening."""
        return in_order(self._open.values())

    def of_mint(self, mint: str) -> list[Position]:
        """Open positions of one mint, in all its pools, in order of opening."""
        return in_order(one for one in self._open.values() if one.mint == mint)

    def __iter__(self) -> Iterator[Position]:
        """All rounds, closed ones first, each group in order of time."""
        yield from self._closed
        yield from self.open_positions()

    def take_over(self, position: Position) -> None:
        """Put in a position that is stored already, or has changed without an order.

        Raises LedgerMismatch for a round that is over, or that follows one which is not.
        """
        latest = self._round(position.pool)
        follows = latest is None or (position.round > latest.round and not latest.is_open)
        replaces = latest is not None and position.round == latest.round and latest.is_open
        if not follows and not replaces:
            raise LedgerMismatch(
                f"round {position.round} in {position.pool} does not follow what is in the books",
                hint="the stored positions contradict each other: restore the database from a backup",
            )
        self._put(position)
        if not position.is_open and self._recall is None:
            self._closed.append(position)

    def after(self, order: Order, outcome: Filled, name: str = "") -> Position:
        """The position as a fill leaves it; changes nothing. Raises LedgerMismatch for a sale of what is not held."""
        quote, costs, current = outcome.executed, outcome.costs, self.open_round(order.pool)
        rent = costs.rent_paid - costs.rent_returned
        if isinstance(quote, BuyQuote):
            fresh = Position(order.pool, order.mint, self.next_round(order.pool), outcome.at_ns, name=name)
            paid = quote.total_quote + costs.spent
            return bought(current or fresh, quote.base_out, paid_lamports=paid, rent_lamports=rent, at_ns=outcome.at_ns)
        if current is None:
            raise LedgerMismatch("a sale without a position", hint="this is a bug: keep the database and report it")
        received = quote.user_quote_out - costs.spent
        return sold(current, quote.base_in, received_lamports=received, rent_lamports=rent, at_ns=outcome.at_ns)
