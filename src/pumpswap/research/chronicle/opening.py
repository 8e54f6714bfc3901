"""The opening of a pool: what it was before everything that is known to have happened to it, out of a later state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.events import (
    AdminCtoPoolEvent,
    AdminSetCoinCreatorEvent,
    AdminSetCoinCreatorFeeEditableEvent,
    BoostBuyAndBurnEvent,
    DepositEvent,
    Event,
    ExtendAccountEvent,
    FeeBucket,
    InitBoostEvent,
    MigratePoolCoinCreatorEvent,
    SetCoinCreatorFeeBpsEvent,
    SweepPoolFeeEvent,
    WithdrawEvent,
)
from pumpswap.amm.pool import CURRENT_POOL_LEN
from pumpswap.market.explained import seen_before
from pumpswap.model import SeenAct, Swap

__all__ = ["opening_of"]


def opening_of(final: PoolState, history: Sequence[Swap | SeenAct]) -> PoolState | None:
    """The pool before everything that happened to it, out of its last state; None for a pool without swaps."""
    swaps = [at for at, one in enumerate(history) if isinstance(one, Swap) and one.event is not None]
    swap = history[swaps[0]] if swaps else None
    if not isinstance(swap, Swap):
        return None
    before, later = history[: swaps[0]], history[swaps[0] :]
    state = _before_first(final, swap, [one.event for one in later if isinstance(one, SeenAct)])
    for one in reversed(before):
        if isinstance(one, SeenAct):
            state = _undone(state, one.event)
    # A state is that of the end of its slot.
    return msgspec.structs.replace(state, slot=max(history[0].slot - 1, 0))


def _before_first(final: PoolState, swap: Swap, events: Sequence[Event]) -> PoolState:
    """The pool before its first swap: what its event tells, and what follows from the last state and ``events``."""
    if swap.event is None:
        return final
    seen, pool = seen_before(swap.event), final.pool
    lp_supply = pool.lp_supply
    lp_supply -= sum(event.lp_token_amount_out for event in events if isinstance(event, DepositEvent))
    lp_supply += sum(event.lp_token_amount_in for event in events if isinstance(event, WithdrawEvent))
    boosted = sum(event.virtual_quote_reserves for event in events if isinstance(event, InitBoostEvent))
    owed = pool.boost_reserves - boosted - seen.virtual_quote_reserves
    creator = 0 if seen.creator_fees is None else seen.creator_fees
    length = next((event.current_size for event in events if isinstance(event, ExtendAccountEvent)), pool.account_len)
    opening = pool.with_changes(
        lp_supply=lp_supply,
        virtual_quote_reserves=seen.virtual_quote_reserves,
        creator_fees=creator,
        protocol_fees=owed - creator,
        **_settings_before(pool, events),
    )
    if seen.coin_creator is not None:  # its own event knows better than those of others
        opening = opening.with_changes(coin_creator=seen.coin_creator)
    return msgspec.structs.replace(
        final,
        pool=_shortened(opening, length),
        base_reserve=seen.base_reserve,
        quote_vault=seen.quote_vault,
        base_supply=seen.base_supply or final.base_supply,
    )


def _undone(state: PoolState, event: Event) -> PoolState:
    """The pool before an act, out of what its event says it did."""
    match event:
        case DepositEvent():
            base, quote, units = -event.base_amount_in, -event.quote_amount_in, -event.lp_token_amount_out
            return state.after_liquidity(base_change=base, quote_change=quote, lp_change=units)
        case WithdrawEvent():
            base, quote, units = event.base_amount_out, event.quote_amount_out, event.lp_token_amount_in
            return state.after_liquidity(base_change=base, quote_change=quote, lp_change=units)
        case SweepPoolFeeEvent():
            name = "protocol_fees" if event.bucket == FeeBucket.PROTOCOL else "creator_fees"
            owed = {name: getattr(state.pool, name) + event.amount}
            virtual = state.pool.virtual_quote_reserves - event.amount
            pool = state.pool.with_changes(virtual_quote_reserves=virtual, **owed)
            return msgspec.structs.replace(state, pool=pool, quote_vault=state.quote_vault + event.amount)
        case BoostBuyAndBurnEvent():
            return msgspec.structs.replace(
                state,
                base_reserve=state.base_reserve + event.base_amount_burned,
                base_supply=state.base_supply + event.base_amount_burned,
                quote_vault=state.quote_vault - event.quote_amount_in_used,
            )
        case ExtendAccountEvent():
            return msgspec.structs.replace(state, pool=_shortened(state.pool, event.current_size))
        case _:
            changes = _settings_before(state.pool, (event,))
            return msgspec.structs.replace(state, pool=state.pool.with_changes(**changes)) if changes else state


def _settings_before(pool: Pool, events: Sequence[Event]) -> dict[str, Any]:
    """What events say that they replaced, the last one first. What kind of coin it was before a community took it over
    they do not say, nor who was the creator before a curve or metadata named one.
    """
    changes: dict[str, Any] = {}
    for event in reversed(events):
        if isinstance(event, AdminSetCoinCreatorEvent | MigratePoolCoinCreatorEvent | AdminCtoPoolEvent):
            changes["coin_creator"] = event.old_coin_creator
        if isinstance(event, SetCoinCreatorFeeBpsEvent | AdminCtoPoolEvent):
            changes["creator_fee_bps"] = event.old_creator_fee_bps
        if isinstance(event, AdminSetCoinCreatorFeeEditableEvent):
            changes["can_edit_creator_fee"] = False
    return {name: value for name, value in changes.items() if value != getattr(pool, name)}


def _shortened(pool: Pool, account_len: int) -> Pool:
    return pool.with_changes(account_len=account_len, tail=pool.tail[: max(account_len - CURRENT_POOL_LEN, 0)])
