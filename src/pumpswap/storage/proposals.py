"""Proposals: accepted buys that wait for a person, and what was said of them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Insert, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.errors import NotFound, StorageError, UsageError
from pumpswap.model import Proposal, ProposalStatus
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import PROPOSALS, StoredRow

__all__ = ["Proposals"]

_ANSWERS = (ProposalStatus.APPROVED, ProposalStatus.DECLINED)
_INTEGERS = ("quote_lamports", "at_ns", "expires_ns", "decided_ns")
_KEY = ("run_id", "decision_id")


def _replacing(stored: sqlite.Insert | postgresql.Insert) -> Insert:
    changed = {column.name: column for column in stored.excluded if column.name not in _KEY}
    return stored.on_conflict_do_update(index_elements=_KEY, set_=changed)


_SAVE = {
    "sqlite": _replacing(sqlite.insert(PROPOSALS)),
    "postgresql": _replacing(postgresql.insert(PROPOSALS)),
}


class Proposals:
    """The proposals of one run, by their decisions; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def save(self, proposal: Proposal) -> None:
        """Store a proposal as the engine sees it now. Its decision must be stored."""
        what = f"the proposal {proposal.decision_id}"
        integers = {name: getattr(proposal, name) for name in _INTEGERS}
        check_integers(integers, what)
        values = integers | {
            "run_id": self._run_id,
            "decision_id": proposal.decision_id,
            "pool": proposal.pool,
            "mint": proposal.mint,
            "name": clean_text(proposal.name),
            "status": proposal.status.value,
            "origin": clean_text(proposal.origin),
            "acted": proposal.status not in (ProposalStatus.WAITING, ProposalStatus.APPROVED),
            "follow_up": proposal.follow_up,
        }
        with self._connections.writing(what) as connection:
            connection.execute(_SAVE[connection.dialect.name], values)

    def get(self, decision_id: str) -> Proposal:
        """One of them. Raises NotFound."""
        found = self._proposals(PROPOSALS.c.decision_id == decision_id)
        if not found:
            raise NotFound(f"there is no proposal {decision_id}", hint="pumpswap approve lists those that wait")
        return found[0]

    def waiting(self) -> tuple[Proposal, ...]:
        """Those that nobody has answered, oldest first."""
        return self._proposals(PROPOSALS.c.status == ProposalStatus.WAITING.value)

    def decided(self) -> tuple[Proposal, ...]:
        """Those that a person has answered and the engine has not acted on, oldest first."""
        answered = PROPOSALS.c.status.in_([status.value for status in _ANSWERS])
        return self._proposals(and_(answered, PROPOSALS.c.acted.is_(False)))

    def declined_since(self, since_ns: int) -> tuple[Proposal, ...]:
        """What a person has declined since then, oldest first."""
        said_no = PROPOSALS.c.status == ProposalStatus.DECLINED.value
        return self._proposals(and_(said_no, PROPOSALS.c.decided_ns >= since_ns))

    def about(self, decision_id: str) -> Proposal | None:
        """The one that was made of a decision, or that led to it; None for none."""
        this = or_(PROPOSALS.c.decision_id == decision_id, PROPOSALS.c.follow_up == decision_id)
        return next(iter(self._proposals(this)), None)

    def all(self) -> tuple[Proposal, ...]:
        """Every proposal, oldest first."""
        return self._proposals(PROPOSALS.c.run_id == self._run_id)

    def decide(self, decision_id: str, status: ProposalStatus, origin: str, at_ns: int) -> None:
        """A person answers: ``APPROVED`` or ``DECLINED``. Raises NotFound, and StorageError when it does not wait."""
        if status not in _ANSWERS:
            raise UsageError(f"a person does not answer {status.value}", hint="approved or declined")
        check_integers({"decided_ns": at_ns}, f"the proposal {decision_id}")
        waits = (*self._this(decision_id), PROPOSALS.c.status == ProposalStatus.WAITING.value)
        values = {"status": status.value, "origin": clean_text(origin), "decided_ns": at_ns}
        with self._connections.writing(f"the proposal {decision_id}") as connection:
            if connection.execute(update(PROPOSALS).where(*waits).values(values)).rowcount == 0:
                stored = connection.execute(select(PROPOSALS.c.status).where(*self._this(decision_id))).scalar()
                if stored is None:
                    raise NotFound(f"there is no proposal {decision_id}", hint="pumpswap approve lists those that wait")
                raise StorageError(
                    f"the proposal {decision_id} does not wait: it is {stored}", hint="a proposal is answered once"
                )

    def _this(self, decision_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return PROPOSALS.c.run_id == self._run_id, PROPOSALS.c.decision_id == decision_id

    def _proposals(self, condition: ColumnElement[bool]) -> tuple[Proposal, ...]:
        query = select(PROPOSALS).where(PROPOSALS.c.run_id == self._run_id, condition)
        ordered = query.order_by(PROPOSALS.c.at_ns, PROPOSALS.c.decision_id)
        return tuple(self._connections.all_rows(ordered, _proposal_of))


def _proposal_of(row: StoredRow) -> Proposal:
    integers = {name: getattr(row, name) for name in _INTEGERS}
    return Proposal(
        decision_id=row.decision_id,
        pool=row.pool,
        mint=row.mint,
        name=row.name,
        status=ProposalStatus(row.status),
        origin=row.origin,
        follow_up=row.follow_up,
        **integers,
    )
