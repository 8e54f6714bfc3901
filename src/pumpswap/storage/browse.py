"""Browse: lists of one run, page by page, and its sums: as quick in the middle of a million rows as at their end.

A page begins where the one before has ended, at a ``Place`` (time and number of a row), never at a count of rows: what
is added meanwhile moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import BigInteger, Select, and_, cast, false, func, literal, literal_column, select, tuple_

from pumpswap.model import EquityPoint, Mark, Order, Outcome, Position, Signal, TradeSide
from pumpswap.storage import rows
from pumpswap.storage.decided import StoredDecision, decided_of
from pumpswap.storage.documents import load_signal, refusing
from pumpswap.storage.equity import COLUMNS as EQUITY_COLUMNS
from pumpswap.storage.fills import confirmed_at
from pumpswap.storage.history import OrderRow, decimals_of
from pumpswap.storage.outcomes import outcome_of
from pumpswap.storage.run_sums import PositionSums, RunSums, count_of, sum_of
from pumpswap.storage.tables import DECISIONS, EQUITY, MARKS, ORDERS, POSITIONS, TRADES, StoredRow

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

T = TypeVar("T")

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
    """An order and what became of it: None while it is on its way. ``decimals`` are told by its trade;
    ``confirmed_ns`` is when we saw its transaction confirmed.
    """

    place: Place
    order: Order
    status: str
    outcome: Outcome | None
    decimals: int | None
    confirmed_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ListedPosition:
    """A round; ``decimals`` where the row tells them."""

    place: Place
    position: Position
    decimals: int | None


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


class Browse(RunSums):
    """Lists of one run, and its sums; errors as of ``Run``."""

    # ------------------------------------------------------------------------------------------ pages, newest first

    def decisions(
        self, wish: DecisionWish, most: int, before: Place | None = None
    ) -> list[tuple[Place, StoredDecision]]:
        """Decisions with every verdict."""
        sides = (True, False) if wish.accepted is None and not wish.address else (wish.accepted,)
        found = [one for accepted in sides for one in self._decisions(wish, accepted, most, before, decided_of)]
        return sorted(found, key=lambda one: one[0], reverse=True)[:most]

    def refusals_by(
        self, policy: str, wish: DecisionWish, most: int, before: Place | None = None
    ) -> tuple[list[tuple[Place, StoredDecision]], Place | None]:
        """Those of the newest ``most`` refusals that are by a policy, and where older ones follow; None where there are
        none. Policies stand in documents: of those that refused otherwise no more is read.
        """

        def read(row: StoredRow) -> StoredDecision | None:
            return decided_of(row) if policy in refusing(row.verdicts) else None

        found = self._decisions(wish, False, most, before, read)
        hits = [(place, stored) for place, stored in found if stored is not None]
        return hits, found[-1][0] if len(found) == most else None

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
        places = self._traded_last(most, before)
        is_open = POSITIONS.c.closed_ns.is_(None)
        query = (
            select(
                POSITIONS.c.pair_address, func.max(POSITIONS.c.mint_address), func.max(POSITIONS.c.name),
                func.count(), count_of(is_open), sum_of(POSITIONS.c.buys + POSITIONS.c.sells),
                sum_of(POSITIONS.c.realised_lamports), sum_of(POSITIONS.c.cost_lamports, is_open),
            )
            .where(POSITIONS.c.run_id == self._run_id, POSITIONS.c.pair_address.in_(list(places)))
            .group_by(POSITIONS.c.pair_address)
        )  # fmt: skip
        found = self._connections.all_rows(query, lambda row: _pool_of(places[row.pair_address], row)) if places else []
        return sorted(found, key=lambda one: one.place, reverse=True)

    def _traded_last(self, most: int, before: Place | None) -> dict[str, Place]:
        """Pools by their newest rounds. These are walked in the order of their last trades, so that a page costs what
        is on it: a round is never the newest of its pool once another one was opened there.
        """
        other = POSITIONS.alias()
        same_pool = (other.c.run_id == POSITIONS.c.run_id, other.c.pair_address == POSITIONS.c.pair_address)
        newest = select(other.c.round).where(*same_pool).order_by(other.c.round.desc()).limit(1)
        place = (POSITIONS.c.last_trade_ns, POSITIONS.c.id)
        query = select(POSITIONS.c.pair_address, *place).where(
            POSITIONS.c.run_id == self._run_id, POSITIONS.c.round == newest.correlate(POSITIONS).scalar_subquery()
        )
        if before is not None:
            query = query.where(POSITIONS.c.last_trade_ns <= before.at_ns, tuple_(*place) < tuple_(*before))
        query = query.order_by(*(column.desc() for column in place)).limit(most)
        return {pool: Place(*at) for pool, *at in self._connections.all_rows(query, tuple)}

    def rounds(self, pool: str, most: int) -> list[ListedPosition]:
        """Rounds in a pool, the newest first."""
        query = self._positions().where(POSITIONS.c.pair_address == pool)
        return self._connections.all_rows(query.order_by(POSITIONS.c.round.desc()).limit(most), _position_of)

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
        newest = select(MARKS.c.id).where(MARKS.c.run_id == self._run_id)
        if before_ns is not None:
            newest = newest.where(MARKS.c.at_ns < before_ns)
        newest = newest.order_by(MARKS.c.at_ns.desc(), MARKS.c.id.desc()).limit(1)
        these = (POSITIONS.c.run_id == self._run_id, POSITIONS.c.pair_address.in_(sorted(pools)))
        held = select(POSITIONS.c.pair_address).where(*these).distinct().subquery()  # one of many rounds is asked once
        newest = newest.where(MARKS.c.pool == held.c.pair_address)
        numbers = select(newest.correlate(held).scalar_subquery()).select_from(held)
        found = self._connections.all_rows(select(MARKS).where(MARKS.c.id.in_(numbers)), rows.mark_of)
        return {mark.pool: mark for mark in found}

    def held_decimals(self, pools: Collection[str]) -> dict[str, int]:
        """Decimals of the coins that are held in these pools, where the rows of the open rounds tell them."""
        if not pools:
            return {}
        columns = (POSITIONS.c.pair_address, POSITIONS.c.base_units, POSITIONS.c.token_amount)
        query = select(*columns).where(
            POSITIONS.c.run_id == self._run_id,
            POSITIONS.c.closed_ns.is_(None),
            POSITIONS.c.pair_address.in_(sorted(pools)),
        )
        told = self._connections.all_rows(query, lambda row: (str(row.pair_address), decimals_of(row)))
        return {pool: decimals for pool, decimals in told if decimals is not None}

    def curve(self, since_ns: int, until_ns: int, most: int) -> list[EquityPoint]:
        """At most ``most`` points, evenly spread over the time: each the first that was measured in its part."""
        step = max((until_ns - since_ns) // max(most, 1), 1)
        ticks = select(cast(literal(since_ns), BigInteger).label("at_ns")).cte("ticks", recursive=True)
        ticks = ticks.union_all(select(ticks.c.at_ns + step).where(ticks.c.at_ns + step < until_ns))
        inside = (EQUITY.c.run_id == self._run_id, EQUITY.c.at_ns >= ticks.c.at_ns, EQUITY.c.at_ns <= until_ns)
        first = select(EQUITY.c.id).where(*inside).order_by(EQUITY.c.at_ns, EQUITY.c.id).limit(1)
        numbers = select(first.correlate(ticks).scalar_subquery()).select_from(ticks)
        query = select(*EQUITY_COLUMNS).where(EQUITY.c.id.in_(numbers)).order_by(EQUITY.c.at_ns, EQUITY.c.id)
        return self._connections.all_rows(query, lambda row: EquityPoint(*row))

    def equity_at(self, at_ns: int) -> EquityPoint | None:
        """The last that was measured until then, else the first one after it."""
        of_run = select(*EQUITY_COLUMNS).where(EQUITY.c.run_id == self._run_id).limit(1)
        until = of_run.where(EQUITY.c.at_ns <= at_ns).order_by(EQUITY.c.at_ns.desc(), EQUITY.c.id.desc())
        after = of_run.where(EQUITY.c.at_ns > at_ns).order_by(EQUITY.c.at_ns, EQUITY.c.id)
        for query in (until, after):
            found = self._connections.all_rows(query, lambda row: EquityPoint(*row))
            if found:
                return found[0]
        return None

    # ------------------------------------------------------------------------------------------ helpers

    def _decisions(
        self, wish: DecisionWish, accepted: bool | None, most: int, before: Place | None, read: Callable[[StoredRow], T]
    ) -> list[tuple[Place, T]]:
        query = select(DECISIONS).where(DECISIONS.c.run_id == self._run_id)
        if accepted is not None:
            # Of a pool or a coin there are few: SQLite must not look for them among all that were accepted.
            judged = func.coalesce(DECISIONS.c.accepted, false()) if wish.address else DECISIONS.c.accepted
            query = query.where(judged == accepted)
        if wish.side is not None:
            # Written out: SQLite chooses its index of sales while it does not know values that come later.
            side = literal(wish.side.value) if wish.address else literal_column(f"'{wish.side.value}'")
            query = query.where(DECISIONS.c.side == side)
        if before is not None:
            query = query.where(DECISIONS.c.at_ns <= before.at_ns, tuple_(*_DECIDED) < tuple_(*before))
        if not wish.address:
            return self._newest_decisions(query, most, read)
        # Each by an index of its own; what is both is found once.
        found = self._newest_decisions(query.where(DECISIONS.c.pool == wish.address), most, read)
        return found or self._newest_decisions(query.where(DECISIONS.c.mint == wish.address), most, read)

    def _newest_decisions(self, query: Select[Any], most: int, read: Callable[[StoredRow], T]) -> list[tuple[Place, T]]:
        newest = query.order_by(DECISIONS.c.at_ns.desc(), DECISIONS.c.id.desc()).limit(most)
        return self._connections.all_rows(newest, lambda row: (Place(row.at_ns, row.id), read(row)))

    def _orders(self, status: str, most: int, before: Place | None) -> list[ListedOrder]:
        query = self._with_outcome().where(ORDERS.c.status == status)
        if before is not None:
            query = query.where(ORDERS.c.id < before.number)
        return self._connections.all_rows(query.order_by(ORDERS.c.id.desc()).limit(most), _order_of)

    def _with_outcome(self) -> Select[Any]:
        same = and_(TRADES.c.run_id == ORDERS.c.run_id, TRADES.c.order_id == ORDERS.c.order_id)
        beside = [column.label(label) for label, column in _ORDER.items()]
        outcome = (ORDERS.c.order_id.label("decided_order"), ORDERS.c.status, ORDERS.c.outcome_ns, ORDERS.c.outcome)
        told = (*outcome, confirmed_at().label("confirmed_ns"), *beside)
        query = select(TRADES, *told).select_from(ORDERS.outerjoin(TRADES, same))
        return query.where(ORDERS.c.run_id == self._run_id)

    def _positions(self) -> Select[Any]:
        return select(POSITIONS).where(POSITIONS.c.run_id == self._run_id)


def _order_of(row: StoredRow) -> ListedOrder:
    ordered: Any = OrderRow._make(row[-len(_ORDER) :])
    outcome = None if row.status == "pending" else outcome_of(row)
    decimals = decimals_of(row) if row.status == "filled" else None
    place = Place(ordered.created_ns, ordered.id)
    return ListedOrder(place, rows.order_of(ordered), row.status, outcome, decimals, row.confirmed_ns)


def _position_of(row: StoredRow) -> ListedPosition:
    return ListedPosition(Place(row.opened_ns, row.id), rows.position_of(row), decimals_of(row))


def _closed_of(row: StoredRow) -> ListedPosition:
    return ListedPosition(Place(row.closed_ns, row.id), rows.position_of(row), decimals_of(row))


def _signal_of(row: StoredRow) -> ListedSignal:
    return ListedSignal(Place(row.at_ns, row.id), row.decision_id, bool(row.accepted), load_signal(row.signal))


def _pool_of(place: Place, row: StoredRow) -> ListedPool:
    pool, mint, name, *figures = row
    return ListedPool(place, pool, mint, name, *map(int, figures))
