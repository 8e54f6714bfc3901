"""What others' instructions do on a pool that we have changed: limits, holdings, routes, readings, gifts."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from pumpswap.amm import PoolState, execute_buy_exact_quote_in, execute_sell
from pumpswap.amm.acts import BuyBase, BuyQuote, PoolAct, Sell, SweepFees, Told, VaultGift
from pumpswap.amm.events import FeeBucket
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate
from pumpswap.research.backtest.market import ReplayMarket
from pumpswap.research.backtest.world import Impact
from pumpswap.research.chronicle.step import Exactness
from tests.research.backtest.histories import TRADERS, History, hop
from tests.support.market import SOL, graduate

ANNA, BERT, CARL = TRADERS[:3]
Ours = Callable[[PoolBook], None]


def played(history: History, ours: dict[int, Ours], impact: Impact = Impact.COUNTERFACTUAL):  # type: ignore[no-untyped-def]
    """(updates, market, book); ``ours`` by the number of the step before which it happens."""
    book = PoolBook()
    market = ReplayMarket(book, history.chronicle(), impact)
    told: list[MarketUpdate] = []

    def before(_at_ns: int) -> None:
        if len(told) in ours:
            ours.pop(len(told))(book)

    for update in market.updates(before):
        book.apply(update)
        told.append(update)
    return told, market, book


def buying(history: History, lamports: int = 5 * SOL, number: int = 0) -> Ours:
    name = list(history.states)[number]

    def buy(book: PoolBook) -> None:
        state = book.state(name)
        assert state is not None
        book.put(name, execute_buy_exact_quote_in(state, history._schedule(), lamports, 1, generation=2).state)

    return buy


def selling(history: History, units: int) -> Ours:
    name = next(iter(history.states))

    def sell(book: PoolBook) -> None:
        state = book.state(name)
        assert state is not None
        book.put(name, execute_sell(state, history._schedule(), units, 1, generation=2).state)

    return sell


def expected(history: History, *acts: PoolAct) -> PoolState:
    """The first pool after our purchase and these acts."""
    from pumpswap.amm.acting import acted_state

    state = graduate()
    state = execute_buy_exact_quote_in(state, history._schedule(), 5 * SOL, 1, generation=2).state
    for act in acts:
        state = acted_state(state, history._schedule(), act)
    return state


def same(one: PoolState | None, other: PoolState) -> bool:
    return one is not None and msgspec.structs.replace(one, slot=0) == msgspec.structs.replace(other, slot=0)


def test_who_spends_an_amount_spends_it_and_gets_less() -> None:
    history = History(graduate())
    act = BuyQuote(SOL, 1, 2)
    step = history.does(act, ANNA)
    told, market, book = played(history, {1: buying(history)})
    assert step.swap is not None and told[1].swap is not None
    assert told[1].swap.quote_units == step.swap.quote_units
    assert told[1].swap.base_units < step.swap.base_units
    assert same(told[1].state, expected(history, act))
    less = market.holders.difference(str(graduate().pool.base_mint), ANNA)
    assert less == told[1].swap.base_units - step.swap.base_units
    assert (market.tally.reapplied, market.tally.changed, market.tally.diverged_pools) == (1, 1, 1)
    assert told[1].state.slot == step.slot == 2
    assert book.state(told[1].pool) is told[1].state


def test_limits_fail_as_the_program_says_and_leave_the_pool() -> None:
    history = History(graduate())
    got = history.trades(BuyQuote(SOL, 1, 2), ANNA).base_units
    tight = History(graduate())
    tight.does(BuyQuote(SOL, got, 2), ANNA)
    cost = history.trades(BuyBase(10**9, 2**63, 2), BERT).quote_units
    tight.does(BuyBase(10**9, cost, 2), BERT)
    told, market, _ = played(tight, {1: buying(tight)})
    assert market.tally.failed == {"BuySlippageBelowMinBaseAmountOut": 1, "ExceededSlippage": 1}
    assert told[1].swap is told[2].swap is None
    assert same(told[2].state, expected(tight))
    mint = str(graduate().pool.base_mint)
    assert (market.holders.difference(mint, ANNA), market.holders.difference(mint, BERT)) == (-got, -(10**9))
    assert list(market.tally.to_json()["failed"]) == ["BuySlippageBelowMinBaseAmountOut", "ExceededSlippage"]


def test_a_sale_below_its_limit_fails() -> None:
    history = History(graduate())
    history.held[ANNA] = 10**12
    out = history.trades(Sell(10**11, 0, 2), ANNA).quote_units
    tight = History(graduate())
    tight.held[ANNA] = 10**12
    tight.does(Sell(10**11, out, 2), ANNA)
    _, market, _ = played(tight, {1: selling(tight, 10**12)})
    assert market.tally.failed == {"ExceededSlippage": 1}
    told, market, _ = played(tight, {1: buying(tight)})
    assert told[1].swap.quote_units > out and market.tally.failed == {}


def test_a_sale_of_all_is_a_sale_of_all_that_there_is_now() -> None:
    history = History(graduate())
    bought = history.trades(BuyQuote(SOL, 1, 2), ANNA).base_units
    history.does(Sell(bought, 10**8, 2), ANNA)
    told, market, _ = played(history, {1: buying(history)})
    assert told[2].swap.base_units == told[1].swap.base_units < bought
    assert market.tally.capped == 1
    assert market.holders.difference(str(graduate().pool.base_mint), ANNA) == 0 == len(market.holders)
    # The limit is for the recorded number: with fewer units it is that much lower.
    assert told[2].swap.event.min_quote_amount_out == 10**8 * told[1].swap.base_units // bought


def test_a_part_is_sold_as_far_as_it_is_there_and_nothing_by_who_has_nothing() -> None:
    history = History(graduate())
    bought = history.trades(BuyQuote(SOL, 1, 2), ANNA).base_units
    history.does(Sell(bought // 2, 0, 2), ANNA)
    history.does(Sell(bought // 2 - 5, 0, 2), ANNA)
    told, market, _ = played(history, {1: buying(history)})
    assert told[2].swap.base_units == bought // 2
    assert told[3].swap.base_units == told[1].swap.base_units - bought // 2  # as far as it is there
    failing = History(graduate())
    failing.does(BuyQuote(SOL, bought, 2), ANNA)
    failing.does(Sell(bought // 2, 0, 2), ANNA)
    told, market, _ = played(failing, {1: buying(failing)})
    assert market.tally.failed == {"BuySlippageBelowMinBaseAmountOut": 1, "NothingHeld": 1}
    assert told[2].swap is None


def test_sellers_whom_nobody_knows_sell_what_they_sold_and_are_counted() -> None:
    history = History(graduate())
    history.held[""] = 10**12
    history.does(Sell(10**11, 0, 2))
    told, market, _ = played(history, {1: buying(history)})
    assert told[1].swap.base_units == 10**11
    assert (market.tally.unknown_sellers, len(market.holders)) == (1, 0)


def test_sweeps_pay_our_own_buckets_and_gifts_are_clipped_to_what_is_there() -> None:
    history = History(graduate())
    history.does(BuyQuote(SOL, 1, 2), ANNA)
    history.does(SweepFees(FeeBucket.PROTOCOL))
    told, _, _ = played(history, {1: buying(history)})
    assert told[2].state.pool.protocol_fees == 0
    assert same(told[2].state, expected(history, BuyQuote(SOL, 1, 2), SweepFees(FeeBucket.PROTOCOL)))
    drained = History(graduate(quote_vault=10 * SOL, base_reserve=10**12))
    drained.does(VaultGift(-(10**12) + 5, 0), exactness=Exactness.ADJUSTED)
    told, market, _ = played(drained, {1: buying(drained, SOL)})
    assert told[1].state.base_reserve == 0
    assert market.tally.clipped > 0 and market.tally.adjusted == 1


def test_a_reading_keeps_our_part_of_the_pool_and_its_share_of_liquidity() -> None:
    history = History(graduate())
    plain = graduate()
    half = msgspec.structs.replace(
        plain,
        base_reserve=plain.base_reserve // 2,
        quote_vault=plain.quote_vault // 2,
        pool=plain.pool.with_changes(lp_supply=plain.pool.lp_supply // 2),
    )
    history.does(Told(half), exactness=Exactness.TOLD)
    told, market, _ = played(history, {1: buying(history)})
    ours = plain.base_reserve - expected(history).base_reserve
    assert abs(half.base_reserve - told[1].state.base_reserve - ours // 2) <= ours // 100
    assert told[1].state.effective_quote_reserve > half.effective_quote_reserve
    assert (market.tally.told, market.tally.lost_shares) == (1, 0)
    empty = History(graduate())
    empty.does(Told(msgspec.structs.replace(plain, base_reserve=0, quote_vault=0)), exactness=Exactness.TOLD)
    told, market, _ = played(empty, {1: buying(empty)})
    assert told[1].state.base_reserve == 0 == told[1].state.quote_vault


def routed() -> History:
    """Two pools; one transaction buys in the first and pays with that in the second, as an arbitrary pair of hops."""
    history = History(graduate(1), graduate(2))
    first, second = history.states
    out = history.trades(hop(SOL, "r", 0, 2), ANNA, pool=first).base_units
    history.does(hop(out, "r", 1, 2), ANNA, pool=second)
    return history


def test_a_hop_takes_what_the_one_before_it_pays_now() -> None:
    history = routed()
    told, market, _ = played(history, {2: buying(history)})
    first, second = told[2].swap, told[3].swap
    assert first.base_units < history.swap_of(2).base_units
    assert second.quote_units == first.base_units
    assert (market.tally.reapplied, market.tally.diverged_pools) == (2, 2)
    # What goes from hop to hop is nobody's: only the end of the route is the trader's.
    assert market.holders.difference(str(graduate(1).pool.base_mint), ANNA) == 0
    more = second.base_units - history.swap_of(3).base_units
    assert market.holders.difference(str(graduate(2).pool.base_mint), ANNA) == more < 0
    untouched, market, _ = played(routed(), {})
    assert [one.state for one in untouched] == [step.after for step in history.steps]
    assert market.tally.reapplied == 0


def test_a_route_fails_whole_when_a_hop_does() -> None:
    history = History(graduate(1, base_reserve=10**6, quote_vault=10**9), graduate(2))
    first, second = history.states
    out = history.trades(hop(40_000, "r", 0, 2), ANNA, pool=first).base_units
    assert out > 30
    history.does(hop(out, "r", 1, 2), ANNA, pool=second)
    history.does(BuyQuote(SOL, 1, 2), BERT, pool=second)
    # Then the first hop pays one unit, which does not cover the fees of the second.
    told, market, _ = played(history, {2: buying(history, 4_500_000_000)})
    assert told[2].swap is told[3].swap is None
    assert same(told[3].state, graduate(2)) and told[4].swap is not None
    assert list(market.tally.failed.values()) == [2]
    assert market.tally.diverged_pools == 2
    assert market.holders.difference(str(graduate(2).pool.base_mint), ANNA) == -history.swap_of(3).base_units


@pytest.mark.parametrize("act", [SweepFees(FeeBucket.PROTOCOL), VaultGift(5, 0), VaultGift(-5, 7)])
@pytest.mark.parametrize("is_ours", [False, True])
def test_what_was_inferred_between_two_hops_does_not_part_them(act: PoolAct, is_ours: bool) -> None:
    """A gap in a pool is explained right before the swap that shows it, also when that is the second hop of a route."""
    history = History(graduate(1), graduate(2))
    first, second = history.states
    history.does(BuyQuote(SOL, 1, 2), BERT, pool=second)
    out = history.trades(hop(SOL, "r", 0, 2), ANNA, pool=first).base_units
    history.does(act, pool=second)
    history.does(hop(out, "r", 1, 2), ANNA, pool=second)
    history.does(SweepFees(FeeBucket.PROTOCOL), pool=first)
    hop_step = history.steps[3]
    history.steps[4:] = [msgspec.structs.replace(one, at_ns=hop_step.at_ns, slot=4) for one in history.steps[4:]]
    told, market, _ = played(history, {2: buying(history)} if is_ours else {})
    assert len(told) == 7 == market.tally.steps
    assert told[3].swap.base_units == told[5].swap.quote_units
    assert (told[3].swap.base_units < out) is is_ours
    if not is_ours:
        assert [one.state for one in told] == [step.after for step in history.steps] and not market.tally.reapplied
    failing = History(graduate(1, base_reserve=10**6, quote_vault=10**9), graduate(2))
    first, second = failing.states
    out = failing.trades(hop(40_000, "r", 0, 2), ANNA, pool=first).base_units
    failing.does(act if isinstance(act, VaultGift) else SweepFees(FeeBucket.CREATOR), pool=second)
    failing.does(hop(out, "r", 1, 2), ANNA, pool=second)
    failing.steps[2:] = [msgspec.structs.replace(one, at_ns=failing.steps[2].at_ns) for one in failing.steps[2:]]
    told, _, _ = played(failing, {2: buying(failing, 4_500_000_000)} if is_ours else {})
    # The whole route fails then; what was inferred has happened all the same.
    assert (told[2].swap is None, told[4].swap is None) == (is_ours, is_ours)
    assert failing.steps[3].after is not None and same(told[3].state, failing.steps[3].after)


def test_what_a_hop_sells_comes_from_the_hop_before_it_and_not_from_its_senders_wallet() -> None:
    """Who buys in one pool to sell in another one sells what he has just got, whatever he held of it before."""
    first = graduate(1)
    others = [
        msgspec.structs.replace(one, pool=one.pool.with_changes(base_mint=first.pool.base_mint))
        for one in (graduate(2), graduate(3))
    ]
    history = History(first, *others)
    names = list(history.states)
    history.held[ANNA] = 10**12
    least = history.trades(Sell(10**12, 0, 2), ANNA).quote_units
    history.steps[-1] = msgspec.structs.replace(history.steps[-1], act=Sell(10**12, least, 2))  # it fails now
    out = history.trades(hop(SOL, "r", 0, 2), ANNA, pool=names[1]).base_units
    history.does(hop(out, "r", 1, 2, is_buy=False), ANNA, pool=names[2])
    told, market, _ = played(history, {3: selling(history, 10**12), 4: buying(history, number=2)})
    assert market.holders.difference(str(first.pool.base_mint), ANNA) == 10**12
    assert told[3].swap is None
    assert (told[4].swap.base_units, told[5].swap.base_units) == (out, out)
    assert (market.tally.diverged_pools, market.tally.capped) == (2, 0)


def test_an_order_between_two_hops_is_not_overwritten() -> None:
    history = routed()
    second = list(history.states)[1]
    told, market, book = played(history, {3: buying(history, SOL, number=1)})
    assert told[3].state.base_reserve < history.states[second].base_reserve
    assert market.tally.diverged_pools == 1 and book.state(second) is told[3].state


def test_snapshots_tell_our_pool_and_are_no_news_of_it() -> None:
    history = History(graduate())
    history.sees()
    told, market, _ = played(history, {1: buying(history)})
    assert same(told[1].state, expected(history))
    assert told[1].snapshot is history.steps[1].snapshot
    assert (market.tally.snapshots, market.tally.reapplied) == (1, 0)


def test_in_the_naive_market_the_record_overwrites_us() -> None:
    history = History(graduate())
    step = history.does(BuyQuote(SOL, 1, 2), ANNA)
    told, market, book = played(history, {1: buying(history)}, Impact.NAIVE)
    assert told[1].state is step.after and book.state(told[1].pool) is step.after
    assert (market.tally.overwritten, market.tally.diverged_pools) == (1, 0)


def test_a_pool_whose_state_nobody_knows_has_an_obstacle_until_it_is_told() -> None:
    history = History(graduate())
    name, first = next(iter(history.states)), history.steps[0]
    lost = msgspec.structs.replace(first, slot=2, act=None, before=None, after=None, obstacle="its depth is not known")
    again = msgspec.structs.replace(first, slot=3, exactness=Exactness.TOLD)
    history.steps = [lost, first, lost, again]
    told, market, book = played(history, {})
    assert [update.obstacle for update in told] == ["its depth is not known", "", "its depth is not known", ""]
    assert [update.state for update in told] == [None, first.after, None, again.after]
    assert book.obstacle(name) == "" and (market.tally.told, market.tally.steps) == (1, 4)


def test_a_reading_that_agrees_is_news_of_the_pool_and_a_trade_that_changed_nothing_is_none() -> None:
    history = History(graduate())
    first = history.steps[0]
    agreed = msgspec.structs.replace(first, slot=2, at_ns=first.at_ns + 5, act=None, before=first.after)
    swapped = history.does(BuyQuote(SOL, 1, 2), ANNA)
    idle = msgspec.structs.replace(agreed, at_ns=first.at_ns + 9, swap=swapped.swap)
    history.steps = [first, agreed, idle]
    chronicle = history.chronicle()
    book = PoolBook()
    market = ReplayMarket(book, chronicle)
    market._complete = {}
    told = []
    for update in market.updates():
        book.apply(update)
        told.append(update)
    assert [update.state for update in told] == [first.after, first.after, None]
    assert told[2].swap is swapped.swap
