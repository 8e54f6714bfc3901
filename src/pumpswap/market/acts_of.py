"""Acts of a transaction: what was sent to pools, out of the events that the program emitted (PROTOCOL 5.2 and 5.3).

The signed instruction decides, not the wish behind it: a client that turns a budget into an exact amount of base has
sent a buy of exactly this base.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from pumpswap.amm.acts import (
    BoostBurn,
    BuyBase,
    BuyQuote,
    Charged,
    Deposit,
    HopBuy,
    HopSell,
    PoolAct,
    PoolChange,
    Rates,
    Route,
    Sell,
    SweepFees,
    Withdraw,
)
from pumpswap.amm.events import (
    AdminCtoPoolEvent,
    AdminSetCoinCreatorEvent,
    AdminSetCoinCreatorFeeEditableEvent,
    BoostBuyAndBurnEvent,
    BuyEvent,
    DepositEvent,
    Event,
    ExtendAccountEvent,
    FeeBucket,
    InitBoostEvent,
    MigratePoolCoinCreatorEvent,
    SellEvent,
    SetBondingCurveCoinCreatorEvent,
    SetCoinCreatorFeeBpsEvent,
    SetMetaplexCoinCreatorEvent,
    SweepPoolFeeEvent,
    WithdrawEvent,
)
from pumpswap.chain.node import ConfirmedTransaction
from pumpswap.market.swaps_of import generation_of, in_order, normalise
from pumpswap.model import SeenAct, Swap

__all__ = ["act_of", "acts_of", "rates_of", "routed", "trade_act_of"]

HOP: Final = "multi_hop_swap"


def acts_of(transaction: ConfirmedTransaction) -> tuple[Swap | SeenAct, ...]:
    """Everything that a confirmed transaction did to pools, in order of execution; nothing when it failed.

    Times are those of the events, which are those of the block.
    """
    return in_order(normalise(transaction))


def act_of(event: Event) -> PoolAct | None:
    """The act behind an event; None for one that tells too little to be sent again: the creation of a pool, or a
    purchase of old that is neither kind of buy.
    """
    if isinstance(event, BuyEvent | SellEvent):
        return trade_act_of(event)
    make = _ACTS.get(type(event))
    return None if make is None else make(event)


def trade_act_of(event: BuyEvent | SellEvent, route: Route | None = None) -> PoolAct | None:
    """The act behind a swap. ``route`` says where a hop of ``multi_hop_swap`` stands; without it, it stands alone."""
    charged = Charged(event.lp_fee > 0, event.protocol_fee > 0, event.coin_creator_fee > 0)
    alone = route or Route("", 0, 1)
    generation = generation_of(event)
    if isinstance(event, SellEvent):
        # A sale does not tell its instruction; only hops leave out fees that everybody pays.
        if generation == 2 and event.quote_amount_out > 0 and not (charged.lp and charged.protocol):
            return HopSell(event.base_amount_in, charged, alone)
        return Sell(event.base_amount_in, event.min_quote_amount_out, generation)
    if event.ix_name == HOP:
        return HopBuy(event.total_quote, charged, alone)  # a hop always consumes its whole input
    if event.is_exact_quote:
        return BuyQuote(event.quote_amount_in, max(event.min_base_amount_out, 1), generation)
    if event.user_quote_amount_in == event.total_quote:
        return BuyBase(event.base_amount_out, event.max_quote_amount_in, generation)
    # Events older than late 2025 do not name their instruction, but the two buys give the amounts other meanings.
    is_budget = event.quote_amount_in == event.max_quote_amount_in
    if not event.ix_name and is_budget and event.user_quote_amount_in == event.gross_quote:
        return BuyQuote(event.quote_amount_in, max(event.min_base_amount_out, 1), generation)
    return None


def rates_of(event: BuyEvent | SellEvent) -> Rates:
    """What a trade paid, in bps: a creator rate that is shown without a fee does not count."""
    creator = event.coin_creator_fee_basis_points if event.coin_creator_fee else 0
    if event.cashback:
        creator = event.cashback_fee_basis_points
    return Rates(event.lp_fee_basis_points, event.protocol_fee_basis_points, creator, event.buyback_fee_basis_points)


def routed(swaps: Sequence[Swap]) -> tuple[PoolAct | None, ...]:
    """The acts behind the swaps of one transaction, in their order, with hops that hand on to each other as one route.

    None for a swap without an event, or one that is neither kind of buy.
    """
    acts = [None if swap.event is None else trade_act_of(swap.event) for swap in swaps]
    routes: list[list[int]] = []
    for at, act in enumerate(acts):
        if not isinstance(act, HopBuy | HopSell):
            continue
        before = routes[-1][-1] if routes else None
        if before is not None and before == at - 1 and _output(swaps[before]) == act.amount_in:
            routes[-1].append(at)
        else:
            routes.append([at])
    for route in routes:
        for hop, at in enumerate(route):
            one = acts[at]
            if isinstance(one, HopBuy | HopSell):
                acts[at] = msgspec.structs.replace(one, route=Route(swaps[at].signature, hop, len(route)))
    return tuple(acts)


def _output(swap: Swap) -> int:
    return swap.base_units if swap.is_buy else swap.quote_units


def _taken_over(event: Any) -> PoolChange:
    return PoolChange(
        coin_creator=event.new_coin_creator,
        creator_fee_bps=event.new_creator_fee_bps,
        is_holder_reward=event.is_holder_reward,
        is_cashback_coin=event.is_cashback_coin,
    )


_ACTS: Mapping[type[Event], Callable[[Any], PoolAct]] = {
    DepositEvent: lambda one: Deposit(one.lp_token_amount_out, one.max_base_amount_in, one.max_quote_amount_in),
    WithdrawEvent: lambda one: Withdraw(one.lp_token_amount_in, one.min_base_amount_out, one.min_quote_amount_out),
    SweepPoolFeeEvent: lambda one: SweepFees(FeeBucket(one.bucket)),
    BoostBuyAndBurnEvent: lambda one: BoostBurn(one.quote_amount_in_used),
    InitBoostEvent: lambda one: PoolChange(virtual_quote_change=one.virtual_quote_reserves),
    ExtendAccountEvent: lambda one: PoolChange(account_len=one.new_size),
    AdminCtoPoolEvent: _taken_over,
    AdminSetCoinCreatorEvent: lambda one: PoolChange(coin_creator=one.new_coin_creator),
    AdminSetCoinCreatorFeeEditableEvent: lambda _: PoolChange(can_edit_creator_fee=True),
    MigratePoolCoinCreatorEvent: lambda one: PoolChange(coin_creator=one.new_coin_creator),
    SetBondingCurveCoinCreatorEvent: lambda one: PoolChange(coin_creator=one.coin_creator),
    SetCoinCreatorFeeBpsEvent: lambda one: PoolChange(creator_fee_bps=one.new_creator_fee_bps),
    SetMetaplexCoinCreatorEvent: lambda one: PoolChange(coin_creator=one.coin_creator),
}
