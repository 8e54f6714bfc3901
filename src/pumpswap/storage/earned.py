"""Earned: what the books of one run say of its earnings, read from one moment without the documents of its trades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import CompoundSelect, Connection, Select, and_, case, func, or_, select, union

from pumpswap.errors import StorageError
from pumpswap.model import NETWORK_COSTS, OWN_MONEY, SOL, Adoption, EntryKind, EquityPoint, ForeignKind, LedgerEntry
from pumpswap.model.booked import BookedFill, BookedMove, StoredRound
from pumpswap.storage import rows
from pumpswap.storage.connections import Connections
from pumpswap.storage.equity import COLUMNS as EQUITY_COLUMNS
from pumpswap.storage.tables import (
    ADOPTIONS,
    BALANCES,
    CHORES,
    DECISIONS,
    EQUITY,
    LEDGER,
    ORDERS,
    POSITIONS,
    TRADES,
    StoredRow,
)

__all__ = ["Earned", "EarnedRows"]

_FOREIGN = EntryKind.FOREIGN.value
_OWN_MONEY = tuple(kind.value for kind in OWN_MONEY)
_BY_HAND = (ForeignKind.MANUAL_BUY.value, ForeignKind.MANUAL_SELL.value)
_ROWS_AT_ONCE = 250  # fewer than the garbage collector lets pass before it looks at them
_SKEW_NS = 3_600 * 10**9  # more than a block's time is ever off
_FILL = (
    *(TRADES.c.order_id, TRADES.c.at_ns, TRADES.c.pair_address, TRADES.c.mint_address, TRADES.c.action == "buy"),
    *(TRADES.c.base_units, TRADES.c.quote_lamports, TRADES.c.lp_fee_lamports, TRADES.c.protocol_fee_lamports),
    *(TRADES.c.creator_fee_lamports, TRADES.c.cashback_lamports, TRADES.c.network_fee_lamports),
    *(TRADES.c.priority_fee_lamports, TRADES.c.tip_lamports),
    TRADES.c.rent_paid_lamports - TRADES.c.rent_returned_lamports,
    *(func.coalesce(DECISIONS.c.strategy, ""), func.coalesce(DECISIONS.c.exit_kind, "")),
)


@dataclass(frozen=True, slots=True)
class EarnedRows:
    """What was booked, in the order in which it was. ``fills`` are those from ``since_ns`` on, and all earlier ones of
    mints of which a round went on then, so that its cost is known; ``moves`` are of all the time.

    ``moved`` are all entries of the movements of mints that somebody else has moved too (``moved_mints``), in sequence.
    ``rounds`` tells what is stored by pool and number, of rounds that were not over at ``since_ns``;
    ``first_rounds`` the number of the first round of a pool in ``fills``, where that is not 1. ``equity`` is led by the
    last point before ``since_ns``. ``balance_lamports`` is the ledger's sum of SOL, ``first_ns`` the time of its first
    entry.
    """

    since_ns: int
    fills: list[BookedFill]
    moves: list[BookedMove]
    moved_mints: frozenset[str]
    moved: list[LedgerEntry]
    adoptions: list[Adoption]
    rounds: dict[tuple[str, int], StoredRound]
    first_rounds: dict[str, int]
    equity: list[EquityPoint]
    balance_lamports: int
    first_ns: int | None


class Earned:
    """Reader of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def read(self, since_ns: int, until_ns: int) -> EarnedRows:
        """Everything, from one moment of the database: a trader may go on meanwhile. As quick as the time has trades
        and open rounds, however much was traded before it.
        """
        with self._connections.reading() as connection:
            try:
                return self._read(connection, max(since_ns, 0), until_ns)
            except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
                raise StorageError(
                    f"a stored row cannot be read: {error!r}", hint="something else than pumpswap has written it"
                ) from error

    def put_in_lamports(self) -> int:
        """What its owner has put in so far, less what he has taken out: see ``Portfolio.put_in_lamports``. As quick as
        little was traded by hand.
        """
        own = select(BALANCES.c.units).where(
            BALANCES.c.run_id == self._run_id, BALANCES.c.asset == SOL, BALANCES.c.kind.in_(_OWN_MONEY)
        )
        named = select(ADOPTIONS.c.cost_lamports).where(ADOPTIONS.c.run_id == self._run_id)
        by_hand = select(LEDGER.c.asset, LEDGER.c.kind, LEDGER.c.units, LEDGER.c.note).where(
            LEDGER.c.run_id == self._run_id, LEDGER.c.order_id.is_(None), LEDGER.c.note.in_(_BY_HAND)
        )
        with self._connections.reading() as connection:
            total = int(sum(connection.execute(own).scalars()) + sum(connection.execute(named).scalars()))
            traded = [row for row in connection.execute(by_hand) if row.kind == _FOREIGN]
            sold = {row.asset for row in traded if row.note == ForeignKind.MANUAL_SELL.value and row.asset != SOL}
            total += sum(int(row.units) for row in traded if row.asset == SOL)
            return total - (self._given(connection, sold) if sold else 0)

    def _given(self, connection: Connection, mints: set[str]) -> int:
        """What positions of these mints were given of sales by hand: all that they have sold for, but by orders."""
        sold = select(POSITIONS.c.sold_lamports).where(
            POSITIONS.c.run_id == self._run_id, POSITIONS.c.mint_address.in_(mints)
        )
        spent = TRADES.c.network_fee_lamports + TRADES.c.priority_fee_lamports + TRADES.c.tip_lamports
        ordered = select(TRADES.c.quote_lamports - spent).where(
            TRADES.c.run_id == self._run_id, TRADES.c.action == "sell", TRADES.c.mint_address.in_(mints)
        )
        return int(sum(connection.execute(sold).scalars()) - sum(connection.execute(ordered).scalars()))

    def _read(self, connection: Connection, since_ns: int, until_ns: int) -> EarnedRows:
        unordered = [rows.entry_of(row) for row in connection.execute(self._entries(LEDGER.c.order_id.is_(None)))]
        query = select(ADOPTIONS).where(ADOPTIONS.c.run_id == self._run_id).order_by(ADOPTIONS.c.id)
        adoptions = [_adoption_of(row) for row in connection.execute(query)]
        moved = self._moved(connection, unordered)
        rounds, first_rounds = self._rounds(connection, since_ns)
        balance = select(BALANCES.c.units).where(BALANCES.c.run_id == self._run_id, BALANCES.c.asset == SOL)
        return EarnedRows(
            since_ns=since_ns,
            fills=self._fills(connection, since_ns),
            moves=self._moves(connection, unordered),
            moved_mints=_foreign_mints(moved) | {adoption.mint for adoption in adoptions},
            moved=moved,
            adoptions=adoptions,
            rounds=rounds,
            first_rounds=first_rounds,
            equity=self._equity(connection, since_ns, until_ns),
            balance_lamports=sum(connection.execute(balance).scalars()),
            first_ns=connection.execute(
                select(func.min(LEDGER.c.at_ns)).where(LEDGER.c.run_id == self._run_id)
            ).scalar_one(),
        )

    def _fills(self, connection: Connection, since_ns: int) -> list[BookedFill]:
        ordered = and_(ORDERS.c.run_id == TRADES.c.run_id, ORDERS.c.order_id == TRADES.c.order_id)
        decided = and_(DECISIONS.c.run_id == ORDERS.c.run_id, DECISIONS.c.decision_id == ORDERS.c.decision_id)
        quote = ORDERS.c.quote if since_ns == 0 else case((TRADES.c.at_ns >= since_ns, ORDERS.c.quote))
        beside = TRADES.join(ORDERS, ordered).outerjoin(DECISIONS, decided)
        query = select(TRADES.c.id, *_FILL, quote).select_from(beside).where(TRADES.c.run_id == self._run_id)
        found = list(_taken(connection, query.where(TRADES.c.at_ns >= since_ns)))
        if since_ns > 0:
            orders = self._orders_of(union(self._going_on(since_ns), *self._moved_mints()))
            before = _taken(connection, query.where(TRADES.c.order_id.in_(orders)))
            found += [pair for pair in before if pair[1].at_ns < since_ns]
        return [fill for _, fill in sorted(found, key=itemgetter(0))]

    def _going_on(self, since_ns: int) -> Select[Any]:
        """Mints of which a round was open at a moment. Blocks tell their time late or early, so a little around it."""
        return select(POSITIONS.c.mint_address).where(
            POSITIONS.c.run_id == self._run_id,
            POSITIONS.c.opened_ns < since_ns + _SKEW_NS,
            or_(POSITIONS.c.closed_ns.is_(None), POSITIONS.c.closed_ns >= since_ns - _SKEW_NS),
        )

    def _moves(self, connection: Connection, unordered: list[LedgerEntry]) -> list[BookedMove]:
        """Lamports of no fill, in sequence."""
        found = [
            (one.sequence, _move(one.at_ns, one.kind.value, one.units, _by(one)))
            for one in unordered
            if one.asset == SOL
        ]
        foreign = sum(move.kind == _FOREIGN for _, move in found)
        columns = (LEDGER.c.sequence, LEDGER.c.at_ns, LEDGER.c.asset, LEDGER.c.kind, LEDGER.c.units)
        failed = select(ORDERS.c.order_id).where(ORDERS.c.run_id == self._run_id, ORDERS.c.status == "rejected")
        chores = select(CHORES.c.order_id).where(CHORES.c.run_id == self._run_id)
        for by, orders in (("failed", failed), ("upkeep", chores)):
            query = select(*columns).where(LEDGER.c.run_id == self._run_id, LEDGER.c.order_id.in_(orders))
            found += [
                (row.sequence, _move(row.at_ns, row.kind, row.units, by))
                for row in connection.execute(query)
                if row.asset == SOL and row.kind != _FOREIGN
            ]
        counted = select(BALANCES.c.entries).where(
            BALANCES.c.run_id == self._run_id, BALANCES.c.asset == SOL, BALANCES.c.kind == _FOREIGN
        )
        # Lamports that came along with an order of ours have no index: they are looked for where there are some.
        if sum(connection.execute(counted).scalars()) > foreign:
            query = select(*columns).where(
                LEDGER.c.run_id == self._run_id,
                LEDGER.c.asset == SOL,
                LEDGER.c.kind == _FOREIGN,
                LEDGER.c.order_id.is_not(None),
            )
            found += [(row.sequence, _move(row.at_ns, row.kind, row.units)) for row in connection.execute(query)]
        return [move for _, move in sorted(found, key=lambda pair: pair[0])]

    def _moved_mints(self) -> tuple[Select[Any], Select[Any]]:
        """Mints that moved by no order of ours, or were adopted."""
        balances = select(BALANCES.c.asset).where(
            BALANCES.c.run_id == self._run_id, BALANCES.c.kind == _FOREIGN, BALANCES.c.asset != SOL
        )
        return balances, select(ADOPTIONS.c.mint).where(ADOPTIONS.c.run_id == self._run_id)

    def _moved(self, connection: Connection, unordered: list[LedgerEntry]) -> list[LedgerEntry]:
        beside = LEDGER.c.order_id.in_(self._orders_of(union(*self._moved_mints())))
        with_orders = [rows.entry_of(row) for row in connection.execute(self._entries(beside))]
        together = {(one.at_ns, one.signature) for one in unordered if one.asset != SOL}
        others = [one for one in unordered if (one.at_ns, one.signature) in together]
        return sorted([*with_orders, *others], key=lambda entry: entry.sequence)

    def _orders_of(self, mints: CompoundSelect[Any]) -> Select[Any]:
        """What has moved these mints. Nothing is said of entries without an order: SQLite would look for the others by
        its index of orders, which is the whole ledger.
        """
        return select(LEDGER.c.order_id).where(LEDGER.c.run_id == self._run_id, LEDGER.c.asset.in_(mints))

    def _entries(self, condition: Any) -> Select[Any]:
        return select(LEDGER).where(LEDGER.c.run_id == self._run_id, condition)

    def _rounds(
        self, connection: Connection, since_ns: int
    ) -> tuple[dict[tuple[str, int], StoredRound], dict[str, int]]:
        columns = (POSITIONS.c.pair_address, POSITIONS.c.round, POSITIONS.c.name)
        marked = (POSITIONS.c.base_units, POSITIONS.c.value_lamports, POSITIONS.c.marked_ns)
        query = select(*columns, *marked, POSITIONS.c.mint_address).where(
            POSITIONS.c.run_id == self._run_id,
            or_(POSITIONS.c.closed_ns.is_(None), POSITIONS.c.closed_ns >= since_ns),
        )
        whole, first, found = set[str](), dict[str, int](), dict[tuple[str, int], StoredRound]()
        if since_ns > 0:
            whole = set(connection.execute(union(self._going_on(since_ns), *self._moved_mints())).scalars())
        for pool, number, name, units, value, marked_ns, mint in _parts(connection, query):
            found[pool, number] = StoredRound(name, units, value, marked_ns or 0)
            if since_ns > 0 and mint not in whole:
                first[pool] = min(number, first.get(pool, number))
        return found, first

    def _equity(self, connection: Connection, since_ns: int, until_ns: int) -> list[EquityPoint]:
        query = select(*EQUITY_COLUMNS).where(EQUITY.c.run_id == self._run_id)
        before = query.where(EQUITY.c.at_ns < since_ns).order_by(EQUITY.c.at_ns.desc(), EQUITY.c.id.desc()).limit(1)
        within = query.where(EQUITY.c.at_ns >= since_ns, EQUITY.c.at_ns < until_ns)
        ordered = within.order_by(EQUITY.c.at_ns, EQUITY.c.id)
        return [EquityPoint(*row) for each in (before, ordered) for row in _parts(connection, each)]


def _taken(connection: Connection, query: Select[Any]) -> Iterator[tuple[int, BookedFill]]:
    """(number, fill) of each row."""
    once: dict[str, str] = {}  # the same few names come again and again
    for number, order_id, at_ns, pool, mint, *columns, document in _parts(connection, query):
        names = order_id, at_ns, once.setdefault(pool, pool), once.setdefault(mint, mint)
        columns += _quoted(document)
        yield number, BookedFill(*names, *columns)


def _parts(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    """Rows, of which no more than some are in memory: one by one they cost twice as much."""
    result = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    return chain.from_iterable(result.partitions())


def _by(entry: LedgerEntry) -> str:
    """Whose doing an entry without an order was, as in ``BookedMove``."""
    if entry.kind in NETWORK_COSTS:  # without an order: the owner's own doings
        return "upkeep"
    return "hand" if entry.kind is EntryKind.FOREIGN and entry.note in _BY_HAND else ""


def _move(at_ns: int, kind: str, lamports: int, by: str = "") -> BookedMove:
    return BookedMove(at_ns, kind, lamports, by)


def _foreign_mints(moved: list[LedgerEntry]) -> frozenset[str]:
    return frozenset(entry.asset for entry in moved if entry.kind is EntryKind.FOREIGN and entry.asset != SOL)


class _Quoted(msgspec.Struct, gc=False):
    """What is read of a stored quote: the fields of the side that it has."""

    total_quote: str = "0"
    base_out: str = "0"
    user_quote_out: str = "0"
    base_in: str = "0"


_QUOTED = msgspec.json.Decoder(_Quoted)


def _quoted(document: str | None) -> tuple[int, int]:
    """(lamports, units) that an order expected."""
    if document is None:
        return 0, 0
    found = _QUOTED.decode(document)
    return (int(found.total_quote) or int(found.user_quote_out)), (int(found.base_out) or int(found.base_in))


def _adoption_of(row: StoredRow) -> Adoption:
    return Adoption(row.at_ns, row.after_sequence, row.pool, row.mint, row.base_units, row.cost_lamports, row.name)
