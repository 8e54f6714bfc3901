"""Lots: what each purchase has become, first in, first out. The view of a tax office; positions keep the average cost.

Lots are counted by mint and wallet, over all pools and rounds: a token knows nothing of the pool that it came from.
Their units are those that positions hold. Tokens that came in from outside have no lot, since nobody knows what they
cost, until their owner adopts them at a cost; until then they leave first, at a cost of nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import LedgerMismatch
from pumpswap.model import SOL, Adoption, LedgerEntry
from pumpswap.portfolio.derive import OrderOf, replay, swap_lamports
from pumpswap.portfolio.movements import Departure, Movement, departures

__all__ = ["Lot", "LotBook", "LotEnd", "TaxLot", "tax_lots_of"]


class LotEnd(Enum):
    """How units left their lot."""

    SOLD = "sold"  # by an order of ours
    MANUAL_SELL = "manual sell"
    LEFT = "left"  # without a price: sent away, burnt, taxed by the token
    HELD = "held"  # not yet


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of one purchase. The cost is all that was paid, fees and transaction costs in, rent apart."""

    mint: str
    pool: str
    acquired_ns: int
    base_units: int
    cost_lamports: int
    order_id: str = ""  # empty: adopted
    signature: str = ""


@dataclass(frozen=True, slots=True)
class TaxLot:
    """Units of one lot that left together, or are held still (``disposed_ns`` is None, proceeds are 0).

    ``acquired_ns`` is None for tokens from outside that left before anybody adopted them; their cost is 0.
    ``acquired_order_id`` is empty for those and for adopted ones, ``disposed_order_id`` for what no order sold.
    Proceeds are what came in after all fees and transaction costs; rent is no part of anything here.
    """

    kind: LotEnd
    mint: str
    base_units: int
    cost_lamports: int
    proceeds_lamports: int = 0
    acquired_ns: int | None = None
    acquired_pool: str = ""
    acquired_order_id: str = ""
    acquired_signature: str = ""
    disposed_ns: int | None = None
    disposed_pool: str = ""
    disposed_order_id: str = ""
    disposed_signature: str = ""

    @property
    def gain_lamports(self) -> int | None:
        """Proceeds over cost; None while it is held."""
        return None if self.disposed_ns is None else self.proceeds_lamports - self.cost_lamports

    @property
    def held_seconds(self) -> int | None:
        """How long it was held, as far as both ends are known."""
        if self.disposed_ns is None or self.acquired_ns is None:
            return None
        return (self.disposed_ns - self.acquired_ns) // NS_PER_SECOND


def tax_lots_of(
    entries: Iterable[LedgerEntry], order_of: OrderOf, adoptions: Iterable[Adoption] = ()
) -> Iterator[TaxLot]:
    """Every disposal in the order in which it happened, then what is held. Errors as of ``derive_positions``.

    The costs of all rows together are all that was ever paid for tokens, plus the named costs of adopted ones.
    """
    book = LotBook(order_of)
    for step in replay(entries, adoptions):
        yield from book.take(step)
    yield from book.held()


class LotBook:
    """Open lots, oldest first. Books one movement at a time."""

    def __init__(self, order_of: OrderOf) -> None:
        self._order_of = order_of
        self._lots: dict[str, deque[Lot]] = {}
        self._balances: dict[str, int] = {}

    def open_lots(self, mint: str) -> tuple[Lot, ...]:
        """What is left of the purchases of one mint, oldest first."""
        return tuple(self._lots.get(mint, ()))

    def held(self) -> Iterator[TaxLot]:
        """All open lots, by mint."""
        for mint in sorted(self._lots):
            for lot in self._lots[mint]:
                yield _row(lot, lot.base_units, lot.cost_lamports, TaxLot(LotEnd.HELD, mint, 0, 0))

    def take(self, step: Movement | Adoption) -> list[TaxLot]:
        """Book one step: what it disposed of. Raises LedgerMismatch."""
        if isinstance(step, Adoption):
            self._add(Lot(step.mint, step.pool, step.at_ns, step.base_units, step.cost_lamports))
            return []
        for entry in step.entries:
            if entry.asset != SOL:
                self._balances[entry.asset] = self._balances.get(entry.asset, 0) + entry.units
        rows = self._filled(step, step.traded) if step.traded is not None else []
        for departure in departures(step):
            rows += self._left(departure, step.first)
        return rows

    def _filled(self, movement: Movement, traded: LedgerEntry) -> list[TaxLot]:
        order = self._order_of(traded.order_id)
        if order is None:
            raise LedgerMismatch(
                f"ledger entry {traded.sequence} belongs to order {traded.order_id!r}, which is not known",
                hint="run `pumpswap ledger check`, and restore the database from a backup",
            )
        mint, lamports = traded.asset, swap_lamports(movement)
        if traded.units > 0:
            lot = Lot(mint, order[0], traded.at_ns, traded.units, -lamports, traded.order_id, traded.signature)
            self._add(lot)
            return []
        end = TaxLot(
            LotEnd.SOLD,
            mint,
            -traded.units,
            0,
            lamports,
            disposed_ns=traded.at_ns,
            disposed_pool=order[0],
            disposed_order_id=traded.order_id,
            disposed_signature=traded.signature,
        )
        return self._dispose(end)

    def _left(self, departure: Departure, entry: LedgerEntry) -> list[TaxLot]:
        mint, units = departure.mint, departure.base_units
        owned = sum(lot.base_units for lot in self._lots.get(mint, ()))
        excess = max(owned - self._balances.get(mint, 0), 0)
        kind = LotEnd.MANUAL_SELL if departure.is_sale else LotEnd.LEFT
        told = TaxLot(kind, mint, 0, 0, disposed_ns=entry.at_ns, disposed_signature=entry.signature)
        told = replace(told, disposed_order_id=entry.order_id)
        proceeds = departure.proceeds_of(min(excess, units))
        rows = []
        if units > excess:
            rest = departure.proceeds_lamports - proceeds
            rows.append(replace(told, base_units=units - excess, proceeds_lamports=rest))
        if excess:
            rows += self._dispose(replace(told, base_units=excess, proceeds_lamports=proceeds))
        return rows

    def _add(self, lot: Lot) -> None:
        self._lots.setdefault(lot.mint, deque()).append(lot)

    def _dispose(self, end: TaxLot) -> list[TaxLot]:
        """Take the units of ``end`` from the oldest lots. A lot that is split keeps what is left by rounding its cost
        down; the last part gets what is left of the proceeds. So nothing is lost.
        """
        lots, rows = self._lots.get(end.mint, deque()), []
        missing, left = end.base_units, end.proceeds_lamports
        while missing:
            if not lots:
                raise LedgerMismatch(
                    f"{end.base_units} units of {end.mint} left, {missing} more than were bought",
                    hint="run `pumpswap ledger check`, and restore the database from a backup",
                )
            lot = lots.popleft()
            units = min(missing, lot.base_units)
            cost = lot.cost_lamports * units // lot.base_units
            received = left if units == missing else end.proceeds_lamports * units // end.base_units
            missing, left = missing - units, left - received
            if units < lot.base_units:
                rest = replace(lot, base_units=lot.base_units - units, cost_lamports=lot.cost_lamports - cost)
                lots.appendleft(rest)
            rows.append(replace(_row(lot, units, cost, end), proceeds_lamports=received))
        if not lots:
            self._lots.pop(end.mint, None)
        return rows


def _row(lot: Lot, base_units: int, cost_lamports: int, end: TaxLot) -> TaxLot:
    return replace(
        end,
        base_units=base_units,
        cost_lamports=cost_lamports,
        acquired_ns=lot.acquired_ns,
        acquired_pool=lot.pool,
        acquired_order_id=lot.order_id,
        acquired_signature=lot.signature,
    )
