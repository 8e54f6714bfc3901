"""Mirrored orders: what our engine orders by itself, as an order that Nautilus knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import ContingencyType, OrderSide, OrderType, TimeInForce, TriggerType
from nautilus_trader.model.events import OrderInitialized
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, StrategyId, TraderId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.orders import Order as NautilusOrder
from nautilus_trader.model.orders.unpacker import OrderUnpacker

from pumpswap.model import Order, TradeSide
from pumpswap.nautilus.instruments import base_decimals_of
from pumpswap.nautilus.money import qty
from pumpswap.nautilus.orders import OrderName

__all__ = ["EXTERNAL", "MIRROR", "mirrored_order", "owner_of"]

EXTERNAL = StrategyId("EXTERNAL")
MIRROR = "mirror"  # the first tag of such an order; its reason follows


def mirrored_order(
    order: Order, name: OrderName, trader_id: TraderId, strategy_id: StrategyId, instrument: CurrencyPair
) -> NautilusOrder:
    """A market order of Nautilus that says what ours does. A buy by budget is shown at what it is expected to bring, so
    that its quantity is one of tokens; its fill tells what it did bring.
    """
    is_buy = order.side is TradeSide.BUY
    decimals = base_decimals_of(instrument)
    units = order.base_units if order.base_units else getattr(order.quote, "base_out", 0)
    return OrderUnpacker.from_init(
        OrderInitialized(
            trader_id,
            strategy_id,
            instrument.id,
            ClientOrderId(name.client),
            OrderSide.BUY if is_buy else OrderSide.SELL,
            OrderType.MARKET,
            qty(units, decimals),
            TimeInForce.GTC,
            False,
            not is_buy,
            False,
            {},
            TriggerType.NO_TRIGGER,
            None,
            ContingencyType.NO_CONTINGENCY,
            None,
            None,
            None,
            None,
            None,
            None,
            [MIRROR, order.reason or "ordered"],
            UUID4(),
            order.created_ns,
        )
    )


def owner_of(
    cache: Any, instrument_id: InstrumentId, claimed: Callable[[InstrumentId], StrategyId | None]
) -> StrategyId:
    """Whose a mirrored order is: the strategy that holds the position, else the one that claims the instrument.

    Never EXTERNAL while another holds it: Nautilus would open a position of its own beside the real one.
    """
    held = sorted(cache.positions_open(instrument_id=instrument_id), key=lambda one: (one.ts_opened, one.id.value))
    if held:
        owner: StrategyId = held[0].strategy_id
        return owner
    return claimed(instrument_id) or EXTERNAL
