"""How a pool was before all that is known of it, out of what it was later."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.acting import act_on
from pumpswap.amm.acts import Sell
from pumpswap.amm.events import (
    AdminCtoPoolEvent,
    AdminSetCoinCreatorEvent,
    AdminSetCoinCreatorFeeEditableEvent,
    Event,
    SetCoinCreatorFeeBpsEvent,
)
from pumpswap.amm.events.made import SeenTrader, event_of
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.acts_of import act_of, routed
from pumpswap.model import SeenAct, Swap
from pumpswap.research.chronicle.opening import opening_of
from pumpswap.research.chronicle.weaver import Moment, Weavers
from tests.support.market import START_NS, graduate

FEES = current_schedule()
ONE, OTHER = (Pubkey.from_bytes(bytes([number]) * 32) for number in (5, 6))


def traded(state: PoolState, slot: int) -> tuple[Swap, PoolState]:
    act = Sell(10**9, 0, 2)
    done = act_on(state, FEES, act)
    assert done.quote is not None
    event = event_of(state, done.quote, act, SeenTrader(ONE), START_NS // NS_PER_SECOND, FEES.buyback_bps)
    return Swap("Pool", START_NS, False, 1, 1, "", f"tx{slot}", slot, event=event), msgspec.structs.replace(
        done.state, slot=slot
    )


@pytest.mark.parametrize(
    "events",
    [
        (SetCoinCreatorFeeBpsEvent(old_creator_fee_bps=30, new_creator_fee_bps=95),),
        (
            AdminSetCoinCreatorFeeEditableEvent(),
            SetCoinCreatorFeeBpsEvent(old_creator_fee_bps=30, new_creator_fee_bps=80),
            SetCoinCreatorFeeBpsEvent(old_creator_fee_bps=80, new_creator_fee_bps=10),
        ),
        (AdminSetCoinCreatorEvent(old_coin_creator=ONE, new_coin_creator=OTHER),),
        (
            AdminCtoPoolEvent(
                old_coin_creator=ONE, new_coin_creator=OTHER, old_creator_fee_bps=30, new_creator_fee_bps=0
            ),
        ),
    ],
    ids=["rate", "rates", "creator", "community"],
)
@pytest.mark.parametrize("trades_first", [True, False])
def test_settings_are_what_they_were_before_they_changed(events: tuple[Event, ...], trades_first: bool) -> None:
    """Who trades before the change pays the rate of then, also in a pool that was read after it."""
    pool = graduate().pool.with_changes(coin_creator=ONE, creator_fee_bps=30, can_edit_creator_fee=False)
    state = truth = msgspec.structs.replace(graduate(), pool=pool, slot=1)
    history: list[Swap | SeenAct] = []
    if trades_first:
        swap, state = traded(state, 2)
        history.append(swap)
    for number, event in enumerate(events):
        act = act_of(event)
        assert act is not None
        state = act_on(state, FEES, act).state
        history.append(SeenAct("Pool", START_NS, 3, f"act{number}", 0, 0, event))
    swap, state = traded(state, 4)
    history.append(swap)
    opening = opening_of(state, history)
    assert opening is not None
    assert msgspec.structs.replace(opening, slot=1) == truth
    tally: Counter[str] = Counter()
    weaver = Weavers(lambda _: FEES, tally).of("Pool")
    list(weaver.tell(opening, Moment(START_NS, opening.slot)))
    for one in history:
        moment = Moment(START_NS, one.slot)
        list(weaver.act(one, moment) if isinstance(one, SeenAct) else weaver.trade(one, routed([one])[0], moment))
    assert weaver.state == state
    assert not +tally
