"""The reference ledger beside a running engine: every position that the engine tells is compared as it changes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pumpswap.amm import BuyQuote
from pumpswap.model import SOL, Filled, Order, Outcome, Position, Rejected, RunObserver
from tests.portfolio.reference import Reference

__all__ = ["ReferenceKeeper"]

_FIGURES = {
    "units": "base_units", "cost": "cost_lamports", "bought": "bought_lamports", "sold": "sold_lamports",
    "realised": "realised_lamports", "rent": "rent_lamports", "buys": "buys", "sells": "sells", "opened": "opened_ns",
    "closed": "closed_ns",
}  # fmt: skip


@dataclass
class ReferenceKeeper(RunObserver):
    """``exact`` of ``compared`` changes of positions were the same in every figure; ``differences`` are the others."""

    reference: Reference = field(default_factory=Reference)
    compared: int = 0
    exact: int = 0
    differences: list[str] = field(default_factory=list)

    def deposit(self, lamports: int) -> None:
        """The money that the run begins with."""
        self.reference.move(SOL, lamports, "deposit")

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if isinstance(outcome, Rejected):
            self.reference.pay_costs(asdict(outcome.costs))
        if not isinstance(outcome, Filled):
            return
        self.reference.trade(_told(order, outcome))
        self.compared += 1
        theirs = max((one for one in self.reference.rounds if one["pool"] == order.pool), key=lambda one: one["round"])
        ours = {name: getattr(position, attribute) for name, attribute in _FIGURES.items()}
        if ours == {name: theirs[name] for name in _FIGURES}:
            self.exact += 1
        else:
            self.differences.append(f"{order.pool} after {order.order_id}: {ours}, reference {theirs}")

    @property
    def accuracy(self) -> float | None:
        """Share of the compared positions that were exact; None where none was compared."""
        return self.exact / self.compared if self.compared else None


def _told(order: Order, filled: Filled) -> dict[str, Any]:
    """A fill in plain numbers."""
    quote = filled.executed
    is_buy = isinstance(quote, BuyQuote)
    fees = {name: getattr(quote, name) for name in ("lp_fee", "protocol_fee", "creator_fee", "cashback")}
    return {
        "pool": order.pool,
        "mint": order.mint,
        "order": order.order_id,
        "at": filled.at_ns,
        "is_buy": is_buy,
        "base": quote.base_out if isinstance(quote, BuyQuote) else quote.base_in,
        "gross": quote.gross_quote,
        "fees": fees,
        "costs": asdict(filled.costs),
    }
