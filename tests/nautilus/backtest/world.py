"""Markets, frames and strategies for back-tests of both systems on the same data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from pumpswap.amm import FeeSchedule, PoolState, current_schedule, schedule_at
from pumpswap.analytics.record import RunRecord
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.strategies.q50 import Q50Strategy
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate, Side
from pumpswap.nautilus.backtest.venue import CurveBacktest, run_on_chronicle, run_on_curve
from pumpswap.nautilus.config import Q50PumpSwapStrategyConfig
from pumpswap.nautilus.constants import PUMPSWAP_CLIENT_ID
from pumpswap.nautilus.strategy import Q50PumpSwapStrategy
from pumpswap.research.backtest.runner import Backtest, Players, run_backtest
from pumpswap.research.backtest.spec import BacktestSpec, SourceRef, StrategyRef, new_spec
from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle, SimulatedPlan
from pumpswap.research.chronicle.step import Chronicle, ScheduleFor
from pumpswap.settings import Settings
from tests.signals.test_q50_signal import GOOD, SHORT
from tests.support.market import START_NS, moved
from tests.support.q50 import SIDE_CODES, published_frame

__all__ = ["GOOD", "SHORT", "Script", "chronicle", "compared", "frame_file", "market_of", "ours", "run", "settings_for"]

_ROWS_BEFORE = 150


def frame_file(
    folder: Path, kinds: Sequence[dict[str, Any]], step_seconds: int = 300, *, start_ns: int = START_NS
) -> Path:
    """A frame whose last rows are ``kinds``; the first of them is stamped ``start_ns``, when the market begins."""
    rows = _ROWS_BEFORE + len(kinds)
    frame = published_frame(rows)
    for place, figures in enumerate(kinds):
        for name, value in figures.items():
            told = SIDE_CODES[value] if isinstance(value, Side) else value
            frame.iloc[_ROWS_BEFORE + place, frame.columns.get_loc(name)] = told
    times = pd.to_datetime([start_ns + (number - _ROWS_BEFORE) * step_seconds * 10**9 for number in range(rows)])
    frame.index = pd.MultiIndex.from_product([["BTCUSDT"], times], names=["instrument", "datetime"])
    path = folder / "macro_features.parquet"
    frame.to_parquet(path)
    return path


def settings_for(folder: Path, **sections: Any) -> Settings:
    """Settings whose books are in ``folder``."""
    return Settings(data_dir=folder, **sections)


def chronicle(seed: int = 7, minutes: int = 10, pools: int = 3) -> SimulatedChronicle:
    """A simulated market of which every act is known."""
    return SimulatedChronicle(SimulatedPlan(seed=seed, minutes=minutes, pools=pools))


def spec_for(market: Chronicle, settings: Settings, **changes: Any) -> BacktestSpec:
    """What decides a back-test of the strategy q50."""
    return new_spec(market, SourceRef("simulated", market.location), StrategyRef("q50"), settings, **changes)


def ours(market: Chronicle, settings: Settings, **changes: Any) -> Backtest:
    """Our own engine with its strategy q50."""
    spec = spec_for(market, settings, **changes)
    return run_backtest(spec, market, lambda _book, _schedule: Players((Q50Strategy.of_settings(settings),)))


def compared(market: Chronicle, settings: Settings, **changes: Any) -> tuple[Backtest, CurveBacktest]:
    """The same strategy on the same market in both systems."""
    return ours(market, settings, **changes), theirs_alone(market, settings, **changes)


def theirs_alone(market: Chronicle, settings: Settings, **changes: Any) -> CurveBacktest:
    """The strategy q50 in Nautilus."""
    spec = spec_for(market, settings, **changes)
    made = lambda _loaded: [Q50PumpSwapStrategy(Q50PumpSwapStrategyConfig(), settings=settings)]  # noqa: E731
    return run_on_chronicle(spec, market, settings, made)


def ours_recorded(updates: Sequence[MarketUpdate], settings: Settings) -> RunRecord:
    """Our own engine with its strategy q50 on recorded updates, as a replay on paper."""
    book, record = PoolBook(), RunRecord()
    venue = PaperVenue(book, settings.paper, schedule_at, max_state_age_seconds=settings.risk.max_state_age_seconds)
    strategies = (Q50Strategy.of_settings(settings),)
    parts = EngineParts(book, venue, None, schedule_at, settings, strategies=strategies)
    Engine(parts, (record,)).run(updates, updates[0].at_ns, settings.paper.lamports("start_sol"))
    return record


def newest_fees(_unix_seconds: int) -> FeeSchedule:
    return current_schedule()


def market_of(
    state: PoolState, percents: Sequence[int], every_seconds: float = 1.0, *, start_ns: int = START_NS
) -> list[MarketUpdate]:
    """One pool whose price is changed by so many percent of its first, one update after the other."""
    step = int(every_seconds * 10**9)
    return [
        MarketUpdate(start_ns + step * (place + 1), str(state.address), _at_price(state, percent))
        for place, percent in enumerate(percents)
    ]


def _at_price(state: PoolState, percent: int) -> PoolState:
    if not percent:
        return state
    changed = moved(state, percent)
    return msgspec.structs.replace(state, base_reserve=changed.base_reserve, quote_vault=changed.quote_vault)


Act = Callable[["Script", QuoteTick], None]


class Script(Strategy):
    """Does ``acts`` with quotes of these numbers (from 1), and remembers all that it hears."""

    def __init__(
        self, acts: dict[int, Act], name: str = "Script", tag: str = "001", instruments: Sequence[InstrumentId] = ()
    ) -> None:
        super().__init__(StrategyConfig(strategy_id=name, order_id_tag=tag))
        self.acts = acts
        self.wanted = list(instruments)
        self.quotes = 0
        self.heard: list[Any] = []
        self.cash: list[int] = []
        self.data: list[Any] = []
        self.on_fill: Callable[[Script, Any], None] | None = None
        self.at_stop: Callable[[Script], None] | None = None

    def on_start(self) -> None:
        for one in self.wanted or [instrument.id for instrument in self.cache.instruments()]:
            self.subscribe_quote_ticks(one)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.quotes += 1
        if self.quotes in self.acts:
            self.acts[self.quotes](self, tick)

    def on_event(self, event: Any) -> None:
        self.heard.append(event)

    def on_order_filled(self, event: Any) -> None:
        if self.on_fill is not None:
            self.on_fill(self, event)

    def on_data(self, data: Any) -> None:
        self.data.append(data)

    def on_stop(self) -> None:
        if self.at_stop is not None:
            self.at_stop(self)

    def market(self, instrument_id: InstrumentId, side: OrderSide, quantity: Any, **fields: Any) -> Any:
        """Submit a market order; ``params`` go with the command."""
        params = fields.pop("params", None)
        order = self.order_factory.market(instrument_id, side, quantity, **fields)
        self.submit_order(order, client_id=PUMPSWAP_CLIENT_ID, params=params)
        return order

    def kinds(self) -> list[str]:
        """Names of what was heard."""
        return [type(event).__name__ for event in self.heard]

    def told(self, kind: str) -> list[Any]:
        return [event for event in self.heard if type(event).__name__ == kind]


def run(
    updates: Sequence[MarketUpdate], settings: Settings, *scripts: Strategy, schedule_for: ScheduleFor = newest_fees
) -> CurveBacktest:
    """Back-test scripts on updates, at the newest fees; the engine is let go."""
    done = run_on_curve(updates, settings, lambda _market: scripts, schedule_for=schedule_for)
    assert done.engine.iteration == len(done.market.data) + len(done.market.instruments)
    return done
