"""Observations for comparisons, with outcomes as a test wants them."""

from __future__ import annotations

from random import Random
from typing import Any

from pumpswap.analytics.comparison import Comparison, ComparisonRules, Observation, RoundTrip, Sampling, compare
from pumpswap.clock import NS_PER_SECOND

HOUR_NS = 3_600 * NS_PER_SECOND
PAID = 10**9


def trip(result: float, at_ns: int = 0, horizon_ns: int = HOUR_NS) -> RoundTrip:
    """A round trip with this return, sold right at its horizon."""
    due = at_ns + horizon_ns
    return RoundTrip(at_ns + 1, due, due, PAID, round(PAID * (1 + result)), is_sellable=result > -1)


def observation(pool: str, base: float, enhanced: float, *results: float | None, **changes: Any) -> Observation:
    """A snapshot of a pool with one return for each horizon; None is no outcome."""
    at_ns = changes.pop("at_ns", 0)
    trips = tuple(None if result is None else trip(result, at_ns) for result in results)
    return Observation(pool, at_ns, base, enhanced, trips=trips, **changes)


def market(good: str, *, pools: int = 80, seed: int = 4, edge: float = 0.2, horizons: int = 1) -> list[Observation]:
    """A market in which returns follow one score (``base`` or ``enhanced``) by construction, and the other is noise;
    for ``neither`` both are.

    What the good score picks returns about ``edge``, the rest loses as much. Three snapshots of each pool.
    """
    random, rows = Random(seed), []
    for number in range(pools):
        scores = {"base": random.uniform(50, 100), "enhanced": random.uniform(50, 100)}
        truth = scores[good] if good in scores else random.uniform(50, 100)
        fate = edge if truth >= 75 else -edge
        for step in range(3):
            result = max(fate + random.gauss(0, 0.1), -1)
            rows.append(
                observation(f"pool-{number:03}", scores["base"], scores["enhanced"], *[result] * horizons, at_ns=step)
            )
    return rows


def compared(rows: list[Observation], horizons: int = 1, **changes: Any) -> Comparison:
    rules = {"horizons_ns": (HOUR_NS,) * horizons, "sampling": Sampling(draws=400), **changes}
    return compare(rows, ComparisonRules(**rules))
