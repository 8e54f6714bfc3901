"""The largest buy and the impact on 10,000 random pools of every kind, in exact fractions."""

from __future__ import annotations

import random
from collections import Counter

from pumpswap.amm.pool import FeeFamily
from tests.acceptance.check import Check, Findings, Progress
from tests.support.largest_sizes import check_largest
from tests.support.random_pools import EVERY_KIND, random_state
from tests.support.vectors import schedule

POOLS = 10_000
_STRIDE = 500


def run(seed: int, progress: Progress) -> Findings:
    """Every kind of pool in turn, each with drawn reserves and limits."""
    rng = random.Random(seed)
    failures: list[str] = []
    kinds: Counter[str] = Counter()
    families: Counter[FeeFamily] = Counter()
    owing = takes_something = 0
    for number in range(POOLS):
        kind = EVERY_KIND[number % len(EVERY_KIND)]
        state = random_state(rng, kind)
        largest, wrong = check_largest(state, schedule(), rng)
        failures += [f"{kind.name}: {one}" for one in wrong]
        takes_something += largest > 0
        kinds[kind.name] += 1
        families[state.pool.fee_family] += 1
        owing += state.pool.virtual_quote_reserves != 0
        if number % _STRIDE == 0:
            progress(number, POOLS)
    figures = {
        "pools": POOLS,
        "by_kind": dict(kinds),
        "by_fee_family": {family.name.lower(): count for family, count in families.items()},
        "with_a_size_that_passes": takes_something,
        "with_virtual_reserves": owing,
        "differences": len(failures),
    }
    table = [f"{name:<36} {count:>7,}" for name, count in (*kinds.items(), ("a size passes", takes_something))]
    notes = [
        "impact: average price before fees against the spot price, recomputed from the quote's amounts in fractions",
        "largest: passes both limits; one unit more does not, nor the next ten, nor twenty larger ones drawn at random",
    ]
    return Findings(figures, table, failures, notes)


LARGEST_SIZES = Check("largest-sizes", f"the largest buy on {POOLS:,} random pools of every kind", lambda: None, run)
