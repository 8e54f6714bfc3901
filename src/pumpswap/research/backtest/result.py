"""BacktestResult: what came out of a back-test, as one document that is the same to the byte whenever it is repeated.

No time of the clock, no path and nothing whose order depends on hashing is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from pumpswap.analytics.performance.curve import curve_of
from pumpswap.analytics.performance.given import PerformanceInput
from pumpswap.analytics.performance.intervals import share_of
from pumpswap.analytics.performance.return_figures import return_figures
from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.summary import RunSummary
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import EntryKind, Position
from pumpswap.portfolio.ledger import ledger_line
from pumpswap.research.backtest.spec import BacktestSpec, canonical_json
from pumpswap.research.backtest.tally import WorldTally

__all__ = ["BacktestResult", "ledger_bytes", "result_of"]

_LATE_SECONDS = 60  # from the end of the longest time to the fill of a sale: its latency, and a second try


class BacktestResult(msgspec.Struct, frozen=True):
    """``summary`` are the figures of every run, ``world`` what our trades changed for others, ``figures`` statistics
    with their intervals, ``faults`` strategies that failed: from then on nothing was bought.
    """

    spec: BacktestSpec
    summary: dict[str, Any]
    world: dict[str, Any]
    figures: dict[str, Any]
    faults: dict[str, str]
    ledger_sha256: str
    trades_sha256: str

    def canonical(self) -> bytes:
        """The document."""
        return canonical_json(self)

    @property
    def sha256(self) -> str:
        """Of the document."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def net_lamports(self) -> int:
        """What was earned after all costs; what is still held is valued as if it were sold."""
        return int(self.summary["equity_change_lamports"])


def result_of(
    spec: BacktestSpec, record: RunRecord, summary: RunSummary, tally: WorldTally, faults: dict[str, str]
) -> BacktestResult:
    """The result of a finished run."""
    return BacktestResult(
        spec=spec,
        summary=summary.to_json(),
        world=tally.to_json(),
        figures=_figures(record, summary) | _held(spec, summary),
        faults=dict(sorted(faults.items())),
        ledger_sha256=summary.ledger_sha256,
        trades_sha256=_trades_sha256(record),
    )


def ledger_bytes(record: RunRecord) -> bytes:
    """The ledger as JSON lines: what ``ledger_sha256`` is the digest of."""
    return "".join(f"{ledger_line(entry)}\n" for entry in record.entries).encode()


def _figures(record: RunRecord, summary: RunSummary) -> dict[str, Any]:
    capital = tuple((entry.at_ns, entry.units) for entry in record.entries if entry.kind is EntryKind.DEPOSIT)
    given = PerformanceInput(summary.started_ns, summary.finished_ns + 1, equity=record.equity, capital=capital)
    returns = return_figures(curve_of(given))
    won = sum(position.realised_lamports > 0 for position in summary.closed)
    gains = [position.realised_lamports for position in summary.closed]
    return {
        "total_return": returns.total.to_json(),
        "sharpe": returns.sharpe.to_json(),
        "sortino": returns.sortino.to_json(),
        "volatility": returns.volatility.to_json(),
        "return_period_seconds": returns.period_seconds,
        "win_rate": share_of(won, len(summary.closed), "no round was closed").to_json(),
        "gains_lamports": str(sum(gain for gain in gains if gain > 0)),
        "losses_lamports": str(sum(gain for gain in gains if gain < 0)),
        "claimable_cashback_lamports": str(summary.costs[EntryKind.CASHBACK]),
        "mean_slippage": summary.mean_slippage,
    }


def _held(spec: BacktestSpec, summary: RunSummary) -> dict[str, int]:
    """Rounds that live trading would have ended by now, and values that nobody could have got for sure."""
    longest, oldest = (
        int(spec.settings["exits"]["max_hold_seconds"]),
        int(spec.settings["risk"]["max_state_age_seconds"]),
    )
    rounds = [(one, one.closed_ns or summary.finished_ns) for one in (*summary.closed, *_open(summary))]
    limit_ns = (longest + _LATE_SECONDS) * NS_PER_SECOND
    ages = [one.mark.age_ns // NS_PER_SECOND for one in summary.open]
    old = [age for age in ages if age > oldest]
    return {
        "rounds_held_too_long": sum(ended_ns - one.opened_ns > limit_ns for one, ended_ns in rounds) if longest else 0,
        "open_rounds_of_old_value": len(old),
        "oldest_value_seconds": max(old, default=0),
    }


def _open(summary: RunSummary) -> list[Position]:
    return [one.position for one in summary.open]


def _trades_sha256(record: RunRecord) -> str:
    """Over every order's end, in the order in which they were told."""
    digest = hashlib.sha256()
    for order, outcome in _ends(record):
        digest.update(f"{order} {outcome}\n".encode())
    return digest.hexdigest()


def _ends(record: RunRecord) -> Sequence[tuple[str, str]]:
    fills = [(trade.order.order_id, _told(trade.filled)) for trade in record.trades]
    rejected = [(order.order_id, _told(outcome)) for order, outcome in record.rejections]
    denied = [(order.order_id, f"{outcome.at_ns} {outcome.rule}") for order, outcome in record.denials]
    return sorted(fills + rejected + denied)


def _told(outcome: Any) -> str:
    names = [name for name in outcome.__dataclass_fields__ if name != "order_id"]
    return " ".join(f"{name}={getattr(outcome, name)!r}" for name in names)
