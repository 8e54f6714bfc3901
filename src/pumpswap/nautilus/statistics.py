"""Q50Statistics: what the strategy counted, for reports. Amounts are lamports, as fills tell them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderDenied, OrderFilled, OrderRejected

from pumpswap.errors import BadInput
from pumpswap.model import Side
from pumpswap.storage.q50_history import NAUTILUS_STATISTICS

__all__ = ["MEMORY", "STATISTICS", "Q50Statistics"]

STATISTICS = NAUTILUS_STATISTICS
MEMORY = "nautilus/strategy"  # and a strategy's id: what it must know after a restart
_COUNTS = ("ticks", "buys", "sales", "analysed", "expired", "opened", "closed")
_LAMPORTS = ("bought_lamports", "sold_lamports", "commission_lamports")
_BY_NAME = ("denied", "rejected", "filled", "not_ordered")
_MOST_NAMES, _LONGEST_NAME = 50, 80  # what is beyond counts as "other": names are not as many as orders
_DECIDED = re.compile(r"^d\d+: ")  # the number of a decision of our gate


@dataclass(slots=True)
class Q50Statistics:
    """``ticks`` are quote ticks that were decided on; ``buys`` and ``sales`` orders that were submitted; ``analysed``
    wishes that were not, ``not_ordered`` by reason. ``denied`` (by a gate, nothing sent), ``rejected`` (by the chain)
    and ``filled`` count what became of the orders.
    """

    ticks: int = 0
    buys: int = 0
    sales: int = 0
    analysed: int = 0
    expired: int = 0
    opened: int = 0
    closed: int = 0
    bought_lamports: int = 0
    sold_lamports: int = 0
    commission_lamports: int = 0
    denied: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    not_ordered: Counter[str] = field(default_factory=Counter)

    def wished(self, side: Side) -> None:
        """An order was submitted."""
        if side is Side.LONG:
            self.buys += 1
        else:
            self.sales += 1

    def left(self, why: str) -> None:
        """A wish was only analysed."""
        self.analysed += 1
        _count(self.not_ordered, why)

    def hear_denied(self, event: OrderDenied) -> None:
        """A gate has refused."""
        told = _DECIDED.sub("", event.reason)
        if told == event.reason:  # by Nautilus' own, or for what this venue cannot do
            _count(self.denied, re.split("[:;]", told, maxsplit=1)[0])
            return
        for refusal in told.split("; "):
            _count(self.denied, refusal.partition(": ")[0])

    def hear_rejected(self, event: OrderRejected) -> None:
        """The chain has refused."""
        _count(self.rejected, event.reason.partition(":")[0])

    def hear_filled(self, event: OrderFilled) -> None:
        """An order of ours, or one that the engine made for us, has traded."""
        is_buy = event.order_side == OrderSide.BUY
        self.filled["buy" if is_buy else "sell"] += 1
        told = event.info or {}
        lamports = int(str(told.get("user_quote_lamports", 0)))
        if is_buy:
            self.bought_lamports += lamports
        else:
            self.sold_lamports += lamports
        spent = sum(int(str(told.get(f"{name}_lamports", 0))) for name in ("network_fee", "priority_fee", "tip"))
        fees = sum(int(str(told.get(f"{name}_lamports", 0))) for name in ("lp_fee", "protocol_fee", "creator_fee"))
        self.commission_lamports += spent + fees + int(str(told.get("cashback_lamports", 0)))

    def to_json(self) -> dict[str, Any]:
        """For reports and for a saved state."""
        found: dict[str, Any] = {name: getattr(self, name) for name in _COUNTS}
        found |= {name: str(getattr(self, name)) for name in _LAMPORTS}
        return found | {name: dict(sorted(getattr(self, name).items())) for name in _BY_NAME}

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Q50Statistics:
        """Take up what ``to_json`` gave. Raises BadInput."""
        try:
            told: dict[str, Any] = {name: int(document[name]) for name in (*_COUNTS, *_LAMPORTS)}
            told |= {name: Counter({str(k): int(v) for k, v in document[name].items()}) for name in _BY_NAME}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadInput("saved statistics of a Q50 strategy are damaged", hint="drop the saved state") from None
        return cls(**told)


def _count(counter: Counter[str], name: str) -> None:
    name = name[:_LONGEST_NAME]
    counter[name if name in counter or len(counter) < _MOST_NAMES else "other"] += 1
