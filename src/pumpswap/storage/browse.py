"""Browse: lists of one run, page by page, and its sums: as quick in the middle of a million rows as at their end.

A page begins where the one before has ended, at a ``Place`` (time and number of a row), never at a count of rows: what
is added meanwhile moves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, false, func, literal, or_, select, tuple_

from pumpswap.model import EntryKind, EquityPoint, Mark, Order, Outcome, Position, Signal, TradeSide
from pumpswap.storage import rows
from pumpswap.storage.connections import Connections
from pumpswap.storage.decided import StoredDecision, decided_of
from pumpswap.storage.documents import load_signal, refusing
from pumpswap.storage.history import OrderRow, decimals_of
from pumpswap.storage.outcomes import UNRESOLVED, outcome_of
from pumpswap.storage.tables import (
    ALERTS,
    BALANCES,
    DECISIONS,
    EQUITY,
    LEDGER,
    MARKS,
    ORDERS,
    POSITIONS,
    TRADES,
    StoredRow,
)

__all__ = [
    "Browse",
    "DecisionWish",
    "ListedOrder",
    "ListedPool",
    "ListedPosition",
    "ListedSignal",
    "Place",
    "PositionSums",
]

STATUSES = ("pending", "filled", "rejected", "denied", "unknown")


class Place(NamedTuple):
    """Where a page has ended: the time of its last row and the number of that row."""

    at_ns: int
    number: int


@dataclass(frozen=True, slots=True)
class DecisionWish:
    """Which decisions; None or empty: all. ``address``: of a pool or of a coin."""

    accepted: bool | None = None
    side: TradeSide | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order and what became of it: None while it is on its way. ``decimals`` are told by its trade."""

    place: Place
    order: Order
    status: str
    outcome: Outcome | None
    decimals: int | None


@dataclass(frozen=True, slots=True)
class ListedPosition:
    """A round; ``decimals`` where the row tells them."""

    place: Place
    position: Position
    decimals: int | None


@dataclass(frozen=True, slots=True)
class PositionSums:
    """Over all rounds. ``valued_*`` are those open ones of which a mark of exactly these units is stored."""

    open: int
    closed: int
    won: int
    cost_lamports: int
    valued: int
    valued_cost_lamports: int
    value_lamports: int
    realised_lamports: int


@dataclass(frozen=True, slots=True)
class ListedSignal:
    """A signal and whether its decision was to trade."""

    place: Place
    decision_id: str
    accepted: bool
    signal: Signal


@dataclass(frozen=True, slots=True)
class ListedPool:
    """A pool that was traded. ``cost_lamports`` is of what is held; ``name`` as some round of it has it."""

    place: Place
    pool: str
    mint: str
    name: str
    rounds: int
    open: int
    trades: int
    realised_lamports: int
    cost_lamports: int


_DECIDED = (DECISIONS.c.at_ns, DECISIONS.c.id)
_ORDER = {f"ordered_{column.name}": column for column in ORDERS.columns}


class Browse:
    """Readers of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    # ------------------------------------------------------------------------------------------ pages, newest first

    def decisions(
        self, wish: DecisionWish, most: int, before: Place | None = None
    ) -> list[tuple[Place, StoredDecision]]:
        """Decisions with every verdict."""
        sides = (True, False) if wish.accepted is None and not wish.address else (wish.accepted,)
        found = [one for accepted in sides for one in self._decisions(wish, accepted, most, before)]
        return sorted(found, key=lambda one: one[0], reverse=True)[:most]

    def orders(self, statuses: Sequence[str] = (), most: int = 50, before: Place | None = None) -> list[ListedOrder]:
        """Orders by number; one status at a time: that is what an index knows."""
        found = [each for status in statuses or STATUSES for each in self._orders(status, most, before)]
        return sorted(found, key=lambda one: one.place.number, reverse=True)[:most]

    def open_positions(self, most: int, before: Place | None = None) -> list[ListedPosition]:
        """Open rounds, by number."""
        query = self._positions().where(POSITIONS.c.closed_ns.is_(None))
        if before is not None:
            query = query.where(POSITIONS.c.id < before.number)
        return self._connections.all_rows(query.order_by(POSITIONS.c.id.desc()).limit(most), _position_of)

    def closed_positions(self, most: int, before: Place | None = None) -> list[ListedPosition]:
        """Closed rounds, by when they were closed."""
        closed = POSITIONS.c.closed_ns
        query = self._positions().where(closed.is_not(None))
        if before is not None:
            query = query.where(closed <= before.at_ns, tuple_(closed, POSITIONS.c.id) < tuple_(*before))
        return self._connections.all_rows(query.order_by(closed.desc(), POSITIONS.c.id.desc()).limit(most), _closed_of)

    def signals(self, most: int, before: Place | None = None) -> list[ListedSignal]:
        """What signals said, and whether they led to a trade: without the verdicts, which are many times as long."""
        columns = (DECISIONS.c[name] for name in ("id", "at_ns", "decision_id", "accepted", "signal"))
        has_signal = (DECISIONS.c.run_id == self._run_id, DECISIONS.c.signal.is_not(None))
        query = select(*columns).where(*has_signal)
        if before is not None:
            query = query.where(DECISIONS.c.at_ns <= before.at_ns, tuple_(*_DECIDED) < tuple_(*before))
        query = query.order_by(DECISIONS.c.at_ns.desc(), DECISIONS.c.id.desc()).limit(most)
        found = []
        for accepted in (True, False):
            found += self._connections.all_rows(query.where(DECISIONS.c.accepted == accepted), _signal_of)
        return sorted(found, key=lambda one: one.place, reverse=True)[:most]

    def pools(self, most: int, before: Place | None = None) -> list[ListedPool]:
        """Pools that were traded, the last traded first. The place is that of the newest round."""
        last, newest = func.max(POSITIONS.c.last_trade_ns), func.max(POSITIONS.c.id)
        page = select(POSITIONS.c.pair_address).where(POSITIONS.c.run_id == self._run_id)
        page = page.group_by(POSITIONS.c.pair_address).order_by(last.desc(), newest.desc()).limit(most)
        if before is not None:
            page = page.having(or_(last < before.at_ns, and_(last == before.at_ns, newest < before.number)))
        is_open, every = POSITIONS.c.closed_ns.is_(None), literal(True)
        query = (
            select(
                POSITIONS.c.pair_address, func.max(POSITIONS.c.mint_address), func.max(POSITIONS.c.name),
                last, newest, func.count(), _count(is_open), _sum(every, POSITIONS.c.buys + POSITIONS.c.sells),
                _sum(every, POSITIONS.c.realised_lamports), _sum(is_open, POSITIONS.c.cost_lamports),
            )
            .where(POSITIONS.c.run_id == self._run_id, POSITIONS.c.pair_address.in_(page))
            .group_by(POSITIONS.c.pair_address)
        )  # fmt: skip
        return self._connections.all_rows(query.order_by(last.desc(), newest.desc()), _pool_of)

    def rounds(self, pool: str) -> list[ListedPosition]:
        """All rounds in a pool, the newest first."""
        query = self._positions().where(POSITIONS.c.pair_address == pool)
        return self._connections.all_rows(query.order_by(POSITIONS.c.round.desc()), _position_of)

    # ------------------------------------------------------------------------------------------ beside a page

    def names(self, pools: Collection[str]) -> dict[str, str]:
        """What the coins of these pools are called by their positions, where these tell it."""
        if not pools:
            return {}
        named = (POSITIONS.c.pair_address.in_(sorted(pools)), POSITIONS.c.name != "")
        query = select(POSITIONS.c.pair_address, func.max(POSITIONS.c.name)).where(POSITIONS.c.run_id == self._run_id)
        with self._connections.reading() as connection:
            found = connection.execute(query.where(*named).group_by(POSITIONS.c.pair_address))
            return {pool: str(name) for pool, name in found}

    def marks(self, pools: Collection[str], before_ns: int | None = None) -> dict[str, Mark]:
        """The newest mark of each pool that has one, or the newest before a moment."""
        if not pools:
            return {}
        same = [MARKS.c.run_id == self._run_id, MARKS.c.pool == POSITIONS.c.pair_address]
        if before_ns is not None:
            same.append(MARKS.c.at_ns < before_ns)
        newest = select(MARKS.c.id).where(*same).order_by(MARKS.c.at_ns.desc(), MARKS.c.id.desc()).limit(1)
        held = (POSITIONS.c.run_id == self._run_id, POSITIONS.c.pair_address.in_(sorted(pools)))
        numbers = select(newest.correlate(POSITIONS).scalar_subquery()).where(*held)
        found = self._connections.all_rows(select(MARKS).where(MARKS.c.id.in_(numbers)), rows.mark_of)
        return {mark.pool: mark for mark in found}

    def curve(self, since_ns: int, until_ns: int, most: int) -> list[EquityPoint]:
        """At most ``most`` points, evenly spread over the time: each the first that was measured in its part."""
        step = max((until_ns - since_ns) // max(most, 1), 1)
        ticks = select(cast(literal(since_ns), BigInteger).label("at_ns")).cte("ticks", recursive=True)
        ticks = ticks.union_all(select(ticks.c.at_ns + step).where(ticks.c.at_ns + step < until_ns))
        inside = (EQUITY.c.run_id == self._run_id, EQUITY.c.at_ns >= ticks.c.at_ns, EQUITY.c.at_ns <= until_ns)
        first = select(EQUITY.c.id).where(*inside).order_by(EQUITY.c.at_ns, EQUITY.c.id).limit(1)
        numbers = select(first.correlate(ticks).scalar_subquery()).select_from(ticks)
        columns = (EQUITY.c.at_ns, EQUITY.c.cash_lamports, EQUITY.c.marks_lamports, EQUITY.c.rent_lamports)
        query = select(*columns).where(EQUITY.c.id.in_(numbers)).order_by(EQUITY.c.at_ns, EQUITY.c.id)
        return self._connections.all_rows(query, lambda row: EquityPoint(*row))

    def equity_at(self, at_ns: int) -> EquityPoint | None:
        """The last that was measured until then, else the first one after it."""
        columns = (EQUITY.c.at_ns, EQUITY.c.cash_lamports, EQUITY.c.marks_lamports, EQUITY.c.rent_lamports)
        of_run = select(*columns).where(EQUITY.c.run_id == self._run_id).limit(1)
        until = of_run.where(EQUITY.c.at_ns <= at_ns).order_by(EQUITY.c.at_ns.desc(), EQUITY.c.id.desc())
        after = of_run.where(EQUITY.c.at_ns > at_ns).order_by(EQUITY.c.at_ns, EQUITY.c.id)
        for query in (until, after):
            found = self._connections.all_rows(query, lambda row: EquityPoint(*row))
            if found:
                return found[0]
        return None

    # ------------------------------------------------------------------------------------------ sums

    def moved(self, asset: str) -> dict[EntryKind, int]:
        """What of an asset has ever moved, by kind."""
        query = select(BALANCES.c.kind, BALANCES.c.units).where(BALANCES.c.run_id == self._run_id)
        with self._connections.reading() as connection:
            found = connection.execute(query.where(BALANCES.c.asset == asset))
            return {EntryKind(kind): int(units) for kind, units in found}

    def moved_since(self, asset: str, since_ns: int) -> dict[EntryKind, int]:
        """What of an asset has moved since then, by kind."""
        # Not by the index of assets: nearly everything moves SOL, and a day is a small part of it.
        of_asset = func.coalesce(LEDGER.c.asset, "") == asset
        query = (
            select(LEDGER.c.kind, func.sum(LEDGER.c.units))
            .where(LEDGER.c.run_id == self._run_id, LEDGER.c.at_ns >= since_ns, of_asset)
            .group_by(LEDGER.c.kind)
        )
        with self._connections.reading() as connection:
            return {EntryKind(kind): int(units) for kind, units in connection.execute(query)}

    def position_sums(self) -> PositionSums:
        """Counts and sums of all rounds, in one reading."""
        is_open = POSITIONS.c.closed_ns.is_(None)
        is_valued = and_(is_open, POSITIONS.c.value_lamports.is_not(None))
        cost, value, gain = POSITIONS.c.cost_lamports, POSITIONS.c.value_lamports, POSITIONS.c.realised_lamports
        query = select(
            _count(is_open), _count(~is_open), _count(and_(~is_open, gain > 0)), _sum(is_open, cost),
            _count(is_valued), _sum(is_valued, cost), _sum(is_valued, value), _sum(literal(True), gain),
        ).where(POSITIONS.c.run_id == self._run_id)  # fmt: skip
        with self._connections.reading() as connection:
            return PositionSums(*map(int, connection.execute(query).one()))

    def decided_since(self, since_ns: int) -> tuple[int, int]:
        """(accepted, refused) decisions that were made since then, repeated refusals counted."""
        query = (
            select(DECISIONS.c.accepted, func.count(), func.coalesce(func.sum(DECISIONS.c.repeats), 0))
            .where(DECISIONS.c.run_id == self._run_id, DECISIONS.c.accepted.in_((True, False)))
            .where(DECISIONS.c.at_ns >= since_ns)
            .group_by(DECISIONS.c.accepted)
        )
        with self._connections.reading() as connection:
            found = {bool(accepted): int(count) + int(more) for accepted, count, more in connection.execute(query)}
        return found.get(True, 0), found.get(False, 0)

    def refusing_policies(self, most: int) -> list[tuple[tuple[str, ...], int]]:
        """(policies that refused, how often it was repeated) of the newest refusals."""
        query = select(DECISIONS.c.verdicts, DECISIONS.c.repeats).where(
            DECISIONS.c.run_id == self._run_id, DECISIONS.c.accepted == false()
        )
        newest = query.order_by(DECISIONS.c.at_ns.desc(), DECISIONS.c.id.desc()).limit(most)
        return self._connections.all_rows(newest, lambda row: (refusing(row.verdicts), row.repeats or 0))

    def unresolved(self) -> int:
        """Orders on their way, those whose outcome is unknown included."""
        query = select(func.count()).where(ORDERS.c.run_id == self._run_id, ORDERS.c.status.in_(UNRESOLVED))
        with self._connections.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def order_counts(self) -> dict[str, int]:
        """Orders by status."""
        query = select(ORDERS.c.status, func.count()).where(ORDERS.c.run_id == self._run_id).group_by(ORDERS.c.status)
        with self._connections.reading() as connection:
            return {status: int(count) for status, count in connection.execute(query)}

    def unseen_alerts(self) -> Mapping[str, int]:
        """Alerts of this run, or of none, that nobody has acknowledged, by level."""
        of_run = or_(ALERTS.c.run_id == self._run_id, ALERTS.c.run_id.is_(None))
        query = select(ALERTS.c.level, func.count()).where(of_run, ALERTS.c.acknowledged_ns.is_(None))
        with self._connections.reading() as connection:
            return {level: int(count) for level, count in connection.execute(query.group_by(ALERTS.c.level))}

    # ------------------------------------------------------------------------------------------ helpers

    def _decisions(
        self, wish: DecisionWish, accepted: bool | None, most: int, before: Place | None
    ) -> list[tuple[Place, StoredDecision]]:
        query = select(DECISIONS).where(DECISIONS.c.run_id == self._run_id)
        if accepted is not None:
            query = query.where(DECISIONS.c.accepted == accepted)
        if wish.side is not None:
            query = query.where(DECISIONS.c.side == wish.side.value)
        if before is not None:
            query = query.where(DECISIONS.c.at_ns <= before.at_ns, tuple_(*_DECIDED) < tuple_(*before))
        if not wish.address:
            return self._newest_decisions(query, most)
        # Each by an index of its own; what is both is found once.
        found = dict(self._newest_decisions(query.where(DECISIONS.c.pool == wish.address), most))
        return [*found.items()] or self._newest_decisions(query.where(DECISIONS.c.mint == wish.address), most)

    def _newest_decisions(self, query: Select[Any], most: int) -> list[tuple[Place, StoredDecision]]:
        newest = query.order_by(DECISIONS.c.at_ns.desc(), DECISIONS.c.id.desc()).limit(most)
        return self._connections.all_rows(newest, lambda row: (Place(row.at_ns, row.id), decided_of(row)))

    def _orders(self, status: str, most: int, before: Place | None) -> list[ListedOrder]:
        query = self._with_outcome().where(ORDERS.c.status == status)
        if before is not None:
            query = query.where(ORDERS.c.id < before.number)
        return self._connections.all_rows(query.order_by(ORDERS.c.id.desc()).limit(most), _order_of)

    def _with_outcome(self) -> Select[Any]:
        same = and_(TRADES.c.run_id == ORDERS.c.run_id, TRADES.c.order_id == ORDERS.c.order_id)
        beside = [column.label(label) for label, column in _ORDER.items()]
        outcome = (ORDERS.c.order_id.label("decided_order"), ORDERS.c.status, ORDERS.c.outcome_ns, ORDERS.c.outcome)
        query = select(TRADES, *outcome, *beside).select_from(ORDERS.outerjoin(TRADES, same))
        return query.where(ORDERS.c.run_id == self._run_id)

    def _positions(self) -> Select[Any]:
        return select(POSITIONS).where(POSITIONS.c.run_id == self._run_id)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _sum(condition: ColumnElement[bool], column: ColumnElement[Any]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, column))), 0)


def _order_of(row: StoredRow) -> ListedOrder:
    ordered: Any = OrderRow._make(row[-len(_ORDER) :])
    outcome = None if row.status == "pending" else outcome_of(row)
    decimals = decimals_of(row) if row.status == "filled" else None
    return ListedOrder(Place(ordered.created_ns, ordered.id), rows.order_of(ordered), row.status, outcome, decimals)


def _position_of(row: StoredRow) -> ListedPosition:
    return ListedPosition(Place(row.opened_ns, row.id), rows.position_of(row), decimals_of(row))


def _closed_of(row: StoredRow) -> ListedPosition:
    return ListedPosition(Place(row.closed_ns, row.id), rows.position_of(row), decimals_of(row))


def _signal_of(row: StoredRow) -> ListedSignal:
    return ListedSignal(Place(row.at_ns, row.id), row.decision_id, bool(row.accepted), load_signal(row.signal))


def _pool_of(row: StoredRow) -> ListedPool:
    pool, mint, name, last_ns, newest, *figures = row
    return ListedPool(Place(last_ns, newest), pool, mint, name, *map(int, figures))
