"""LiveRecorder: stores what the engine tells of a live wallet beside its books, and what a restart must know.

Orders, outcomes and the ledger are stored by the wallet's own books the moment they happen. The rest is stored at each
``flush``, in one transaction, and before any order that follows from it: so what risk and exits remember, and which
outcomes they have heard, are always of one moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.engine.backlog import Backlog
from pumpswap.engine.engine import Restored
from pumpswap.engine.q50_recorder import Q50Recorder
from pumpswap.engine.recorder import StateRecorder
from pumpswap.engine.restore import restore_states
from pumpswap.model import Decision, EquityPoint, Mark, Order, Outcome, Position, Unknown
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


class LiveRecorder(Backlog):
    """An observer, and the supervisor's ``Keeps``. ``flush`` raises StorageError, and keeps what it could not store."""

    def __init__(self, run: Run, clock: Clock, recalled: Recalled) -> None:
        self._q50 = Q50Recorder(run)
        super().__init__(run, _Store(run, clock, self._q50))
        self._clock = clock
        self._marks: dict[str, Mark] = {}  # the newest of each pool, not stored yet
        self._marked_ns: dict[str, int] = {}
        self._on_the_way: dict[str, None] = dict.fromkeys(order.order_id for order in recalled.orders)
        self._following = max(map(_number, [*run.ids.newest_orders(), "l0"])) + 1
        self._has_news = run.states.load(_HEARD) is None

    def flush(self) -> None:
        """Store what was told since the last time, all of it or nothing."""
        now = self._clock.now_ns()
        due = [one for one in self._marks.values() if one.at_ns >= self._marked_ns.get(one.pool, 0) + _MARK_NS]
        if self._is_empty() and not due and not self._has_news:
            return
        heard = {"following": str(self._following), "on_the_way": list(self._on_the_way)}
        with self._run.batch():
            self._store(now)
            for mark in due:
                self._run.save_mark(mark)
            self._run.states.save(_HEARD, heard, now)
        self._forget()
        self._has_news = False
        for mark in due:
            self._marked_ns[mark.pool] = self._marks.pop(mark.pool).at_ns

    # ------------------------------------------------------------------------------------------ listening

    def on_order(self, order: Order) -> None:
        self._on_the_way[order.order_id] = None
        self._following = max(self._following, _number(order.order_id) + 1)
        self._has_news = True
        self.also(partial(self._q50.ordered, order))

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if not isinstance(outcome, Unknown):
            self._on_the_way.pop(order.order_id, None)
            self._has_news = True
        self.also(partial(self._q50.ended, order, outcome))

    def on_mark(self, mark: Mark) -> None:
        self._marks[mark.pool] = mark


class _Store(StateRecorder):
    """Stores at once what a flush tells, beside the wallet's own books."""

    def __init__(self, run: Run, clock: Clock, q50: Q50Recorder) -> None:
        super().__init__(run)
        self._clock = clock
        self._q50 = q50

    def store_states(self) -> None:
        self._now_ns = self._clock.now_ns()
        super().store_states()

    def on_decision(self, decision: Decision) -> None:
        self._run.save_decision(decision)
        self._q50.decided(decision)

    def on_equity(self, point: EquityPoint) -> None:
        self._run.equity.add(point)


def _number(order_id: str) -> int:
    return int(order_id[1:]) if order_id[:1] == "l" and order_id[1:].isdecimal() else 0
