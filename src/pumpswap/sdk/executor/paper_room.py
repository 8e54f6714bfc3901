"""PaperRoom: an executor's trades on paper: the engine's own desk, venue and books, at the pace of the caller."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.clock import Clock
from pumpswap.engine.desk import Desk
from pumpswap.engine.desk_parts import DeskParts
from pumpswap.engine.outbox import SHADOW
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.restore import restore_paper
from pumpswap.engine.trading_switch import hear_switch
from pumpswap.errors import NotRunning, PumpSwapError
from pumpswap.execution.exit_manager import ExitManager
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.paper_model import PaperModel
from pumpswap.market.book import PoolBook
from pumpswap.market.shadow_book import ShadowBook
from pumpswap.model import Alert, Decision, Intent, MarketUpdate, Order, Outcome, Position, ScreenReport
from pumpswap.risk.tracker import RiskTracker
from pumpswap.sdk.executor.answers import Done
from pumpswap.sdk.executor.executed import ExecutedSignals
from pumpswap.sdk.executor.faults import safe_text
from pumpswap.sdk.executor.pool_states import BookStates, PoolStates
from pumpswap.sdk.run_lock import RunLock
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run

__all__ = ["OF_A_BOOK", "PAPER", "PaperRoom", "PaperRoomParts", "Wait"]

_log = logging.getLogger(__name__)

PAPER = "paper"  # the books of `pumpswap run`: what is held there may be sold here, and the other way round
OF_A_BOOK = "executor"  # books of a market that only its caller knows are kept apart
_MARKET = "market"  # under this name a run remembers what it listens to: here the chain, as `pumpswap run` says it
Wait = Callable[[int], Awaitable[None]]
Screen = Callable[[PoolState], Awaitable[ScreenReport | None]]


@dataclass(frozen=True, slots=True)
class PaperRoomParts:
    """``wait`` returns when the clock has reached a time (ns). ``random`` None: no failures and fees by chance.

    ``screen`` makes the report of a token; None: nobody screens them.
    """

    settings: Settings
    states: PoolStates
    clock: Clock
    wait: Wait
    database: Database
    random: Random | None = None
    screen: Screen | None = None


class PaperRoom:
    """Takes up the unfinished paper books of the database, or begins new ones with the settings' capital.

    What happens between two awaits is one transaction: decision, order and the trace of its signal together, then
    outcome, entries and position. After an error in one of them, make a new room: it begins with what is stored.
    Raises LedgerMismatch for damaged books, StorageError when they cannot be read or somebody else writes them.
    """

    is_paper = True

    def __init__(self, parts: PaperRoomParts) -> None:
        self.parts = parts
        kind = OF_A_BOOK if isinstance(parts.states, BookStates) else PAPER
        self._lock = RunLock(parts.database, parts.settings.data_dir / "locks", kind)
        try:
            self._open(_run_of(parts, kind))
        except BaseException:
            self._lock.release()
            raise

    def _open(self, run: Run) -> None:
        parts, settings, now_ns = self.parts, self.parts.settings, self.parts.clock.now_ns()
        left = restore_paper(run, now_ns)
        self.run, self.trades = run, f"{run.header().kind}-{run.run_id}"
        self.executed = ExecutedSignals(run)
        held = {position.pool: position.base_units for position in left.portfolio.positions.open_positions()}
        shadow = run.states.load(SHADOW) or {}
        self.book: PoolBook = parts.states.book if isinstance(parts.states, BookStates) else ShadowBook(held, shadow)
        self.schedule = current_schedule()
        self._recorder = StoreRecorder(run)
        self._venue = PaperVenue(
            self.book,
            settings.paper,
            self._schedule_for,
            max_state_age_seconds=settings.risk.max_state_age_seconds,
            model=PaperModel(settings.paper, parts.random),
            wallet=left.wallet,
        )
        self._reports: dict[str, ScreenReport] = {}  # by mint, the newest
        desk = DeskParts(
            book=self.book,
            venue=self._venue,
            keeper=left.keeper(),
            risk=RiskTracker(settings.risk, left.restored.risk, self._recorder.on_risk),
            exits=ExitManager(settings.exits, left.restored.exits),
            schedule_for=self._schedule_for,
            settings=settings,
            screens=self._reports.get,
            mode="analysis" if settings.run.mode == "analysis" else PAPER,
        )
        self.desk = Desk(desk, parts.clock.now_ns, (self._recorder,))
        self._signals: dict[str, str] = {}  # of orders on their way: what their callers wait for
        self._awaited: set[str] = set()  # orders whose callers wait
        self._ended: dict[str, tuple[Outcome, Position | None]] = {}  # of those, until they have taken it
        self._is_open = True
        if left.is_new:
            with run.batch():
                capital = settings.paper.lamports("start_sol")
                self._venue.deposit(capital)
                self._recorder.on_entries(left.portfolio.deposit(capital, now_ns))

    async def refresh(self, pool_or_mint: str) -> PoolState:
        """Read a pool into the book; a book that somebody else keeps is as new as he keeps it."""
        state, observed_ns = await self.parts.states.state(pool_or_mint)
        self.schedule = await self.parts.states.schedule()
        update = MarketUpdate(observed_ns, str(state.address), state)
        if not isinstance(self.parts.states, BookStates) and observed_ns >= (self.book.observed_ns(update.pool) or 0):
            self.book.apply(update)
        self._recorder.on_update(update)
        return self.book.state(update.pool) or state

    async def screen(self, state: PoolState) -> None:
        """Have the token looked at, where somebody does that; the gate judges by the newest report."""
        report = None if self.parts.screen is None else await self.parts.screen(state)
        if report is not None:
            self._reports[str(state.pool.base_mint)] = report

    # ------------------------------------------------------------------------------------------ trading

    async def wanted(self, pool: str) -> Intent | None:
        """What the exits want sold there now."""
        await self.refresh(pool)
        with self.writing():
            hear_switch(self.run, self.desk.parts.risk)
            return self.desk.wanted(pool)

    def refused(self, position: Position, why: Decision | str) -> None:
        """A sale of an exit was not ordered."""
        with self.writing():
            self.desk.refused(position, why)

    def preview(self, intent: Intent) -> Decision:
        """The desk's answer to a wish."""
        return self.desk.preview(intent)

    def buying_obstacle(self) -> str:
        """None: there is no money in it."""
        return ""

    async def trade(self, intent: Intent, signal_id: str, made: Callable[[Order], None]) -> Done:
        """Through the desk; then the venue's latency passes, and the pool is read again before the order lands."""
        with self.writing():
            self._settle()
            before = self.desk.parts.keeper.portfolio.positions.open_round(intent.pool)
            hear_switch(self.run, self.desk.parts.risk)
            decision, order = self.desk.decide(intent)
            if order is not None:
                made(order)
                self._signals[order.order_id] = signal_id
                self.executed.begin(signal_id, order)
        if order is None:
            return Done(decision, self.parts.clock.now_ns(), before=before, after=before)
        self._awaited.add(order.order_id)
        try:
            outcome, after = await self._landed(order)
        finally:
            self._awaited.discard(order.order_id)
        return Done(decision, outcome.at_ns, order, outcome, before, after)

    async def _landed(self, order: Order) -> tuple[Outcome, Position | None]:
        while order.order_id not in self._ended:
            landing_ns = self._venue.next_landing_ns()
            if landing_ns is None:
                raise PumpSwapError(f"order {order.order_id} is nowhere", hint="this is a bug in the paper venue")
            await self.parts.wait(landing_ns)
            if order.order_id not in self._ended:  # another call may have settled it meanwhile
                await self._refresh_quietly(order.pool)
                with self.writing():
                    self._settle()
        return self._ended.pop(order.order_id)

    async def _refresh_quietly(self, pool: str) -> None:
        """A pool that cannot be read lets the order land on its last state, or nowhere when that is too old."""
        try:
            await self.refresh(pool)
        except Exception as failed:  # of whoever tells the pools: whatever it is, the order is on its way
            reason = safe_text(failed, self.parts.settings)
            _log.warning("pool-not-refreshed", extra={"pool": pool, "reason": reason})

    def _settle(self) -> None:
        now_ns = self.parts.clock.now_ns()
        for outcome in self._venue.settle(now_ns):
            order = self.desk.book(outcome)
            signal_id = self._signals.pop(order.order_id, "")
            self.executed.ended(signal_id, order, outcome)
            if order.order_id in self._awaited:
                self._ended[order.order_id] = outcome, self.desk.parts.keeper.portfolio.positions.latest(order.pool)
            self._recorder.on_equity(self.desk.measure())
            if isinstance(self.book, ShadowBook):
                self.run.states.save(SHADOW, self.book.memory(), now_ns)

    async def resolve(self, mint: str) -> Sequence[tuple[Order, Outcome | None]]:
        """Orders on a token that are on their way. What has landed by now is booked first."""
        landing_ns = self._venue.next_landing_ns()
        if landing_ns is not None and landing_ns <= self.parts.clock.now_ns():
            with self.writing():
                self._settle()
        return self.unresolved(mint)

    def unresolved(self, mint: str) -> Sequence[tuple[Order, Outcome | None]]:
        """Orders on a token that are on their way: on paper each of them ends by itself."""
        return [(order, None) for order in self.desk.orders if order.mint == mint]

    # ------------------------------------------------------------------------------------------ the books

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction. Raises NotRunning when the room was closed: its orders have not traded, and never will."""
        if not self._is_open:
            raise NotRunning("the paper books were closed, and the order with them", hint="make the call again")
        with self.run.batch():
            yield

    def record(self, decision: Decision) -> None:
        """Store a decision that never came to the gate."""
        self._recorder.on_decision(decision)

    def alert(self, alert: Alert) -> None:
        """Store what somebody must know."""
        self._recorder.on_alert(alert)

    async def aclose(self) -> None:
        """Let the books go. Orders on their way have not traded, and never will."""
        self._is_open = False
        self._lock.release()

    def _schedule_for(self, _unix_seconds: int) -> FeeSchedule:
        return self.schedule


def _run_of(parts: PaperRoomParts, kind: str) -> Run:
    run = parts.database.open_paper(kind)
    if run is not None:
        return run
    now_ns = parts.clock.now_ns()
    run = parts.database.start_run(kind, now_ns, None, parts.settings.to_store())
    if kind == PAPER:
        run.states.save(_MARKET, {"market": "", "start_ns": str(now_ns)}, now_ns)
    return run
