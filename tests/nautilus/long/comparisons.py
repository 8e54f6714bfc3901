"""Simulated markets traded by Q50PumpSwapStrategy in Nautilus and by our own engine: equal ledgers, named lamports."""

from __future__ import annotations

import tempfile
from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from pumpswap.analytics.record import RunRecord
from pumpswap.nautilus.backtest.comparison import Comparison, compare_with_ours
from pumpswap.nautilus.backtest.venue import CurveBacktest
from pumpswap.nautilus.strategy import Q50PumpSwapStrategy
from tests.nautilus.backtest.world import GOOD, SHORT, chronicle, compared, frame_file, settings_for
from tests.nautilus.long.part import Found, Part, Progress

__all__ = ["COMPARISONS", "Drawn", "compare"]

MARKETS, LONG_MINUTES, LONG_QUOTES = 12, 240, 20_000


class Drawn:
    """A market and settings by chance; the first one is the long one."""

    def __init__(self, seed: int, number: int) -> None:
        rng = Random(f"nautilus {seed} {number}")
        self.seed = rng.randrange(2**31)
        self.is_long = number == 0
        self.minutes = LONG_MINUTES if self.is_long else rng.randint(10, 30)
        self.pools = 6 if self.is_long else rng.randint(1, 6)
        self.impact = "counterfactual" if self.is_long else rng.choice(("naive", "counterfactual"))
        self.changes: dict[str, Any] = {"latency_slots": rng.randint(0, 6)}
        self.sections: dict[str, Any] = {
            "exits": {
                "take_profit_bps": rng.choice((300, 900, 3_000)),
                "stop_loss_bps": rng.choice((200, 600)),
                "max_hold_seconds": rng.choice((0, 180)),
            },
            "paper": {"failed_bps": rng.choice((0, 0, 2_000))},
            "risk": {"max_position_sol": rng.choice(("0.2", "1", "4"))},
        }
        self.kinds = [rng.choice((GOOD, SHORT)) for _ in range(self.minutes // 5 + 1)]

    def __str__(self) -> str:
        return f"market {self.seed}, {self.minutes} min, {self.pools} pools, {self.impact}"


def run(seed: int, progress: Progress) -> Found:
    """Goes on after a failure: each names its market."""
    counts: Counter[str] = Counter()
    residue = Fraction(0)
    found = Found({})
    for number in range(MARKETS):
        drawn = Drawn(seed, number)
        with tempfile.TemporaryDirectory() as folder:
            record, theirs = compare(drawn, Path(folder))
        told = compare_with_ours(record, theirs)
        found.failures += [f"{drawn}: {line}" for line in _wrong(drawn, told, theirs)]
        counts += _counted(theirs)
        residue = max([residue, *(abs(gain.rounding) for gain in told.gains)])
        theirs.engine.dispose()
        progress(number + 1, MARKETS)
    found.figures = {
        "markets": MARKETS,
        **dict(sorted(counts.items())),
        "ledgers_equal": not found.failures,
        "largest_rounding_lamports": round(float(residue), 3),
        "unexplained_lamports": 0 if not found.failures else None,
    }
    found.table = [f"  {name:<28}{value!s:>14}" for name, value in found.figures.items()]
    found.notes = [
        "each market is traded twice, by our engine and by Nautilus' BacktestEngine: equal ledgers, byte by byte;",
        "Nautilus' cash is the wallet to the lamport, its realised profit differs by named rounding only",
    ]
    if not counts["fills"]:
        found.failures.append("nothing was filled in any market")
    return found


def compare(drawn: Drawn, folder: Path) -> tuple[RunRecord, CurveBacktest]:
    """Trade a market in both systems."""
    frame = frame_file(folder, drawn.kinds)
    settings = settings_for(folder, q50={"path": frame, "warm_up_quotes": 5}, **drawn.sections)
    market = chronicle(seed=drawn.seed, minutes=drawn.minutes, pools=drawn.pools)
    ours, theirs = compared(market, settings, impact=drawn.impact, **drawn.changes)
    return ours.record, theirs


def _wrong(drawn: Drawn, told: Comparison, theirs: CurveBacktest) -> list[str]:
    wrong = [] if told.is_equal else told.lines()
    (strategy,) = theirs.engine.trader.strategies()
    assert isinstance(strategy, Q50PumpSwapStrategy)
    if strategy.statistics.ticks != theirs.market.quotes:
        wrong.append(f"the strategy heard {strategy.statistics.ticks} of {theirs.market.quotes} quotes")
    if drawn.is_long and theirs.market.quotes < LONG_QUOTES:
        wrong.append(f"the long market has only {theirs.market.quotes} quotes")
    if theirs.module.adjustments:
        wrong.append(f"Nautilus' cash was adjusted {theirs.module.adjustments} times")
    return wrong


def _counted(theirs: CurveBacktest) -> Counter[str]:
    record = theirs.curve.record
    (strategy,) = theirs.engine.trader.strategies()
    return Counter(
        quotes=theirs.market.quotes,
        orders=strategy.statistics.buys + strategy.statistics.sales,
        fills=len(record.trades),
        rejected=len(record.rejections),
        decisions=record.decisions,
        ledger_entries=len(record.entries),
    )


COMPARISONS = Part("comparisons", run)
