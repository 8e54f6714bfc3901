"""Features: enhanced analyses from states in memory."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from benchmarks.signals.figures import Figures
from pumpswap.amm import current_schedule
from pumpswap.signals import NewPoolsSignalAnalyzer, PoolFacts, PumpSwapSignalAnalyzer
from tests.support.random_pools import random_sol_state

__all__ = ["measure"]

POOLS = 1_000
LIMIT_MS = 150
_ROUNDS = 9


def measure() -> Figures:
    """The whole analysis, and its parts apart, for 1,000 pools; best of nine rounds each."""
    rng = random.Random(1)
    schedule = current_schedule()
    rows = [_metrics(rng) for _ in range(POOLS)]
    facts = [PoolFacts(random_sol_state(rng), schedule, 0) for _ in range(POOLS)]
    analyzer, plain = PumpSwapSignalAnalyzer(), NewPoolsSignalAnalyzer()
    bases = [plain.analyze_pool_signals(row) for row in rows]
    found = {
        "base_ms": _best(lambda: [plain.analyze_pool_signals(row) for row in rows]),
        "enhance_ms": _best(lambda: [analyzer.enhance(base, one) for base, one in zip(bases, facts, strict=True)]),
        "whole_ms": _best(
            lambda: [
                analyzer.enhance(analyzer.analyze_pool_signals(row), one) for row, one in zip(rows, facts, strict=True)
            ]
        ),
    }
    return Figures(
        title=f"enhanced analysis of {POOLS:,} pools from states in memory",
        table=[
            f"{'base analysis':44}{found['base_ms']:10.1f} ms",
            f"{'enhanced on top, a ladder of five sizes':44}{found['enhance_ms']:10.1f} ms",
            f"{'both':44}{found['whole_ms']:10.1f} ms   (aim {LIMIT_MS} ms)",
        ],
        figures={"pools": POOLS, **{name: round(value, 1) for name, value in found.items()}},
        promises=[(f"{POOLS:,} enhanced analyses in {LIMIT_MS} ms", found["whole_ms"] <= LIMIT_MS)],
        notes=["features: best of nine rounds; base and enhanced analysis, five ladder sizes, both limits"],
    )


def _metrics(rng: random.Random) -> dict[str, object]:
    return {
        "volume_usd_h24": rng.uniform(0, 200_000),
        "reserve_in_usd": rng.uniform(0, 200_000),
        "price_change_percentage_h1": rng.gauss(0, 20),
        "price_change_percentage_h24": rng.gauss(0, 60),
        "transactions_h1_buys": rng.randint(0, 300),
        "transactions_h1_sells": rng.randint(0, 300),
        "transactions_h24_buys": rng.randint(0, 3_000),
        "transactions_h24_sells": rng.randint(0, 3_000),
    }


def _best(work: Callable[[], object]) -> float:
    """Milliseconds of the fastest round."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - began)
    return min(rounds) * 1_000
