"""Our books beside the reference: the first figure that differs is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pumpswap.model import SOL, LedgerEntry, Position
from pumpswap.portfolio.audit import audit_run
from pumpswap.portfolio.derive import derive_positions
from pumpswap.portfolio.lots import LotEnd, TaxLot, tax_lots_of
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.stored import tax_lots
from pumpswap.storage.run import Run
from tests.portfolio.reference import Reference

Key = tuple[str, int]
Figures = tuple[Any, ...]


def same(what: str, ours: object, theirs: object) -> None:
    """Raises AssertionError that shows both."""
    if ours != theirs:
        raise AssertionError(f"{what}: ours {ours!r}, reference {theirs!r}")


def check_portfolio(portfolio: Portfolio, reference: Reference) -> None:
    """Balances, rent, open positions, profit."""
    same("balances", portfolio.ledger.balances(), reference.balances())
    same("cash", portfolio.cash, reference.held(SOL))
    same("rent", portfolio.rent_lamports, reference.rent)
    same("last entry", portfolio.ledger.last_sequence, reference.entries)
    ours = [_figures(position) for position in portfolio.positions.open_positions()]
    same("open positions", ours, [_of_round(one) for one in reference.open_rounds()])
    same("exposure", portfolio.exposure, sum(one["cost"] for one in reference.open_rounds()))


def check_derived(
    entries: Sequence[LedgerEntry], orders: dict[str, Figures], adoptions: Sequence[Any], reference: Reference
) -> None:
    """Positions and lots from the ledger alone."""
    derived = derive_positions(entries, orders.get, adoptions)
    _same_rounds("derived positions", derived, reference)
    check_lots(tax_lots_of(entries, orders.get, adoptions), reference)


def check_stored(run: Run, reference: Reference) -> None:
    """Sums and positions in the database."""
    ours = {(asset, kind.value): list(sums) for (asset, kind), sums in run.books.counted().items()}
    same("stored sums", ours, reference.sums)
    _same_rounds("stored positions", run.positions(), reference)


def check_audit(run: Run, reference: Reference) -> None:
    """The audit agrees, has seen everything, and the stored lots are right."""
    report = audit_run(run)
    same("audit", report.differences, ())
    same("audited", (report.entries, report.rounds), (reference.entries, len(reference.rounds)))
    same("audited balances", report.balances, reference.balances())
    check_lots(tax_lots(run), reference)


def check_lots(rows: Iterable[TaxLot], reference: Reference) -> None:
    """Every disposal, every open lot, and that no lamport of cost is lost."""
    rows = list(rows)
    ours = [_of_lot(row) for row in rows if row.kind is not LotEnd.HELD]
    same("disposals", ours, reference.disposals)
    held = [
        (row.mint, row.base_units, row.cost_lamports, row.acquired_ns, row.acquired_pool, row.acquired_order_id)
        for row in rows
        if row.kind is LotEnd.HELD
    ]
    same("open lots", held, [(mint, *lot) for mint in sorted(reference.lots) for lot in reference.lots[mint]])
    same("cost of all lots", sum(row.cost_lamports for row in rows), reference.ever_paid)


def _same_rounds(what: str, positions: Iterable[Position], reference: Reference) -> None:
    ours = sorted((_figures(position) for position in positions), key=lambda one: one[:2])
    theirs = sorted((_of_round(one) for one in reference.rounds), key=lambda one: one[:2])
    same(f"number of {what}", len(ours), len(theirs))
    for our, their in zip(ours, theirs, strict=True):
        same(what, our, their)


def _figures(position: Position) -> Figures:
    return (
        position.pool, position.round, position.mint, position.opened_ns, position.base_units, position.cost_lamports,
        position.bought_lamports, position.sold_lamports, position.realised_lamports, position.rent_lamports,
        position.buys, position.sells, position.last_trade_ns, position.closed_ns,
    )  # fmt: skip


def _of_round(one: dict[str, Any]) -> Figures:
    return tuple(
        one[name]
        for name in (
            "pool", "round", "mint", "opened", "units", "cost", "bought", "sold", "realised", "rent", "buys", "sells",
            "traded", "closed",
        )
    )  # fmt: skip


def _of_lot(row: TaxLot) -> Figures:
    return (
        row.kind.value, row.mint, row.base_units, row.cost_lamports, row.proceeds_lamports, row.acquired_ns,
        row.acquired_pool, row.acquired_order_id, row.disposed_ns, row.disposed_order_id,
    )  # fmt: skip
