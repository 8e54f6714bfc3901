"""TradingPerformanceMonitor: what the books say of the trades so far; safe with none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from pumpswap.analytics.metrics import slippage_between, win_rate
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Denied, Filled, Order, Outcome, Rejected
from pumpswap.sdk.executor import HostConfig, PumpSwapTradingExecutor
from pumpswap.sdk.host_classes.host_result import ReadyDict
from pumpswap.storage.run import Run
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["TradingPerformanceMonitor", "metrics_of_run"]

_NS_PER_MS = 1_000_000


class TradingPerformanceMonitor:
    """Of an ``executor``, or of the books that ``config`` leads to. Reads only."""

    def __init__(self, config: HostConfig = None, *, executor: PumpSwapTradingExecutor | None = None) -> None:
        """Raises ConfigError."""
        self.executor = executor or PumpSwapTradingExecutor(config)
        self._answers: Counter[str] = Counter()

    def record_trade(self, result: Mapping[str, Any]) -> None:
        """Count an answer of the executor by its status; amounts are read from the books, never from here."""
        self._answers[str(result.get("status"))] += 1

    def get_performance_metrics(self, days: int | None = None) -> ReadyDict:
        """Figures of all trades, or of the last days. What has no value (no trades yet) is None. May be awaited.

        Raises NotRunning for a live executor that is not open.
        """
        room = self.executor.room_now()
        since = None if days is None else self.executor.clock.now_ns() - days * 86_400 * NS_PER_SECOND
        return ReadyDict(metrics_of_run(room.executed.run, since) | {"answers": dict(self._answers)})


def metrics_of_run(run: Run, since_ns: int | None = None) -> dict[str, Any]:
    """Orders by outcome, latency, slippage, gains; SOL for people, lamports exact."""
    orders = [one for one in run.orders() if since_ns is None or one.created_ns >= since_ns]
    fates = run.fates([order.order_id for order in orders]) if orders else []
    filled = [(order, outcome) for order, outcome in fates if isinstance(outcome, Filled)]
    closed = [one for one in run.positions() if not one.is_open and (since_ns is None or one.last_trade_ns >= since_ns)]
    realised = sum(one.realised_lamports for one in closed)
    slippages = [float(slippage_between(order.quote, outcome.executed)) * 100 for order, outcome in filled]
    latencies = [(outcome.at_ns - order.created_ns) / _NS_PER_MS for order, outcome in filled]
    costs = sum(outcome.costs.spent for _, outcome in fates if isinstance(outcome, Filled | Rejected))
    return {
        "total_trades": len(fates),
        "successful_trades": len(filled),
        "failed_trades": sum(isinstance(outcome, Rejected | Denied) for _, outcome in fates),
        "unresolved_trades": sum(_is_unresolved(outcome) for _, outcome in fates),
        "success_rate": len(filled) / len(fates) if fates else None,
        "buys": _count(filled, "buy"),
        "sells": _count(filled, "sell"),
        "average_latency_ms": fmean(latencies) if latencies else None,
        "average_slippage_percent": fmean(slippages) if slippages else None,
        "total_costs_sol": costs / LAMPORTS_PER_SOL,
        "closed_rounds": len(closed),
        "win_rate": win_rate(closed),
        "realized_pnl_sol": realised / LAMPORTS_PER_SOL,
        "realised_lamports": realised,
    }


def _is_unresolved(outcome: Outcome | None) -> bool:
    return not isinstance(outcome, Filled | Rejected | Denied)


def _count(filled: Sequence[tuple[Order, Filled]], side: str) -> int:
    return sum(order.side.value == side for order, _ in filled)
