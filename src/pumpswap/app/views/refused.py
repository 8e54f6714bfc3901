"""What refused buys would have earned, by rule: whether a rule saves money or costs it."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.analytics.refusals import RefusedFigures, refused_figures
from pumpswap.app.views.sight import RunFacts, Sight
from pumpswap.clock import NS_PER_SECOND

__all__ = ["RefusedBuys", "refused_buys"]

_DAYS = 30
_MOST = 10_000
_DAY_NS = 86_400 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class RefusedBuys:
    """``rows`` are over refusals since ``since_ns`` (30 days, or the newest 10,000 sales of refused buys): all rules
    together first (``rule`` empty), then each.
    """

    run: RunFacts
    as_of_ns: int
    since_ns: int
    rows: tuple[RefusedFigures, ...]


def refused_buys(sight: Sight) -> RefusedBuys:
    """Of the last 30 days of the run, or of its newest refusals where these are many."""
    since_ns = max(sight.as_of_ns - _DAYS * _DAY_NS, 0)
    found = sight.books.run.what_ifs.since(since_ns, _MOST)
    if len(found) == _MOST:  # of the oldest refusal some sales may be left out
        since_ns = found[0].at_ns + 1
        found = [one for one in found if one.at_ns >= since_ns]
    return RefusedBuys(sight.facts, sight.as_of_ns, since_ns, tuple(refused_figures(found)))
