"""Kinds of pools that the program build of June 2026 prices exactly (PROTOCOL 2.1, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pumpswap.errors import NotFound

__all__ = ["KINDS", "OTHER_QUOTES", "PoolKind", "QuoteKind", "allowed_account_lengths", "kind_named"]


class QuoteKind(Enum):
    """What a pool is priced in; decides the fee family and the token program of the quote side."""

    WSOL = "wsol"
    USDC = "usdc"
    OTHER_SPL = "other spl mint"
    OTHER_TOKEN_2022 = "other token-2022 mint"


@dataclass(frozen=True, slots=True)
class PoolKind:
    """One row of the table: what makes pools differ for a trader."""

    name: str
    quote: QuoteKind = QuoteKind.WSOL
    canonical: bool = True  # made by the Pump program, so it pays by market cap
    coin_creator: bool = True
    mayhem: bool = False
    cashback: bool = False
    wsol_base: bool = False  # wrapped SOL is the base, the coin is the quote
    index: int = 0


KINDS = (
    PoolKind("canonical"),
    PoolKind("canonical usdc", quote=QuoteKind.USDC),
    PoolKind("canonical, index 7", index=7),
    PoolKind("no coin creator", coin_creator=False),
    PoolKind("cashback", cashback=True),
    PoolKind("cashback usdc", cashback=True, quote=QuoteKind.USDC),
    PoolKind("cashback, no coin creator", cashback=True, coin_creator=False),
    PoolKind("mayhem", mayhem=True),
    PoolKind("mayhem, no coin creator", mayhem=True, coin_creator=False),
    PoolKind("mayhem cashback", mayhem=True, cashback=True),
    PoolKind("permissionless", canonical=False, coin_creator=False),
    PoolKind("permissionless, coin creator", canonical=False),
    PoolKind("permissionless usdc", canonical=False, coin_creator=False, quote=QuoteKind.USDC, index=3),
    PoolKind("permissionless other quote", canonical=False, coin_creator=False, quote=QuoteKind.OTHER_SPL),
    PoolKind(
        "permissionless, wsol base",
        canonical=False,
        coin_creator=False,
        quote=QuoteKind.OTHER_TOKEN_2022,
        wsol_base=True,
    ),
)
# This build knows no exotic fees: a canonical pool with any other quote pays by the stable tiers there (since
# 2026-09-09 it pays the exotic fees), so these are tested apart from the random trades.
OTHER_QUOTES = (
    PoolKind("canonical, other quote", quote=QuoteKind.OTHER_SPL),
    PoolKind("canonical, other quote of token-2022", quote=QuoteKind.OTHER_TOKEN_2022),
)

_LENGTHS = (211, 243, 244, 245, 261, 270, 271, 287, 300, 301)


def allowed_account_lengths(kind: PoolKind) -> tuple[int, ...]:
    """Historic account lengths that can hold what this kind needs."""
    least = 245 if kind.cashback else 244 if kind.mayhem else 243 if kind.coin_creator else 211
    return tuple(length for length in _LENGTHS if length >= least)


_ALIASES = {"graduate": "canonical"}


def kind_named(name: str) -> PoolKind:
    """The kind of this name; ``graduate`` is the canonical pool of a coin in SOL. Raises NotFound."""
    wanted = _ALIASES.get(name, name)
    for kind in (*KINDS, *OTHER_QUOTES):
        if kind.name == wanted:
            return kind
    known = ", ".join(["graduate", *(kind.name for kind in KINDS)])
    raise NotFound(f"there is no kind of pool called {name!r}", hint=f"one of: {known}")
