"""The chain's own history of pools as a chronicle: every act is an event, nothing is inferred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.events import (
    BoostBuyAndBurnEvent,
    DepositEvent,
    Event,
    ExtendAccountEvent,
    FeeBucket,
    InitBoostEvent,
    SweepPoolFeeEvent,
    WithdrawEvent,
)
from pumpswap.amm.pool import CURRENT_POOL_LEN
from pumpswap.errors import ChainError, EndpointDown
from pumpswap.market.acts_of import acts_of
from pumpswap.market.explained import seen_before
from pumpswap.market.gap_fill import FeedNode, fetch_transactions, history_since, merged
from pumpswap.model import SeenAct, Swap
from pumpswap.research.chronicle.slots import SlotTable
from pumpswap.research.chronicle.step import Range, ScheduleFor
from pumpswap.research.chronicle.weaver import Moment
from pumpswap.research.chronicle.window import Window
from pumpswap.research.chronicle.woven import Item, WovenChronicle

__all__ = ["ChainChronicle", "read_history"]


async def read_history(node: FeedNode, states: Sequence[PoolState]) -> tuple[Swap | SeenAct, ...]:
    """Everything that happened to these pools until their states were read, in the order of the chain.

    Raises ChainError when a part of it cannot be read: a history with a hole is none.
    """
    pools = {str(state.address): state.slot for state in states}
    pages = [await history_since(node, state.address, None) for state in states]
    signatures = [line.signature for line in merged(pages) if line.err is None]
    found: list[Swap | SeenAct] = []
    for signature, answer in zip(signatures, await fetch_transactions(node, signatures), strict=True):
        if isinstance(answer, ChainError):
            raise answer
        if answer is None:
            hint = "ask an archive endpoint"
            raise EndpointDown(f"the node lists transaction {signature} and does not have it", hint=hint)
        found += [one for one in acts_of(answer) if one.slot <= pools.get(one.pool, -1)]
    return tuple(found)


class ChainChronicle(WovenChronicle):
    """Pools whose states were read now, with their history until then: where each began follows from where it ended."""

    def __init__(
        self,
        states: Sequence[PoolState],
        history: Sequence[Swap | SeenAct],
        schedule_for: ScheduleFor,
        window: Window | None = None,
    ) -> None:
        slots = SlotTable((one.slot, one.at_ns) for one in history)
        super().__init__("chain", {"kind": "chain"}, slots, schedule_for, window)
        self._history = tuple(history)
        self._finals = {str(state.address): state for state in sorted(states, key=lambda state: state.slot)}
        self._openings = {pool: _opening(final, self._of(pool)) for pool, final in self._finals.items()}

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is worked out."""
        return ("A pool's first state follows from its last one and everything that happened to it.",)

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        """From the first event of each pool to the reading of its state."""
        found = {}
        for pool, final in self._finals.items():
            mine = self._of(pool)
            first = mine[0].slot if mine else final.slot
            found[pool] = self.window.clipped([(self.slots.time_of(first), self.slots.time_of(final.slot + 1))])
        return found

    def _of(self, pool: str) -> list[Swap | SeenAct]:
        return [one for one in self._history if one.pool == pool]

    def _items(self) -> Iterator[tuple[Moment, Item]]:
        begun: set[str] = set()
        finals = list(self._finals.values())
        for one in self._history:
            while finals and finals[0].slot < one.slot:
                yield self._final(finals.pop(0))
            moment = Moment(self.slots.time_of(one.slot), one.slot)
            opening = self._openings.get(one.pool)
            if one.pool not in begun and opening is not None:
                begun.add(one.pool)
                yield moment, opening
            yield moment, one
        for final in finals:
            yield self._final(final)

    def _final(self, state: PoolState) -> tuple[Moment, Item]:
        return Moment(self.slots.time_of(state.slot), state.slot), state


def _opening(final: PoolState, history: Sequence[Swap | SeenAct]) -> PoolState | None:
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
        coin_creator=seen.coin_creator or pool.coin_creator,
    )
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
            return state  # settings: what was before them, no amount tells


def _shortened(pool: Pool, account_len: int) -> Pool:
    return pool.with_changes(account_len=account_len, tail=pool.tail[: max(account_len - CURRENT_POOL_LEN, 0)])
