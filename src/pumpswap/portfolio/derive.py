"""Positions from the ledger alone: what the books must hold if every entry was booked as it should be.

Everything of a position follows from the entries and the adoptions but its pool, which the order knows, and its name,
which is for people only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pumpswap.errors import LedgerMismatch
from pumpswap.model import SOL, Adoption, EntryKind, LedgerEntry, Position
from pumpswap.portfolio.movements import RENT_KINDS, Departure, Movement, departures, movements, rent_in
from pumpswap.portfolio.positions import adopted, bought, cut_down, in_order, sold

__all__ = ["OrderOf", "PositionReplay", "derive_positions", "replay", "swap_lamports"]

# (pool, mint, name) of an order that has filled; None for one that is not known.
OrderOf = Callable[[str], tuple[str, str, str] | None]
_NOT_THE_SWAP = RENT_KINDS | {EntryKind.FOREIGN}


def derive_positions(
    entries: Iterable[LedgerEntry], order_of: OrderOf, adoptions: Iterable[Adoption] = ()
) -> list[Position]:
    """All rounds of all positions, closed ones first as they were closed, then the open ones in order of opening.

    ``entries`` in sequence, ``adoptions`` in the order in which they were made. Raises LedgerMismatch for entries that
    no books of ours can hold: a sale of what is not there, a fill of an order that nobody knows.
    """
    books, closed = PositionReplay(order_of), []
    for step in replay(entries, adoptions):
        closed += [position for position in books.take(step) if not position.is_open]
    return closed + books.open_positions()


def replay(entries: Iterable[LedgerEntry], adoptions: Iterable[Adoption] = ()) -> Iterator[Movement | Adoption]:
    """Movements and adoptions in the order in which they happened."""
    waiting = iter(adoptions)
    following = next(waiting, None)
    for movement in movements(entries):
        while following is not None and following.after_sequence < movement.first.sequence:
            yield following
            following = next(waiting, None)
        yield movement
    if following is not None:
        yield following
        yield from waiting


def swap_lamports(movement: Movement) -> int:
    """What the fill of an order has changed of SOL, all fees and costs in; rent and what is foreign left out."""
    return movement.lamports(without=_NOT_THE_SWAP)


class PositionReplay:
    """Books movements again, one at a time. Holds the open positions and the number of the last round of each pool."""

    def __init__(self, order_of: OrderOf) -> None:
        self.sold_by_hand_lamports = 0  # proceeds of sales by hand that positions were given
        self._order_of = order_of
        self._open: dict[str, Position] = {}
        self._rounds: dict[str, int] = {}
        self._balances: dict[str, int] = {}

    def open_positions(self) -> list[Position]:
        """Open positions in order of opening."""
        return in_order(self._open.values())

    def take(self, step: Movement | Adoption) -> list[Position]:
        """Book one step: the positions that it changed, as they are now. Raises LedgerMismatch."""
        if isinstance(step, Adoption):
            position = adopted(step, self._next_round(step.pool))
            self._keep(position)
            return [position]
        for entry in step.entries:
            if entry.asset != SOL:
                self._balances[entry.asset] = self._balances.get(entry.asset, 0) + entry.units
        changed = [self._filled(step, step.traded)] if step.traded is not None else []
        for departure in departures(step):
            changed += self._cut(departure, step.first.at_ns)
        return changed

    def _filled(self, movement: Movement, traded: LedgerEntry) -> Position:
        order = self._order_of(traded.order_id)
        if order is None or order[1] != traded.asset:
            raise LedgerMismatch(
                f"ledger entry {traded.sequence} trades {traded.asset} for order {traded.order_id!r},"
                f" which is {'not known' if order is None else f'an order of {order[1]}'}",
                hint="the ledger and the orders contradict each other: restore the database from a backup",
            )
        pool, mint, name = order
        lamports, rent, at_ns = swap_lamports(movement), rent_in(movement.entries), traded.at_ns
        current = self._open.get(pool)
        if traded.units > 0:
            position = current or Position(pool, mint, self._next_round(pool), at_ns, name=name)
            changed = bought(position, traded.units, paid_lamports=-lamports, rent_lamports=rent, at_ns=at_ns)
        elif current is None:
            raise LedgerMismatch(
                f"ledger entry {traded.sequence} sells in {pool}, where nothing is held",
                hint="the ledger is not complete: restore the database from a backup",
            )
        else:
            changed = sold(current, -traded.units, received_lamports=lamports, rent_lamports=rent, at_ns=at_ns)
        self._keep(changed)
        return changed

    def _cut(self, departure: Departure, at_ns: int) -> list[Position]:
        held = [position for position in self._open.values() if position.mint == departure.mint]
        before = {position.pool: position.sold_lamports for position in held}
        changed = cut_down(held, self._balances.get(departure.mint, 0), departure, at_ns)
        for position in changed:
            self.sold_by_hand_lamports += position.sold_lamports - before[position.pool]
            self._keep(position)
        return changed

    def _next_round(self, pool: str) -> int:
        if pool in self._open:
            raise LedgerMismatch(
                f"a round was opened in {pool} while another was open",
                hint="the stored adoptions contradict the ledger: restore the database from a backup",
            )
        return self._rounds.get(pool, 0) + 1

    def _keep(self, position: Position) -> None:
        self._rounds[position.pool] = position.round
        if position.is_open:
            self._open[position.pool] = position
        else:
            self._open.pop(position.pool, None)
