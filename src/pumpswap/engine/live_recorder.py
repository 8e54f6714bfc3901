"""LiveRecorder: stores what the engine tells of a live wallet beside its books, and what a restart must know.

Orders, outcomes and the ledger are stored by the wallet's own books the moment they happen. The rest is stored at each
``flush``, in one transaction, and before any order that follows from it: so what risk and exits remember, and which
outcomes they have heard, are always of one moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.engine.engine import Restored
from pumpswap.engine.feed import Place
from pumpswap.engine.outbox import PLACE
from pumpswap.engine.restore import restore_states
from pumpswap.model import (
    Alert,
    Decision,
    EquityPoint,
    ExitState,
    Heartbeat,
    Mark,
    Order,
    Outcome,
    Position,
    Proposal,
    RiskState,
    RunObserver,
    Unknown,
)
from pumpswap.storage.run import Run

__all__ = ["LiveRecorder", "Recalled", "recall"]

_HEARD = "heard"  # which outcomes risk and exits know of
_MARK_NS = 10 * NS_PER_SECOND  # a pool is valued with every change; so often that is stored


@dataclass(frozen=True, slots=True)
class Recalled:
    """What an earlier process has left of a live run: its memory, and the orders that it had not heard the end of, with
    what became of them where that is known.
    """

    restored: Restored
    unheard: tuple[tuple[Order, Outcome | None], ...]

    @property
    def orders(self) -> tuple[Order, ...]:
        """They count against every limit until their fate is heard: for ``Desk.restore``."""
        return tuple(order for order, _ in self.unheard)


def recall(run: Run, at_ns: int) -> Recalled:
    """Read it, after the unresolved orders were resolved as far as the chain tells.

    Books of before this was stored have heard of everything but what is unresolved.
    """
    ids = [order.order_id for order in run.orders(unresolved=True)]
    document = run.states.load(_HEARD)
    if document is not None:
        following = int(str(document["following"]))
        ids += [one for one in run.ids.newest_orders() if _number(one) >= following]
        on_the_way = document["on_the_way"]
        ids += [str(one) for one in on_the_way] if isinstance(on_the_way, list) else []
    unheard = tuple(run.fates(set(ids))) if ids else ()
    return Recalled(restore_states(run, at_ns), unheard)


class LiveRecorder(RunObserver):
    """An observer, and the supervisor's ``Keeps``. ``flush`` raises StorageError, and keeps what it could not store."""

    def __init__(self, run: Run, clock: Clock, recalled: Recalled) -> None:
        self._run = run
        self._clock = clock
        self._told: list[Callable[[], object]] = []
        self._risk: RiskState | None = None
        self._exits: dict[str, ExitState] = {}
        self._repeats: dict[str, tuple[int, int]] = {}
        self._marks: dict[str, Mark] = {}  # the newest of each pool, not stored yet
        self._marked_ns: dict[str, int] = {}
        self._places: dict[str, Place] = {}
        self._on_the_way: dict[str, None] = dict.fromkeys(order.order_id for order in recalled.orders)
        self._following = max(map(_number, [*run.ids.newest_orders(), "l0"])) + 1
        self._has_news = run.states.load(_HEARD) is None

    # ------------------------------------------------------------------------------------------ Keeps

    def flush(self) -> None:
        """Store what was told since the last time, all of it or nothing."""
        states, now = self._run.states, self._clock.now_ns()
        due = [one for one in self._marks.values() if one.at_ns >= self._marked_ns.get(one.pool, 0) + _MARK_NS]
        if not (self._told or self._risk or self._exits or self._repeats or self._places or due or self._has_news):
            return
        with self._run.batch():
            for tell in self._told:
                tell()
            for of, (count, at_ns) in self._repeats.items():
                self._run.decided.repeat(of, count, at_ns)
            for mark in due:
                self._run.save_mark(mark)
            if self._risk is not None:
                states.save_risk(self._risk, now)
            for pool, exits in self._exits.items():
                if exits.is_over:
                    states.drop_exits(pool)
                else:
                    states.save_exits(exits, now)
            for feed, place in self._places.items():
                states.save(PLACE + feed, place, now)
            states.save(_HEARD, {"following": str(self._following), "on_the_way": list(self._on_the_way)}, now)
        self._told.clear()
        self._risk, self._has_news = None, False
        for mark in due:
            self._marked_ns[mark.pool] = self._marks.pop(mark.pool).at_ns
        self._exits.clear()
        self._repeats.clear()
        self._places.clear()

    def also(self, write: Callable[[], object]) -> None:
        """Do this in the transaction of the next flush."""
        self._told.append(write)

    def place(self, feed: str, place: Place) -> None:
        """Where a feed stands after what was told."""
        self._places[feed] = place

    def beat(self, heartbeat: Heartbeat) -> None:
        """Stored at once."""
        self._run.states.beat(heartbeat)

    # ------------------------------------------------------------------------------------------ listening

    def on_decision(self, decision: Decision) -> None:
        self._told.append(partial(self._run.save_decision, decision))

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self._repeats[of] = repeats, decision.intent.at_ns

    def on_order(self, order: Order) -> None:
        self._on_the_way[order.order_id] = None
        self._following = max(self._following, _number(order.order_id) + 1)
        self._has_news = True

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if not isinstance(outcome, Unknown):
            self._on_the_way.pop(order.order_id, None)
            self._has_news = True

    def on_mark(self, mark: Mark) -> None:
        self._marks[mark.pool] = mark

    def on_equity(self, point: EquityPoint) -> None:
        self._told.append(partial(self._run.equity.add, point))

    def on_risk(self, state: RiskState) -> None:
        self._risk = state

    def on_exits(self, state: ExitState) -> None:
        self._exits[state.pool] = state

    def on_proposal(self, proposal: Proposal) -> None:
        self._told.append(partial(self._run.proposals.save, proposal))

    def on_alert(self, alert: Alert) -> None:
        self._told.append(partial(self._run.alert, alert))


def _number(order_id: str) -> int:
    return int(order_id[1:]) if order_id[:1] == "l" and order_id[1:].isdecimal() else 0
