"""What the engine sees of the pools that it thinks about, kept for charts: one point a minute, of a few pools, a week.

Noting costs the engine one look into a table for each update; what was noted is stored with the rest of a minute.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.book import PoolBook
from pumpswap.model import Decision, EquityPoint, Mark, MarketUpdate, PoolPoint, RunObserver
from pumpswap.storage.pool_points import PoolPoints
from pumpswap.units import I64_MAX

__all__ = ["POINT_SECONDS", "PoolPointKeeper", "pool_points"]

POINT_SECONDS = 60
_MOST_POOLS = 60  # those that were thought about last; what is held is thought about with every mark
_MOST_WAITING = 200
_KEPT_NS = 7 * 86_400 * NS_PER_SECOND
_TIDY_NS = 3_600 * NS_PER_SECOND
_MOST_KNOWN = 100_000  # pools with points, at a start


class PoolPointKeeper(RunObserver):
    """Of one run. ``also`` stores something together with what the engine has told before."""

    def __init__(
        self, points: PoolPoints, book: PoolBook, also: Callable[[Callable[[], object]], None], now_ns: int
    ) -> None:
        self._points, self._book, self._also = points, book, also
        self._last: OrderedDict[str, int] = OrderedDict()  # when the last point was taken, by pool
        self._tidied: dict[str, int] = {}
        self._waiting: list[PoolPoint] = []
        for pool in points.pools(_MOST_KNOWN):
            points.forget_before(pool, now_ns - _KEPT_NS)

    def on_decision(self, decision: Decision) -> None:
        self._think_of(decision.intent.pool, decision.intent.at_ns)

    def on_mark(self, mark: Mark) -> None:
        self._think_of(mark.pool, mark.at_ns)

    def on_update(self, update: MarketUpdate) -> None:
        last_ns = self._last.get(update.pool)
        if last_ns is not None and update.state is not None:
            self._note(update.pool, update.state, update.at_ns, last_ns)

    def on_equity(self, point: EquityPoint) -> None:
        self._store(point.at_ns)

    def _think_of(self, pool: str, at_ns: int) -> None:
        if pool in self._last:
            self._last.move_to_end(pool)
            return
        self._last[pool] = 0
        state = self._book.state(pool)
        if state is not None:
            self._note(pool, state, at_ns, 0)
        if len(self._last) > _MOST_POOLS:
            self._last.popitem(last=False)

    def _note(self, pool: str, state: PoolState, at_ns: int, last_ns: int) -> None:
        if at_ns - last_ns < POINT_SECONDS * NS_PER_SECOND or state.pool.quote_mint != WSOL_MINT:
            return
        point = PoolPoint(
            pool, at_ns, state.base_reserve, state.effective_quote_reserve, max(state.real_quote_reserve, 0)
        )
        if not 0 < point.base_units <= I64_MAX or not 0 < point.effective_quote_lamports <= I64_MAX:
            return  # without a price, or with one that no chart shows
        self._last[pool] = at_ns
        self._waiting.append(point)
        if len(self._waiting) >= _MOST_WAITING:
            self._store(at_ns)

    def _store(self, at_ns: int) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        old = [pool for pool in {one.pool for one in waiting} if at_ns - self._tidied.get(pool, 0) >= _TIDY_NS]
        if len(self._tidied) > 10 * _MOST_POOLS:
            self._tidied.clear()
        self._tidied |= dict.fromkeys(old, at_ns)

        def store() -> None:
            self._points.add(waiting)
            for pool in old:
                self._points.forget_before(pool, at_ns - _KEPT_NS)

        self._also(store)


def pool_points(place: RunPlace) -> Companions:
    """The one of this run."""
    points = place.database.pool_points(place.run.run_id)
    now_ns = place.engine.clock.now_ns()
    return Companions(observers=(PoolPointKeeper(points, place.engine.parts.book, place.also, now_ns),))
