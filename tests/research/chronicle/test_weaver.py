"""Random histories of one pool, told by events alone: the weaver finds every act and every state again."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.acting import act_on
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
    VaultGift,
    Withdraw,
)
from pumpswap.amm.events import FeeBucket
from pumpswap.amm.events.made import SeenTrader, TradeAct, event_of
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import TradeRefused
from pumpswap.market.acts_of import routed
from pumpswap.model import Swap
from pumpswap.research.chronicle.step import Exactness, Step
from pumpswap.research.chronicle.verify import verify_steps
from pumpswap.research.chronicle.weaver import Moment, Weavers
from tests.support.market import START_NS, graduate

FEES = current_schedule()
TRADER = SeenTrader(Pubkey.from_bytes(b"\x05" * 32), 123)
SEEN_RATES = Rates(7, 11, 13, 2_500)  # of a day whose schedule nobody knows


@st.composite
def pools(draw: st.DrawFn) -> PoolState:
    kind = draw(st.sampled_from(["plain", "boosted", "cashback", "mayhem", "short"]))
    state = graduate(virtual_quote_reserves=17 * 10**9 if kind == "boosted" else 0)
    changes: dict[str, object] = {"lp_supply": 4_193_388_282_604}
    if kind in ("cashback", "mayhem"):
        changes["is_cashback_coin" if kind == "cashback" else "is_mayhem_mode"] = True
    if kind == "short":
        changes |= {"account_len": 245, "tail": b""}
    return msgspec.structs.replace(state, pool=state.pool.with_changes(**changes))


trades: st.SearchStrategy[tuple[str, int]] = st.tuples(
    st.sampled_from(["buy base", "buy quote", "sell", "hop buy", "hop sell"]), st.integers(10**6, 10**10)
)
between: st.SearchStrategy[tuple[str, int]] = st.tuples(
    st.sampled_from(["sweep 0", "sweep 1", "boost", "deposit", "withdraw", "burn", "creator", "gift", "nothing"]),
    st.integers(10**5, 10**9),
)


def trade_of(name: str, amount: int, generation: int) -> TradeAct:
    far = Charged(lp=True, protocol=False, creator=True)
    return {
        "buy base": BuyBase(amount * 1_000, 2**63, generation),
        "buy quote": BuyQuote(amount, 1, generation),
        "sell": Sell(amount * 1_000, 0, generation),
        "hop buy": HopBuy(amount, far, Route("tx", 0, 1)),
        "hop sell": HopSell(amount * 1_000, far, Route("tx", 0, 1)),
    }[name]  # type: ignore[return-value]


def act_between(name: str, amount: int) -> PoolAct | None:
    return {
        "sweep 0": SweepFees(FeeBucket.PROTOCOL),
        "sweep 1": SweepFees(FeeBucket.CREATOR),
        "boost": BoostBurn(amount),
        "deposit": Deposit(amount),
        "withdraw": Withdraw(amount),
        "burn": PoolChange(supply_change=-amount),
        "creator": PoolChange(coin_creator=Pubkey.from_bytes(amount.to_bytes(32, "little"))),
        "gift": VaultGift(amount, 0),
        "nothing": None,
    }[name]


@settings(max_examples=150)
@given(pools(), st.lists(st.tuples(between, trades, st.sampled_from([None, SEEN_RATES])), min_size=1, max_size=12))
def test_events_alone_tell_every_act_between_two_trades(
    state: PoolState, moves: list[tuple[tuple[str, int], tuple[str, int], Rates | None]]
) -> None:
    tally: Counter[str] = Counter()
    weaver = Weavers(lambda _: FEES, tally).of("Pool")
    steps: list[Step] = list(weaver.tell(state, Moment(START_NS, 1)))
    generation = 1 if state.pool.is_cashback_coin else 2
    for number, ((name, size), (trade, amount), rates) in enumerate(moves):
        untold = act_between(name, size)
        try:
            before = state if untold is None else act_on(state, FEES, untold).state
            act = trade_of(trade, amount, generation)
            done = act_on(before, FEES, act, rates=rates)
        except TradeRefused:
            continue
        assert done.quote is not None
        buyback = FEES.buyback_bps if rates is None else rates.buyback_bps
        event = event_of(before, done.quote, act, TRADER, START_NS // NS_PER_SECOND, buyback)
        swap = Swap("Pool", START_NS, trade.startswith(("buy", "hop buy")), 1, 1, signature="tx", event=event)
        slot = number + 2
        found = list(weaver.trade(swap, routed([swap])[0], Moment(START_NS + number, slot)))
        *bridge, last = found
        steps += found
        state = msgspec.structs.replace(done.state, slot=slot)
        assert last.act == act
        assert last.after == state
        assert last.exactness is Exactness.EXACT
        assert last.trader_base == 123
        assert all(step.exactness is not Exactness.TOLD for step in bridge)
        assert any(step.exactness is Exactness.ADJUSTED for step in bridge) == (name == "gift")
    assert verify_steps(steps, lambda _: FEES).is_good
    assert not any("unexplained" in key and key != "rates unexplained" for key in +tally)


def test_fees_that_leave_no_trace_in_the_pool_are_compared_too() -> None:
    """Of the first generation protocol and creator are paid out of it at once: only the event tells how much."""
    tally: Counter[str] = Counter()
    weaver = Weavers(lambda _: FEES, tally).of("Pool")
    state = graduate()
    list(weaver.tell(state, Moment(START_NS, 1)))
    lp, protocol, creator = FEES.rates(state)
    seen = Rates(lp, protocol + 5, creator + 7)
    act = Sell(10**9, 0, 1)
    done = act_on(state, FEES, act, rates=seen)
    assert done.quote is not None
    event = event_of(state, done.quote, act, TRADER, START_NS // NS_PER_SECOND)
    swap = Swap("Pool", START_NS, False, 1, 1, signature="tx", event=event)
    *_, step = weaver.trade(swap, routed([swap])[0], Moment(START_NS, 2))
    assert step.rates == seen
    assert step.exactness is Exactness.EXACT
    assert tally["rates unexplained"] == 1
