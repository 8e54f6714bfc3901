"""LiveRoom: an executor's trades with an unlocked wallet: the trader's desk, books and chain venue."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.engine.desk import Desk
from pumpswap.errors import ChainError
from pumpswap.model import Alert, Decision, Intent, MarketUpdate, Order, Outcome, Position
from pumpswap.sdk.executor.answers import Done
from pumpswap.sdk.executor.executed import ExecutedSignals
from pumpswap.sdk.executor.pool_states import PoolStates
from pumpswap.sdk.passed_check import check_obstacle
from pumpswap.sdk.trader import Trader

__all__ = ["LiveRoom"]

_log = logging.getLogger(__name__)


class LiveRoom:
    """Everything is the trader's, so that a trade of an executor counts in every limit of the wallet."""

    is_paper = False

    def __init__(self, trader: Trader, states: PoolStates) -> None:
        self.trader = trader
        self._states = states
        run = trader.books.run
        self.trades = f"live-{run.run_id}"
        self.executed = ExecutedSignals(run)
        self.schedule: FeeSchedule = current_schedule()
        self._trading: Counter[str] = Counter()  # calls that are under way, by token

    @property
    def desk(self) -> Desk:
        """The trader's."""
        return self.trader.desk

    async def refresh(self, pool_or_mint: str) -> PoolState:
        """Read a pool into the desk's book."""
        state, observed_ns = await self._states.state(pool_or_mint)
        self.schedule = await self._states.schedule()
        self.desk.parts.book.apply(MarketUpdate(observed_ns, str(state.address), state))
        return state

    async def screen(self, state: PoolState) -> None:
        """Nothing: the trader's desk knows no reports, so it refuses all buys while ``risk.require_screen`` is on."""

    async def wanted(self, pool: str) -> Intent | None:
        """What the wallet's exits want sold there now."""
        await self.refresh(pool)
        return await self.trader.wanted(pool)

    def refused(self, position: Position, why: Decision | str) -> None:
        """A sale of an exit was not ordered."""
        self.trader.refused(position, why)

    def preview(self, intent: Intent) -> Decision:
        """The trader's answer to a wish, by the fees of the last ``refresh``."""
        return self.trader.preview(intent, self.schedule)

    def buying_obstacle(self) -> str:
        """Why money may buy nothing by a signal: the live check that is missing, or does not count any more."""
        connection = self.trader.connection
        return check_obstacle(self.trader.books.run, connection.settings, connection.clock.now_ns())

    async def trade(self, intent: Intent, signal_id: str, made: Callable[[Order], None]) -> Done:
        """Through the trader. The trace of the signal is stored before anything can be sent for it."""
        book, positions = self.desk.parts.book, self.trader.books.portfolio.positions
        state, before = book.state(intent.pool), positions.open_round(intent.pool)
        assert state is not None, "refreshed before every trade"
        is_made = False

        def begin(order: Order) -> None:
            nonlocal is_made
            is_made = True
            made(order)
            self.executed.begin(signal_id, order)

        self.executed.announce(signal_id, intent)
        self._trading[intent.mint] += 1
        try:
            # As old as the market told it: a feed that is dead is not made fresh by a wish.
            traded = await self.trader.trade(intent, state, observed_ns=book.observed_ns(intent.pool), made=begin)
        except Exception:
            if not is_made:  # nothing of it can be out
                self.executed.forget(signal_id)
            raise
        finally:
            self._trading[intent.mint] -= 1
        now_ns = self.trader.connection.clock.now_ns()
        if traded.order is None or traded.outcome is None:
            self.executed.forget(signal_id)
            return Done(traded.decision, now_ns, before=before, after=before)
        self.executed.ended(signal_id, traded.order, traded.outcome)
        return Done(traded.decision, now_ns, traded.order, traded.outcome, before, positions.latest(intent.pool))

    async def resolve(self, mint: str) -> Sequence[tuple[Order, Outcome | None]]:
        """One look at what became of orders on a token that were left open; those of which nothing is known yet."""
        stuck = [order for order in self.trader.books.unresolved() if order.mint == mint]
        if not self._trading[mint]:  # else the venue follows it already
            for order in stuck:
                try:
                    await self.trader.venue.resolve(order, is_patient=False)
                except ChainError as failed:
                    _log.warning("order-not-resolved", extra={"order": order.order_id, "reason": failed.what})
        return self.unresolved(mint) if stuck else ()

    def unresolved(self, mint: str) -> Sequence[tuple[Order, Outcome | None]]:
        """Those that the books know of, with what is known of them."""
        left = [order.order_id for order in self.trader.books.unresolved() if order.mint == mint]
        return self.trader.books.run.fates(left) if left else ()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction."""
        with self.trader.books.run.batch():
            yield

    def record(self, decision: Decision) -> None:
        """Store a decision that never came to the gate."""
        self.trader.books.decide(decision)

    def alert(self, alert: Alert) -> None:
        """Store what somebody must know."""
        self.trader.books.run.alert(alert)

    async def aclose(self) -> None:
        """Close the trader. Orders on their way stay stored, and are resolved at the next start."""
        await self.trader.aclose()
