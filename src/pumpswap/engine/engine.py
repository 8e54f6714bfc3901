"""The engine: market → signal → decision → order → outcome → books → exits, one event at a time.

Replay, simulation, back-test and live trading run this same loop; only the feed, the clock, the venue and the keeper of
the books differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.engine.desk import Desk
from pumpswap.engine.desk_parts import DeskParts, MoreChecks, Screens
from pumpswap.engine.keeper import Keeper, PaperKeeper
from pumpswap.engine.strategies import FollowSignals
from pumpswap.engine.strategy import STRATEGY_FAULT, Strategy
from pumpswap.engine.wish_check import check_signal, wishes_of
from pumpswap.execution.exit_manager import ExitManager
from pumpswap.execution.venue import Venue
from pumpswap.market.book import PoolBook
from pumpswap.market.history import SnapshotHistory
from pumpswap.model import (
    AlertLevel,
    Denied,
    ExitKind,
    ExitState,
    Intent,
    MarketUpdate,
    PoolSnapshot,
    Position,
    ProposalStatus,
    RiskState,
    RunObserver,
    Signal,
    Swap,
    TradeSide,
)
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import Settings
from pumpswap.signals.combined import SnapshotSignaller
from pumpswap.signals.wallet_follow import Seen, seen_of
from pumpswap.units import BPS

__all__ = ["Engine", "EngineParts", "Restored", "Signaller", "SwapSignaller"]

_KEPT_SECONDS = 86_400
_FORGET_EVERY_NS = 3_600 * NS_PER_SECOND

Signaller = SnapshotSignaller
SwapSignaller = Callable[[Swap, Seen], Signal | None]  # ``WalletFollower.signal`` is one


@dataclass(frozen=True, slots=True)
class Restored:
    """What an earlier process has left: the locks of risk, the exits of open rounds, what was declined of late."""

    risk: RiskState | None = None
    exits: tuple[ExitState, ...] = ()
    declined: Mapping[str, int] = field(default_factory=dict)  # when a person declined to buy it, by mint


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What an engine is made of. ``signaller`` scores snapshots, ``swap_signaller`` single trades: both go through the
    same gate, and a signal's ``source`` says which of them it was. None: nobody listens to that kind of news.

    ``strategies`` None: every signal is followed. ``keeper`` None: paper books in memory.
    """

    book: PoolBook
    venue: Venue
    signaller: Signaller | None
    schedule_for: Callable[[int], FeeSchedule]
    settings: Settings
    equity_every_seconds: int = 60
    swap_signaller: SwapSignaller | None = None
    strategies: Sequence[Strategy] | None = None
    keeper: Keeper | None = None
    screens: Screens | None = None
    checks: MoreChecks | None = None
    mode: str = "paper"
    restored: Restored = Restored()


class Engine:
    """Runs a feed through the rooms. Single-threaded and deterministic: the same feed gives the same books."""

    def __init__(self, parts: EngineParts, observers: Sequence[RunObserver] = ()) -> None:
        self.parts = parts
        self.clock = ManualClock()
        self._observers = list(observers)
        settings = parts.settings
        keeper = parts.keeper or PaperKeeper(parts.venue.wallet)
        self.risk = RiskTracker(settings.risk, parts.restored.risk, self._tell_risk)
        desk_parts = DeskParts(
            book=parts.book,
            venue=parts.venue,
            keeper=keeper,
            risk=self.risk,
            exits=ExitManager(
                settings.exits, parts.restored.exits, max_state_age_seconds=settings.risk.max_state_age_seconds
            ),
            schedule_for=parts.schedule_for,
            settings=settings,
            screens=parts.screens,
            checks=parts.checks,
            mode=parts.mode,
        )
        self.desk = Desk(desk_parts, self.clock.now_ns, self._observers)
        self.desk.declined.update(parts.restored.declined)
        self.strategies = (
            (FollowSignals(settings.exits.short_signal_bps),) if parts.strategies is None else tuple(parts.strategies)
        )
        # Swaps come by the thousand: who does not want them, or the time, is not asked each time.
        self._swap_listeners = [one for one in self.strategies if type(one).on_swap is not Strategy.on_swap]
        self._state_listeners = [one for one in self.strategies if type(one).on_state is not Strategy.on_state]
        self._timed = [(place, one) for place, one in enumerate(self.strategies) if one.every_seconds]
        self._wishes = _Wishes(self)
        self._history = SnapshotHistory(settings.signals.history_hours)
        self._next_equity_ns = 0
        self._next_forget_ns = 0
        self._next_time_ns = dict.fromkeys(range(len(self.strategies)), 0)
        self._told_errors: dict[str, int] = {}

    @property
    def portfolio(self) -> Portfolio:
        """What is held."""
        return self.desk.parts.keeper.portfolio

    def listen(self, observer: RunObserver) -> None:
        """Tell ``observer`` too, after all others. Before anything happens."""
        self._observers.append(observer)

    # ------------------------------------------------------------------------------------------ running

    def run(self, updates: Iterable[MarketUpdate], start_ns: int, start_lamports: int) -> None:
        """Fund the wallet, take every update in time order, then let the last orders land and mark what stays open."""
        self.clock.advance_to(start_ns)
        self.deposit(start_lamports)
        for update in updates:
            self.step(update)
        self.finish()

    def deposit(self, lamports: int) -> None:
        """Put money into the venue's wallet and into the books."""
        self.parts.venue.deposit(lamports)
        entries = self.portfolio.deposit(lamports, self.clock.now_ns())
        if entries:
            for observer in self._observers:
                observer.on_entries(entries)
        self._measure_equity()

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
        if update.swap is not None:
            self._overhear(update.swap)
        self._pass_time()
        if self._state_listeners and update.state is not None and update.state.pool.quote_mint == WSOL_MINT:
            for strategy in self._state_listeners:
                self._ask(strategy, strategy.on_state, update.pool)

    def remember(self, snapshot: PoolSnapshot) -> None:
        """A snapshot of before the start: later scores look back at it, and nothing is done about it."""
        self.desk.names[snapshot.pool] = snapshot.name
        self._history.add(snapshot)

    def tick(self, at_ns: int) -> None:
        """Time has passed without news: outcomes, exits that wait for time, strategies that look now and then."""
        self.settle(at_ns)
        self.clock.advance_to(at_ns)
        for position in self.portfolio.positions.open_positions():
            self._look_after(position.pool)
        self._pass_time()
        self._forget()

    def finish(self) -> None:
        """Let orders that are on their way land, then mark every open position at its last known state."""
        while (landing := self.parts.venue.next_landing_ns()) is not None:
            self.settle(landing)
        self.mark_all()

    def mark_all(self) -> None:
        """Value every open position at the last known state of its pool, and measure equity."""
        for position in self.portfolio.positions.open_positions():
            self.desk.mark(position.pool)
        self._measure_equity()

    def settle(self, until_ns: int) -> None:
        """Execute and book what has landed by ``until_ns``, then measure equity once: a live venue has booked all of it
        already when it tells the first. A market that trades on our book calls this before each of its own trades;
        otherwise ``step`` does.
        """
        has_moved = False
        for outcome in self.parts.venue.settle(until_ns):
            self.clock.advance_to(min(outcome.at_ns, until_ns))  # a block's time may be ahead of our clock
            self.desk.book(outcome)
            has_moved |= not isinstance(outcome, Denied)
        if has_moved:
            self._measure_equity()

    def close_all(self, kind: ExitKind, reason: str) -> int:
        """Begin to sell everything that is held; how many rounds. Each goes on until it is done."""
        held = self.portfolio.positions.open_positions()
        for position in held:
            self.desk.wish(self._wishes.sell(position, reason, kind=kind))
        return len(held)

    def fault(self, strategy: str, error: str) -> None:
        """A strategy has failed, one of ours or one of another system: entries stop until a person resumes, or the
        next start.
        """
        self.risk.fault(f"{STRATEGY_FAULT}{strategy}", error)
        self._tell_fault("strategy", strategy, error)

    def is_faulty(self, strategy: str) -> bool:
        """Whether a strategy has failed, and nobody has resumed since."""
        return any(name == f"{STRATEGY_FAULT}{strategy}" for name, _ in self.risk.state.faults)

    # ------------------------------------------------------------------------------------------ entries and exits

    def _consider(self, snapshot: PoolSnapshot, signaller: Signaller) -> None:
        """Score a snapshot."""
        self.desk.names[snapshot.pool] = snapshot.name
        past = self._history.before(snapshot)
        self._history.add(snapshot)
        try:
            signal = signaller(snapshot, past)
            check_signal(signal)
        except Exception as broken:  # a model of the user's: no signal, no trade; the others go on
            self._tell_error("signals", snapshot.pool, broken)
            return
        self._hear(signal)

    def _overhear(self, swap: Swap) -> None:
        """Let a trade be scored, at the price that it has left behind. Pools that are not priced in SOL are left out:
        their amounts cannot be compared with others.
        """
        if not self._swap_listeners and self.parts.swap_signaller is None:
            return
        state = self.parts.book.state(swap.pool)
        if state is not None and state.pool.quote_mint != WSOL_MINT:
            return
        if self.parts.swap_signaller is not None:
            self._score_swap(swap, state, self.parts.swap_signaller)
        for strategy in self._swap_listeners:
            self._ask(strategy, strategy.on_swap, swap)

    def _score_swap(self, swap: Swap, state: PoolState | None, signaller: SwapSignaller) -> None:
        try:
            signal = signaller(swap, seen_of(state, self.desk.names.get(swap.pool, "")))
            if signal is not None:
                check_signal(signal)
        except Exception as broken:  # as for snapshots
            self._tell_error("signals", swap.pool, broken)
            return
        if signal is not None:
            self._hear(signal)

    def _hear(self, signal: Signal) -> None:
        for strategy in self.strategies:
            self._ask(strategy, strategy.on_signal, signal)

    def _look_after(self, pool: str) -> None:
        """Exits first; what they leave alone the strategies may sell."""
        seen = self.desk.look_after(pool)
        if seen is None:
            return
        position, mark = seen
        for strategy in self.strategies:
            self._ask(strategy, strategy.on_position, position, mark)

    def _pass_time(self) -> None:
        now = self.clock.now_ns()
        for place, strategy in self._timed:
            if now >= self._next_time_ns[place]:
                self._next_time_ns[place] = now + strategy.every_seconds * NS_PER_SECOND
                self._ask(strategy, strategy.on_time, now)
        if self.desk.proposals:
            for decision_id, proposal in list(self.desk.proposals.items()):
                if now >= proposal.expires_ns:
                    self.desk.drop_proposal(decision_id, ProposalStatus.EXPIRED, "nobody approved it in time")
        if now >= self._next_equity_ns:
            self._measure_equity()

    def _ask(self, strategy: Strategy, question: Callable[..., Iterable[Intent]], *news: object) -> None:
        """What a strategy wishes. One that fails stops entries until a person resumes, or the next start."""
        try:
            wishes = wishes_of(question(*news, self._wishes))
        except Exception as broken:
            self.fault(strategy.name, f"{type(broken).__name__}: {broken}")
            return
        for intent in wishes:
            self.desk.wish(intent if intent.strategy else replace(intent, strategy=strategy.name))

    def _forget(self) -> None:
        """Now and then, drop what nobody has told of for a day and what is neither held nor ordered: who listens for
        weeks hears of thousands of pools. A replay, whose time nobody ticks, keeps everything.
        """
        now = self.clock.now_ns()
        if now < self._next_forget_ns:
            return
        self._next_forget_ns = now + _FORGET_EVERY_NS
        desk, book, history = self.desk, self.parts.book, self._history
        kept = {position.pool for position in self.portfolio.positions.held()}
        kept |= {order.pool for order in desk.orders} | {proposal.pool for proposal in desk.proposals.values()}
        seconds = max(_KEPT_SECONDS, self.parts.settings.risk.max_state_age_seconds)
        book.forget(now - seconds * NS_PER_SECOND, kept)
        history.forget(now)
        known = desk.names.items()
        desk.names = {pool: name for pool, name in known if pool in kept or pool in book or pool in history}
        self._told_errors = {subject: until for subject, until in self._told_errors.items() if until > now}

    # ------------------------------------------------------------------------------------------ telling

    def _tell_error(self, topic: str, subject: str, broken: Exception) -> None:
        self._tell_fault(topic, subject, f"{type(broken).__name__}: {broken}")

    def _tell_fault(self, topic: str, subject: str, text: str) -> None:
        """Once an hour for each subject: a broken model would tell the same with every snapshot."""
        now = self.clock.now_ns()
        if now >= self._told_errors.get(f"{topic} {subject}", 0):
            self._told_errors[f"{topic} {subject}"] = now + 3_600 * NS_PER_SECOND
            self.desk.alert(AlertLevel.ERROR, topic, subject, text)

    def _tell_risk(self, state: RiskState) -> None:
        for observer in self._observers:
            observer.on_risk(state)

    def _measure_equity(self) -> None:
        now = self.clock.now_ns()
        self._next_equity_ns = now + self.parts.equity_every_seconds * NS_PER_SECOND
        point = self.desk.measure()
        for observer in self._observers:
            observer.on_equity(point)


class _Wishes:
    """``Wishes`` over an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def now_ns(self) -> int:
        return self._engine.clock.now_ns()

    def buy(self, signal: Signal, reason: str = "") -> Intent:
        text = reason or f"{signal.source} {signal.score:.1f}"
        state = self.state(signal.pool)
        mint = signal.mint or ("" if state is None else str(state.pool.base_mint))
        return Intent(TradeSide.BUY, signal.pool, mint, self.now_ns, text, signal)

    def sell(
        self, position: Position, reason: str, *, share_bps: int = 10_000, kind: ExitKind = ExitKind.SIGNAL
    ) -> Intent:
        units = position.base_units * share_bps // BPS
        return Intent(TradeSide.SELL, position.pool, position.mint, self.now_ns, reason, base_units=units, exit=kind)

    def position(self, pool: str) -> Position | None:
        return self._engine.portfolio.positions.open_round(pool)

    def positions(self) -> list[Position]:
        return self._engine.portfolio.positions.open_positions()

    def state(self, pool: str) -> PoolState | None:
        return self._engine.parts.book.state(pool)
