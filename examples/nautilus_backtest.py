"""The Q50 strategy in NautilusTrader's back-test, on the exact curve: `python examples/nautilus_backtest.py`.

Needs `pumpswap[nautilus]`. Market and frame are invented: this shows that it works, and nothing about money.
"""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pumpswap.engine.trial import TRIAL_START_NS
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator
from pumpswap.model import MarketUpdate
from pumpswap.nautilus import PUMPSWAP_VENUE, SOL, Q50PumpSwapStrategy
from pumpswap.nautilus.backtest.venue import run_on_curve
from pumpswap.settings import Settings


def invented_market(seed: int = 7) -> list[MarketUpdate]:
    """Half an hour of six pools, as it was without us."""
    book, told = PoolBook(), []
    market = MarketSimulator(book, seed=seed, start_ns=TRIAL_START_NS, duration_s=1_800, pools=6)
    for update in market.updates(lambda _: None):
        book.apply(update)
        told.append(update)
    return told


def invented_frame(path: Path, seed: int = 8, start: datetime | None = None) -> Path:
    """A quantile model's rows, one a minute, at the scale of the published ones: from two and a half hours before
    ``start`` to half an hour after it. None: the start of the invented market. A live node needs rows of now.
    """
    draw, start = random.Random(seed), start or datetime.fromtimestamp(TRIAL_START_NS / 1e9, UTC)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "q10", "q50", "q90", "vol_raw"])
        for step in range(-150, 30):
            stamp, q50 = start + step * timedelta(minutes=1), draw.gauss(0.0002, 0.0006)
            rows.writerow([stamp.isoformat(), q50 - 0.002, q50, q50 + 0.005, draw.uniform(0.002, 0.008)])
    return path


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        frame = invented_frame(Path(folder) / "frame.csv")
        q50 = {"path": frame, "complete_by_rules": True}
        settings = Settings(data_dir=Path(folder), q50=q50, run={"check_seconds": 60})
        done = run_on_curve(invented_market(), settings, lambda _: [Q50PumpSwapStrategy(settings=settings)])
        account, record = done.engine.cache.account_for_venue(PUMPSWAP_VENUE), done.curve.record
        print(f"{done.module.quotes} quotes, {len(record.trades)} fills, {len(record.rejections)} rejected")
        print(f"Nautilus has {account.balance_total(SOL)}, our wallet {done.curve.wallet_lamports} lamports")
        print(f"run {done.curve.run_id} is stored like any other: pumpswap performance-report, why, report")
