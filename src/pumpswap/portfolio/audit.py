"""Audit: stored books recounted from their first entry. Every difference is named, with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, fields

from pumpswap.errors import LedgerMismatch, StorageError
from pumpswap.model import NETWORK_COSTS, SOL, Adoption, EntryKind, EquityPoint, Filled, LedgerEntry, Order, Position
from pumpswap.portfolio.booking import moves_of
from pumpswap.portfolio.derive import PositionReplay, replay
from pumpswap.portfolio.movements import Movement, rent_in
from pumpswap.portfolio.stored import Begun, Beside, trades_of
from pumpswap.storage.history import StoredTrade
from pumpswap.storage.run import Run

__all__ = ["AuditReport", "Difference", "audit_run"]

MOST_DIFFERENCES = 1_000  # damaged books must not fill the memory
_TRIES = 5
_COMPARED = tuple(field.name for field in fields(Position) if field.name != "name")


@dataclass(frozen=True, slots=True)
class Difference:
    """``check`` is sequence, sum, balance, trade, position, replay, equity or profit; ``where`` an asset, an order or a
    pool with its round.
    """

    check: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was looked at, and every difference up to a thousand. No difference: the books are right."""

    entries: int
    movements: int
    trades: int
    rounds: int
    balances: dict[str, int]
    differences: tuple[Difference, ...]

    @property
    def is_right(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def audit_run(run: Run) -> AuditReport:
    """Recount a run: sums by asset and kind, balances at every moment, trades, positions, equity, profit and loss.

    Reads every list once; what it holds grows with what is open, with pools and with assets, not with the ledger.
    A run that goes on meanwhile is looked at as it was in the beginning. Raises StorageError for what cannot be read,
    and when the ledger grew at every one of several beginnings.
    """
    for _ in range(_TRIES):
        with closing(_Audit(run)) as audit:
            if audit.is_of_one_moment:
                return audit.report()
    raise StorageError(
        f"the ledger grew while the check began, {_TRIES} times", hint="try again, or stop the trader for the check"
    )


class _Audit:
    """One pass over one run."""

    def __init__(self, run: Run) -> None:
        before, adoptions = run.books.last(), tuple(run.owned.adoptions())
        self._entries = Begun(run.ledger())
        self._trades = trades_of(run)
        self._positions = Beside(run.positions(), lambda one: (one.pool, one.round))
        self._adoptions = adoptions
        self._stored = run.books.counted()
        self._point = run.equity.latest()
        # Somebody may trade meanwhile: what was begun at two moments cannot be compared.
        self.is_of_one_moment = (before, adoptions) == (run.books.last(), tuple(run.owned.adoptions()))
        self._books = PositionReplay(self._order_of)
        self._sums: dict[tuple[str, EntryKind], tuple[int, int]] = {}
        self._balances: dict[str, int] = {}
        self._opened: dict[tuple[str, int], Position | None] = {}
        self._found: list[Difference] = []
        self._counts = {"entries": 0, "movements": 0, "trades": 0, "rounds": 0}
        self._trade: StoredTrade | None = None
        self._is_broken = False
        self._sequence = 0
        self._rent = self._failed = self._adopted = 0
        self._profit = 0  # of stored positions: realised, less the cost of what they hold still
        self._is_point_met = self._point is None or self._is_at(self._point)

    def close(self) -> None:
        """Give the connections back."""
        for reader in (self._entries, self._trades, self._positions):
            reader.close()

    def report(self) -> AuditReport:
        """Read everything."""
        for step in replay(self._entries, self._adoptions):
            if isinstance(step, Movement):
                self._count(step)
            if not self._is_broken:
                self._take(step)
        if not self._is_broken:
            self._end()
        self._check_point()
        self._check_sums()
        return AuditReport(**self._counts, balances=self._held(), differences=tuple(self._found))

    # ------------------------------------------------------------------------------------------ one step

    def _take(self, step: Movement | Adoption) -> None:
        """Book it again. What no books can hold ends the comparison of positions; the counting goes on."""
        if isinstance(step, Adoption):
            self._adopted += step.cost_lamports
        try:
            changed = self._books.take(step)
        except LedgerMismatch as mismatch:
            self._is_broken = True
            self._differs("replay", f"entry {self._counts['entries']}", mismatch.what)
            return
        for position in changed:
            self._see(position)
        if isinstance(step, Movement) and step.traded is not None:
            self._check_trade(step)

    def _count(self, movement: Movement) -> None:
        self._counts["movements"] += 1
        for entry in movement.entries:
            self._counts["entries"] += 1
            self._sequence += 1
            if entry.sequence != self._sequence:
                text = f"entry {entry.sequence} came where {self._sequence} is next"
                self._differs("sequence", f"entry {entry.sequence}", text)
                self._sequence = entry.sequence
            units, count = self._sums.get((entry.asset, entry.kind), (0, 0))
            self._sums[entry.asset, entry.kind] = (units + entry.units, count + 1)
            self._balances[entry.asset] = self._balances.get(entry.asset, 0) + entry.units
        for asset in {entry.asset for entry in movement.entries}:
            if self._balances[asset] < 0:
                self._differs("balance", asset, f"{self._balances[asset]} after entry {movement.last_sequence}")
        self._rent += rent_in(movement.entries)
        if movement.traded is None:
            self._failed -= sum(entry.units for entry in movement.entries if entry.kind in NETWORK_COSTS)
        if self._point is not None and not self._is_point_met:
            self._is_point_met = self._is_at(self._point)

    def _order_of(self, order_id: str) -> tuple[str, str, str] | None:
        self._trade = self._trades.take(order_id)
        if self._trade is None:
            return None
        self._counts["trades"] += 1
        return self._trade.order.pool, self._trade.order.mint, ""

    def _check_trade(self, movement: Movement) -> None:
        """The entries of an order are the amounts of its trade, each under its own kind."""
        if self._trade is None:
            return
        order, filled = self._trade.order, self._trade.filled
        booked = _by_kind(entry for entry in movement.entries if entry.kind is not EntryKind.FOREIGN)
        traded = _of_trade(order, filled)
        for asset, kind in sorted(booked.keys() | traded.keys(), key=lambda key: (key[0], key[1].value)):
            units, told = booked.get((asset, kind), 0), traded.get((asset, kind), 0)
            if units != told:
                text = f"{kind.value} of {asset}: ledger {units}, trade {told}"
                self._differs("trade", order.order_id, text)
        first = movement.first
        if (first.at_ns, first.slot, first.signature) != (filled.at_ns, filled.slot, filled.signature):
            text = f"ledger {first.at_ns}/{first.slot}/{first.signature}, trade {filled.at_ns}/{filled.slot}/"
            self._differs("trade", order.order_id, text + filled.signature)

    def _see(self, position: Position) -> None:
        """Take the stored round when it is opened, compare it when it is over."""
        key = (position.pool, position.round)
        if key not in self._opened:
            self._counts["rounds"] += 1
            self._opened[key] = self._positions.take(key)
        if not position.is_open:
            self._compare(position, self._opened.pop(key))

    # ------------------------------------------------------------------------------------------ the end

    def _end(self) -> None:
        for position in self._books.open_positions():
            self._compare(position, self._opened.pop((position.pool, position.round)))
        for position in self._positions.rest():
            self._differs("position", _name_of(position), "stored, but nothing in the ledger makes it")
        for trade in self._trades.rest():
            self._differs("trade", trade.order.order_id, "stored, but the ledger has no entries of it")
        self._check_profit()

    def _compare(self, derived: Position, stored: Position | None) -> None:
        if stored is None:
            self._differs("position", _name_of(derived), "made by the ledger, but not stored")
            return
        self._profit += stored.realised_lamports - stored.cost_lamports
        differing = [name for name in _COMPARED if getattr(stored, name) != getattr(derived, name)]
        if differing:
            pairs = (f"{name} stored {getattr(stored, name)}, derived {getattr(derived, name)}" for name in differing)
            self._differs("position", _name_of(derived), "; ".join(pairs))

    def _check_point(self) -> None:
        if self._point is not None and not self._is_point_met:
            text = f"cash {self._point.cash_lamports} and rent {self._point.rent_lamports} of the newest equity, at"
            self._differs("equity", SOL, f"{text} {self._point.at_ns}, are no state of the ledger")

    def _check_profit(self) -> None:
        """Cash and rent are what came in, plus what was realised, less what is still invested and what failed."""
        total = self._total
        put_in = total(EntryKind.DEPOSIT) + total(EntryKind.WITHDRAWAL)
        others = total(EntryKind.FOREIGN) - self._books.sold_by_hand_lamports + self._adopted
        explained = put_in + others + self._profit - self._failed
        there = self._balances.get(SOL, 0) + self._rent
        if there != explained:
            text = f"cash and rent are {there}, what was put in, earned, invested and lost to costs makes {explained}"
            self._differs("profit", SOL, text)

    def _check_sums(self) -> None:
        for asset, kind in sorted(self._sums.keys() | self._stored.keys(), key=lambda key: (key[0], key[1].value)):
            counted, stored = self._sums.get((asset, kind), (0, 0)), self._stored.get((asset, kind), (0, 0))
            if counted != stored:
                text = f"{kind.value}: stored {stored[0]} in {stored[1]} entries, counted {counted[0]} in {counted[1]}"
                self._differs("sum", asset, text)

    # ------------------------------------------------------------------------------------------ helpers

    def _total(self, kind: EntryKind) -> int:
        return self._sums.get((SOL, kind), (0, 0))[0]

    def _held(self) -> dict[str, int]:
        return {asset: units for asset, units in sorted(self._balances.items()) if units}

    def _is_at(self, point: EquityPoint) -> bool:
        return (self._balances.get(SOL, 0), self._rent) == (point.cash_lamports, point.rent_lamports)

    def _differs(self, check: str, where: str, text: str) -> None:
        if len(self._found) < MOST_DIFFERENCES:
            self._found.append(Difference(check, where, text))


def _by_kind(entries: Iterator[LedgerEntry]) -> dict[tuple[str, EntryKind], int]:
    sums: dict[tuple[str, EntryKind], int] = {}
    for entry in entries:
        sums[entry.asset, entry.kind] = sums.get((entry.asset, entry.kind), 0) + entry.units
    return sums


def _of_trade(order: Order, filled: Filled) -> dict[tuple[str, EntryKind], int]:
    sums: dict[tuple[str, EntryKind], int] = {}
    for asset, units, kind in moves_of(order, filled):
        sums[asset, kind] = sums.get((asset, kind), 0) + units
    return sums


def _name_of(position: Position) -> str:
    return f"{position.pool} round {position.round}"
