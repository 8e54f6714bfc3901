"""Concentration: how much of the supply one owner, or ten, could sell into the pool."""

from __future__ import annotations

from fractions import Fraction

from pumpswap.model import HolderRole, ScreenCheck, TokenFacts
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens.verdicts import missing, percent, safe, unknown, unsafe

__all__ = ["top_holder", "top_ten"]

_SELLERS = (HolderRole.HOLDER, HolderRole.CREATOR)
_TEN = 10


def top_holder(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """The largest owner. One person with many wallets cannot be told from many people."""
    return _share(facts, 1, Fraction(settings.max_top_holder), "top holder")


def top_ten(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """The ten largest owners together."""
    return _share(facts, _TEN, Fraction(settings.max_top_ten), "top ten holders")


def _share(facts: TokenFacts, count: int, most: Fraction, name: str) -> ScreenCheck:
    """Share of the supply without burned tokens. The pool's own are in the supply, but nobody can sell them."""
    if facts.holders is None:
        return missing(name, facts, "holders")
    if facts.basics is None:
        return missing(name, facts, "basics")
    listed = facts.holders.holders
    supply = facts.basics.supply_units - sum(one.units for one in listed if one.role is HolderRole.BURNED)
    if supply <= 0:
        return unknown(name, "there is no supply to hold a share of")
    sellers = sorted((one for one in listed if one.role in _SELLERS), key=lambda one: -one.units)
    if sum(one.units for one in listed) > facts.basics.supply_units:
        return unknown(name, "holders were read at another moment than the supply: they add up to more")
    if not facts.holders.is_complete and len(sellers) < count:
        return unknown(name, f"only {len(sellers)} holders are known besides the pool: the node lists no more")
    chosen = sellers[:count]
    share = Fraction(sum(one.units for one in chosen), supply)
    if facts.holders.is_complete and share <= most:
        # A node that indexes late lists too few, or nobody: whoever is missing may hold all that is missing.
        lacking = Fraction(facts.basics.supply_units - sum(one.units for one in listed), supply)
        if share + lacking > most:
            return unknown(name, f"the list of holders lacks {percent(lacking)} of the supply")
    figures = {"share": float(share), "max_share": float(most), "owners": [one.owner for one in chosen]}
    who = f"{chosen[0].owner} holds" if count == 1 and chosen else f"{len(chosen)} owners hold"
    text = f"{who} {percent(share)} of the supply, pool and burned tokens apart; at most {percent(most)}"
    return (unsafe if share > most else safe)(name, text, **figures)
