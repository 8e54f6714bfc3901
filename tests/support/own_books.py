"""Books kept from what an engine tells, by rules of their own: plain integers, nothing of the package's accounting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pumpswap.amm import BuyQuote
from pumpswap.model import EntryKind, Filled, LedgerEntry, Order, Outcome, TradeSide, Unknown

__all__ = ["Holding", "OwnBooks"]


@dataclass
class Holding:
    """An open round: ``cost`` is all that was paid for what is left, what the network took in."""

    pool: str
    mint: str
    units: int = 0
    cost: int = 0
    realised: int = 0


@dataclass
class OwnBooks:
    """``closed`` tells when the last round of a pool ended and what it had realised; ``orders`` have not ended."""

    balances: dict[str, int] = field(default_factory=dict)
    rent: int = 0
    held: dict[str, Holding] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)

    @property
    def cash(self) -> int:
        return self.balances.get("SOL", 0)

    @property
    def buys_out(self) -> list[Order]:
        return [order for order in self.orders.values() if order.side is TradeSide.BUY]

    def reserved(self, mint: str = "") -> int:
        """Budgets of the buys on their way, of one token or of all."""
        return sum(order.quote_lamports for order in self.buys_out if mint in ("", order.mint))

    def cost(self, mint: str = "") -> int:
        """Cost of what is held, network costs in."""
        return sum(one.cost for one in self.held.values() if mint in ("", one.mint))

    def pools(self) -> set[str]:
        """Pools with an open round, or one about to open."""
        return set(self.held) | {order.pool for order in self.buys_out}

    def post(self, entries: Iterable[LedgerEntry]) -> None:
        """The sum of the entries is what is there."""
        for entry in entries:
            self.balances[entry.asset] = self.balances.get(entry.asset, 0) + entry.units
            if entry.kind in (EntryKind.RENT_PAID, EntryKind.RENT_RETURNED):
                self.rent -= entry.units

    def end(self, order: Order, outcome: Outcome) -> Holding | None:
        """An order has ended, unless its outcome is unknown; the round that its fill has changed."""
        if isinstance(outcome, Unknown):
            return None
        self.orders.pop(order.order_id)
        if not isinstance(outcome, Filled):
            return None
        quote, spent = outcome.executed, outcome.costs.spent
        fees = quote.lp_fee + quote.protocol_fee + quote.creator_fee + quote.cashback
        if isinstance(quote, BuyQuote):
            round_ = self.held.setdefault(order.pool, Holding(order.pool, order.mint))
            round_.units += quote.base_out
            round_.cost += quote.gross_quote + fees + spent
            return round_
        round_ = self.held[order.pool]
        is_all = quote.base_in == round_.units
        share = round_.cost if is_all else round_.cost * quote.base_in // round_.units
        round_.units -= quote.base_in
        round_.cost -= share
        round_.realised += quote.gross_quote - fees - spent - share
        if round_.units == 0:
            del self.held[order.pool]
            self.closed[order.pool] = outcome.at_ns
        return round_
