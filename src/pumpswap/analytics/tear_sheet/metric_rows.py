"""Every statistic of a tear sheet as a row: its name, what it means in one line, how it is said, and why it may be
missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.analytics.performance.estimate import Estimate
from pumpswap.analytics.performance.result import Performance

__all__ = ["MetricRow", "metric_rows"]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """``shape`` is how the value is said: ``share``, ``change``, ``sol`` (of lamports), ``duration`` (of nanoseconds),
    ``ratio`` or ``count``. ``path`` is its place in the figures.
    """

    path: str
    name: str
    meaning: str
    shape: str
    estimate: Estimate


def metric_rows(found: Performance) -> list[MetricRow]:
    """In the order in which people ask for them."""
    rounds, returns, activity = found.rounds_closed, found.returns, found.activity
    return [
        MetricRow("returns.total", "Return", "of the equity, time-weighted: capital moved is no return", "change",
                  returns.total),
        MetricRow("returns.annual", "Return a year", "the same rate for 365 days", "change", returns.annual),
        MetricRow("returns.volatility", "Volatility", "spread of the returns, a year", "share", returns.volatility),
        MetricRow("returns.sharpe", "Sharpe", "mean return over its spread, a year", "ratio", returns.sharpe),
        MetricRow("returns.sortino", "Sortino", "mean return over the spread of losses, a year", "ratio",
                  returns.sortino),
        MetricRow("returns.calmar", "Calmar", "return a year over the deepest fall", "ratio", returns.calmar),
        MetricRow("rounds.win_rate", "Win rate", "share of closed rounds that earned something", "share",
                  rounds.win_rate),
        MetricRow("rounds.profit_factor", "Profit factor", "gains over losses", "ratio", rounds.profit_factor),
        MetricRow("rounds.payoff", "Payoff", "mean gain over mean loss", "ratio", rounds.payoff),
        MetricRow("rounds.expectancy", "Expectancy", "mean result of a round, SOL", "sol", rounds.expectancy),
        MetricRow("rounds.expectancy_share", "Expectancy, share", "mean result over what was paid in", "change",
                  rounds.expectancy_share),
        MetricRow("activity.mean_holding_ns", "Holding", "mean time from first purchase to last sale", "duration",
                  activity.mean_holding_ns),
        MetricRow("activity.exposure", "Exposure", "mean share of the equity in positions", "share",
                  activity.exposure),
        MetricRow("activity.time_in_market", "Time in the market", "share of the time with a position", "share",
                  activity.time_in_market),
        MetricRow("activity.turnover", "Turnover", "half of what was traded over the mean equity", "ratio",
                  activity.turnover),
        MetricRow("activity.mean_slippage", "Slippage", "mean of executed against quoted price; positive is worse",
                  "change", activity.mean_slippage),
    ]  # fmt: skip
