"""What refused buys would have earned: each is followed as if it had been made, and sold again after a while.

The quotes are exact, of the engine's own pool book; nothing is ordered. What is followed is bounded: the first refusal
in a pool, then none of it for a while, and no more at once than fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from heapq import heapify, heappop, heappush

from pumpswap.amm import FeeSchedule, buy_exact_quote
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.lately import Lately
from pumpswap.errors import AmountOutOfRange, TradeRefused
from pumpswap.market.book import PoolBook
from pumpswap.model import Decision, EquityPoint, MarketUpdate, Position, RunObserver, Side, TradeSide, WhatIf
from pumpswap.portfolio.valuation import mark_position
from pumpswap.risk.policies import TRADED
from pumpswap.settings import Settings
from pumpswap.storage.run import Run
from pumpswap.units import I64_MAX

__all__ = ["HORIZONS_SECONDS", "RefusedBuys", "what_ifs"]

HORIZONS_SECONDS = (300, 3_600, 86_400)
_REST_NS = 3_600 * NS_PER_SECOND  # a pool is refused again and again: that would be the same fate, counted many times
_MOST_OPEN = 3_000  # sales that are waited for, of all horizons
_MOST_ASKED = 20  # pools that are read from the chain for this, beside those that are watched anyway
_ASK_BEFORE_NS = 30 * NS_PER_SECOND
_PATIENCE_NS = 3_600 * NS_PER_SECOND  # later than that is another horizon
_LOOK_NS = 5 * NS_PER_SECOND  # at most so often, since updates come by the thousand
_SMALLEST_LAMPORTS = 10_000_000  # where nobody has set a smallest position


class RefusedBuys(RunObserver):
    """Of one run; goes on with what an earlier process was waiting for. ``also`` stores something together with what
    the engine has told before, so that a refusal is there before what it would have earned. ``is_complete``: the book
    hears of every trade, so that a pool of which nothing was heard stands still.
    """

    def __init__(
        self,
        run: Run,
        book: PoolBook,
        schedule_for: Callable[[int], FeeSchedule],
        settings: Settings,
        also: Callable[[Callable[[], object]], None],
        *,
        is_complete: bool = False,
    ) -> None:
        self._run, self._book, self._schedule_for, self._also = run, book, schedule_for, also
        self._smallest = settings.risk.lamports("min_position_sol") or _SMALLEST_LAMPORTS
        self._fresh_ns = settings.risk.max_state_age_seconds * NS_PER_SECOND
        self._followed: Lately[int] = Lately()
        # When to look next, then what tells equal ones apart, then what is waited for.
        self._open = [(one.due_ns, one.decision_id, one.horizon_seconds, one) for one in run.what_ifs.open()]
        heapify(self._open)
        for _, _, _, one in self._open:
            self._followed.put(one.pool, max(one.at_ns, self._followed.get(one.pool) or 0), one.at_ns)
        self._is_complete = is_complete
        self._next_look_ns = 0

    def __len__(self) -> int:
        return len(self._open)

    def pools(self, now_ns: int) -> Iterable[str]:
        """Whose states are needed about now: a pool that nobody watches any more would have no value."""
        soon = now_ns + _ASK_BEFORE_NS
        due = sorted((*waiting[:3], waiting[3].pool) for waiting in self._open if waiting[0] <= soon)
        return list(dict.fromkeys(pool for *_, pool in due))[:_MOST_ASKED]

    # ------------------------------------------------------------------------------------------ listening

    def on_decision(self, decision: Decision) -> None:
        if decision.accepted or decision.intent.side is not TradeSide.BUY:
            return
        signal, rule = decision.intent.signal, decision.refusals[0].policy if decision.refusals else ""
        if signal is None or signal.side is not Side.LONG or decision.intent.is_by_hand or not rule:
            return
        if any(verdict.policy in TRADED for verdict in decision.refusals):
            return  # that one was bought
        self._follow(decision, rule)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        """It is followed since the first time, or was not followed for a reason that still holds."""

    def on_update(self, update: MarketUpdate) -> None:
        if update.at_ns >= self._next_look_ns:
            self._look(update.at_ns)

    def on_equity(self, point: EquityPoint) -> None:
        self._look(point.at_ns)  # time has passed, whether or not there was news

    # ------------------------------------------------------------------------------------------ following

    def _follow(self, decision: Decision, rule: str) -> None:
        pool, at_ns = decision.intent.pool, decision.intent.at_ns
        last = self._followed.get(pool)
        if len(self._open) + len(HORIZONS_SECONDS) > _MOST_OPEN or (last is not None and at_ns - last < _REST_NS):
            return
        state, seen_ns = self._book.state(pool), self._book.observed_ns(pool)
        if state is None or seen_ns is None or at_ns - seen_ns > self._fresh_ns:
            return  # no price of that moment is known
        if state.pool.quote_mint != WSOL_MINT:
            return
        try:
            bought = buy_exact_quote(state, self._schedule(at_ns), self._size(decision))
        except (TradeRefused, AmountOutOfRange):
            return  # it could not have been bought
        if max(bought.total_quote, bought.base_out) > I64_MAX:
            return  # nor booked
        self._followed.put(pool, at_ns, at_ns)
        for seconds in HORIZONS_SECONDS:
            what_if = WhatIf(
                *(decision.decision_id, pool, decision.intent.mint, rule, at_ns, seconds),
                *(at_ns + seconds * NS_PER_SECOND, bought.total_quote, bought.base_out),
            )
            self._store(what_if)
            heappush(self._open, (what_if.due_ns, what_if.decision_id, seconds, what_if))

    def _size(self, decision: Decision) -> int:
        """As far as risk came with its calculation; the smallest position where it did not begin, or ended at less."""
        sized = [step.lamports for step in decision.sizing if step.lamports > 0]
        return max(sized[-1] if sized else 0, self._smallest)

    def _look(self, now_ns: int) -> None:
        self._next_look_ns = now_ns + _LOOK_NS
        while self._open and self._open[0][0] <= now_ns:
            _, decision_id, seconds, what_if = heappop(self._open)
            measured = self._measured(what_if, now_ns)
            if measured is None:
                heappush(self._open, (now_ns + _LOOK_NS, decision_id, seconds, what_if))
            else:
                self._store(measured)

    def _measured(self, what_if: WhatIf, now_ns: int) -> WhatIf | None:
        """With its value, or why there is none; None while a state of the right time may still come."""
        horizon_ns, seen_ns = what_if.horizon_seconds * NS_PER_SECOND, self._book.observed_ns(what_if.pool)
        # A pool that is read has a new state each time, whether or not it has changed: an older one is of another time.
        is_fresh = seen_ns is not None and (self._is_complete or seen_ns >= what_if.due_ns - self._fresh_ns)
        if now_ns > what_if.due_ns + max(self._fresh_ns, min(horizon_ns // 2, _PATIENCE_NS)):
            return replace(what_if, measured_ns=now_ns, obstacle="the state of its pool was not known at that time")
        if not is_fresh:
            return None
        held = Position(what_if.pool, what_if.mint, 1, what_if.at_ns, base_units=what_if.base_units)
        schedule = self._schedule(now_ns)
        try:
            mark = mark_position(held, self._book.state(what_if.pool), schedule, at_ns=now_ns, state_ns=seen_ns)
        except AmountOutOfRange as beyond:  # a pool of absurd figures stops nobody
            return replace(what_if, measured_ns=now_ns, obstacle=beyond.what)
        value = min(mark.value_lamports, I64_MAX)
        return replace(what_if, measured_ns=now_ns, value_lamports=value, obstacle=mark.obstacle)

    def _schedule(self, at_ns: int) -> FeeSchedule:
        return self._schedule_for(at_ns // NS_PER_SECOND)

    def _store(self, what_if: WhatIf) -> None:
        self._also(lambda: self._run.what_ifs.save(what_if))


def what_ifs(place: RunPlace) -> Companions:
    """The one of this run."""
    parts = place.engine.parts
    watching = RefusedBuys(
        *(place.run, parts.book, parts.schedule_for, place.settings, place.also), is_complete=place.watch is None
    )
    if place.watch is not None:
        place.watch.ask_for(watching.pools)
    return Companions(observers=(watching,))
