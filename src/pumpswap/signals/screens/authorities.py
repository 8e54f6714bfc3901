"""Who may make new tokens or freeze those of others."""

from __future__ import annotations

from pumpswap.model import ScreenCheck, TokenFacts
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens.verdicts import missing, safe, unsafe

__all__ = ["freeze_authority", "mint_authority"]


def mint_authority(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """New tokens can be made and sold into the pool until the authority is given up."""
    name = "mint authority"
    if facts.basics is None:
        return missing(name, facts, "basics")
    holder = facts.basics.mint_authority
    if holder is None:
        return safe(name, "given up: nobody can make new tokens")
    return unsafe(name, f"{holder} can make any number of new tokens", holder=holder)


def freeze_authority(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """A frozen account cannot sell: the oldest honeypot."""
    name = "freeze authority"
    if facts.basics is None:
        return missing(name, facts, "basics")
    holder = facts.basics.freeze_authority
    if holder is None:
        return safe(name, "given up: nobody can freeze your tokens")
    return unsafe(name, f"{holder} can freeze your tokens, so that they cannot be sold", holder=holder)
