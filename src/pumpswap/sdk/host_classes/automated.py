"""The strategy document's two classes: an analyser of pools for trading, and the loop that acts on it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, NotFound, PumpSwapError
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.sdk.executor import ExecutionResult, HostConfig, PumpSwapTradingExecutor
from pumpswap.sdk.executor.faults import safe_text
from pumpswap.sdk.executor.signal_reader import Told, read_identity
from pumpswap.sdk.host_classes.performance import TradingPerformanceMonitor
from pumpswap.signals.pool_facts import PoolFacts
from pumpswap.signals.pumpswap_analyzer import PumpSwapSignalAnalyzer
from pumpswap.signals.regimes import RegimeDetector
from pumpswap.signals.trading_signal import TradingSignal, trading_signal

__all__ = ["Q50PumpSwapAutomatedStrategy", "Q50PumpSwapSignalAnalyzer"]

_log = logging.getLogger(__name__)

Pools = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]


class _ExecutorFacts:
    """``PoolFactsSource`` of an executor's own pools."""

    def __init__(self, executor: PumpSwapTradingExecutor) -> None:
        self._executor = executor

    async def pool_facts(self, pool_data: Mapping[str, object]) -> PoolFacts:
        try:
            pool, mint = read_identity({"pool_data": pool_data})
        except Told as told:
            raise NotFound(told.text, hint="name the pool or the coin") from None
        room = await self._executor.room()
        state = await room.refresh(str(pool or mint))
        return PoolFacts(state, room.schedule, self._executor.clock.now_ns())


class Q50PumpSwapSignalAnalyzer:
    """Both scores of a pool, and the model's row where a frame is configured (``q50.path``)."""

    def __init__(
        self,
        config: HostConfig = None,
        *,
        executor: PumpSwapTradingExecutor | None = None,
        loader: Q50SignalLoader | None = None,
    ) -> None:
        """Raises ConfigError."""
        self.executor = executor or PumpSwapTradingExecutor(config)
        settings = self.executor.settings
        source = _ExecutorFacts(self.executor)
        self.analyzer = PumpSwapSignalAnalyzer(source=source, settings=settings.feasibility)
        self.loader = loader or (
            Q50SignalLoader(settings.q50, clock=self.executor.clock) if settings.q50.path else None
        )
        self._source = source
        self._regimes = RegimeDetector(settings)

    async def analyze_pool_for_trading(self, pool_data: Mapping[str, Any]) -> TradingSignal:
        """The signal of a pool. Without PumpSwap data, or without an applicable row of a configured frame, it is not
        tradeable. Never raises for data that are missing.
        """
        base = self.analyzer.analyze_pool_signals(pool_data)
        try:
            result = self.analyzer.enhance(base, await self._source.pool_facts(pool_data))
        except PumpSwapError as failed:
            result = self.analyzer.enhance(base, None, unavailable=failed.what)
        row = await self._row()
        try:
            return trading_signal(result, row)
        except BadInput as wrong:
            _log.warning("row-not-read", extra={"reason": wrong.what})
            return trading_signal(result, {"side": "hold"})

    async def _row(self) -> dict[str, Any] | None:
        """The model's row of now with its regime; one that holds where none applies; None where there is no model."""
        if self.loader is None:
            return None
        found = await self.loader.get_signal_for_timestamp(self.executor.clock.now_ns())
        if found is None:
            return {"side": "hold", "tradeable": False}
        regime = self._regimes.classify_regime(found)["regime"]
        return {**found, "vol_regime": regime} if regime else {**found, "tradeable": False}


class Q50PumpSwapAutomatedStrategy:
    """Looks at pools now and then, buys the best, sells by the exit rules. ``pools`` tells which rows to look at.

    Priorities first, at most ``risk.max_open_positions`` rounds, no coin that is held already; everything through the
    executor's gate. ``pumpswap run`` is the same with live feeds, supervision and commands.
    """

    def __init__(
        self, config: HostConfig = None, *, executor: PumpSwapTradingExecutor | None = None, pools: Pools | None = None
    ) -> None:
        """Raises ConfigError."""
        self.executor = executor or PumpSwapTradingExecutor(config)
        self.signal_analyzer = Q50PumpSwapSignalAnalyzer(executor=self.executor)
        self.performance_monitor = TradingPerformanceMonitor(executor=self.executor)
        self._pools = pools
        self._stopping = asyncio.Event()

    async def run_once(self, pools: Sequence[Mapping[str, Any]]) -> list[ExecutionResult]:
        """One check: exits, then the best signals of these rows. Returns the executor's answers, in their order."""
        results = await self.executor.check_exits()
        ranked: list[tuple[int, float, int, Mapping[str, Any], TradingSignal]] = []
        for row in pools:
            try:
                signal = await self.signal_analyzer.analyze_pool_for_trading(row)
            except Exception as failed:  # of whoever tells the pools: the other rows are looked at all the same
                _log.warning("row-not-analysed", extra={"reason": self._told(failed)})
                continue
            if signal.recommended_action not in ("hold", "monitor"):
                ranked.append((signal.execution_priority, -signal.final_signal_score, len(ranked), row, signal))
        held = {str(one["pair_address"]) for one in await self.executor.positions(refresh=False)}
        for _, _, _, row, signal in sorted(ranked, key=lambda one: one[:3]):
            is_buy = "buy" in signal.recommended_action
            if is_buy is (signal.pair_address in held):  # nothing is bought twice, and nothing sold that is not held
                continue
            results.append(await self.executor.execute_trading_signal(self._data(row, signal)))
        for result in results:
            self.performance_monitor.record_trade(result)
        return results

    async def start(self) -> None:
        """Check every ``run.check_seconds`` until ``stop``. Raises NotFound without ``pools``."""
        if self._pools is None:
            raise NotFound("the strategy does not know which pools to look at", hint="pass pools=…")
        self._stopping.clear()
        seconds = self.executor.settings.run.check_seconds
        while not self._stopping.is_set():
            try:
                try:
                    rows = await self._pools()
                except Exception as failed:  # without rows nothing is bought, but what is held is looked after
                    _log.warning("pools-not-read", extra={"reason": self._told(failed)})
                    rows = []
                await self.run_once(rows)
            except Exception as failed:  # whatever the source of pools raises: exits go on with the next check
                _log.warning("check-failed", extra={"reason": self._told(failed)})
            pause = asyncio.create_task(_pause(self.executor, seconds))
            stop = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({pause, stop}, return_when=asyncio.FIRST_COMPLETED)
            for task in (pause, stop):
                task.cancel()

    def stop(self) -> None:
        """End after the check that is going on."""
        self._stopping.set()

    def _told(self, failed: Exception) -> str:
        return safe_text(failed, self.executor.settings)

    def _data(self, row: Mapping[str, Any], signal: TradingSignal) -> dict[str, Any]:
        data = {**signal.as_dict(), "pool_data": dict(row), "pumpswap_available": signal.pumpswap_available}
        if self.signal_analyzer.loader is None:
            data |= {"source": "analyser", "q50": None}
        return data


async def _pause(executor: PumpSwapTradingExecutor, seconds: int) -> None:
    await executor.wait(executor.clock.now_ns() + seconds * NS_PER_SECOND)
    await asyncio.sleep(0)  # a clock that waiting moves lets others run too
