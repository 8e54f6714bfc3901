"""PoolIdentity: which PumpSwap pool a host's row is about, or why it is about none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.identifiers import bare_address, network_of

__all__ = ["PoolIdentity", "identify"]

_PAIR_KEYS = ("pumpswap_pair_address", "pair_address")
_POOL_KEYS = ("pool_id", "address", "id")
_MINT_KEYS = ("base_token_address", "base_token_id", "mint_address")
_LONGEST_TEXT = 63  # what is longer may be a key, and is not repeated
_HINT = "the row must name a pool of PumpSwap on Solana, or the mint of a coin"


@dataclass(frozen=True, slots=True)
class PoolIdentity:
    """``pool`` None: only the coin is known, and its canonical pool is meant. At least one of the two is there."""

    pool: Pubkey | None
    mint: Pubkey | None


def identify(pool_data: Mapping[str, object]) -> PoolIdentity:
    """The pool of a host's row: a snapshot, a row of its pools, or the ``pool_data`` of a signal.

    Identifiers may carry the network in front. A stated pair address is believed; without one the row's own address
    is the pool, and then its exchange (``dex_id``) must be PumpSwap. A row with a mint alone means the canonical pool
    of that coin. Raises NotFound for a row of another network or exchange and for one that names nothing, BadInput for
    identifiers that contradict each other or are no addresses.
    """
    stated = {name: text for name in (*_PAIR_KEYS, *_POOL_KEYS) if (text := _text(pool_data, name))}
    networks = {network_of(text) for text in stated.values()} | _network(pool_data)
    if networks - {"solana"}:
        raise NotFound(f"the pool is on {', '.join(sorted(networks - {'solana'}))}, not on Solana", hint=_HINT)
    mint = _mint(pool_data)
    pair = _only({bare_address(stated[name]) for name in _PAIR_KEYS if name in stated})
    pool = _only({bare_address(stated[name]) for name in _POOL_KEYS if name in stated})
    dex = _text(pool_data, "dex_id")
    if dex == "pumpswap" and pair is not None and pool is not None:
        _only({pair, pool})  # a pool of PumpSwap is its own pair
    if pair is None and pool is not None:
        if dex != "pumpswap":
            raise NotFound(f"traded on {dex or 'an unknown exchange'}, not on PumpSwap", hint=_HINT)
        pair = pool
    if pair is None and mint is None:
        raise NotFound("the row names neither a pool nor a coin", hint=_HINT)
    if mint is not None and mint in (pair, pool):
        raise BadInput("the mint of the pool is the pool's own address", hint=_HINT)
    return PoolIdentity(
        None if pair is None else _key(pair, "pool address"), None if mint is None else _key(mint, "mint")
    )


def _mint(pool_data: Mapping[str, object]) -> str | None:
    mint = _only({bare_address(text) for name in _MINT_KEYS if (text := _text(pool_data, name))})
    if mint == str(WSOL_MINT):
        raise BadInput("the mint of the pool is wrapped SOL itself", hint=_HINT)
    return mint


def _network(pool_data: Mapping[str, object]) -> set[str]:
    named = _text(pool_data, "network_id") or _text(pool_data, "network")
    return {named} if named else set()


def _text(pool_data: Mapping[str, object], key: str) -> str:
    """Text of a key; empty for anything else: the ``id`` of a snapshot is the number of its row."""
    value = pool_data.get(key)
    text = value.strip() if isinstance(value, str) else ""
    return "" if key == "id" and text.isdecimal() else text


def _only(addresses: set[str]) -> str | None:
    if len(addresses) > 1:
        raise BadInput(f"the row names several: {', '.join(sorted(addresses))}", hint=_HINT)
    return next(iter(addresses), None)


def _key(text: str, what: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError:
        shown = repr(text) if len(text) <= _LONGEST_TEXT else "that"
        raise BadInput(f"{shown} is no {what}", hint=_HINT) from None
