"""The Q50 strategy in a node's process, telling what it hears: the class itself, nothing of it changed."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model.events import OrderEvent, PositionEvent

from pumpswap.nautilus import Q50PumpSwapStrategy, Q50PumpSwapStrategyConfig, instrument_id

__all__ = ["q50_teller"]


def q50_teller(spec: dict[str, Any], tell: Any, order_event: Any, state: Any) -> Q50PumpSwapStrategy:
    """``spec`` is that of the node; its part ``q50`` are fields of the strategy's configuration."""

    class Teller(Q50PumpSwapStrategy):
        def on_start(self) -> None:
            super().on_start()
            tell("ready", rows=len(self.q50_signal_loader.frame or ()), **state(self))

        def on_event(self, event: Any) -> None:
            if isinstance(event, OrderEvent):
                order_event(event)
            elif isinstance(event, PositionEvent):
                tell("position", event=type(event).__name__, quantity=str(event.quantity))

        def on_stop(self) -> None:
            super().on_stop()
            tell("counts", **self.statistics.to_json())

    config = Q50PumpSwapStrategyConfig(
        instrument_ids=tuple(instrument_id(pool) for pool in spec["pools"]),
        settings_path=spec["settings"],
        frame_seconds=1,
        statistics_seconds=1,
        **spec["q50"],
    )
    return Teller(config)
