"""Weavers: what sources tell of one pool (swaps, other acts, states, snapshots), woven into steps that follow from each
other to the unit, with what no act explains named as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.amm.acting import Acted, act_on
from pumpswap.amm.acts import PoolAct, PoolChange, Rates, Told, VaultGift
from pumpswap.amm.events import (
    BoostBuyAndBurnEvent,
    BuyEvent,
    DepositEvent,
    Event,
    InitBoostEvent,
    SellEvent,
    SweepPoolFeeEvent,
    WithdrawEvent,
)
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import TradeRefused
from pumpswap.market.acts_of import act_of, rates_of
from pumpswap.market.explained import PoolSeen, explain, seen_after, seen_before, seen_of
from pumpswap.market.rebuild import anchored, rebuild
from pumpswap.market.swaps_of import generation_of, reserves_after
from pumpswap.model import PoolSnapshot, SeenAct, Swap
from pumpswap.research.chronicle.step import Exactness, ScheduleFor, Step
from pumpswap.research.chronicle.window import Numbering

__all__ = ["Moment", "PoolWeaver", "Weavers"]

_UNSEEN = "no state and no snapshot of this pool has come before, so its depth is not known"
_NO_FIT = "its events do not fit to the state that was recorded before"
_NO_CURVE = "at this price the pool would be empty"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step is played, and its slot."""

    at_ns: int
    slot: int


class PoolWeaver:
    """One pool. Tell it everything in the order of the chain; each call yields the steps that it makes.

    ``state`` is the recorded world so far, None while nobody has told it, or since something did not fit.
    """

    def __init__(self, pool: str, schedule_for: ScheduleFor, numbers: Numbering, tally: Counter[str]) -> None:
        self.state: PoolState | None = None
        self._pool = pool
        self._schedule_for = schedule_for
        self._numbers = numbers
        self._tally = tally
        self._obstacle = _UNSEEN
        self._is_read = False  # a whole state was read, so it is not rebuilt from snapshots
        self._has_events = False  # or at least what the vaults hold is known better than any snapshot tells it
        self._read_slot = -1

    def tell(self, state: PoolState, moment: Moment) -> Iterator[Step]:
        """A whole state as it was read at the end of its slot."""
        known = self.state
        self._is_read = True
        if known is None:
            yield self._set(moment, Told(state), state)
        elif state.slot < known.slot:
            self._tally["states overtaken"] += 1
            return
        else:
            yield from self._agree(known, state, moment)
        self._read_slot = state.slot

    def look(self, snapshot: PoolSnapshot, moment: Moment) -> Iterator[Step]:
        """What a collector saw: figures to score, and the depth where nobody tells it better."""
        if self._is_read or (self._has_events and self.state is not None):
            yield self._idle(moment, snapshot)
            return
        found = rebuild(snapshot)
        if isinstance(found, str):
            self._tally["snapshots without a depth"] += 1
            yield self._lost(moment, snapshot, found)
            return
        yield self._set(moment, Told(found), found, Exactness.TOLD, snapshot)

    def trade(self, swap: Swap, act: PoolAct | None, moment: Moment) -> Iterator[Step]:
        """A swap with the act behind it."""
        if swap.event is None:
            yield self._priced(swap, moment)
            return
        if self.state is None:
            yield self._lost(moment, swap, self._obstacle)
            return
        before = seen_before(swap.event)
        if self._is_read and moment.slot <= self._read_slot and not _follows(before, self.state):
            self._tally["swaps already in a state"] += 1
            yield self._idle(moment, swap)
            return
        self._has_events = True
        yield from self._bridge(before, moment)
        yield self._traded(swap, swap.event, act, moment)

    def act(self, seen: SeenAct, moment: Moment) -> Iterator[Step]:
        """Another act of the program."""
        act, known = act_of(seen.event), self.state
        if act is None or known is None or (self._is_read and moment.slot <= self._read_slot):
            self._tally["acts before any state"] += known is None
            return
        if isinstance(act, PoolChange) and _changes_nothing(act, known):
            return
        try:
            done = act_on(known, self._schedule(moment), act)
        except TradeRefused:
            done = None
        if done is None or not _fits(seen.event, known, done):
            self._tally["acts that do not fit"] += 1  # what they changed shows in what is told next
            return
        yield self._set(moment, act, _at(done.state, moment.slot))

    def _traded(self, swap: Swap, event: BuyEvent | SellEvent, act: PoolAct | None, moment: Moment) -> Step:
        known = self.state
        if known is None:
            return self._lost(moment, swap, _NO_FIT)
        if act is not None:
            for rates in (None, rates_of(event)):
                after = self._reached(known, act, swap, rates, moment)
                if after is not None:
                    self._tally["rates unexplained"] += rates is not None
                    step = self._set(moment, act, after, seen=swap)
                    return step if rates is None else msgspec.structs.replace(step, rates=rates)
        self._tally["swaps unexplained"] += 1
        told = self._as_told(known, seen_after(swap))
        if told is None:
            return self._lost(moment, swap, _NO_FIT)
        if generation_of(event) == 2:
            told = msgspec.structs.replace(told, pool=told.pool.grown())
        told = _at(told, moment.slot)
        return self._set(moment, Told(told), told, Exactness.TOLD, swap)

    def _reached(
        self, known: PoolState, act: PoolAct, swap: Swap, rates: Rates | None, moment: Moment
    ) -> PoolState | None:
        """The state after a trade, where it is the one that its event tells. A schedule must also give its fees: of
        the first generation those of protocol and creator leave no trace in the pool.
        """
        try:
            done = act_on(known, self._schedule(moment), act, rates=rates)
        except TradeRefused:
            return None
        if rates is None and not _is_paid(swap, done):
            return None
        state = done.state
        told = reserves_after(swap)
        is_so = (
            state.base_reserve == told.base_reserve
            and state.quote_vault == told.quote_vault
            and state.pool.virtual_quote_reserves == told.virtual_quote_reserves
        )
        return _at(state, moment.slot) if is_so else None

    def _priced(self, swap: Swap, moment: Moment) -> Step:
        """A swap of a source without events: its price moves a state that was rebuilt, and leaves one that was read."""
        known = self.state
        if known is None or self._is_read:
            self._tally["swaps without an event"] += 1
            return self._lost(moment, swap, self._obstacle) if known is None else self._idle(moment, swap)
        price = Fraction(swap.quote_units, swap.base_units) if swap.base_units else Fraction(0)
        moved = anchored(known, price, swap.slot)
        if moved is None:
            return self._lost(moment, swap, _NO_CURVE)
        self._tally["depth inferred"] += 1
        return self._set(moment, Told(moved), moved, Exactness.TOLD, swap)

    def _bridge(self, seen: PoolSeen, moment: Moment) -> Iterator[Step]:
        """What happened between the last step and what an event says was there before it."""
        known = self.state
        if known is None or _is_same(seen, known):
            return
        acts = explain(known, seen)
        if acts is None:
            self._tally["gaps unexplained"] += 1
            told = self._as_told(known, seen)
            if told is None:
                self.state = None
            else:
                told = _at(told, moment.slot)
                yield self._set(moment, Told(told), told, Exactness.TOLD)
            return
        yield from self._inferred(acts, moment)

    def _inferred(self, acts: tuple[PoolAct, ...], moment: Moment) -> Iterator[Step]:
        for act in acts:
            known = self.state
            if known is None:
                return
            self._tally[f"inferred {type(act).__name__}"] += 1
            after = _at(act_on(known, self._schedule(moment), act).state, moment.slot)
            exactness = Exactness.ADJUSTED if isinstance(act, VaultGift) else Exactness.EXACT
            yield self._set(moment, act, after, exactness)

    def _as_told(self, known: PoolState, seen: PoolSeen) -> PoolState | None:
        """The state that an event tells. Of a pool that was rebuilt from a snapshot nobody knows the fees owed."""
        if self._is_read:
            return _told(known, seen)
        pool = known.pool.grown().with_changes(virtual_quote_reserves=0, protocol_fees=0, creator_fees=0)
        told = _told(msgspec.structs.replace(known, pool=pool), msgspec.structs.replace(seen, virtual_quote_reserves=0))
        if told is None:
            return None
        virtual = told.pool.with_changes(virtual_quote_reserves=seen.virtual_quote_reserves)
        return msgspec.structs.replace(told, pool=virtual)

    def _agree(self, known: PoolState, state: PoolState, moment: Moment) -> Iterator[Step]:
        """A state that was read must be the one that the acts have led to."""
        if _at(known, state.slot) == state:
            self._tally["states confirmed"] += 1
            self.state = state
            yield self._made(moment, (None, known, state), Exactness.EXACT, None)
            return
        acts = explain(known, seen_of(state))
        if acts is not None:
            reached, every = known, list(acts)
            for act in acts:
                reached = act_on(reached, self._schedule(moment), act).state
            change = _rest(reached, state)
            if change is not None:
                every.append(change)
                reached = act_on(reached, self._schedule(moment), change).state
            if _at(reached, state.slot) == state:
                self._tally["states explained"] += 1
                yield from self._inferred(tuple(every), Moment(moment.at_ns, state.slot))
                return
        self._tally["states unexplained"] += 1
        yield self._set(moment, Told(state), state, Exactness.TOLD)

    def _schedule(self, moment: Moment) -> FeeSchedule:
        return self._schedule_for(moment.at_ns // NS_PER_SECOND)

    def _set(
        self,
        moment: Moment,
        act: PoolAct,
        after: PoolState,
        exactness: Exactness = Exactness.EXACT,
        seen: Swap | PoolSnapshot | None = None,
    ) -> Step:
        if exactness is Exactness.EXACT and not self._is_read:
            exactness = Exactness.TOLD  # whatever is known of its vaults: which fees it pays and owes was assumed
        before, self.state = self.state, after
        return self._made(moment, (act, before, after), exactness, seen)

    def _idle(self, moment: Moment, seen: Swap | PoolSnapshot | None = None) -> Step:
        """A step that changes nothing of what is known."""
        return self._made(moment, (None, self.state, self.state), Exactness.EXACT, seen)

    def _lost(self, moment: Moment, seen: Swap | PoolSnapshot, why: str) -> Step:
        """A step of a pool whose state nobody knows, or knows any more."""
        self.state, self._obstacle = None, why
        return msgspec.structs.replace(self._idle(moment, seen), obstacle=why)

    def _made(
        self,
        moment: Moment,
        moved: tuple[PoolAct | None, PoolState | None, PoolState | None],
        exactness: Exactness,
        seen: Swap | PoolSnapshot | None,
    ) -> Step:
        swap = seen if isinstance(seen, Swap) else None
        event = None if swap is None else swap.event
        return Step(
            moment.at_ns,
            moment.slot,
            self._numbers.next(moment.slot),
            self._pool,
            *moved,
            swap,
            seen if isinstance(seen, PoolSnapshot) else None,
            exactness,
            None,
            None if event is None else event.user_base_token_reserves,
        )


class Weavers:
    """Those of all pools of one pass."""

    def __init__(self, schedule_for: ScheduleFor, tally: Counter[str]) -> None:
        self._schedule_for, self._tally = schedule_for, tally
        self._numbers = Numbering()
        self._pools: dict[str, PoolWeaver] = {}

    def of(self, pool: str) -> PoolWeaver:
        """The weaver of a pool."""
        found = self._pools.get(pool)
        if found is None:
            found = self._pools[pool] = PoolWeaver(pool, self._schedule_for, self._numbers, self._tally)
        return found


def _at(state: PoolState, slot: int) -> PoolState:
    return state if state.slot >= slot else msgspec.structs.replace(state, slot=slot)


def _follows(before: PoolSeen, state: PoolState) -> bool:
    """Whether a swap found exactly this state: then it is not in it, also where both are of one slot."""
    return (before.base_reserve, before.quote_vault, before.virtual_quote_reserves) == (
        state.base_reserve,
        state.quote_vault,
        state.pool.virtual_quote_reserves,
    )


def _is_paid(swap: Swap, done: Acted) -> bool:
    """Whether a trade paid what its event says."""
    event, quote = swap.event, done.quote
    return (
        event is not None
        and quote is not None
        and event.lp_fee == quote.lp_fee
        and event.protocol_fee == quote.protocol_fee
        and event.coin_creator_fee + event.cashback == quote.creator_fee + quote.cashback
    )


def _is_same(seen: PoolSeen, state: PoolState) -> bool:
    """Whether nothing has happened between: the usual case."""
    return (
        _follows(seen, state)
        and (seen.base_supply is None or seen.base_supply == state.base_supply)
        and (seen.coin_creator is None or seen.coin_creator == state.pool.coin_creator)
    )


def _told(known: PoolState, seen: PoolSeen) -> PoolState | None:
    """The state that an event tells, with the fees owed divided as they were; None where they cannot be owed."""
    owed = known.pool.boost_reserves - seen.virtual_quote_reserves
    if owed < 0:
        return None
    creator = min(known.pool.creator_fees if seen.creator_fees is None else seen.creator_fees, owed)
    pool = known.pool.with_changes(
        virtual_quote_reserves=seen.virtual_quote_reserves, protocol_fees=owed - creator, creator_fees=creator
    )
    if seen.coin_creator is not None and seen.coin_creator != pool.coin_creator:
        pool = pool.with_changes(coin_creator=seen.coin_creator)
    supply = known.base_supply if seen.base_supply is None else seen.base_supply
    return msgspec.structs.replace(
        known, pool=pool, base_reserve=seen.base_reserve, quote_vault=seen.quote_vault, base_supply=supply
    )


def _rest(reached: PoolState, state: PoolState) -> PoolChange | None:
    """What of a read account no event has told."""
    old, new = reached.pool, state.pool
    names = ("coin_creator", "creator_fee_bps", "can_edit_creator_fee", "is_holder_reward", "is_cashback_coin")
    changes = {name: getattr(new, name) for name in names if getattr(old, name) != getattr(new, name)}
    if new.account_len > old.account_len:
        changes["account_len"] = new.account_len
    return PoolChange(**changes) if changes else None


def _changes_nothing(act: PoolChange, state: PoolState) -> bool:
    if act.virtual_quote_change or act.supply_change:
        return False
    if act.account_len is not None and act.account_len > state.pool.account_len:
        return False
    names = ("coin_creator", "creator_fee_bps", "can_edit_creator_fee", "is_holder_reward", "is_cashback_coin")
    return all(getattr(act, name) in (None, getattr(state.pool, name)) for name in names)


def _fits(event: Event, known: PoolState, done: Acted) -> bool:
    """Whether an act did what its event says: else something before it is missing."""
    moved = done.transfers
    if isinstance(event, DepositEvent):
        return (moved.user_base_change, moved.user_quote_change) == (-event.base_amount_in, -event.quote_amount_in)
    if isinstance(event, WithdrawEvent):
        return (moved.user_base_change, moved.user_quote_change) == (event.base_amount_out, event.quote_amount_out)
    if isinstance(event, SweepPoolFeeEvent):
        return moved.protocol_recipient + moved.creator_vault == event.amount
    if isinstance(event, BoostBuyAndBurnEvent):
        return done.burned == event.base_amount_burned
    if isinstance(event, InitBoostEvent):
        return known.pool.virtual_quote_reserves == 0
    return True
