"""RunSums: counts and sums of one run for people who look, each by an index: none of them reads the whole of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, false, func, or_, select, text

from pumpswap.model import OWN_MONEY, SOL, EntryKind
from pumpswap.storage.book_tables import OF_COSTS
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import refusing
from pumpswap.storage.outcomes import UNRESOLVED
from pumpswap.storage.tables import ALERTS, BALANCES, DECISIONS, LEDGER, ORDERS, POSITIONS

__all__ = ["PositionSums", "RunSums", "count_of", "sum_of"]

_OWN_MONEY = tuple(kind.value for kind in OWN_MONEY)


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


class RunSums:
    """Readers of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def moved(self, asset: str) -> dict[EntryKind, int]:
        """What of an asset has ever moved, by kind."""
        query = select(BALANCES.c.kind, BALANCES.c.units).where(BALANCES.c.run_id == self._run_id)
        with self._connections.reading() as connection:
            found = connection.execute(query.where(BALANCES.c.asset == asset))
            return {EntryKind(kind): int(units) for kind, units in found}

    def costs_since(self, since_ns: int) -> dict[EntryKind, int]:
        """What fees and costs have moved since then, by kind: lamports, negative where they were paid."""
        # Nothing of this is in any other asset: the index alone answers, however busy the day was.
        query = (
            select(LEDGER.c.kind, func.sum(LEDGER.c.units))
            .where(LEDGER.c.run_id == self._run_id, text(OF_COSTS), LEDGER.c.at_ns >= since_ns)
            .group_by(LEDGER.c.kind)
        )
        with self._connections.reading() as connection:
            return {EntryKind(kind): int(units) for kind, units in connection.execute(query)}

    def put_in_since(self, since_ns: int) -> int:
        """Lamports that the owner has put in since then, less what he has taken out."""
        # Money of one's own moves by no order of ours: the index of orders knows these few entries, those of times and
        # of assets do not, and SQLite must not choose them.
        query = select(func.coalesce(func.sum(LEDGER.c.units), 0)).where(
            LEDGER.c.run_id == self._run_id,
            LEDGER.c.order_id.is_(None),
            func.coalesce(LEDGER.c.at_ns, 0) >= since_ns,
            LEDGER.c.kind.in_(_OWN_MONEY),
            func.coalesce(LEDGER.c.asset, "") == SOL,
        )
        with self._connections.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def position_sums(self) -> PositionSums:
        """Counts and sums of all rounds, in one reading: open ones by their rows, the many closed ones by an index."""
        cost, value, gain = POSITIONS.c.cost_lamports, POSITIONS.c.value_lamports, POSITIONS.c.realised_lamports
        is_valued = value.is_not(None)
        held = select(
            func.count(), sum_of(cost), count_of(is_valued), sum_of(cost, is_valued), sum_of(value), sum_of(gain)
        ).where(POSITIONS.c.run_id == self._run_id, POSITIONS.c.closed_ns.is_(None))
        over = select(func.count(), count_of(gain > 0), sum_of(gain)).where(
            POSITIONS.c.run_id == self._run_id, POSITIONS.c.closed_ns.is_not(None)
        )
        with self._connections.reading() as connection:
            count, cost_lamports, valued, valued_cost, worth, open_gain = map(int, connection.execute(held).one())
            closed, won, closed_gain = map(int, connection.execute(over).one())
        return PositionSums(count, closed, won, cost_lamports, valued, valued_cost, worth, open_gain + closed_gain)

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

    def unseen_alerts(self, others: Collection[int] = ()) -> Mapping[str, int]:
        """Alerts of this run, of ``others``, or of none, that nobody has acknowledged, by level."""
        of_run = or_(ALERTS.c.run_id.in_({self._run_id, *others}), ALERTS.c.run_id.is_(None))
        query = select(ALERTS.c.level, func.count()).where(of_run, ALERTS.c.acknowledged_ns.is_(None))
        with self._connections.reading() as connection:
            return {level: int(count) for level, count in connection.execute(query.group_by(ALERTS.c.level))}


def count_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def sum_of(column: ColumnElement[Any], condition: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """0 of nothing. With a condition: of the rows that meet it."""
    return func.coalesce(func.sum(column if condition is None else case((condition, column))), 0)
