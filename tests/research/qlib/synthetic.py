"""A synthetic collector: many pools, with holes, missing figures, several rows in a bar, and shared names."""

from __future__ import annotations

from random import Random

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.research.qlib.observation import FIGURE_COLUMNS
from tests.research.qlib.world import ListSource, candle, row

__all__ = ["synthetic_source"]

_START_NS = parse_utc("2026-10-01")
_HOUR = 3_600


def synthetic_source(random: Random, *, pools: int, hours: int) -> ListSource:
    """Rows and hourly candles; about a third of the hours of a pool have nothing."""
    rows, candles = [], []
    for number in range(pools):
        born = random.randrange(hours // 2)
        price = 10 ** random.uniform(-9, 1)
        for hour in range(born, hours):
            for _ in range(random.choice([0, 1, 1, 3])):
                price *= random.uniform(0.7, 1.4)
                at_ns = _START_NS + int((hour + random.random()) * _HOUR * NS_PER_SECOND)
                figures = {
                    name: f"{10 ** random.uniform(-3, 11):.8e}" if random.random() > 0.2 else None
                    for name in FIGURE_COLUMNS
                }
                figures |= {
                    "liquidity": f"{random.uniform(500, 90_000):.4f}",
                    "volume": f"{random.uniform(90, 5e6):.4f}",
                }
                seen = f"{price:.10e}" if random.random() > 0.1 else None
                wish = f"COIN {number % 5}/SOL_SOLANA" if number % 2 else ""
                rows.append(row(at_ns, seen, pool=f"solana_Pool{number}", wish=wish, **figures))
            if random.random() > 0.7:
                prices = sorted(price * random.uniform(0.8, 1.2) for _ in range(4))
                told = f"{prices[1]:.8e} {prices[3]:.8e} {prices[0]:.8e} {prices[2]:.8e}"
                candles.append(candle(_START_NS + hour * _HOUR * NS_PER_SECOND, told, pool=f"Pool{number}"))
    return ListSource(rows, candles)
