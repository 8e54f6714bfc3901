"""Attempts: the signed transactions of one run, for the sender. It implements ``chain.attempts.AttemptStore``."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, String, Table, bindparam, func, insert, select, update

from pumpswap.errors import StorageError
from pumpswap.model import Attempt, AttemptState
from pumpswap.storage.connections import Connections
from pumpswap.storage.outcomes import UNRESOLVED
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import ATTEMPTS, CHORES, ORDERS, StoredRow

__all__ = ["Attempts"]

_SIGNATURES_AT_ONCE = 500
_OPEN = tuple(state.value for state in AttemptState if state.is_open)
_RANK = {state: rank for rank, state in enumerate(AttemptState)}
_INTEGERS = (
    "number",
    "last_valid_block_height",
    "created_ns",
    "created_slot",
    "compute_unit_limit",
    "compute_unit_price_micro_lamports",
    "tip_lamports",
    "resolved_ns",
)
_RUN, _ORDER = bindparam("run", type_=BigInteger), bindparam("order", type_=String)
_MINE = (ATTEMPTS.c.run_id == _RUN, ATTEMPTS.c.order_id == _ORDER)
_STANDING = select(
    select(ORDERS.c.status)
    .where(ORDERS.c.run_id == _RUN, ORDERS.c.order_id == _ORDER)
    .scalar_subquery()
    .label("order_status"),
    select(CHORES.c.status)
    .where(CHORES.c.run_id == _RUN, CHORES.c.order_id == _ORDER)
    .scalar_subquery()
    .label("chore_status"),
    select(func.max(ATTEMPTS.c.number)).where(*_MINE).scalar_subquery().label("last"),
    select(func.count())
    .where(*_MINE, ATTEMPTS.c.state != AttemptState.EXPIRED.value)
    .scalar_subquery()
    .label("not_expired"),
)
_INSERT = insert(ATTEMPTS)
_FIELDS = ("order_id", "signature", "raw", "blockhash", "note", *_INTEGERS)


class Attempts:
    """Signed transactions of one run. A row that a writer has returned from survives a power cut."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def __repr__(self) -> str:
        return f"Attempts({self._run_id})"

    def add(self, attempt: Attempt) -> None:
        """Store a new attempt before its first broadcast.

        Raises StorageError while another attempt of the order is open or has landed, for an order that is not stored or
        has a final outcome, and for a number that is not the next; AmountOutOfRange beyond 64 bits.
        """
        values = {name: getattr(attempt, name) for name in _FIELDS} | {"state": attempt.state.value}
        check_integers({name: values[name] for name in _INTEGERS}, f"attempt {attempt.number} of {attempt.order_id}")
        if attempt.state is not AttemptState.SIGNED:
            raise StorageError(
                f"an attempt of order {attempt.order_id} came as {attempt.state.value}",
                hint="store it when it is signed",
            )
        with self._connections.writing(f"attempt {attempt.number} of order {attempt.order_id}") as connection:
            self._check_order(connection, attempt)
            connection.execute(_INSERT, {"run_id": self._run_id} | values)

    def mark(self, signature: str, state: AttemptState, at_ns: int, note: str = "") -> None:
        """Take an attempt forward: signed, sent, landed or expired. Never back; the same state again changes nothing.

        ``note`` is kept unless it is empty. Raises StorageError for an unknown signature and for a step back or aside.
        """
        check_integers({"at_ns": at_ns}, "the time of an attempt")
        this = (ATTEMPTS.c.run_id == self._run_id, ATTEMPTS.c.signature == signature)
        with self._connections.writing(f"the state of {signature}") as connection:
            stored = connection.execute(select(ATTEMPTS.c.state).where(*this)).scalar()
            if stored is None:
                raise StorageError(f"{signature} is not stored", hint="store an attempt before it is sent")
            before = AttemptState(stored)
            if before is state:
                return
            if not before.is_open or _RANK[state] < _RANK[before]:
                raise StorageError(
                    f"{signature} is {before.value} and cannot become {state.value}",
                    hint="two processes work on the same order: stop one of them",
                )
            values: dict[str, object] = {"state": state.value}
            if not state.is_open:
                values["resolved_ns"] = at_ns
            if note:
                values["note"] = note
            connection.execute(update(ATTEMPTS).where(*this).values(values))

    def of_order(self, order_id: str) -> Sequence[Attempt]:
        """Attempts of an order, first to last."""
        query = select(ATTEMPTS).where(ATTEMPTS.c.run_id == self._run_id, ATTEMPTS.c.order_id == order_id)
        return tuple(self._connections.rows(query.order_by(ATTEMPTS.c.number), _attempt_of))

    def unresolved(self) -> Sequence[Attempt]:
        """Attempts that may still land, of all orders of the run, oldest first."""
        query = select(ATTEMPTS).where(ATTEMPTS.c.run_id == self._run_id, ATTEMPTS.c.state.in_(_OPEN))
        return tuple(self._connections.rows(query.order_by(ATTEMPTS.c.id), _attempt_of))

    def by_signature(self, signature: str) -> tuple[Attempt, str] | None:
        """The attempt with this signature and the status of its order; None when this run has none."""
        query = select(ATTEMPTS).where(ATTEMPTS.c.run_id == self._run_id, ATTEMPTS.c.signature == signature)
        attempt = next(self._connections.rows(query, _attempt_of), None)
        if attempt is None:
            return None
        with self._connections.reading() as connection:
            found = (self._status(connection, table, attempt) for table in (ORDERS, CHORES))
            return attempt, next(filter(None, found), "")

    def known(self, signatures: Sequence[str]) -> frozenset[str]:
        """Which of these are signatures of ours."""
        found: set[str] = set()
        with self._connections.reading() as connection:
            for start in range(0, len(signatures), _SIGNATURES_AT_ONCE):
                part = signatures[start : start + _SIGNATURES_AT_ONCE]
                query = select(ATTEMPTS.c.signature).where(ATTEMPTS.c.signature.in_(part))
                found.update(connection.execute(query.where(ATTEMPTS.c.run_id == self._run_id)).scalars())
        return frozenset(found)

    def _check_order(self, connection: Connection, attempt: Attempt) -> None:
        # One question: this stands between a price and the transaction that takes it.
        asked = {"run": self._run_id, "order": attempt.order_id}
        row = connection.execute(_STANDING, asked).one()
        # An order, or a chore of the wallet: both are stored before anything is signed for them.
        status = row.order_status or row.chore_status
        if status not in UNRESOLVED:
            found = "is not stored" if status is None else f"has ended as {status}"
            raise StorageError(f"order {attempt.order_id} {found}", hint="only a stored, open order may be sent")
        if row.not_expired:
            raise StorageError(
                f"order {attempt.order_id} has a transaction that may land or has landed",
                hint="a new one is signed only after the last is proven absent",
            )
        last = row.last or 0
        if attempt.number != last + 1:
            raise StorageError(f"attempt {attempt.number} came where {last + 1} is next", hint="attempts count from 1")

    def _status(self, connection: Connection, table: Table, attempt: Attempt) -> str | None:
        this = (table.c.run_id == self._run_id, table.c.order_id == attempt.order_id)
        status: str | None = connection.execute(select(table.c.status).where(*this)).scalar()
        return status


def _attempt_of(row: StoredRow) -> Attempt:
    return Attempt(**{name: row._mapping[name] for name in _FIELDS}, state=AttemptState(row.state))
