"""A short simulated history, and strategies on it that worker processes can import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pumpswap.engine.strategies import Momentum
from pumpswap.research.backtest.runner import Cast, Players
from pumpswap.research.backtest.spec import BacktestSpec, SourceRef, StrategyRef, new_spec
from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle, SimulatedPlan
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.research.tuning.engine_runner import EngineFactory
from pumpswap.research.tuning.history import HeldHistory
from pumpswap.research.tuning.space import strategy_arguments
from pumpswap.research.tuning.trials import Params, TrialResult, Window
from pumpswap.settings import Settings

PERIOD_SECONDS = 10


class MomentumCaster:
    """Momentum with whole numbers as its arguments."""

    def cast_for(self, settings: Settings, params: Params, history: Chronicle) -> Cast:
        arguments: dict[str, Any] = {name: int(value) for name, value in strategy_arguments(params).items()}
        return lambda _book, _schedule_for: Players([Momentum(**arguments)])


@cache
def history(seed: int = 7, minutes: int = 9, pools: int = 4) -> HeldHistory:
    return HeldHistory(SimulatedChronicle(SimulatedPlan(seed, minutes, pools)))


def opened() -> HeldHistory:
    return history()


def window(of: HeldHistory) -> Window:
    since, until = of.span_ns
    return Window(since, until + 1)


def spec_of(of: Chronicle, settings: Settings) -> BacktestSpec:
    source = SourceRef("simulated", "simulated")
    return new_spec(of, source, StrategyRef("momentum"), settings, period_seconds=PERIOD_SECONDS, seed=5)


def factory(settings: Settings | None = None) -> EngineFactory:
    used = settings or Settings()
    return EngineFactory(spec_of(history(), used), used, MomentumCaster(), open_history=opened)


class MemoryStore:
    """A TrialStore that forgets when the test ends."""

    def __init__(self) -> None:
        self.kept: dict[int, TrialResult] = {}

    def found(self, numbers: Sequence[int]) -> Mapping[int, TrialResult]:
        return {number: self.kept[number] for number in numbers if number in self.kept}

    def keep(self, results: Sequence[TrialResult]) -> None:
        assert self.kept.keys().isdisjoint(one.number for one in results)
        self.kept |= {one.number: one for one in results}
