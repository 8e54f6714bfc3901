"""Age: most rugs are pulled within minutes."""

from __future__ import annotations

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import ScreenCheck, TokenFacts
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens.verdicts import missing, safe, unknown, unsafe

__all__ = ["age"]


def age(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """How long the pool exists, or is proven to. Proven is what it did: a mention of its address proves nothing."""
    name, found, least = "age", facts.age, settings.min_age_seconds
    if found is None:
        return missing(name, facts, "age")
    seconds = (facts.at_ns - found.since_ns) // NS_PER_SECOND
    figures = {"age_seconds": seconds, "min_age_seconds": least, "is_exact": found.is_creation}
    if seconds < 0:
        return unknown(name, "its first trade is later than now: a clock is wrong", **figures)
    if seconds >= least:
        about = "" if found.is_creation else "at least "
        return safe(name, f"the pool is {about}{_text(seconds)} old, at least {_text(least)}", **figures)
    if found.is_creation:
        return unsafe(name, f"the pool is {_text(seconds)} old, at least {_text(least)}", **figures)
    return unknown(name, f"only its last {_text(seconds)} could be seen, at least {_text(least)}", **figures)


def _text(seconds: int) -> str:
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
