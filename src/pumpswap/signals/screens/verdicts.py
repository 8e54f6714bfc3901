"""Short ways to write down a check, so that rules read as rules."""

from __future__ import annotations

from fractions import Fraction

from pumpswap.model import ScreenCheck, ScreenVerdict, TokenFacts

__all__ = ["missing", "nameless", "percent", "safe", "unknown", "unsafe"]


def safe(name: str, reason: str, **figures: object) -> ScreenCheck:
    """Nothing to object."""
    return ScreenCheck(name, ScreenVerdict.SAFE, reason, figures)


def unsafe(name: str, reason: str, **figures: object) -> ScreenCheck:
    """A reason not to hold it."""
    return ScreenCheck(name, ScreenVerdict.UNSAFE, reason, figures)


def unknown(name: str, reason: str, **figures: object) -> ScreenCheck:
    """Nobody could look: not safe."""
    return ScreenCheck(name, ScreenVerdict.UNKNOWN, reason, figures)


def missing(name: str, facts: TokenFacts, group: str) -> ScreenCheck:
    """A group of facts is not there."""
    return unknown(name, f"not known: {facts.why_unread(group)}")


def nameless(count: int, trades: int) -> str:
    """That some trades may be anybody's; empty when all are named."""
    return f"{count} of {trades} trades name no wallet" if count else ""


def percent(share: Fraction | float) -> str:
    """A share for people."""
    return f"{float(share) * 100:.4g} %"
