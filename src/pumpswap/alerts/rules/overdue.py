"""OverdueRule: nobody knows for long what has become of an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.texts import span_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import AlertLevel, Filled, Heartbeat, Order, Outcome, Position, TradeSide, Unknown

__all__ = ["OverdueRule"]


class OverdueRule(Rule):
    """``open_orders`` gives those that have not ended, those of an earlier process too. Each is told when it is older
    than the limit, and again whenever its age has doubled; when its fate is known at last, that is told too.
    """

    def __init__(self, context: RuleContext, open_orders: Callable[[], Iterable[Order]]) -> None:
        self._context = context
        self._open_orders = open_orders
        self._told: dict[str, int] = {}  # at which age it was told last
        self._unknown: dict[str, Unknown] = {}

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if isinstance(outcome, Unknown):
            self._unknown[order.order_id] = outcome
            return
        self._unknown.pop(order.order_id, None)
        if self._told.pop(order.order_id, None) is None:
            return
        became = "it has traded" if isinstance(outcome, Filled) else "it has not traded"
        coin = self._context.coin(order.pool, order.mint)
        after = span_text(max(outcome.at_ns - order.created_ns, 0))
        text = f"the {_side(order)} {order.order_id} of {coin} is known after {after}: {became}"
        self._context.tell(AlertLevel.INFO, "unknown outcome", order.mint, text)

    def on_beat(self, beat: Heartbeat) -> None:
        limit_ns = self._context.rules.unknown_seconds * NS_PER_SECOND
        if not limit_ns:
            return
        now = self._context.now()
        for order in self._open_orders():
            age = now - order.created_ns
            if age > max(limit_ns, 2 * self._told.get(order.order_id, 0)):
                self._told[order.order_id] = age
                self._tell(order, age)

    def _tell(self, order: Order, age_ns: int) -> None:
        unknown = self._unknown.get(order.order_id)
        coin = self._context.coin(order.pool, order.mint)
        where = f" It may land until height {unknown.expiry_height} ({unknown.signature})." if unknown else ""
        text = (
            f"nobody knows for {span_text(age_ns)} what has become of the {_side(order)} {order.order_id} of {coin}."
            f"{where} The chain is asked again and again; until it answers, nothing else is ordered on this token. "
            f"Do not repeat the order by hand: `pumpswap why {order.order_id}` has its state, `pumpswap doctor` looks "
            "at the endpoints"
        )
        self._context.tell(AlertLevel.CRITICAL, "unknown outcome", order.mint, text)


def _side(order: Order) -> str:
    return "buy" if order.side is TradeSide.BUY else "sale"
