"""Watcher: a running engine seen from outside, look by look, from what it stores: how it is, and what is new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.app.books import Books, chosen_books
from pumpswap.app.control import running_runs
from pumpswap.app.views.overview import Overview, Period, overview
from pumpswap.app.views.page import PageWish
from pumpswap.app.views.positions import Positions, positions
from pumpswap.app.views.sight import Sight, shown_name
from pumpswap.clock import Clock
from pumpswap.errors import NotRunning
from pumpswap.model import Alert, Decision, Order, Outcome, Position
from pumpswap.settings import Settings
from pumpswap.storage.browse import DecisionWish, Place
from pumpswap.storage.database import Database
from pumpswap.storage.decided import StoredDecision

__all__ = ["Ended", "Look", "News", "Watcher"]

_FIRST = 12  # of each kind, before the first look: what has just happened
_FEW = 20
_MOST_ORDERS = 60  # the newest, in one look
_MOST = 200  # of each kind in one look: what is more is counted
_MOST_HELD = 20

_Decisions = list[tuple[Place, StoredDecision]]


@dataclass(frozen=True, slots=True)
class Ended:
    """An order and how it has ended; ``position`` is the round that it belongs to."""

    order: Order
    outcome: Outcome
    position: Position | None


@dataclass(frozen=True, slots=True)
class News:
    """What has been stored since the look before. ``at_ns`` is in the market's time."""

    at_ns: int
    what: Decision | Ended | Alert


@dataclass(frozen=True, slots=True)
class Look:
    """How it is now. ``news`` are in the order of their time; ``left_out`` is how many more there were. ``names`` are
    those of the pools in it. ``is_new_run``: another run than in the look before.
    """

    overview: Overview
    held: Positions
    news: tuple[News, ...]
    names: Mapping[str, str]
    left_out: int = 0
    is_new_run: bool = False


class Watcher:
    """Of one open database. Follows the run that an engine keeps, from one to the next, unless a number is given."""

    def __init__(self, database: Database, settings: Settings, clock: Clock, run_id: int | None = None) -> None:
        self._database, self._settings, self._clock, self._run_id = database, settings, clock, run_id
        self._watched: int | None = None
        self._decision = self._alert = 0
        self._orders: dict[str, str] = {}  # status that was told, of the newest orders

    def look(self) -> Look:
        """Look once. Raises NotRunning where there are no books, NotFound for a number that no run has."""
        books = self._books()
        run_id = books.run.run_id
        is_first, is_new = self._watched is None, self._watched != run_id
        if is_new:
            self._watched, self._decision = run_id, 0
            self._orders.clear()
        sight = Sight(books, self._settings, self._clock)
        held = positions(sight, PageWish(size=_MOST_HELD))
        found = [self._decisions(sight, is_new), self._ended(sight, is_new), self._alerts(is_first)]
        news = sorted((one for each, _ in found for one in each), key=lambda one: one.at_ns)
        return Look(
            overview=overview(sight, Period.DAY),
            held=held,
            news=tuple(news),
            names=self._names(sight, news, held),
            left_out=sum(left for _, left in found),
            is_new_run=is_new and not is_first,
        )

    def _books(self) -> Books:
        run_id = self._run_id
        if run_id is None:
            running = running_runs(self._database, self._settings, self._clock.now_ns())
            active = running[0] if running else self._database.active_run()
            run_id = None if active is None else active.run_id
        found = chosen_books(self._database, run_id)
        if found is None:
            raise NotRunning("no engine runs, and there are no books yet", hint="start one: pumpswap run")
        return found

    def _decisions(self, sight: Sight, is_new: bool) -> tuple[list[News], int]:
        most = _FIRST if is_new else _FEW  # usually few are new, and each is a large row
        found, fresh = self._newest_decisions(sight, most)
        if not is_new and len(fresh) == most:
            most = _MOST
            found, fresh = self._newest_decisions(sight, most)
        before, self._decision = self._decision, max((place.number for place, _ in found), default=self._decision)
        # Rows of several runs share one count: more than were read may be those of others.
        left = 0 if is_new or len(fresh) < most else max(fresh[-1][0].number - before - 1, 0)
        return [News(stored.decision.intent.at_ns, stored.decision) for _, stored in fresh], left

    def _newest_decisions(self, sight: Sight, most: int) -> tuple[_Decisions, _Decisions]:
        """All that were read, and those of them that are new."""
        found = sight.browse.decisions(DecisionWish(), most)
        return found, [(place, stored) for place, stored in found if place.number > self._decision]

    def _ended(self, sight: Sight, is_new: bool) -> tuple[list[News], int]:
        found, run = sight.browse.orders(most=_FIRST if is_new else _MOST_ORDERS), sight.books.run
        fresh = [one for one in found if one.outcome is not None and self._orders.get(one.order.order_id) != one.status]
        self._orders = {one.order.order_id: one.status for one in found}
        told = [Ended(one.order, one.outcome, run.latest_position(one.order.pool)) for one in fresh if one.outcome]
        return [News(one.outcome.at_ns, one) for one in told], 0

    def _alerts(self, is_first: bool) -> tuple[list[News], int]:
        alerts = self._database.alerts
        found = alerts.newest(_FIRST) if is_first else alerts.after(self._alert, _MOST)
        self._alert = max((alert.number for alert in found), default=self._alert)
        return [News(alert.at_ns, alert) for alert in found], 0

    def _names(self, sight: Sight, news: list[News], held: Positions) -> dict[str, str]:
        decisions = [one.what for one in news if isinstance(one.what, Decision)]
        pools = {one.intent.pool for one in decisions} | {
            one.what.order.pool for one in news if isinstance(one.what, Ended)
        }
        said = {
            decision.intent.pool: shown_name(decision.intent.signal.name)
            for decision in decisions
            if decision.intent.signal is not None and decision.intent.signal.name
        }
        known = sight.names(pools | {one.position.pool for one in held.rows.items})
        return said | {pool: name for pool, name in known.items() if name}
