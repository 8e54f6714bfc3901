"""Decided: single decisions and the latest ones of a pool or a coin, with their orders and how often they repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true, update

from pumpswap.model import Decision, Order, Outcome, TradeSide
from pumpswap.storage import rows
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import dump_text, refusing
from pumpswap.storage.history import MINT_PREFIX
from pumpswap.storage.outcomes import outcome_of, select_outcomes
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import DECISIONS, ORDERS, StoredRow

__all__ = ["NAMED_AMONG", "Decided", "StoredDecision", "decided_of"]

NAMED_AMONG = 20_000  # documents of each kind: a fifth of a second
_LAST = "z" * 44  # no address goes on with more
_ALL = 2**31


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision; ``repeats`` tells how often it was refused again exactly so, and ``repeated_ns`` when last."""

    decision: Decision
    repeats: int = 0
    repeated_ns: int | None = None


class Decided:
    """Decisions of one run, one by one; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def repeat(self, decision_id: str, repeats: int, at_ns: int) -> None:
        """A stored refusal was repeated ``repeats`` times, the last time then."""
        check_integers({"repeats": repeats, "repeated_ns": at_ns}, f"decision {decision_id}")
        this = (DECISIONS.c.run_id == self._run_id, DECISIONS.c.decision_id == decision_id)
        with self._connections.writing(f"decision {decision_id}") as connection:
            connection.execute(update(DECISIONS).where(*this).values(repeats=repeats, repeated_ns=at_ns))

    def repeated(self) -> int:
        """How many refusals have no row of their own, since they repeated a stored one."""
        query = select(func.coalesce(func.sum(DECISIONS.c.repeats), 0)).where(DECISIONS.c.run_id == self._run_id)
        with self._connections.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def get(self, decision_id: str) -> StoredDecision | None:
        """One decision; None when it is not stored."""
        return next(iter(self._newest(DECISIONS.c.decision_id == decision_id, 1)), None)

    def of_pool(self, pool: str, newest: int) -> Sequence[StoredDecision]:
        """The newest decisions about a pool, in order of time."""
        return self._newest(DECISIONS.c.pool == pool, newest)

    def near(self, pool: str, since_ns: int, until_ns: int, newest: int) -> Sequence[StoredDecision]:
        """The newest decisions about a pool of a time, both ends included, in order of time. One that was repeated in
        that time is among them.
        """
        made = and_(DECISIONS.c.at_ns >= since_ns, DECISIONS.c.at_ns <= until_ns)
        repeated = and_(DECISIONS.c.at_ns < since_ns, DECISIONS.c.repeated_ns >= since_ns)
        return self._newest(and_(DECISIONS.c.pool == pool, or_(made, repeated)), newest)

    def of_mint(self, mint: str, newest: int) -> Sequence[StoredDecision]:
        """The newest decisions about a coin, in order of time."""
        return self._newest(DECISIONS.c.mint == mint, newest)

    def since(self, since_ns: int, newest: int) -> Sequence[StoredDecision]:
        """The newest decisions that were made, or repeated, since then, in order of time."""
        return self._newest(or_(DECISIONS.c.at_ns >= since_ns, DECISIONS.c.repeated_ns >= since_ns), newest)

    def accepted(self, since_ns: int, until_ns: int) -> int:
        """How many were accepted in a time, the end not included."""
        made = (*self._made(since_ns, until_ns), DECISIONS.c.accepted == true())
        query = select(func.count()).select_from(DECISIONS).where(*made)
        with self._connections.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def refusing(self, since_ns: int, until_ns: int) -> Iterator[tuple[tuple[str, ...], int]]:
        """(policies that refused, how often, repetitions included) of each refusal that was made in a time."""
        made = (*self._made(since_ns, until_ns), DECISIONS.c.accepted == false())
        query = select(DECISIONS.c.verdicts, DECISIONS.c.repeats).where(*made)
        return self._connections.rows(query, lambda row: (refusing(row.verdicts), 1 + (row.repeats or 0)))

    def pools_of(self, address: str) -> Sequence[tuple[str, str]]:
        """(pool, mint) of what decisions with this pool, or this mint, were about."""
        return self._pools(DECISIONS.c.pool == address) or self._pools(DECISIONS.c.mint == address)

    def pools_called(self, text: str, newest: int = NAMED_AMONG) -> Sequence[tuple[str, str]]:
        """The same for the first characters of a mint, or the name of a coin, as in ``History.rounds``.

        Names stand in documents only, so those of the ``newest`` accepted and as many refused decisions are read.
        """
        if not text:
            return ()
        # The bounds are for the index, and hold in every collation; what else lies between them is no such mint.
        mint = DECISIONS.c.mint
        begins = (mint >= text, mint <= f"{text}{_LAST}", func.substr(mint, 1, MINT_PREFIX) == text)
        begun = self._pools(*begins) if len(text) == MINT_PREFIX else ()
        if begun:
            return begun
        names = (f'"name":{dump_text(text.lower() + more)}' for more in ("", " / sol"))
        called = or_(*(func.lower(DECISIONS.c.signal).contains(name, autoescape=True) for name in names))
        this = select(DECISIONS.c.id).where(DECISIONS.c.run_id == self._run_id).order_by(DECISIONS.c.at_ns.desc())
        kinds = (this.where(DECISIONS.c.accepted == accepted).limit(newest) for accepted in (True, False))
        found = set[tuple[str, str]]()
        for each in kinds:  # not by the run as well: its index would be gone through to the end
            query = select(DECISIONS.c.pool, DECISIONS.c.mint).where(DECISIONS.c.id.in_(each), called)
            found.update(self._connections.all_rows(query, lambda row: (row.pool, row.mint)))
        return sorted(found)

    def _pools(self, *conditions: ColumnElement[bool]) -> Sequence[tuple[str, str]]:
        query = select(DECISIONS.c.pool, DECISIONS.c.mint).where(DECISIONS.c.run_id == self._run_id, *conditions)
        # With a limit it is answered on its own, by the index of the condition. Else SQLite goes through all decisions
        # of the run in the order of the other index, to have equal ones beside each other.
        found = query.limit(_ALL).subquery()
        return sorted(self._connections.all_rows(select(found).distinct(), lambda row: (row.pool, row.mint)))

    def order(self, order_id: str) -> Order | None:
        """One order; None when it is not stored."""
        return self._order(ORDERS.c.order_id == order_id)

    def order_of(self, decision_id: str) -> Order | None:
        """The order that carries a decision out; None when there is none."""
        return self._order(ORDERS.c.decision_id == decision_id)

    def outcome(self, order_id: str) -> Outcome | None:
        """How an order ended; None while it is on its way."""
        query = select_outcomes(self._run_id).where(ORDERS.c.order_id == order_id)
        return next(iter(self._connections.all_rows(query, outcome_of)), None)

    def buys_since(self, since_ns: int) -> list[int]:
        """When the buys since then were ordered, oldest first."""
        query = select(ORDERS.c.created_ns).where(
            ORDERS.c.run_id == self._run_id, ORDERS.c.side == TradeSide.BUY.value, ORDERS.c.created_ns >= since_ns
        )
        with self._connections.reading() as connection:
            return list(connection.execute(query.order_by(ORDERS.c.created_ns)).scalars())

    def _made(self, since_ns: int, until_ns: int) -> tuple[ColumnElement[bool], ...]:
        of_run = DECISIONS.c.run_id == self._run_id
        return of_run, DECISIONS.c.at_ns >= since_ns, DECISIONS.c.at_ns < until_ns

    def _newest(self, condition: ColumnElement[bool], newest: int) -> Sequence[StoredDecision]:
        query = select(DECISIONS).where(DECISIONS.c.run_id == self._run_id, condition)
        query = query.order_by(DECISIONS.c.at_ns.desc(), DECISIONS.c.id.desc()).limit(newest)
        return self._connections.all_rows(query, decided_of)[::-1]

    def _order(self, condition: ColumnElement[bool]) -> Order | None:
        query = select(ORDERS).where(ORDERS.c.run_id == self._run_id, condition).order_by(ORDERS.c.id).limit(1)
        return next(iter(self._connections.all_rows(query, rows.order_of)), None)


def decided_of(row: StoredRow) -> StoredDecision:
    return StoredDecision(rows.decision_of(row), row.repeats or 0, row.repeated_ns)
