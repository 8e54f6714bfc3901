"""Acts applied: what an act does to a pool, also to one that is not as it was when the act was signed."""

from __future__ import annotations

from typing import Any

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
    Sell,
    SweepFees,
    Told,
    VaultGift,
    Withdraw,
)
from pumpswap.amm.codec import Record
from pumpswap.amm.events.fees import FeeBucket
from pumpswap.amm.execution import (
    Execution,
    Transfers,
    execute_buy,
    execute_buy_exact_quote_in,
    execute_deposit,
    execute_sell,
    execute_withdraw,
    transfers_of,
)
from pumpswap.amm.fees import FeeSchedule
from pumpswap.amm.multi_hop import buy_hop, sell_hop
from pumpswap.amm.quote import BuyQuote as BoughtQuote
from pumpswap.amm.quote import Quote
from pumpswap.amm.quote import SellQuote as SoldQuote
from pumpswap.amm.state import PoolState
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.units import BPS

__all__ = ["Acted", "act_on", "acted_state", "at_rates", "residual_of"]

_TRADES = (BuyQuote, BuyBase, Sell)
_NO_TRANSFERS = Transfers(0, 0, 0, 0, 0, 0, 0)


class Acted(Record, frozen=True):
    """``quote`` is there for trades; ``burned`` is base that left the supply."""

    state: PoolState
    transfers: Transfers = _NO_TRANSFERS
    quote: Quote | None = None
    burned: int = 0


class _RatesAsRecorded(FeeSchedule):
    """The schedule of a date, but for the rates of one trade that it does not explain."""

    def __init__(self, schedule: FeeSchedule, rates: Rates) -> None:
        super().__init__(schedule.global_config, schedule.fee_config)
        self.buyback_bps = rates.buyback_bps
        self._recorded = rates.lp_bps, rates.protocol_bps, rates.creator_bps

    def require_tiers(self, state: PoolState) -> None:
        """The trade was accepted."""

    def rates(self, state: PoolState) -> tuple[int, int, int]:
        return self._recorded


def at_rates(schedule: FeeSchedule, rates: Rates | None) -> FeeSchedule:
    """The schedule that charges exactly these rates; ``schedule`` itself for None."""
    return schedule if rates is None else _RatesAsRecorded(schedule, rates)


def act_on(state: PoolState, schedule: FeeSchedule, act: PoolAct, *, rates: Rates | None = None) -> Acted:
    """What an act does to a pool now, with the program's checks and in its order.

    ``rates`` are those of a recorded trade where the schedule does not explain them. The slot stays as it is. Raises
    TradeRefused when the program would refuse: limits, reserves, boosted pools.
    """
    if isinstance(act, _TRADES):  # most of all
        done = _traded(state, schedule if rates is None else at_rates(schedule, rates), act)
        return Acted(done.state, done.transfers, done.quote)
    return _others(state, at_rates(schedule, rates), act)


def acted_state(state: PoolState, schedule: FeeSchedule, act: PoolAct, *, rates: Rates | None = None) -> PoolState:
    """The state alone."""
    return act_on(state, schedule, act, rates=rates).state


def residual_of(reached: PoolState, recorded: PoolState) -> VaultGift | None:
    """What must come into the vaults so that ``reached`` becomes ``recorded``: nothing but zeros when they are the
    same, None when more than the vaults differ. Slots do not count.
    """
    gift = VaultGift(recorded.base_reserve - reached.base_reserve, recorded.quote_vault - reached.quote_vault)
    same = msgspec.structs.replace(
        reached, base_reserve=recorded.base_reserve, quote_vault=recorded.quote_vault, slot=recorded.slot
    )
    return gift if same == recorded else None


def _others(state: PoolState, schedule: FeeSchedule, act: PoolAct) -> Acted:
    match act:
        case HopBuy() | HopSell():
            return _hopped(state, schedule, act)
        case Deposit() | Withdraw():
            return _liquidity(state, act)
        case SweepFees():
            return _swept(state, act.bucket)
        case BoostBurn():
            after, burned = state.after_boost(act.quote_amount_in)
            moved = msgspec.structs.replace(_NO_TRANSFERS, to_pool=act.quote_amount_in)
            return Acted(after, moved, burned=burned)
        case PoolChange():
            return Acted(_changed(state, act))
        case VaultGift():
            return Acted(_given(state, act))
        case Told():
            return Acted(act.state)
        case _:
            raise UsageError(f"{act!r} is no act", hint="see pumpswap.amm.acts")


def _traded(state: PoolState, schedule: FeeSchedule, act: BuyBase | BuyQuote | Sell) -> Execution:
    if isinstance(act, BuyQuote):
        spend, least = act.spendable_quote_in, act.min_base_amount_out
        return execute_buy_exact_quote_in(state, schedule, spend, least, generation=act.generation)
    if isinstance(act, BuyBase):
        wanted, most = act.base_amount_out, act.max_quote_amount_in
        return execute_buy(state, schedule, wanted, most, generation=act.generation)
    return execute_sell(state, schedule, act.base_amount_in, act.min_quote_amount_out, generation=act.generation)


def _hopped(state: PoolState, schedule: FeeSchedule, act: HopBuy | HopSell) -> Acted:
    """A hop trades by the second generation: what it pays the protocol and the creator stays in the vault."""
    lp, protocol, creator = _charged(schedule.rates(state), act.charged)
    hop = (buy_hop if isinstance(act, HopBuy) else sell_hop)(state, (lp, protocol, creator), act.amount_in)
    if hop.amount_out <= 0:
        raise TradeRefused("the hop delivers nothing", code=None, name="HopOutputZero", hint="send more")
    buyback = 0 if state.pool.is_mayhem_mode else hop.protocol_fee * schedule.buyback_bps // BPS
    base, reserve = state.base_reserve, state.effective_quote_reserve
    quote: Quote
    if isinstance(act, HopBuy):
        quote = BoughtQuote(
            hop.priced_quote, hop.lp_fee, hop.protocol_fee, hop.creator_fee, 0, buyback, lp, protocol, creator, base,
            reserve, hop.amount_out, act.amount_in, act.amount_in,
        )  # fmt: skip
    else:
        quote = SoldQuote(
            hop.priced_quote, hop.lp_fee, hop.protocol_fee, hop.creator_fee, 0, buyback, lp, protocol, creator, base,
            reserve, act.amount_in, hop.amount_out,
        )  # fmt: skip
    return Acted(_after_hop(state, quote), transfers_of(quote, 2), quote)


def _charged(rates: tuple[int, int, int], charged: Charged) -> tuple[int, int, int]:
    lp, protocol, creator = rates
    return lp if charged.lp else 0, protocol if charged.protocol else 0, creator if charged.creator else 0


def _after_hop(state: PoolState, quote: Quote) -> PoolState:
    """A cashback coin may be a hop that charges no creator fee, although a v2 trade of it is refused (3.5)."""
    if not state.pool.is_cashback_coin:
        return state.after(quote, 2)
    plain = msgspec.structs.replace(state, pool=state.pool.with_changes(is_cashback_coin=False)).after(quote, 2)
    return msgspec.structs.replace(plain, pool=plain.pool.with_changes(is_cashback_coin=True))


def _liquidity(state: PoolState, act: Deposit | Withdraw) -> Acted:
    if isinstance(act, Deposit):
        after = execute_deposit(state, act.lp_amount, act.max_base, act.max_quote)
    else:
        after = execute_withdraw(state, act.lp_amount, act.min_base, act.min_quote)
    base, quote = after.base_reserve - state.base_reserve, after.quote_vault - state.quote_vault
    moved = Transfers(-base, -quote, max(quote, 0), 0, 0, 0, 0)
    return Acted(after, moved)


def _swept(state: PoolState, bucket: FeeBucket) -> Acted:
    if bucket is FeeBucket.PROTOCOL:
        paid = msgspec.structs.replace(_NO_TRANSFERS, protocol_recipient=state.pool.protocol_fees)
        return Acted(state.after_protocol_sweep(), paid)
    paid = msgspec.structs.replace(_NO_TRANSFERS, creator_vault=state.pool.creator_fees)
    return Acted(state.after_creator_sweep(), paid)


def _changed(state: PoolState, act: PoolChange) -> PoolState:
    pool, moved = state.pool, act.virtual_quote_change
    named = ("coin_creator", "creator_fee_bps", "can_edit_creator_fee", "is_holder_reward", "is_cashback_coin")
    changes: dict[str, Any] = {name: value for name in named if (value := getattr(act, name)) is not None}
    if moved:
        changes["virtual_quote_reserves"] = pool.virtual_quote_reserves + moved
    if act.account_len is not None and act.account_len > pool.account_len:
        pool = pool.lengthened(act.account_len)
    if changes:
        pool = pool.with_changes(**changes)
    supply, vault = state.base_supply + act.supply_change, state.quote_vault - moved
    if supply < 0 or vault < 0:
        raise TradeRefused(
            f"a supply of {supply} and a vault of {vault} after a change of the pool",
            code=None,
            name="BelowZero",
            hint="the change belongs to another state of this pool",
        )
    return msgspec.structs.replace(state, pool=pool, quote_vault=vault, base_supply=supply)


def _given(state: PoolState, act: VaultGift) -> PoolState:
    base, vault = state.base_reserve + act.base, state.quote_vault + act.quote
    if base < 0 or vault < 0:
        raise TradeRefused(
            f"the vaults would hold {base} base and {vault} quote",
            code=None,
            name="BelowZero",
            hint="the pool has less than what left it in the record",
        )
    return msgspec.structs.replace(state, base_reserve=base, quote_vault=vault)
