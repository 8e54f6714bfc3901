"""RunSummary: the figures of a run, for the report, the terminal and ``--json`` alike. One source, so they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pumpswap.analytics.metrics import Drawdown, costs_by_kind, max_drawdown, slippage_of, win_rate
from pumpswap.analytics.record import RunRecord
from pumpswap.errors import LedgerMismatch
from pumpswap.model import EntryKind, Mark, Position
from pumpswap.portfolio.ledger import ledger_sha256
from pumpswap.portfolio.portfolio import Portfolio

__all__ = ["OpenPosition", "RunSummary", "summarise"]


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A position that is still held and its last mark."""

    position: Position
    mark: Mark

    @property
    def unrealised_lamports(self) -> int:
        """Executable value over cost, at the mark's age."""
        return self.mark.value_lamports - self.position.cost_lamports


@dataclass(frozen=True, slots=True)
class RunSummary:
    """All figures in lamports. ``equity_change`` is realised + unrealised − failed costs, to the lamport."""

    updates: int
    snapshots: int
    swaps: int
    pools: int
    decisions: int
    accepted: int
    refused: int
    refused_by_policy: dict[str, int]
    orders: int
    fills: int
    rejected: int
    denied: int
    start_lamports: int
    cash_lamports: int
    marks_lamports: int
    rent_lamports: int
    equity_lamports: int
    realised_lamports: int
    unrealised_lamports: int
    failed_costs_lamports: int
    costs: dict[EntryKind, int]
    closed: tuple[Position, ...]
    open: tuple[OpenPosition, ...]
    win_rate: float | None
    drawdown: Drawdown
    mean_slippage: float | None
    ledger_entries: int
    ledger_sha256: str
    balances: dict[str, int]
    wallet: dict[str, int]
    started_ns: int
    finished_ns: int

    @property
    def equity_change_lamports(self) -> int:
        """Equity now − deposits."""
        return self.equity_lamports - self.start_lamports

    def to_json(self) -> dict[str, Any]:
        """The figures with units in their names and amounts as strings of integers."""
        money = (
            "start", "cash", "marks", "rent", "equity", "realised", "unrealised", "failed_costs", "equity_change",
        )  # fmt: skip
        return {
            "updates": self.updates,
            "snapshots": self.snapshots,
            "swaps": self.swaps,
            "pools": self.pools,
            "decisions": {"total": self.decisions, "accepted": self.accepted, "refused": self.refused},
            "refused_by_policy": dict(self.refused_by_policy),
            "orders": {
                "total": self.orders, "filled": self.fills, "rejected": self.rejected, "denied": self.denied
            },
            **{f"{name}_lamports": str(getattr(self, f"{name}_lamports")) for name in money},
            "costs_lamports": {kind.value: str(units) for kind, units in self.costs.items()},
            "positions": {"closed": len(self.closed), "open": len(self.open)},
            "win_rate": self.win_rate,
            "max_drawdown": {"lamports": str(self.drawdown.lamports), "share": self.drawdown.share},
            "mean_slippage": self.mean_slippage,
            "ledger_entries": self.ledger_entries,
            "ledger_sha256": self.ledger_sha256,
            "ledger_equals_wallet": self.balances == self.wallet,
            "balances": {asset: str(units) for asset, units in sorted(self.balances.items())},
            "started_ns": str(self.started_ns),
            "finished_ns": str(self.finished_ns),
        }  # fmt: skip


def summarise(record: RunRecord, portfolio: Portfolio, wallet: dict[str, int]) -> RunSummary:
    """Figures of a finished run. Raises LedgerMismatch when the ledger is not the wallet, or when profit and loss does
    not explain the change of equity to the lamport: such a run has no figures worth showing.
    """
    portfolio.ledger.check_against(wallet)
    start = sum(entry.units for entry in record.entries if entry.kind is EntryKind.DEPOSIT)
    closed = tuple(position for position in portfolio.positions if not position.is_open)
    held = portfolio.positions.open_positions()
    still_open = tuple(OpenPosition(position, portfolio.marks[position.pool]) for position in held)
    realised = sum(position.realised_lamports for position in (*closed, *held))
    unrealised = sum(one.unrealised_lamports for one in still_open)
    failed = sum(rejected.costs.spent for _, rejected in record.rejections)
    last = record.equity[-1]
    if last.equity_lamports - start != realised + unrealised - failed:
        raise LedgerMismatch("profit and loss does not explain the change of equity", hint="this is a bug: report it")
    slips = [float(slippage_of(trade)) for trade in record.trades]
    return RunSummary(
        updates=record.updates,
        snapshots=record.snapshots,
        swaps=record.swaps,
        pools=len(record.pools),
        decisions=record.decisions,
        accepted=len(record.accepted),
        refused=record.decisions - len(record.accepted),
        refused_by_policy=dict(sorted(record.refused_by_policy.items(), key=lambda item: (-item[1], item[0]))),
        orders=len(record.trades) + len(record.rejections) + len(record.denials),
        fills=len(record.trades),
        rejected=len(record.rejections),
        denied=len(record.denials),
        start_lamports=start,
        cash_lamports=last.cash_lamports,
        marks_lamports=last.marks_lamports,
        rent_lamports=last.rent_lamports,
        equity_lamports=last.equity_lamports,
        realised_lamports=realised,
        unrealised_lamports=unrealised,
        failed_costs_lamports=failed,
        costs=costs_by_kind(record.entries),
        closed=closed,
        open=still_open,
        win_rate=win_rate(closed),
        drawdown=max_drawdown(record.equity),
        mean_slippage=sum(slips) / len(slips) if slips else None,
        ledger_entries=len(record.entries),
        ledger_sha256=ledger_sha256(record.entries),
        balances=portfolio.ledger.balances(),
        wallet=wallet,
        started_ns=record.equity[0].at_ns,
        finished_ns=last.at_ns,
    )
