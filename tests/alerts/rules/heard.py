"""A context that remembers what rules tell and keep, and small nouns for them to hear of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pumpswap.alerts.rules.rule import RuleContext
from pumpswap.amm import buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.model import Costs, Filled, Heartbeat, Order, Position, TradeSide
from pumpswap.settings import AlertRules
from tests.support.market import START_NS, graduate, mint

SCHEDULE = current_schedule()
STATE = graduate()
POOL, MINT = str(STATE.address), str(mint(1))


@dataclass
class Heard:
    """``alerts`` are (level, topic, subject, text); ``kept`` is what a restart finds."""

    rules: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Mapping[str, object]] = field(default_factory=dict)
    alerts: list[tuple[str, str, str, str]] = field(default_factory=list)
    now_ns: int = START_NS

    @property
    def context(self) -> RuleContext:
        return RuleContext(
            rules=AlertRules(**self.rules),
            tell=lambda level, topic, subject, text: self.alerts.append((level.value, topic, subject, text)),
            now=lambda: self.now_ns,
            name_of=lambda pool: "TEST / SOL" if pool == POOL else "",
            recall=self.kept.get,
            keep=lambda name, document: self.kept.update({name: document}),
        )

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [each[:3] for each in self.alerts]

    def text(self) -> str:
        """Of the only alert."""
        ((_, _, _, text),) = self.alerts
        return text


def beat(at_ns: int, **more: Any) -> Heartbeat:
    return Heartbeat(at_ns, more.pop("started_ns", START_NS), 1, "paper", **more)


def bought(order_id: str = "o1", lamports: int = 10**9) -> tuple[Order, Filled, Position]:
    """A buy that was filled as quoted, and the position that it has opened."""
    quote = buy_exact_quote(STATE, SCHEDULE, lamports)
    limit = quote.limit(500)
    order = Order(order_id, "d1", TradeSide.BUY, POOL, MINT, START_NS, limit, quote, lamports, reason="test 90.0")
    filled = Filled(order_id, START_NS + 10**9, 1, quote, Costs(network_fee=5_000, tip=1_000), "sig")
    cost = quote.total_quote + 6_000
    position = Position(
        *(POOL, MINT, 1, START_NS, quote.base_out, cost, cost),
        buys=1,
        last_trade_ns=filled.at_ns,
        name="TEST / SOL",
    )
    return order, filled, position


def sold(held: Position, *, share: int = 100) -> tuple[Order, Filled, Position]:
    """A sale of so many percent of it, after an hour, and what it leaves."""
    units = held.base_units * share // 100
    quote = sell_exact_base(STATE, SCHEDULE, units)
    at_ns = START_NS + 3_600 * 10**9
    order = Order("o2", "d2", TradeSide.SELL, POOL, MINT, at_ns, 1, quote, base_units=units, reason="stop-loss: far")
    filled = Filled("o2", at_ns, 2, quote, Costs(network_fee=5_000), "sig2")
    cost = held.cost_lamports * units // held.base_units
    got = quote.user_quote_out - 5_000
    left = Position(
        *(POOL, MINT, 1, held.opened_ns, held.base_units - units, held.cost_lamports - cost, held.bought_lamports),
        sold_lamports=got,
        realised_lamports=got - cost,
        buys=1,
        sells=1,
        last_trade_ns=at_ns,
        closed_ns=at_ns if units == held.base_units else None,
        name=held.name,
    )
    return order, filled, left
