"""Facts of a coin that every screen lets pass, to be spoiled one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pumpswap.model import (
    Holder,
    HolderRole,
    Holders,
    MintBasics,
    MintControls,
    PoolAge,
    PoolStanding,
    ScreenCheck,
    ScreenReport,
    SeenSwap,
    TokenFacts,
    TradingSeen,
)

NS = 10**9
NOW_NS = 1_790_000_000 * NS
SUPPLY = 10**15
POOL, MINT, CREATOR = "pool", "mint", "creator"


def swap(
    number: int, trader: str, *, is_buy: bool, quote: int = 0, reserves: tuple[int, int] | None = None
) -> SeenSwap:
    """The trade of this number, a second after the one before; amounts differ unless they are given."""
    base, deep = reserves or (2 * 10**14, 85 * NS)
    paid = quote or 10**8 + number * 1_000_003
    return SeenSwap(NOW_NS - (100 - number) * NS, is_buy, paid * 2_000, paid, trader, base, deep)


def lively(count: int = 20) -> list[SeenSwap]:
    """Trades of people: runs of both sides, everybody once."""
    return [swap(number, f"w{number}", is_buy=number % 5 not in (1, 2)) for number in range(count)]


def holders(*shares: int, pool: int = 200, is_complete: bool = True) -> Holders:
    """Owners with so many thousandths of the supply, besides the pool. In a complete list the curve has the rest."""
    listed = [Holder(f"h{number}", share * SUPPLY // 1_000) for number, share in enumerate(shares)]
    rest = max(1_000 - pool - sum(shares), 0) if is_complete else 0
    listed.append(Holder("curve", rest * SUPPLY // 1_000, HolderRole.CURVE))
    return Holders((Holder(POOL, pool * SUPPLY // 1_000, HolderRole.POOL), *listed), is_complete)


def good(**changes: Any) -> TokenFacts:
    """A graduate that nobody controls, held and traded by many."""
    facts = TokenFacts(
        mint=MINT,
        at_ns=NOW_NS,
        basics=MintBasics("program", 6, SUPPLY, None, None, MintControls(kinds=("metadata-pointer", "token-metadata"))),
        pool=PoolStanding(POOL, True, True, 2 * 10**14, 85 * NS, 85 * NS, 9, 4_193_388_303_624, 0),
        age=PoolAge(NOW_NS - 86_400 * NS, True),
        holders=holders(*[30] * 12),
        creators=(CREATOR,),
        trading=TradingSeen(tuple(lively()), failed_sells=0),
    )
    return replace(facts, **changes)


def traded(swaps: Sequence[SeenSwap], **changes: Any) -> TokenFacts:
    """The good coin with other trades."""
    return good(trading=TradingSeen(tuple(swaps), **changes))


def pooled(**changes: Any) -> TokenFacts:
    """The good coin with another pool."""
    pool = good().pool
    assert pool is not None
    return good(pool=replace(pool, **changes))


def controlled(**changes: Any) -> TokenFacts:
    """The good coin with other extensions."""
    basics = good().basics
    assert basics is not None
    return good(basics=replace(basics, controls=replace(basics.controls, **changes)))


def check_of(report: ScreenReport, name: str) -> ScreenCheck:
    """The check of this name."""
    return next(check for check in report.checks if check.name == name)
