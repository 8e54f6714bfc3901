"""TradingPerformanceMonitor: what the books say of the trades so far; safe with none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

from pumpswap.analytics.metrics import slippage_between
from pumpswap.analytics.performance import PerformanceInput, measure
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import NotRunning
from pumpswap.model import Denied, Filled, Order, Outcome, Rejected
from pumpswap.sdk.executor import HostConfig, PumpSwapTradingExecutor
from pumpswap.sdk.host_classes.host_result import ReadyDict
from pumpswap.sdk.performance import performance_of_run
from pumpswap.storage.database import open_database
from pumpswap.storage.run import Run
from pumpswap.units import I64_MAX, LAMPORTS_PER_SOL

__all__ = ["TradingPerformanceMonitor", "landings_of", "metrics_of_run", "stored_run"]

_NS_PER_MS = 1_000_000
_IDS_AT_ONCE = 5_000


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
        since = 0 if days is None else self.executor.clock.now_ns() - days * 86_400 * NS_PER_SECOND
        with stored_run(self.executor) as run:
            return ReadyDict(metrics_of_run(run, since) | {"answers": dict(self._answers)})


@contextmanager
def stored_run(executor: PumpSwapTradingExecutor) -> Iterator[Run | None]:
    """The books of an executor, also of one that is not open, and beside another one that trades on them; None where
    there are none yet. Nothing is begun and nothing locked. Raises NotRunning for a live executor that is not open.
    """
    room = executor.current_room
    if room is not None:
        yield room.executed.run
        return
    if executor.is_live:
        raise NotRunning("the live executor is not open", hint="await executor.open() first")
    target = executor.settings.database_target
    if isinstance(target, Path) and not target.exists():
        yield None
        return
    with open_database(target) as database:
        yield database.open_paper(executor.books_kind)


def metrics_of_run(run: Run | None, since_ns: int = 0) -> dict[str, Any]:
    """Orders by outcome, latency, slippage, gains, and all costs, the venue's fees included; SOL for people, lamports
    exact. Without a run: of no trades.
    """
    fates = [] if run is None else _fates(run, since_ns)
    filled = [(order, outcome) for order, outcome in fates if isinstance(outcome, Filled)]
    found = measure(PerformanceInput(since_ns, I64_MAX)) if run is None else performance_of_run(run, since_ns)
    closed, returns, money = found.rounds_closed, found.returns, found.money
    slippages = [float(slippage_between(order.quote, outcome.executed)) * 100 for order, outcome in filled]
    took = {} if run is None else landings_of(run)
    latencies = [took[order.order_id] / _NS_PER_MS for order, _ in filled]
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
        "total_costs_sol": sum(found.costs.values()) / LAMPORTS_PER_SOL,
        "closed_rounds": closed.closed,
        "win_rate": closed.win_rate.value,
        "profit_factor": closed.profit_factor.value,
        "expectancy_sol": None if closed.expectancy.value is None else closed.expectancy.value / LAMPORTS_PER_SOL,
        "sharpe_ratio": returns.sharpe.value,
        "sortino_ratio": returns.sortino.value,
        "max_drawdown": returns.drawdown.share,
        "realized_pnl_sol": money.realised_lamports / LAMPORTS_PER_SOL,
        "realised_lamports": money.realised_lamports,
        "net_lamports": money.net_lamports,
    }


def landings_of(run: Run, since_ns: int = 0) -> dict[str, int]:
    """Nanoseconds from the decision to the confirmation, by order, of the fills since then."""
    return {fill.order_id: fill.landing_ns for fill in run.listings.fills.between(since_ns, I64_MAX)}


def _fates(run: Run, since_ns: int) -> list[tuple[Order, Outcome | None]]:
    """Of the orders since then; asked for in parts, since a statement takes only so many names."""
    ids = [order.order_id for order in run.orders() if order.created_ns >= since_ns]
    parts = (ids[place : place + _IDS_AT_ONCE] for place in range(0, len(ids), _IDS_AT_ONCE))
    return [fate for part in parts for fate in run.fates(part)]


def _is_unresolved(outcome: Outcome | None) -> bool:
    return not isinstance(outcome, Filled | Rejected | Denied)


def _count(filled: Sequence[tuple[Order, Filled]], side: str) -> int:
    return sum(order.side.value == side for order, _ in filled)
