"""Two states of every pool: as it was recorded, and as it is with our trades in it.

Others do what they signed, on the pool as they find it: who spends an amount spends it, limits can fail, who has less
than in the record sells less. Nobody reacts to us beyond that; what they would have done nobody can know.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.amm.acting import Acted, act_on
from pumpswap.amm.acts import BuyBase, BuyQuote, HopBuy, HopSell, PoolAct, Sell, Told, VaultGift
from pumpswap.amm.events.made import SeenTrader, event_of
from pumpswap.amm.quote import BuyQuote as BoughtQuote
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import PumpSwapError, TradeRefused
from pumpswap.market.shadow_book import OurShare
from pumpswap.model import Swap
from pumpswap.research.backtest.holders import Holders
from pumpswap.research.backtest.tally import WorldTally
from pumpswap.research.chronicle.step import ScheduleFor, Step

__all__ = ["Done", "Impact", "PoolWorld", "World", "paid_out"]


class Impact(Enum):
    """What our trades do to the market. NAIVE: nothing; each is priced on the record, and the record goes on."""

    COUNTERFACTUAL = "counterfactual"
    NAIVE = "naive"


class PoolWorld(msgspec.Struct, gc=False):
    """One pool. ``ours`` is the last state that the market has told; another one in the book is a trade of ours."""

    recorded: PoolState
    ours: PoolState
    is_diverged: bool = False


class Done(msgspec.Struct, frozen=True, gc=False):
    """What came of a step in our world. ``swap`` None: no trade, or one that was refused."""

    state: PoolState
    swap: Swap | None = None
    acted: Acted | None = None


class World:
    """Applies what others did to pools that we have changed."""

    def __init__(self, schedule_for: ScheduleFor, holders: Holders, tally: WorldTally) -> None:
        self._schedule_for = schedule_for
        self.holders, self.tally = holders, tally

    def reapply(self, step: Step, state: PoolState, recorded: PoolState, amount_in: int | None = None) -> Done:
        """``step`` on ``state``; ``recorded`` is the pool before it in the record. ``amount_in`` replaces that of a
        hop. What is refused leaves the pool as it is.
        """
        self.tally.reapplied += 1
        if isinstance(step.act, Told):
            return self._told(step, step.act, state, recorded)
        try:
            act = self._signed(step, state, amount_in)
            acted = act_on(state, self.schedule(step), act, rates=step.rates)
        except TradeRefused as refused:
            self._refused(step, state, refused.name)
            return Done(self._at(state, step))
        self._check(state, acted.state, step)
        return Done(self._at(acted.state, step), self._swapped(step, act, state, acted), acted)

    def tried(self, step: Step, state: PoolState, amount_in: int | None = None) -> Acted:
        """What ``reapply`` would do with a hop. Nothing is counted or remembered. Raises TradeRefused."""
        kept = self.tally
        self.tally = WorldTally()
        try:
            return act_on(state, self.schedule(step), self._signed(step, state, amount_in), rates=step.rates)
        finally:
            self.tally = kept

    def refuse(self, step: Step, state: PoolState, name: str) -> Done:
        """The step fails because of another one of its transaction."""
        self.tally.reapplied += 1
        self._refused(step, state, name)
        return Done(self._at(state, step))

    def schedule(self, step: Step) -> FeeSchedule:
        """The fees of the step's date, as they count when a chronicle is verified."""
        return self._schedule_for(step.at_ns // NS_PER_SECOND)

    # ---------------------------------------------------------------------------------------------- acts

    def _signed(self, step: Step, state: PoolState, amount_in: int | None) -> PoolAct:
        """The act with the amounts that its sender has now. Raises TradeRefused when he has nothing to sell."""
        act = step.act
        if isinstance(act, VaultGift):
            return self._payable(act, state)
        if amount_in is not None and isinstance(act, HopBuy | HopSell):
            return msgspec.structs.replace(act, amount_in=amount_in)
        if isinstance(act, Sell | HopSell) and _is_holders(act):  # else it comes from the hop before it
            return self._sellable(step, act, state)
        assert act is not None  # a snapshot is no act
        return act

    def _sellable(self, step: Step, act: Sell | HopSell, state: PoolState) -> Sell | HopSell:
        """The sale with the units that its seller has now."""
        trader = "" if step.swap is None else step.swap.trader
        if not trader:
            self.tally.unknown_sellers += 1
            return act
        mint = str(state.pool.base_mint)
        units, least = (
            (act.amount_in, 0) if isinstance(act, HopSell) else (act.base_amount_in, act.min_quote_amount_out)
        )
        sale = self.holders.sale(mint, trader, units, least, step.trader_base)
        if not sale.is_changed:
            return act
        self.tally.capped += 1
        if not sale.units:
            raise TradeRefused(
                "the seller has nothing to sell",
                code=None,
                name="NothingHeld",
                hint="in the record he had bought, or bought more",
            )
        if isinstance(act, HopSell):
            return msgspec.structs.replace(act, amount_in=sale.units)
        return msgspec.structs.replace(act, base_amount_in=sale.units, min_quote_amount_out=sale.least)

    def _payable(self, act: VaultGift, state: PoolState) -> VaultGift:
        base, quote = max(act.base, -state.base_reserve), max(act.quote, -max(state.real_quote_reserve, 0))
        self.tally.clipped += base - act.base + quote - act.quote
        return VaultGift(base, quote)

    def _told(self, step: Step, act: Told, state: PoolState, recorded: PoolState) -> Done:
        """Only the new state is known: it gets what we have changed, as a share of its liquidity."""
        told = act.state
        share = OurShare.measured(recorded, recorded.base_reserve - state.base_reserve, 0)
        with_ours = told if share is None else share.taken_from(told)
        if not _is_possible(with_ours) or share is None:
            self.tally.lost_shares += 1
            with_ours = told
        swap = step.swap
        return Done(self._at(with_ours, step), swap)

    def _refused(self, step: Step, state: PoolState, name: str) -> None:
        """Somebody's transaction fails: he has not got, or not given, what he did in the record."""
        self.tally.has_failed(name)
        if step.swap is not None and _is_holders(step.act):
            got = step.swap.base_units if step.swap.is_buy else -step.swap.base_units
            self.holders.differs(str(state.pool.base_mint), step.swap.trader, -got)

    def _swapped(self, step: Step, act: PoolAct, state: PoolState, acted: Acted) -> Swap | None:
        """The trade as it is told now."""
        swap, quote = step.swap, acted.quote
        if swap is None or quote is None or not isinstance(act, BuyBase | BuyQuote | Sell | HopBuy | HopSell):
            return swap
        base, paid = abs(acted.transfers.user_base_change), abs(acted.transfers.user_quote_change)
        mint = str(state.pool.base_mint)
        had = self.holders.difference(mint, swap.trader)
        if _is_holders(act):
            self.holders.differs(mint, swap.trader, (base - swap.base_units) * (1 if swap.is_buy else -1))
        self.tally.changed += (base, paid) != (swap.base_units, swap.quote_units)
        event = swap.event
        if event is not None:
            seen = SeenTrader(event.user, max(event.user_base_token_reserves + had, 0))
            event = event_of(state, quote, act, seen, event.timestamp, event.buyback_fee_basis_points)
        return Swap(
            pool=swap.pool,
            at_ns=swap.at_ns,
            is_buy=swap.is_buy,
            base_units=base,
            quote_units=paid,
            trader=swap.trader,
            signature=swap.signature,
            slot=swap.slot,
            index=swap.index,
            event=event,
        )

    def _at(self, state: PoolState, step: Step) -> PoolState:
        return state if step.slot <= state.slot else msgspec.structs.replace(state, slot=step.slot)

    def _check(self, before: PoolState, after: PoolState, step: Step) -> None:
        """What no act can do. It costs little, and a world that breaks it would be worth nothing."""
        kept = before.pool.boost_reserves == after.pool.boost_reserves
        if _is_possible(after) and (kept or step.swap is None):
            return
        raise PumpSwapError(
            f"pool {step.pool} would hold {after.base_reserve} base and {after.quote_vault} quote after"
            f" {type(step.act).__name__}",
            hint="this is a bug in the replay: please report it with the chronicle's hash",
        )


def paid_out(acted: Acted) -> int:
    """What a hop pays into the next one."""
    quote = acted.quote
    if quote is None:
        return 0
    return quote.base_out if isinstance(quote, BoughtQuote) else quote.user_quote_out


def _is_holders(act: PoolAct | None) -> bool:
    """Whether the base of a trade is its trader's: between two hops of a route it goes from pool to pool."""
    if isinstance(act, HopBuy):
        return act.route.hop == act.route.hops - 1
    return not isinstance(act, HopSell) or act.route.hop == 0


def _is_possible(state: PoolState) -> bool:
    pool = state.pool
    return (
        state.base_reserve >= 0
        and state.quote_vault >= 0
        and state.base_supply >= 0
        and min(pool.protocol_fees, pool.creator_fees, pool.lp_supply) >= 0
        and state.effective_quote_reserve >= 0
    )
