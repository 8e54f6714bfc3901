"""Pools of every kind at random: from a handful of units to fortunes, with and without boost and fees owed."""

from __future__ import annotations

import random

import msgspec

from pumpswap.amm import PoolState
from pumpswap.localnet.pool_kinds import KINDS, OTHER_QUOTES, PoolKind
from pumpswap.localnet.pools import PoolSpec, make_state

__all__ = ["EVERY_KIND", "random_sol_state", "random_state"]

EVERY_KIND = (*KINDS, *OTHER_QUOTES)
_SOL_KIND = KINDS[0]


def random_state(rng: random.Random, kind: PoolKind | None = None) -> PoolState:
    """A pool of ``kind``, or of any; every third one is tiny, where whole units of base decide the price."""
    kind = kind or rng.choice(EVERY_KIND)
    shape = rng.random()
    if shape < 0.35:
        base, quote = _log_uniform(rng, 1, 100_000), _log_uniform(rng, 1, 100_000)
    elif shape < 0.7:
        base, quote = _log_uniform(rng, 1_000, 10**17), _log_uniform(rng, 1_000, 10**17)
    else:
        return _owing(random_sol_state(rng, kind), rng)
    return _owing(make_state(PoolSpec(kind, base, quote, _log_uniform(rng, 1, 10**16)), rng), rng)


def random_sol_state(rng: random.Random, kind: PoolKind = _SOL_KIND) -> PoolState:
    """A graduate that trading has moved up or down its curve."""
    move = rng.lognormvariate(0, 1.5)
    return make_state(PoolSpec(kind, int(206_900_000_000_000 / move), int(84_990_359_057 * move)), rng)


def _owing(state: PoolState, rng: random.Random) -> PoolState:
    """Half of them with fees owed to others, some of these boosted: then the effective reserve is not the vault."""
    if rng.random() < 0.5:
        return state
    owed = rng.randint(0, state.quote_vault // 4), rng.randint(0, state.quote_vault // 4)
    boost = rng.choice((0, state.quote_vault // 5))
    pool = state.pool.with_changes(
        virtual_quote_reserves=boost - sum(owed), protocol_fees=owed[0], creator_fees=owed[1]
    )
    return msgspec.structs.replace(state, pool=pool)


def _log_uniform(rng: random.Random, low: int, high: int) -> int:
    return max(low, min(high, int(low * (high / low) ** rng.random())))
