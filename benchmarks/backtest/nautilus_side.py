"""NautilusTrader's back-test engine over the same trade ticks, with market orders; prints one line of JSON.

Run by the Python of .venv-nautilus-1.221:

    nautilus_side.py TICKS.csv POOLS ORDER_EVERY
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import nautilus_trader
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import SOL
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from benchmarks.trading.nautilus_side import VENUE, instrument, read

UNITS = Quantity.from_str("1000.000000")


class CountAndTrade(Strategy):
    """Counts trades and remembers the last price of each pool; every so many it buys, or sells what it holds."""

    def __init__(self, instrument_ids: list[InstrumentId], every: int) -> None:
        super().__init__()
        self.instrument_ids, self.every = instrument_ids, every
        self.count = self.fills = 0
        self.last: dict[InstrumentId, Price] = {}
        self.held: set[InstrumentId] = set()

    def on_start(self) -> None:
        for instrument_id in self.instrument_ids:
            self.subscribe_trade_ticks(instrument_id)

    def on_trade_tick(self, tick: TradeTick) -> None:
        self.count += 1
        self.last[tick.instrument_id] = tick.price
        if self.every and self.count % self.every == 0:
            side = OrderSide.SELL if tick.instrument_id in self.held else OrderSide.BUY
            self.submit_order(self.order_factory.market(tick.instrument_id, side, UNITS))

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1
        if event.order_side == OrderSide.BUY:
            self.held.add(event.instrument_id)
        else:
            self.held.discard(event.instrument_id)


def run_once(path: str, pools: int, every: int) -> dict[str, Any]:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.CASH, [Money(1_000, SOL)], trade_execution=True)
    instruments = [instrument(number) for number in range(pools)]
    for one in instruments:
        engine.add_instrument(one)
    engine.add_data(read(path, instruments))
    strategy = CountAndTrade([one.id for one in instruments], every)
    engine.add_strategy(strategy)
    gc.collect()
    gc.freeze()
    began = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - began
    found = {"seconds": seconds, "count": strategy.count, "pools": len(strategy.last), "fills": strategy.fills}
    engine.dispose()
    return found


if __name__ == "__main__":
    figures = run_once(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({"version": nautilus_trader.__version__, **figures}))
