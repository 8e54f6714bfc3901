"""Status: is an engine at work, may it buy, and what of late was refused, by which rules: why nothing is bought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.app.books import Books, chosen_books, open_store
from pumpswap.app.control import beat_is_fresh, open_control
from pumpswap.app.standing import general_obstacles
from pumpswap.clock import NS_PER_SECOND, Clock, SystemClock
from pumpswap.errors import NotRunning
from pumpswap.model import EquityPoint, Heartbeat, RiskState, TradeSide, TradingSwitch, Verdict
from pumpswap.risk.policies import TRADED
from pumpswap.settings import Settings
from pumpswap.storage.decided import StoredDecision
from pumpswap.storage.run_header import RunHeader

__all__ = ["Status", "status"]

LATELY_SECONDS = 3_600
_MOST_READ = 5_000  # decisions


@dataclass(frozen=True, slots=True)
class Status:
    """How a run is at ``as_of_ns``, the time of its market; the age of the heartbeat is in the machine's time.

    ``obstacles`` are refusals that any buy would meet now. ``refused_by`` counts the refusals of the last hour of the
    market by policy, repeated ones included; ``nearest`` is the refused buy with the highest score among them.
    """

    header: RunHeader
    as_of_ns: int
    heartbeat: Heartbeat | None
    heartbeat_age_seconds: int | None
    is_running: bool
    switch: TradingSwitch
    faults: tuple[tuple[str, str], ...]
    obstacles: tuple[Verdict, ...]
    accepted: int
    refused: int
    refused_by: Mapping[str, int]
    nearest: StoredDecision | None
    open_positions: int
    on_the_way: int
    proposals: int
    equity: EquityPoint | None

    @property
    def able(self) -> bool:
        """Whether the engine could carry out an entry now."""
        return self.is_running and self.heartbeat is not None and self.heartbeat.able and not self.obstacles


def status(settings: Settings, run_id: int | None = None, clock: Clock | None = None) -> Status:
    """Of the run that an engine keeps now; without one of the live run, else of what was kept last, else of the newest.

    Raises NotRunning where there are no books at all, NotFound for a number that no run has.
    """
    clock = clock or SystemClock()
    try:
        with open_control(settings, run_id, clock=clock) as control:
            return _status(control.books, settings, clock)
    except NotRunning:
        with open_store(settings) as database:
            books = chosen_books(database, run_id)
            if books is None:
                raise NotRunning(
                    "no engine runs, and there are no books yet",
                    hint="`pumpswap run` starts one; with --market simulated --fast it needs nothing",
                ) from None
            return _status(books, settings, clock)


def _status(books: Books, settings: Settings, clock: Clock) -> Status:
    run, now_ns, as_of_ns = books.run, clock.now_ns(), books.as_of_ns(clock)
    beat = run.states.heartbeat()
    is_running = books.header.finished_ns is None and beat_is_fresh(beat, settings, now_ns)
    lately = run.decided.since(as_of_ns - LATELY_SECONDS * NS_PER_SECOND, _MOST_READ)
    refused = [stored for stored in lately if not stored.decision]
    refused_by: Counter[str] = Counter()
    for stored in refused:
        for verdict in stored.decision.refusals:
            refused_by[verdict.policy] += 1 + stored.repeats
    remembered = run.states.risk() or RiskState()
    return Status(
        header=books.header,
        as_of_ns=as_of_ns,
        heartbeat=beat,
        heartbeat_age_seconds=None if beat is None else max(now_ns - beat.at_ns, 0) // NS_PER_SECOND,
        is_running=is_running,
        switch=run.states.switch(),
        faults=remembered.faults if is_running else (),
        obstacles=general_obstacles(books, settings, clock),
        accepted=len(lately) - len(refused),
        refused=sum(1 + stored.repeats for stored in refused),
        refused_by=dict(refused_by.most_common()),
        nearest=_nearest(refused),
        open_positions=len(list(run.open_positions())),
        on_the_way=len(list(run.orders(unresolved=True))),
        proposals=len(run.proposals.waiting()),
        equity=run.equity.latest(),
    )


def _nearest(refused: list[StoredDecision]) -> StoredDecision | None:
    """The highest score; of equal ones that with the fewest refusals, then the newest. What is held, or was just now,
    was no near miss.
    """
    buys = [one for one in refused if one.decision.intent.side is TradeSide.BUY and one.decision.intent.signal]
    scored = [one for one in buys if TRADED.isdisjoint(verdict.policy for verdict in one.decision.refusals)]
    return max(scored, key=_rank, default=None)


def _rank(stored: StoredDecision) -> tuple[float, int, int]:
    intent = stored.decision.intent
    score = 0.0 if intent.signal is None else intent.signal.score
    return score, -len(stored.decision.refusals), intent.at_ns
