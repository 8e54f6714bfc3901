"""Spending: what orders have paid lately, for the limit of a day."""

from __future__ import annotations

from collections.abc import Iterable

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import NETWORK_COSTS, SOL, EntryKind, LedgerEntry
from pumpswap.storage.run import Run

__all__ = ["Spending"]

_DAY_NS = 86_400 * NS_PER_SECOND
# A sale pays these out of its proceeds.
_BY_BUYS = frozenset(
    {EntryKind.TRADE_QUOTE, EntryKind.LP_FEE, EntryKind.PROTOCOL_FEE, EntryKind.CREATOR_FEE, EntryKind.CASHBACK}
)


class Spending:
    """Lamports by order: tokens, fees and tips; proceeds are not set off.

    An order counts when its block or our own clock puts it there: an endpoint that tells old block times must not make
    room for more. What is older than ``since_ns`` is read only when somebody asks for it.
    """

    def __init__(self, run: Run, since_ns: int) -> None:
        self._run = run
        self._load(since_ns)

    def ordered(self, order_id: str, created_ns: int) -> None:
        """An order exists since then, by our own clock."""
        self._created_ns[order_id] = created_ns

    def add(self, entries: Iterable[LedgerEntry]) -> None:
        """New entries of the ledger, each order's all at once."""
        by_order: dict[str, list[LedgerEntry]] = {}
        for entry in entries:
            if entry.order_id and entry.asset == SOL:
                by_order.setdefault(entry.order_id, []).append(entry)
        for order_id, own in by_order.items():
            is_buy = any(entry.kind is EntryKind.TRADE_QUOTE and entry.units < 0 for entry in own)
            counted = NETWORK_COSTS | _BY_BUYS if is_buy else NETWORK_COSTS
            spent = -sum(entry.units for entry in own if entry.kind in counted)
            booked_ns = max(entry.at_ns for entry in own)
            self._spent[order_id] = (booked_ns, spent)

    def since(self, since_ns: int) -> int:
        """Lamports that orders since then have paid."""
        if since_ns < self._since_ns:
            self._load(since_ns)
        elif since_ns - self._since_ns > 2 * _DAY_NS:
            self._forget(since_ns - _DAY_NS)  # a day of reserve: who asks next may ask for a little more
        return sum(
            spent
            for order_id, (booked_ns, spent) in self._spent.items()
            if max(booked_ns, self._created_ns.get(order_id, 0)) >= since_ns
        )

    def _load(self, since_ns: int) -> None:
        self._since_ns = since_ns
        self._created_ns: dict[str, int] = dict(self._run.ids.created_since(since_ns))
        self._spent: dict[str, tuple[int, int]] = {}
        self.add(self._run.books.of_orders_since(since_ns))

    def _forget(self, before_ns: int) -> None:
        self._since_ns = before_ns
        self._created_ns = {order: at_ns for order, at_ns in self._created_ns.items() if at_ns >= before_ns}
        self._spent = {
            order: spent for order, spent in self._spent.items() if spent[0] >= before_ns or order in self._created_ns
        }
