"""M3 to M8, as far as the books of one run show them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pumpswap.analytics.execution_quality import Funnel, funnel_of
from pumpswap.analytics.tear_sheet.execution import Execution, execution_of, spread_of
from pumpswap.analytics.uptime import Uptime, uptime_of
from pumpswap.app.books import Books
from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.live_books import LIVE
from pumpswap.model import Position, ReconciliationStatus
from pumpswap.portfolio.audit import AuditReport, audit_run
from pumpswap.storage.wishes import WishRow

__all__ = ["RunRecord", "Violations", "read_run", "violations_in"]

_FOR_EVER_NS = 2**63 - 1
_BEATS = 5  # so many may be missing of an engine that lives


@dataclass(frozen=True, slots=True)
class Violations:
    """What the books say of limits: buys that were accepted although a policy refused, more positions at once than the
    gate of that buy allowed, and fills that cost more than their order's budget. ``buys`` were looked at.
    """

    buys: int
    against_a_policy: int
    too_many_positions: int
    over_budget: int

    @property
    def count(self) -> int:
        """All of them."""
        return self.against_a_policy + self.too_many_positions + self.over_budget


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything that the metrics need of a run. ``comparisons`` counts those with the wallet by what they found;
    ``slippage`` of all fills is a share, positive is worse.
    """

    name: str
    is_live: bool
    execution: Execution
    mean_slippage: float | None
    p95_slippage: float | None
    worst_slippage: float | None
    funnel: Funnel
    refusals: Counter[str]
    uptime: Uptime
    audit: AuditReport
    comparisons: Counter[ReconciliationStatus]
    violations: Violations


def read_run(books: Books, now_ns: int) -> RunRecord:
    """Read a run. The ledger is recounted from its first entry. ``now_ns`` is the machine's time: a run that was not
    finished is meant to go on until then.
    """
    run = books.run
    accepted: list[WishRow] = []
    funnel, refusals = funnel_of(_keeping(run.listings.wishes.since(0), accepted))
    fills = run.listings.fills.between(0, _FOR_EVER_NS)
    slippage = spread_of([fill.slippage for fill in fills])
    return RunRecord(
        name=f"run {books.header.run_id}, {books.header.kind}",
        is_live=books.header.kind == LIVE,
        execution=execution_of(fills, run.listings.fills.unfilled(0, _FOR_EVER_NS)),
        mean_slippage=None if slippage is None else slippage.mean,
        p95_slippage=None if slippage is None else slippage.percentiles[95],
        worst_slippage=None if slippage is None else slippage.highest,
        funnel=funnel,
        refusals=refusals,
        uptime=_uptime(books, now_ns),
        audit=audit_run(run),
        comparisons=Counter(found.status for found in run.reconciliations.all()),
        violations=violations_in(accepted, list(run.positions())),
    )


def _uptime(books: Books, now_ns: int) -> Uptime:
    beat = books.run.states.heartbeat()
    quiet_ns = _BEATS * (1 if beat is None else max(beat.every_seconds, 1)) * NS_PER_SECOND
    as_of_ns = now_ns if books.header.finished_ns is None else None
    return uptime_of(books.run.spells.since(0), as_of_ns=as_of_ns, quiet_ns=quiet_ns)


def _keeping(wishes: Iterable[WishRow], accepted: list[WishRow]) -> Iterator[WishRow]:
    """The same, once through; those that were accepted are kept."""
    for one in wishes:
        if one.accepted:
            accepted.append(one)
        yield one


def violations_in(accepted: Sequence[WishRow], positions: Sequence[Position]) -> Violations:
    """Recount the limits of every accepted buy from what was booked. A position that its owner adopted is his own
    business.
    """
    bought = [one for one in positions if one.buys]
    opened = sorted(one.opened_ns for one in bought)
    closed = sorted(one.closed_ns for one in bought if one.closed_ns is not None)
    too_many = 0
    for one in accepted:
        if one.filled_ns is None or one.most_open is None:
            continue
        # Right after its fill: what was opened until then, less what was closed before.
        open_now = bisect_right(opened, one.filled_ns) - bisect_right(closed, one.filled_ns)
        too_many += open_now > one.most_open
    return Violations(
        buys=len(accepted),
        against_a_policy=sum(bool(one.refused_by) for one in accepted),
        too_many_positions=too_many,
        over_budget=sum(
            one.spent_lamports > one.budget_lamports
            for one in accepted
            if one.spent_lamports is not None and one.budget_lamports is not None
        ),
    )
