"""Small exact markets for strategies, through the real engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumpswap.amm import PoolState, current_schedule
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.strategy import Strategy
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import (
    Alert,
    Decision,
    ExitState,
    Filled,
    MarketUpdate,
    Order,
    Outcome,
    PoolSnapshot,
    Position,
    RunObserver,
    Side,
    Signal,
    Swap,
)
from pumpswap.settings import Settings
from tests.support.market import SOL, START_NS, at, snapshot

__all__ = ["Heard", "Said", "market_engine", "run", "said", "swapped"]


class Heard(RunObserver):
    """What a run has told."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.orders: list[Order] = []
        self.fills: list[tuple[Order, Filled]] = []
        self.failed: list[Outcome] = []
        self.alerts: list[Alert] = []
        self.exits: list[ExitState] = []

    def on_decision(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def on_order(self, order: Order) -> None:
        self.orders.append(order)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if isinstance(outcome, Filled):
            self.fills.append((order, outcome))
        else:
            self.failed.append(outcome)

    def on_alert(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def on_exits(self, state: ExitState) -> None:
        self.exits.append(state)

    @property
    def bought(self) -> list[str]:
        """Pools that were bought, in order."""
        return [order.pool for order, _ in self.fills if order.quote_lamports]

    @property
    def sold(self) -> list[tuple[str, int]]:
        """(pool, base units) of sales, in order."""
        return [(order.pool, order.base_units) for order, _ in self.fills if order.base_units]


Said = dict[tuple[str, int], Signal]


def market_engine(strategies: Sequence[Strategy], **sections: Any) -> tuple[Engine, Heard, Said]:
    """An engine on paper, what it tells, and the signals that it will hear: by pool and time of a snapshot."""
    chosen, book, heard, signals = Settings(**sections), PoolBook(), Heard(), Said()
    venue = PaperVenue(
        book, chosen.paper, lambda _: current_schedule(), max_state_age_seconds=chosen.risk.max_state_age_seconds
    )

    def signaller(row: PoolSnapshot, _past: object) -> Signal:
        return signals[(row.pool, row.at_ns)]

    parts = EngineParts(book, venue, signaller, lambda _: current_schedule(), chosen, strategies=strategies)
    made = Engine(parts, [heard])
    made.clock.advance_to(START_NS)
    made.deposit(50 * SOL)
    return made, heard, signals


def said(
    state: PoolState, seconds: float, score: float, side: Side = Side.LONG, feasibility: float | None = None
) -> tuple[MarketUpdate, Signal]:
    """A snapshot of a pool, and what a signal source will say of it."""
    row = snapshot(state, seconds)
    signal = Signal(row.pool, row.at_ns, side, score, score / 100, "test", mint=row.base_mint, feasibility=feasibility)
    return MarketUpdate(at(seconds), row.pool, state, row), signal


def swapped(state: PoolState, seconds: float, sol: float, trader: str = "") -> MarketUpdate:
    """Somebody has bought for so much SOL, or sold when it is negative; ``state`` is what is left."""
    swap = Swap(str(state.address), at(seconds), sol > 0, 1, round(abs(sol) * SOL), trader)
    return MarketUpdate(at(seconds), str(state.address), state, swap=swap)


def run(made: Engine, signals: Said, *updates: MarketUpdate | tuple[MarketUpdate, Signal]) -> None:
    """Put updates through the engine, and let the last orders land."""
    for each in updates:
        update = each
        if isinstance(each, tuple):
            update, signal = each
            signals[(signal.pool, signal.at_ns)] = signal
        made.step(update)  # type: ignore[arg-type]
    made.finish()
