"""Positions by pool and round, average cost, realised profit: all integers, nothing lost in rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from pumpswap.amm import BuyQuote, SellQuote
from pumpswap.errors import LedgerMismatch
from pumpswap.model import Filled, Order, Position

__all__ = ["PositionBook", "bought", "sold", "taken_away"]


def bought(position: Position, quote: BuyQuote, outcome: Filled) -> Position:
    """The position after a buy: all that was paid is cost, rent is a deposit and kept apart."""
    paid = quote.total_quote + outcome.costs.spent
    return replace(
        position,
        base_units=position.base_units + quote.base_out,
        cost_lamports=position.cost_lamports + paid,
        bought_lamports=position.bought_lamports + paid,
        rent_lamports=position.rent_lamports + outcome.costs.rent_paid - outcome.costs.rent_returned,
        buys=position.buys + 1,
        last_trade_ns=outcome.at_ns,
    )


def sold(position: Position, quote: SellQuote, outcome: Filled) -> Position:
    """The position after a sale. The share of the cost is rounded down, so the last sale takes what is left: over a
    round the realised figures add up to exactly what came in minus what went out.
    """
    if quote.base_in > position.base_units:
        raise LedgerMismatch(f"{quote.base_in} base units sold, {position.base_units} held", hint="this is a bug")
    is_all = quote.base_in == position.base_units
    received = quote.user_quote_out - outcome.costs.spent
    share = position.cost_lamports if is_all else position.cost_lamports * quote.base_in // position.base_units
    return replace(
        position,
        base_units=position.base_units - quote.base_in,
        cost_lamports=position.cost_lamports - share,
        sold_lamports=position.sold_lamports + received,
        realised_lamports=position.realised_lamports + received - share,
        rent_lamports=position.rent_lamports + outcome.costs.rent_paid - outcome.costs.rent_returned,
        sells=position.sells + 1,
        last_trade_ns=outcome.at_ns,
        closed_ns=outcome.at_ns if is_all else None,
    )


def taken_away(position: Position, base_units: int, at_ns: int) -> Position:
    """The position after ``base_units`` have left the wallet without an order of ours: as a sale for nothing."""
    if not 0 < base_units <= position.base_units:
        raise LedgerMismatch(f"{base_units} base units taken from {position.base_units} held", hint="this is a bug")
    is_all = base_units == position.base_units
    share = position.cost_lamports if is_all else position.cost_lamports * base_units // position.base_units
    return replace(
        position,
        base_units=position.base_units - base_units,
        cost_lamports=position.cost_lamports - share,
        realised_lamports=position.realised_lamports - share,
        closed_ns=at_ns if is_all else None,
    )


class PositionBook:
    """The latest round of every pool and all rounds before it.

    ``recall`` tells the latest stored round of a pool, for a book that has taken over the open rounds only: the closed
    ones of years are looked up when their pool comes up again.
    """

    def __init__(self, recall: Callable[[str], Position | None] | None = None) -> None:
        self._latest: dict[str, Position] = {}
        self._closed: list[Position] = []
        self._recall = recall
        self._asked: set[str] = set()

    def open_round(self, pool: str) -> Position | None:
        """The open position in a pool."""
        position = self._round(pool)
        return position if position and position.is_open else None

    def last_closed_ns(self, pool: str) -> int | None:
        """When the latest round of a pool ended; None while it is open or without one."""
        position = self._round(pool)
        return position.closed_ns if position else None

    def _round(self, pool: str) -> Position | None:
        if self._recall is not None and pool not in self._latest and pool not in self._asked:
            self._asked.add(pool)
            stored = self._recall(pool)
            if stored is not None:
                self._latest[pool] = stored
        return self._latest.get(pool)

    def next_round(self, pool: str) -> int:
        """The number that a new round in a pool gets."""
        latest = self._round(pool)
        return 1 if latest is None else latest.round + 1

    def open_positions(self) -> list[Position]:
        """Open positions in order of opening."""
        held = [position for position in self._latest.values() if position.is_open]
        return sorted(held, key=lambda position: (position.opened_ns, position.pool))

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
        self._latest[position.pool] = position
        if not position.is_open:
            self._closed.append(position)

    def book(self, order: Order, outcome: Filled, name: str = "") -> Position:
        """Book a fill and return the position it changed. Raises LedgerMismatch for a sale of what is not held."""
        quote, current = outcome.executed, self.open_round(order.pool)
        if isinstance(quote, BuyQuote):
            fresh = Position(order.pool, order.mint, self.next_round(order.pool), outcome.at_ns, name=name)
            changed = bought(current or fresh, quote, outcome)
        elif current is None:
            raise LedgerMismatch("a sale without a position", hint="this is a bug: keep the database and report it")
        else:
            changed = sold(current, quote, outcome)
        self._latest[order.pool] = changed
        if not changed.is_open:
            self._closed.append(changed)
        return changed
