"""What a back-test cannot know: said with every result."""

from __future__ import annotations

__all__ = ["LIMITS"]

_OTHERS = (
    "Others do what they signed, on the pool that we have changed; that somebody would have acted otherwise because of"
    " us (arbitrage, copied trades, sandwiches) is not in it. Neither mode is a bound of the other."
)
LIMITS = (
    _OTHERS,
    "Where in its slot an order of ours lands nobody can know: last is assumed; compare with `--landing first`.",
    "What fails whatever the price, and what priority costs, is drawn as it was observed once; congestion is not.",
)
