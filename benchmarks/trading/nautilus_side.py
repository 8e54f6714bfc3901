"""NautilusTrader's back-test engine over trade ticks with a trivial strategy; prints one line of JSON.

Run by the Python of .venv-nautilus-1.221:

    nautilus_side.py TICKS.csv POOLS

TICKS.csv has a line per trade: nanoseconds, number of the pool, 1 for a buy, price, size.
"""

from __future__ import annotations

import csv
import gc
import json
import sys
import time
from decimal import Decimal
from typing import Any

import nautilus_trader
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import SOL, USD
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, CurrencyType, OmsType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("PUMPSWAP")


class CountAndRemember(Strategy):
    """Counts trades and remembers the last price of each pool."""

    def __init__(self, instrument_ids: list[InstrumentId]) -> None:
        super().__init__()
        self.instrument_ids = instrument_ids
        self.count = 0
        self.last: dict[InstrumentId, Price] = {}

    def on_start(self) -> None:
        for instrument_id in self.instrument_ids:
            self.subscribe_trade_ticks(instrument_id)

    def on_trade_tick(self, tick: TradeTick) -> None:
        self.count += 1
        self.last[tick.instrument_id] = tick.price


def instrument(number: int) -> CurrencyPair:
    code = f"COIN{number}"
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol(f"{code}/SOL"), VENUE),
        raw_symbol=Symbol(code),
        base_currency=Currency(code, 6, 0, code, CurrencyType.CRYPTO),
        quote_currency=SOL,
        price_precision=9,
        size_precision=6,
        price_increment=Price.from_str("0.000000001"),
        size_increment=Quantity.from_str("0.000001"),
        ts_event=0,
        ts_init=0,
        maker_fee=Decimal("0.01"),
        taker_fee=Decimal("0.01"),
    )


def read(path: str, instruments: list[CurrencyPair]) -> list[TradeTick]:
    ticks = []
    with open(path, encoding="ascii", newline="") as lines:
        for place, (at_ns, number, is_buy, price, size) in enumerate(csv.reader(lines)):
            chosen, stamp = instruments[int(number)], int(at_ns)
            side = AggressorSide.BUYER if is_buy == "1" else AggressorSide.SELLER
            quantity, trade = Quantity.from_str(size), TradeId(str(place))
            ticks.append(TradeTick(chosen.id, Price.from_str(price), quantity, side, trade, stamp, stamp))
    return ticks


def run_once(path: str, pools: int) -> dict[str, Any]:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.CASH, [Money(50, SOL), Money(0, USD)])
    instruments = [instrument(number) for number in range(pools)]
    for one in instruments:
        engine.add_instrument(one)
    ticks = read(path, instruments)
    engine.add_data(ticks)
    strategy = CountAndRemember([one.id for one in instruments])
    engine.add_strategy(strategy)
    gc.collect()
    gc.freeze()
    began = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - began
    found = {"seconds": seconds, "count": strategy.count, "pools": len(strategy.last)}
    engine.dispose()
    return found


if __name__ == "__main__":
    print(json.dumps({"version": nautilus_trader.__version__, **run_once(sys.argv[1], int(sys.argv[2]))}))
