"""Portfolio: ledger, positions and marks of one run, kept in step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pumpswap.amm import BuyQuote
from pumpswap.errors import LedgerMismatch, UsageError
from pumpswap.model import (
    SOL,
    Adoption,
    Chore,
    ChoreResult,
    EntryKind,
    EquityPoint,
    Filled,
    ForeignEvent,
    LedgerEntry,
    Mark,
    Order,
    Outcome,
    Position,
    RealisedGain,
    Rejected,
    gain_between,
)
from pumpswap.portfolio.booking import moves_of, moves_of_chore, moves_of_event
from pumpswap.portfolio.ledger import Ledger, Move
from pumpswap.portfolio.movements import Movement, capital_in, departures, rent_in
from pumpswap.portfolio.positions import PositionBook, adopted, cut_down
from pumpswap.portfolio.valuation import after_sale, value_by

__all__ = ["Portfolio"]


class Portfolio:
    """Books outcomes. Reads are cheap, writes return what changed so that it can be stored.

    A write that raises has changed nothing. ``put_in_lamports`` is what the owner has put in, less what he has taken
    out: deposits and withdrawals, the named costs of adopted tokens, and the SOL of what he traded by hand with tokens
    of no position. Equity less this is what was earned.
    """

    def __init__(self, ledger: Ledger | None = None, positions: PositionBook | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.positions = positions or PositionBook()
        self.marks: dict[str, Mark] = {}
        self.rent_lamports = 0
        self.put_in_lamports = 0

    def deposit(self, lamports: int, at_ns: int) -> list[LedgerEntry]:
        """Play money, or later real money, arrives."""
        return self._post([(SOL, lamports, EntryKind.DEPOSIT)], at_ns, slot=0)

    def begin(self, moves: Iterable[Move], at_ns: int, slot: int) -> list[LedgerEntry]:
        """What a wallet holds when its books begin."""
        return self._post(moves, at_ns, slot=slot)

    def book(self, order: Order, outcome: Outcome, name: str = "") -> tuple[list[LedgerEntry], Position | None]:
        """Book an outcome: (new entries, changed position). Outcomes that moved nothing change nothing."""
        if not isinstance(outcome, Filled | Rejected):
            return [], None
        before = self.positions.open_round(order.pool)
        position = self.positions.after(order, outcome, name) if isinstance(outcome, Filled) else None
        entries = self._post_for(order, outcome, moves_of(order, outcome))
        if position is not None:
            self._take_over(position)
            mark = self.marks.get(order.pool)
            if before is not None and mark is not None and isinstance(outcome, Filled):
                self.marks[order.pool] = after_sale(mark, before, position, outcome)
        return entries, position

    def book_remainder(
        self, order: Order, outcome: Outcome, foreign: Mapping[str, int]
    ) -> tuple[list[LedgerEntry], list[Position]]:
        """Book what the transaction of a booked order changed besides: (new entries, positions that were cut).

        ``foreign`` is signed units by asset. Tokens that are gone (a tax on transfers) leave at no price.
        """
        moves = [(asset, units, EntryKind.FOREIGN) for asset, units in sorted(foreign.items())]
        entries = self._post_for(order, outcome, moves)
        return entries, self._cut(entries)

    def book_foreign(self, event: ForeignEvent) -> tuple[list[LedgerEntry], list[Position]]:
        """Book a transaction that is none of ours: (new entries, positions that were cut).

        Tokens that left are taken from what no position holds first, then from the positions, the newest round first:
        for the SOL of a sale by hand, else at no price. Tokens that came in belong to no position until they are
        adopted.
        """
        entries = self._post(
            moves_of_event(event),
            event.at_ns,
            slot=event.slot,
            signature=event.signature,
            note=event.kind.value,
        )
        return entries, self._cut(entries)

    def book_chore(self, chore: Chore, result: ChoreResult, foreign_lamports: int = 0) -> list[LedgerEntry]:
        """Book what upkeep of the wallet has done and cost."""
        moves = [*moves_of_chore(chore, result), (SOL, foreign_lamports, EntryKind.FOREIGN)]
        return self._post(moves, result.at_ns, slot=result.slot, order_id=chore.order_id, signature=result.signature)

    def adopt(self, adoption: Adoption, name: str = "") -> Position:
        """Open a position of tokens that came from outside, at the cost that their owner names.

        Raises UsageError when the pool has an open round or the wallet has not that many tokens which no position
        holds, LedgerMismatch when the adoption was made for another state of the ledger.
        """
        if adoption.base_units <= 0 or adoption.cost_lamports < 0:
            raise UsageError(
                f"{adoption.base_units} base units at a cost of {adoption.cost_lamports} lamports",
                hint="adopt at least one unit, at a cost of 0 or more",
            )
        if self.positions.open_round(adoption.pool) is not None:
            raise UsageError(f"pool {adoption.pool} has an open position", hint="close it, or adopt into another pool")
        free = self.free_units(adoption.mint)
        if adoption.base_units > free:
            raise UsageError(
                f"{adoption.base_units} base units of {adoption.mint} to adopt, {free} belong to no position",
                hint="run `pumpswap reconcile` to book what has come in, then adopt at most that many",
            )
        if adoption.after_sequence != self.ledger.last_sequence:
            raise LedgerMismatch(
                f"adopted after ledger entry {adoption.after_sequence}, the ledger is at {self.ledger.last_sequence}",
                hint="read the books again and repeat the adoption",
            )
        position = adopted(adoption, self.positions.next_round(adoption.pool), name)
        self._take_over(position)
        self.put_in_lamports += adoption.cost_lamports
        return position

    def gain_of(self, order: Order, outcome: Outcome) -> RealisedGain | None:
        """What an outcome that is not booked yet realises; None for what is no sale, or sells what is not held."""
        if not isinstance(outcome, Filled) or isinstance(outcome.executed, BuyQuote):
            return None
        held = self.positions.open_round(order.pool)
        if held is None or outcome.executed.base_in > held.base_units:
            return None
        return gain_between(held, self.positions.after(order, outcome))

    def free_units(self, mint: str) -> int:
        """Base units in the wallet that no position holds."""
        return self.ledger.balance(mint) - sum(position.base_units for position in self.positions.of_mint(mint))

    def mark(self, mark: Mark) -> None:
        """Take over the newest mark of a pool's position."""
        self.marks[mark.pool] = mark

    @property
    def cash(self) -> int:
        """Lamports in the wallet according to the ledger."""
        return self.ledger.balance(SOL)

    @property
    def exposure(self) -> int:
        """Cost of everything that is held."""
        return sum(position.cost_lamports for position in self.positions.held())

    def equity_at(self, at_ns: int) -> EquityPoint:
        """Equity by the latest marks. What was traded after its mark counts too: books may be ahead of those who mark,
        and money that has just become a position is not lost, nor there twice.
        """
        marks = self.marks
        marked = sum(value_by(marks.get(position.pool), position) for position in self.positions.held())
        return EquityPoint(at_ns, self.cash, marked, self.rent_lamports, self.put_in_lamports)

    # ------------------------------------------------------------------------------------------ helpers

    def _post_for(self, order: Order, outcome: Outcome, moves: Iterable[Move]) -> list[LedgerEntry]:
        signature, slot = getattr(outcome, "signature", ""), getattr(outcome, "slot", 0)
        return self._post(moves, outcome.at_ns, slot=slot, order_id=order.order_id, signature=signature)

    def _post(
        self, moves: Iterable[Move], at_ns: int, *, slot: int, order_id: str = "", signature: str = "", note: str = ""
    ) -> list[LedgerEntry]:
        entries = self.ledger.post(moves, at_ns, slot=slot, order_id=order_id, signature=signature, note=note)
        self.rent_lamports += rent_in(entries)
        self.put_in_lamports += capital_in(entries)
        return entries

    def _cut(self, entries: list[LedgerEntry]) -> list[Position]:
        changed: list[Position] = []
        for departure in departures(Movement(tuple(entries))) if entries else ():
            held, balance = self.positions.of_mint(departure.mint), self.ledger.balance(departure.mint)
            cut = cut_down(held, balance, departure, entries[0].at_ns)
            before = {position.pool: position.sold_lamports for position in held}
            # What positions were given is theirs, and nothing that was put in.
            self.put_in_lamports -= sum(position.sold_lamports - before[position.pool] for position in cut)
            changed += cut
        for position in changed:
            self._take_over(position)
        return changed

    def _take_over(self, position: Position) -> None:
        self.positions.take_over(position)
        if not position.is_open:
            self.marks.pop(position.pool, None)
