"""Episodes of a wild market: everything that may happen to an engine, in random order, as a list that can be shortened.

An episode is drawn once as plain operations; running it is deterministic. So a violation that was found in hundreds of
operations can be searched for in fewer, until no operation can be left out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.execution import execute_withdraw
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Engine, EngineParts, Restored
from pumpswap.engine.keeper import PaperKeeper
from pumpswap.engine.strategies import FollowSignals
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.wallet import PaperWallet
from pumpswap.market.book import PoolBook
from pumpswap.model import (
    Decision,
    ExitKind,
    ExitState,
    Intent,
    MarketUpdate,
    PoolSnapshot,
    ProposalStatus,
    RiskState,
    RunObserver,
    ScreenCheck,
    ScreenReport,
    ScreenVerdict,
    Side,
    Signal,
    TradeSide,
    TradingState,
)
from pumpswap.settings import Settings
from tests.support.hostile_venue import HostileVenue
from tests.support.limit_checker import LimitChecker
from tests.support.limit_draws import POOLS, TOKENS, Op, opening_states
from tests.support.market import START_NS, moved, snapshot
from tests.support.switching import switched

__all__ = ["Episode", "hostile", "run_episode", "shortened"]

SCHEDULE = current_schedule()
SCREENS = {4: ScreenVerdict.UNSAFE, 5: ScreenVerdict.UNKNOWN}  # of the mints with these numbers; 6 is not screened


def hostile(book: PoolBook, settings: Settings, seed: int, wallet: PaperWallet | None = None) -> HostileVenue:
    """A venue that fails in every way it can, on the states of ``book``."""
    inner = PaperVenue(book, settings.paper, lambda _: SCHEDULE, max_state_age_seconds=10**6, wallet=wallet)
    return HostileVenue(inner, seed, most_latency_ms=(500, 4_000, 30_000)[seed % 3])


class Broken(RuntimeError):
    """An error that a strategy or a model makes."""


class Erratic(Strategy):
    """Wishes what it is told to, on news of any kind; fails when it is told to."""

    name = "erratic"

    def __init__(self) -> None:
        self.wishes: list[Intent] = []
        self.is_broken = False

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        if self.is_broken:
            self.is_broken = False
            raise Broken("on purpose")
        wishes, self.wishes = self.wishes, []
        return wishes


class _Memory(RunObserver):
    """What a store would give back at the next start."""

    def __init__(self) -> None:
        self.risk: RiskState | None = None
        self.exits: dict[str, ExitState] = {}

    def on_risk(self, state: RiskState) -> None:
        self.risk = state

    def on_exits(self, state: ExitState) -> None:
        self.exits[state.pool] = state


class _Kept(RunObserver):
    """Every twentieth decision that has a row of its own, for a look at its numbers."""

    def __init__(self, kept: list[Decision]) -> None:
        self._kept = kept
        self._count = 0

    def on_decision(self, decision: Decision) -> None:
        self._count += 1
        if self._count % 20 == 0:
            self._kept.append(decision)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        """Counted beside the one that it repeats."""


@dataclass
class Episode:
    """One engine's life, restarts in. ``rules`` are the limits that the checker holds; ``played`` those of the engine:
    they differ only where a limit is switched off on purpose. ``heard`` are more observers.
    """

    seed: int
    rules: dict[str, Any]
    played: dict[str, Any] | None = None
    heard: Sequence[RunObserver] = ()
    mode: str = "paper"
    decisions: list[Decision] = field(default_factory=list)
    signals: int = 0
    restarts: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        settings = Settings(**(self.rules if self.played is None else self.played))
        self.states = opening_states()
        self.screens = {
            str(state.pool.base_mint): self._report(state, SCREENS.get(number, ScreenVerdict.SAFE))
            for number, state in enumerate(self.states[:TOKENS], 1)
            if number != 6
        }
        book = PoolBook()
        self.venue = hostile(book, settings, self.seed)
        self.erratic, self.memory = Erratic(), _Memory()
        self.now_ns = START_NS
        self.signal: Signal | None = None
        self.checker = LimitChecker(Settings(**self.rules), book, SCHEDULE, self.screens.get)
        self.checker.people.mode = self.mode
        self.parts = EngineParts(
            book, self.venue, self._speak, lambda _: SCHEDULE, settings,
            strategies=(FollowSignals(settings.exits.short_signal_bps), self.erratic), screens=self.screens.get,
            mode=self.mode,
        )  # fmt: skip
        self.engine = self._next_engine(None)
        self.engine.clock.advance_to(START_NS)
        self.engine.deposit(10 * 10**9)
        for state in self.states:
            self._tell(state)

    # ------------------------------------------------------------------------------------------ operations

    def do(self, op: Op) -> None:
        """One operation, after its pause."""
        self.now_ns += op.wait_ms * 1_000_000
        rng = random.Random(op.seed)
        getattr(self, "_" + op.kind.replace(" ", "_"))(op.pool, rng)
        self.most_in_flight = max(self.most_in_flight, len(self.engine.desk.orders))

    def finish(self) -> None:
        """Everything lands."""
        self.venue.calm = True
        self.engine.finish()

    def _signal(self, pool: int, rng: random.Random) -> None:
        state = self._moved(pool, rng)
        self.signals += 1
        self.signal = self._some_signal(state, rng)
        if rng.random() < 0.01:
            self.signal = None
        self._tell(state, snapshot(state, (self.now_ns - START_NS) / NS_PER_SECOND))

    def _burst(self, pool: int, rng: random.Random) -> None:
        """Many wishes at once, some on the same token."""
        places = rng.sample(range(POOLS), 14)
        for place in places:
            self._tell(self._moved(place, rng))
        for place in places:
            state = self._now(place)
            self.signals += 1
            signal = self._some_signal(state, rng)
            self._wish(TradeSide.BUY, state, signal=signal, slippage_bps=rng.choice((None, None, None, 2_500)))

    def _by_hand(self, pool: int, rng: random.Random) -> None:
        self._tell(self._now(pool))
        lamports = int(10**9 * rng.choice((0.005, 0.05, 0.3, 1, 3, 9)))
        mint = str(self.states[pool - 1].pool.base_mint) if rng.random() < 0.1 else ""
        self._wish(TradeSide.BUY, self._now(pool), mint=mint, quote_lamports=lamports)

    def _price(self, pool: int, rng: random.Random) -> None:
        for place in rng.sample(range(POOLS), 5):
            self._tell(self._moved(place, rng))

    def _quiet(self, pool: int, rng: random.Random) -> None:
        self.engine.tick(self.now_ns)

    def _sale(self, pool: int, rng: random.Random) -> None:
        """A strategy wants to sell a part, or more than there is."""
        held = self.engine.portfolio.positions.open_positions()
        if held:
            position = rng.choice(held)
            units = max(position.base_units * rng.choice((1, 5, 10, 15)) // 10, 1)
            intent = Intent(TradeSide.SELL, position.pool, position.mint, self.now_ns, "erratic", base_units=units)
            self.erratic.wishes.append(intent)
        self._signal(pool, rng)

    def _pull(self, pool: int, rng: random.Random) -> None:
        state = self._now(pool)
        share = rng.choice((100, 500, 900))
        self._tell(execute_withdraw(state, state.pool.lp_supply * share // 1_000, 0, 0))

    def _obstacle(self, pool: int, rng: random.Random) -> None:
        place = str(self.states[pool].address)
        self._step(MarketUpdate(self.now_ns, place, obstacle="moved to another exchange"))

    def _stale(self, pool: int, rng: random.Random) -> None:
        """News of a pool that do not tell its state, and wishes on what was known of it."""
        state = self._now(pool)
        self.signal = self._some_signal(state, rng)
        row = snapshot(state, (self.now_ns - START_NS) / NS_PER_SECOND)
        self._step(MarketUpdate(self.now_ns, str(state.address), snapshot=row))

    def _trading(self, pool: int, rng: random.Random) -> None:
        wanted = rng.choice((TradingState.ACTIVE, *TradingState))
        self.checker.people.trading = wanted
        switched(self.engine.risk, wanted, "on purpose")

    def _resume(self, pool: int, rng: random.Random) -> None:
        self.engine.tick(self.now_ns)
        self.engine.risk.resume("on purpose")
        self.checker.people.trading = TradingState.ACTIVE
        self.checker.locks.resume()

    def _broken(self, pool: int, rng: random.Random) -> None:
        self.erratic.is_broken = True
        self._signal(pool, rng)
        if not self.erratic.is_broken:
            self.checker.people.faults.add("strategy erratic")
        self.erratic.is_broken = False

    def _lift(self, pool: int, rng: random.Random) -> None:
        self.engine.risk.lift("strategy erratic")
        self.checker.people.faults.clear()

    def _restart(self, pool: int, rng: random.Random) -> None:
        """The process ends between two events and the next one takes over: orders stay on their way."""
        self.restarts += 1
        self.checker.people.faults.clear()  # a process's own end with it
        orders = self.engine.desk.orders
        self.engine = self._next_engine(self.engine)
        self.engine.clock.advance_to(self.now_ns)
        self.engine.desk.restore(orders)

    def _approve(self, pool: int, rng: random.Random) -> None:
        """A person agrees with what waits, or does not."""
        self.engine.tick(self.now_ns)
        for decision_id in list(self.engine.desk.proposals):
            if rng.random() < 0.7:
                self.checker.people.approving = True
                self.engine.desk.approve(decision_id, "on purpose")
                self.checker.people.approving = False
            else:
                self.engine.desk.drop_proposal(decision_id, ProposalStatus.DECLINED, "on purpose")

    def _panic(self, pool: int, rng: random.Random) -> None:
        self.engine.tick(self.now_ns)
        self.engine.close_all(ExitKind.PANIC, "on purpose")

    # ------------------------------------------------------------------------------------------ helpers

    def _next_engine(self, before: Engine | None) -> Engine:
        """An engine on the books and locks that the one before has left."""
        count = self.checker.accepted + self.checker.refused
        portfolio = None if before is None else before.portfolio
        keeper = PaperKeeper(self.venue.wallet, portfolio, decisions=count, orders=count)
        return self._made(keeper, Restored(self.memory.risk, tuple(self.memory.exits.values())))

    def _made(self, keeper: PaperKeeper, restored: Restored, *heard: RunObserver) -> Engine:
        self.parts = replace(self.parts, venue=self.venue, keeper=keeper, restored=restored)
        return Engine(self.parts, (self.memory, self.checker, _Kept(self.decisions), *self.heard, *heard))

    def _now(self, pool: int) -> PoolState:
        return self.parts.book.state(str(self.states[pool].address)) or self.states[pool]

    def _moved(self, pool: int, rng: random.Random) -> PoolState:
        now = self._now(pool)
        if now.quote_vault < 10**9 or now.quote_vault > 10**13:
            return self.states[pool]  # a fresh start: prices that have run away reach no limit
        state = moved(now, rng.choice((-60, -20, -4, -1, 0, 1, 4, 20, 60)))
        return PoolState(state.pool, state.address, state.base_reserve, state.quote_vault, state.base_supply)

    def _tell(self, state: PoolState, row: PoolSnapshot | None = None) -> None:
        self._step(MarketUpdate(self.now_ns, str(state.address), state, row))

    def _step(self, update: MarketUpdate) -> None:
        self.engine.step(update)

    def _wish(self, side: TradeSide, state: PoolState, mint: str = "", **more: Any) -> None:
        mint = mint or str(state.pool.base_mint)
        self.engine.desk.wish(Intent(side, str(state.address), mint, self.now_ns, "on purpose", **more))

    def _speak(self, row: PoolSnapshot, _past: object) -> Signal:
        if self.signal is None:
            raise Broken("a model fails")
        return self.signal

    def _some_signal(self, state: PoolState, rng: random.Random) -> Signal:
        score = rng.choice((10.0, 59.9, 60.0, 80.0, 80.0, 100.0, 100.0, float("nan")))
        side = rng.choice((Side.LONG, Side.LONG, Side.LONG, Side.LONG, Side.SHORT, Side.HOLD))
        age = rng.choice((0, 0, 0, 0, 0, 0, 4, 30, 300)) * NS_PER_SECOND
        odds: dict[str, Any] = {}
        if rng.random() < 0.3:
            odds = {
                "win_probability": rng.random(),
                "win_loss_ratio": rng.choice((0.5, 1.0, 3.0)),
                "vol_risk": rng.choice((1e-6, 1e-4, 1e-2)),
                "size_multiplier": rng.choice((0.6, 1.0, 1.1)),
            }
        strength = rng.choice((0.0, 0.3, 1.0))
        return Signal(
            str(state.address), self.now_ns - age, side, score, strength, "wild", mint=str(state.pool.base_mint), **odds
        )

    def _report(self, state: PoolState, verdict: ScreenVerdict) -> ScreenReport:
        return ScreenReport(str(state.pool.base_mint), START_NS, (ScreenCheck("wild", verdict, "drawn"),))


def run_episode(episode: Episode, ops: Sequence[Op]) -> Episode:
    """All operations, or those until the first violation."""
    for op in ops:
        episode.do(op)
        if episode.checker.found:
            return episode
    episode.finish()
    return episode


def shortened(make: Callable[[], Episode], ops: Sequence[Op], limit: str) -> list[Op]:
    """The fewest operations found that still exceed ``limit``: pieces are left out as long as it still happens."""

    def fails(some: Sequence[Op]) -> bool:
        found = run_episode(make(), some).checker.found
        return bool(found) and found[0].limit == limit

    left, piece = list(ops), max(len(ops) // 2, 1)
    while piece:
        at = 0
        while at < len(left):
            fewer = left[:at] + left[at + piece :]
            if fails(fewer):
                left = fewer
            else:
                at += piece
        piece //= 2
    return left
