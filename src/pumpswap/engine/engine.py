"""The engine: market → signal → decision → order → outcome → books → exits, one update at a time.

Replay, simulation and later live trading run this same loop; only the feed, the clock and the venue differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pumpswap.amm import FeeSchedule
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import PumpSwapError
from pumpswap.execution.exits import exit_intent
from pumpswap.execution.planner import OrderPlanner
from pumpswap.execution.venue import Venue
from pumpswap.market.book import PoolBook
from pumpswap.market.history import SnapshotHistory
from pumpswap.model import (
    Decision,
    Denied,
    Intent,
    LedgerEntry,
    Mark,
    MarketUpdate,
    Order,
    Outcome,
    PoolSnapshot,
    RunObserver,
    Side,
    Signal,
    Swap,
    TradeSide,
)
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.valuation import mark_position
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.risk.policies import BookView
from pumpswap.settings import Settings
from pumpswap.signals.wallet_follow import Seen, seen_of

__all__ = ["Engine", "EngineParts", "Signaller", "SwapSignaller"]

Signaller = Callable[[PoolSnapshot, Sequence[PoolSnapshot]], Signal]
SwapSignaller = Callable[[Swap, Seen], Signal | None]  # ``WalletFollower.signal`` is one


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What an engine is made of. ``signaller`` scores snapshots, ``swap_signaller`` single trades: both go through the
    same gate, and a signal's ``source`` says which of them it was. None: nobody listens to that kind of news.
    """

    book: PoolBook
    venue: Venue
    signaller: Signaller | None
    schedule_for: Callable[[int], FeeSchedule]
    settings: Settings
    equity_every_seconds: int = 60
    swap_signaller: SwapSignaller | None = None


class Engine:
    """Runs a feed through the rooms. Single-threaded and deterministic: the same feed gives the same books."""

    def __init__(self, parts: EngineParts, observers: Sequence[RunObserver] = ()) -> None:
        self.parts = parts
        self.portfolio = Portfolio()
        self.clock = ManualClock()
        self._observers = tuple(observers)
        self._gate = RiskGate(parts.settings.risk, parts.settings.signals)
        self._planner = OrderPlanner()
        self._history = SnapshotHistory(parts.settings.signals.history_hours)
        self._orders: dict[str, Order] = {}  # on their way, by order id
        self._names: dict[str, str] = {}
        self._next_equity_ns = 0

    # ------------------------------------------------------------------------------------------ running

    def run(self, updates: Iterable[MarketUpdate], start_ns: int, start_lamports: int) -> None:
        """Fund the wallet, take every update in time order, then let the last orders land and mark what stays open."""
        self.clock.advance_to(start_ns)
        self.parts.venue.deposit(start_lamports)
        self._tell_entries(self.portfolio.deposit(start_lamports, start_ns))
        self._measure_equity(force=True)
        for update in updates:
            self.step(update)
        self.finish()

    def step(self, update: MarketUpdate) -> None:
        """One update: first what has landed since, then the news, then exits, then entries."""
        self.settle(update.at_ns)
        self.clock.advance_to(update.at_ns)
        self.parts.book.apply(update)
        for observer in self._observers:
            observer.on_update(update)
        if update.state is not None:
            self._look_after(update.pool)
        if update.snapshot is not None and self.parts.signaller is not None:
            self._consider(update.snapshot, self.parts.signaller)
        if update.swap is not None and self.parts.swap_signaller is not None:
            self._overhear(update.swap, update.at_ns, self.parts.swap_signaller)
        self._measure_equity()

    def finish(self) -> None:
        """Let orders that are on their way land, then mark every open position at its last known state."""
        while (landing := self.parts.venue.next_landing_ns()) is not None:
            self.settle(landing)
        for position in self.portfolio.positions.open_positions():
            self._mark(position.pool)
        self._measure_equity(force=True)

    # ------------------------------------------------------------------------------------------ entries and exits

    def _consider(self, snapshot: PoolSnapshot, signaller: Signaller) -> None:
        """Score a snapshot."""
        signal = signaller(snapshot, self._history.before(snapshot))
        self._history.add(snapshot)
        self._names[snapshot.pool] = snapshot.name
        self._follow(signal, snapshot.base_mint or "", snapshot.at_ns)

    def _overhear(self, swap: Swap, at_ns: int, signaller: SwapSignaller) -> None:
        """Let a trade be scored, at the price that it has left behind. Pools that are not priced in SOL are left out:
        their amounts cannot be compared with others.
        """
        state = self.parts.book.state(swap.pool)
        if state is not None and state.pool.quote_mint != WSOL_MINT:
            return
        signal = signaller(swap, seen_of(state, self._names.get(swap.pool, "")))
        if signal is not None:
            self._follow(signal, signal.mint or "", at_ns)

    def _follow(self, signal: Signal, mint: str, at_ns: int) -> None:
        """Put the wish to buy through the gate; a short signal sells what is held."""
        held = self.portfolio.positions.open_round(signal.pool)
        if held and signal.side is Side.SHORT:
            reason = f"signal turned short at score {signal.score:.1f}"
            self._decide(Intent(TradeSide.SELL, held.pool, held.mint, at_ns, reason, signal, held.base_units))
            return
        reason = f"{signal.source} {signal.score:.1f}"
        self._decide(Intent(TradeSide.BUY, signal.pool, mint, at_ns, reason, signal))

    def _look_after(self, pool: str) -> None:
        """Value the open position of a pool that has moved, and sell it when an exit rule says so."""
        position = self.portfolio.positions.open_round(pool)
        if position is None:
            return
        mark = self._mark(pool)
        if mark is None or self._has_open_order(pool):
            return
        intent = exit_intent(position, mark, self.parts.settings.exits)
        if intent:
            self._decide(intent)

    def _decide(self, intent: Intent) -> None:
        schedule = self._schedule(intent.at_ns)
        book = self.parts.book
        view = PoolView(book.state(intent.pool), book.observed_ns(intent.pool), book.obstacle(intent.pool))
        decision = self._gate.decide(intent, view, self._book_view(intent.pool), schedule)
        for observer in self._observers:
            observer.on_decision(decision)
        if decision:
            self._order(decision, schedule)

    def _order(self, decision: Decision, schedule: FeeSchedule) -> None:
        state = self.parts.book.state(decision.intent.pool)
        if state is None:  # the gate has refused such an intent; a later change of the gate must not buy blind
            raise PumpSwapError("an accepted decision without a pool state", hint="this is a bug in the risk gate")
        is_buy = decision.intent.side is TradeSide.BUY
        settings = self.parts.settings
        slippage = settings.risk.slippage_bps if is_buy else settings.exits.slippage_bps
        order = self._planner.plan(decision, state, schedule, slippage)
        self._orders[order.order_id] = order
        for observer in self._observers:
            observer.on_order(order)
        self.parts.venue.submit(order, self.clock.now_ns())

    # ------------------------------------------------------------------------------------------ outcomes

    def settle(self, until_ns: int) -> None:
        """Execute and book what has landed by ``until_ns``. A market that trades on our book calls this before each of
        its own trades; otherwise ``step`` does.
        """
        for outcome in self.parts.venue.settle(until_ns):
            self.clock.advance_to(outcome.at_ns)
            self._book(outcome)

    def _book(self, outcome: Outcome) -> None:
        order = self._orders.pop(outcome.order_id)
        entries, position = self.portfolio.book(order, outcome, self._names.get(order.pool, ""))
        # The wallet moved by the program's transfers, the ledger by itemised fees: two roads, one sum.
        self.portfolio.ledger.check_against(self.parts.venue.wallet.balances())
        self._tell_entries(entries)
        for observer in self._observers:
            observer.on_outcome(order, outcome, position)
        if position is not None and position.is_open:
            self._mark(order.pool)
        if not isinstance(outcome, Denied):
            self._measure_equity(force=True)

    def _mark(self, pool: str) -> Mark | None:
        position = self.portfolio.positions.open_round(pool)
        if position is None:
            return None
        now, book = self.clock.now_ns(), self.parts.book
        mark = mark_position(
            position, book.state(pool), self._schedule(now), at_ns=now, state_ns=book.observed_ns(pool)
        )
        self.portfolio.mark(mark)
        for observer in self._observers:
            observer.on_mark(mark)
        return mark

    # ------------------------------------------------------------------------------------------ views

    def _schedule(self, at_ns: int) -> FeeSchedule:
        return self.parts.schedule_for(at_ns // NS_PER_SECOND)

    def _has_open_order(self, pool: str) -> bool:
        return any(order.pool == pool for order in self._orders.values())

    def _book_view(self, pool: str) -> BookView:
        portfolio, waiting = self.portfolio, [one for one in self._orders.values() if one.side is TradeSide.BUY]
        now = self.clock.now_ns()
        return BookView(
            balance=portfolio.cash - sum(order.quote_lamports for order in waiting),
            equity=portfolio.equity_at(now).equity_lamports,
            exposure=portfolio.exposure + sum(order.quote_lamports for order in waiting),
            open_positions=len(portfolio.positions.open_positions()) + len(waiting),
            position=portfolio.positions.open_round(pool),
            has_open_order=self._has_open_order(pool),
            closed_ns=portfolio.positions.last_closed_ns(pool),
        )

    def _measure_equity(self, *, force: bool = False) -> None:
        now = self.clock.now_ns()
        if not force and now < self._next_equity_ns:
            return
        self._next_equity_ns = now + self.parts.equity_every_seconds * NS_PER_SECOND
        point = self.portfolio.equity_at(now)
        for observer in self._observers:
            observer.on_equity(point)

    def _tell_entries(self, entries: list[LedgerEntry]) -> None:
        if entries:
            for observer in self._observers:
                observer.on_entries(entries)
