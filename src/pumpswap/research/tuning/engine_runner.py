"""EngineRunner: trials by the engine itself, whatever the strategy. Slower than the kernel, and always right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from pumpswap.amm import FeeSchedule
from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.summary import RunSummary
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.errors import UsageError
from pumpswap.market.book import PoolBook
from pumpswap.model import EquityPoint, Intent, Mark, Position, Signal, Swap, TradeSide
from pumpswap.research.backtest.runner import Backtest, Cast, Players, run_backtest
from pumpswap.research.backtest.spec import BacktestSpec, deciding_settings, latency_slots
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.research.tuning.history import HistoryPart, held
from pumpswap.research.tuning.null_trials import other_seed, random_entries
from pumpswap.research.tuning.space import settings_with
from pumpswap.research.tuning.trials import Params, Round, Split, TrialResult, Window
from pumpswap.settings import Settings

__all__ = ["Caster", "EngineFactory", "EngineRunner", "QuietUntil", "equity_at", "rounds_of"]


class Caster(Protocol):
    """Makes who decides, for one set of params. It is pickled, so it is an object of a module, no closure."""

    def cast_for(self, settings: Settings, params: Params, history: Chronicle) -> Cast:
        """``settings`` have the params already; those of the strategy itself are in ``params`` only. ``history`` is the
        part that the trial plays: a strategy that looks at more of it would know the future.
        """
        ...


class EngineFactory(msgspec.Struct, frozen=True):
    """``open_history`` is called once in each worker, or ``history`` is there already. ``spec`` is the back-test that
    every trial is a variation of, ``settings`` those before the params.
    """

    spec: BacktestSpec
    settings: Settings
    caster: Caster
    open_history: Callable[[], Chronicle] | None = None
    history: Chronicle | None = None

    def open(self) -> EngineRunner:
        """As of ``RunnerFactory``. Raises UsageError for a factory without any history."""
        if self.history is not None:
            return EngineRunner(self.spec, self.settings, self.caster, self.history)
        if self.open_history is None:
            raise UsageError("no history to try sets on", hint="give open_history or history")
        return EngineRunner(self.spec, self.settings, self.caster, held(self.open_history()))


class EngineRunner:
    """Every trial is a back-test of its own, from cash alone."""

    def __init__(self, spec: BacktestSpec, settings: Settings, caster: Caster, history: Chronicle) -> None:
        self._spec, self._settings, self._caster, self._history = spec, settings, caster, history

    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        """One trial. Raises ConfigError for params that the settings refuse, UsageError for a strategy that failed:
        what it would have brought nobody knows.
        """
        done = self.backtest(params, split)
        if done.result.faults:
            told = "; ".join(f"{name}: {error}" for name, error in done.result.faults.items())
            shown = ", ".join(f"{key}={value}" for key, value in params) or "no params"
            raise UsageError(f"it failed in trial {number} ({shown}): {told}", hint="mend the strategy; then try again")
        rounds = rounds_of(done.record, done.summary, split.window)
        return TrialResult(
            number=number,
            params=params,
            split=split,
            start_lamports=self._spec.start_lamports,
            net_lamports=done.summary.equity_change_lamports,
            fills=done.summary.fills,
            failed=done.summary.rejected,
            max_drawdown_lamports=done.summary.drawdown.lamports,
            period_seconds=self._spec.period_seconds,
            equity=equity_at(done.record.equity, split.window, self._spec.period_seconds),
            rounds=rounds,
        )

    def backtest(self, params: Params, split: Split) -> Backtest:
        """The back-test of a trial, with everything that was recorded of it."""
        settings = settings_with(self._settings, params)
        part = HistoryPart(self._history, split.replay_since_ns, split.window.until_ns)
        changed: dict[str, Any] = {
            "chronicle": part.identity.sha256,
            "settings": deciding_settings(settings),
            "latency_slots": latency_slots(settings),
        }
        spec = msgspec.structs.replace(self._spec, **changed)
        seed = other_seed(params)
        if seed is not None:
            spec = msgspec.structs.replace(spec, seed=seed)
        random = random_entries(params, split)
        if random is not None:
            return run_backtest(spec, part, lambda _book, _schedule_for: Players([random]))
        cast = self._caster.cast_for(settings, params, part)
        return run_backtest(spec, part, _quiet(cast, split) if split.warm_ns else cast)


def rounds_of(record: RunRecord, summary: RunSummary, window: Window) -> tuple[Round, ...]:
    """Closed rounds, those still open, and orders that failed, in order of time; together they are all of the gain."""
    found = [
        Round(one.pool, one.opened_ns, one.closed_ns or 0, one.bought_lamports, one.realised_lamports)
        for one in summary.closed
    ]
    for still_open in summary.open:
        one = still_open.position
        net = one.realised_lamports + still_open.unrealised_lamports
        found.append(Round(one.pool, one.opened_ns, window.until_ns, one.bought_lamports, net, "open"))
    for order, rejected in record.rejections:
        found.append(Round(order.pool, rejected.at_ns, rejected.at_ns, 0, -rejected.costs.spent, "failed"))
    return tuple(sorted(found, key=lambda one: (one.opened_ns, one.pool, one.closed_ns, one.kind)))


def equity_at(points: Sequence[EquityPoint], window: Window, period_seconds: int) -> tuple[int, ...]:
    """Equity at the window's start, then at the end of every period, and at its end: the last that was measured."""
    step = period_seconds * NS_PER_SECOND
    times = [*range(window.since_ns, window.until_ns, step), window.until_ns]
    found, place = [], 0
    for at_ns in times:
        while place + 1 < len(points) and points[place + 1].at_ns <= at_ns:
            place += 1
        found.append(points[place].equity_lamports)
    # What is still on its way at the end lands behind it, and belongs to the run.
    found[-1] = points[-1].equity_lamports
    return tuple(found)


def _quiet(cast: Cast, split: Split) -> Cast:
    def quiet(book: PoolBook, schedule_for: Callable[[int], FeeSchedule]) -> Players:
        players = cast(book, schedule_for)
        strategies = [QuietUntil(one, split.window.since_ns) for one in players.strategies]
        return Players(strategies, players.signaller, players.swap_signaller)

    return quiet


class QuietUntil(Strategy):
    """A strategy that hears everything and buys nothing before ``since_ns``."""

    def __init__(self, strategy: Strategy, since_ns: int) -> None:
        self.name, self.every_seconds = strategy.name, strategy.every_seconds
        self._strategy, self._since_ns = strategy, since_ns

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        return self._later(self._strategy.on_signal(signal, desk), desk)

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        return self._later(self._strategy.on_swap(swap, desk), desk)

    def on_state(self, pool: str, desk: Wishes) -> Iterable[Intent]:
        return self._later(self._strategy.on_state(pool, desk), desk)

    def on_position(self, position: Position, mark: Mark, desk: Wishes) -> Iterable[Intent]:
        return self._later(self._strategy.on_position(position, mark, desk), desk)

    def on_time(self, at_ns: int, desk: Wishes) -> Iterable[Intent]:
        return self._later(self._strategy.on_time(at_ns, desk), desk)

    def _later(self, wishes: Iterable[Intent], desk: Wishes) -> Iterable[Intent]:
        if desk.now_ns >= self._since_ns:
            return wishes
        # All of it is heard: a generator that nobody runs would not remember what it has seen.
        return [wish for wish in wishes if wish.side is not TradeSide.BUY]
