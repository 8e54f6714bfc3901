"""Identity of a chronicle: one digest of everything that its steps say, however they are stored."""

from __future__ import annotations

import hashlib
from typing import Any

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.acts import PoolAct, PoolChange, Rates, Told
from pumpswap.amm.events import encode_event
from pumpswap.model import PoolSnapshot, Swap
from pumpswap.research.chronicle.step import Step

__all__ = ["IdentityDigest"]


class IdentityDigest:
    """Takes steps in their order; the digest is that of every pool's own, by the pools' names."""

    def __init__(self) -> None:
        self._pools: dict[str, Any] = {}
        self._accounts: dict[str, Pool] = {}
        self.steps = 0

    @property
    def pools(self) -> int:
        """How many pools there were so far."""
        return len(self._pools)

    def add(self, step: Step) -> None:
        """The next step."""
        self.steps += 1
        digest = self._pools.get(step.pool)
        if digest is None:
            digest = self._pools[step.pool] = hashlib.sha256()
        parts = (
            f"{step.at_ns} {step.slot} {step.order} {step.exactness.value} {step.trader_base}",
            "" if step.act is None else _act(step.act),
            "" if step.rates is None else _rates(step.rates),
            "" if step.after is None else self._state(step.pool, step.after),
            "" if step.swap is None else _swap(step.swap),
            "" if step.swap is None or step.swap.event is None else encode_event(step.swap.event).hex(),
            "" if step.snapshot is None else _snapshot(step.snapshot),
        )
        digest.update("|".join(parts).encode())
        digest.update(b"\n")

    def hexdigest(self) -> str:
        """Of everything so far."""
        whole = hashlib.sha256()
        for pool, digest in sorted(self._pools.items()):
            whole.update(f"{pool} {digest.hexdigest()}\n".encode())
        return whole.hexdigest()

    def _state(self, name: str, state: PoolState) -> str:
        """Figures; the whole account only where anything else in it has changed."""
        pool, known = state.pool, self._accounts.get(name)
        text = (
            f"{state.base_reserve} {state.quote_vault} {state.base_supply} {state.slot} {pool.lp_supply} "
            f"{pool.virtual_quote_reserves} {pool.protocol_fees} {pool.creator_fees}"
        )
        if known is not None and _same_rest(known, pool):
            return text
        self._accounts[name] = pool
        tokens = f"{state.base_token_program} {state.quote_token_program} {state.base_decimals} {state.quote_decimals}"
        # Field by field: an account that was rebuilt may be shorter than what it holds.
        account = " ".join(str(getattr(pool, field)) for field in pool.FIELDS)
        return f"{text} {account} {tokens}"


def _same_rest(known: Pool, pool: Pool) -> bool:
    return known is pool or (
        known.account_len == pool.account_len
        and known.coin_creator == pool.coin_creator
        and known.creator_fee_bps == pool.creator_fee_bps
        and known.is_cashback_coin == pool.is_cashback_coin
        and known.is_holder_reward == pool.is_holder_reward
        and known.can_edit_creator_fee == pool.can_edit_creator_fee
        and known.is_mayhem_mode == pool.is_mayhem_mode
        and known.tail == pool.tail
        and known.base_mint == pool.base_mint
        and known.creator == pool.creator
    )


def _act(act: PoolAct) -> str:
    kind = type(act).__name__
    if isinstance(act, Told):
        return kind  # its state is the step's own
    if isinstance(act, PoolChange):
        return f"{kind} {' '.join(str(getattr(act, name)) for name in act.__struct_fields__)}"
    return f"{kind} {' '.join(repr(getattr(act, name)) for name in act.__struct_fields__)}"


def _rates(rates: Rates) -> str:
    return f"{rates.lp_bps} {rates.protocol_bps} {rates.creator_bps} {rates.buyback_bps}"


def _swap(swap: Swap) -> str:
    return (
        f"{swap.at_ns} {swap.slot} {swap.signature} {swap.index} {int(swap.is_buy)} {swap.base_units} "
        f"{swap.quote_units} {swap.trader}"
    )


def _snapshot(snapshot: PoolSnapshot) -> str:
    figures = (
        snapshot.pool_id, snapshot.dex, snapshot.at_ns, snapshot.name, snapshot.base_mint, snapshot.quote_mint,
        snapshot.created_ns, snapshot.base_price_usd, snapshot.base_price_quote, snapshot.quote_price_usd,
        snapshot.reserve_usd, snapshot.stored_score,
    )  # fmt: skip
    metrics = sorted((name, str(value)) for name, value in snapshot.metrics.items())
    return f"{' '.join(map(str, figures))} {metrics}"
