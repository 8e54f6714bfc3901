"""Large moves of what is held, and liquidity that is taken out of its pool."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.alerts.rules.moves import MoveRule
from pumpswap.amm import PoolState
from pumpswap.model import Mark, MarketUpdate
from tests.alerts.rules.heard import MINT, POOL, STATE, Heard, bought, sold
from tests.support.examples import examples
from tests.support.market import SOL, at, graduate, moved

HELD = bought()[2]
RULES = {"large_move_bps": 2_000, "large_move_seconds": 60}


def rule_of(heard: Heard) -> MoveRule:
    return MoveRule(heard.context, [HELD])


def step(rule: MoveRule, seconds: float, state: PoolState, lamports: int | None = None, obstacle: str = "") -> None:
    """An update of the pool, and the value of what is held right after; by default that follows the price."""
    rule.on_update(MarketUpdate(at(seconds), POOL, state))
    value = HELD.base_units * state.effective_quote_reserve // state.base_reserve if lamports is None else lamports
    rule.on_mark(Mark(POOL, at(seconds), at(seconds), HELD.base_units, value, obstacle))


def test_a_move_within_the_window_is_told_with_what_is_held() -> None:
    heard = Heard(RULES)
    rule = rule_of(heard)
    for seconds, percent in ((0, 0), (30, 10), (59, 21)):
        step(rule, seconds, moved(STATE, percent), lamports=1_210_000_000 if percent == 21 else SOL)
    assert heard.told == [("warning", "large move", POOL)]
    assert heard.text() == (
        "TEST: its price moved by +20.9 % within 59 s; what you hold would bring 1.21 SOL, +20.9 % against its cost "
        "of 1.000006 SOL"
    )


def test_a_move_that_takes_longer_is_none() -> None:
    heard = Heard(RULES)
    rule = rule_of(heard)
    for number in range(40):
        step(rule, number * 30, moved(STATE, number * 8))  # in a window of 60 s never by a fifth
    assert heard.told == [("warning", "large move", POOL)] * 0


def test_one_way_is_told_once_in_a_window_and_the_other_way_at_once() -> None:
    heard = Heard(RULES)
    rule = rule_of(heard)
    for seconds, percent in ((0, 0), (1, -30), (2, -50), (3, -70), (4, 0), (5, 40), (64, 90)):
        step(rule, seconds, moved(STATE, percent))
    assert [text.split(" within")[0] for *_, text in heard.alerts] == [
        "TEST: its price moved by −30 %",
        "TEST: its price moved by +233.3 %",
        "TEST: its price moved by +89.9 %",
    ]


def test_a_price_that_goes_up_and_down_is_told_once_each_way() -> None:
    heard = Heard(RULES)
    rule = rule_of(heard)
    for seconds in range(60):
        step(rule, seconds, moved(STATE, 40 * (seconds % 2)))
    assert len(heard.alerts) == 2
    for seconds in range(60, 120):
        step(rule, seconds, moved(STATE, 40 * (seconds % 2)))
    assert len(heard.alerts) == 4


def test_a_value_that_falls_while_the_price_stands_is_told_too() -> None:
    heard = Heard(RULES)
    rule = rule_of(heard)
    step(rule, 0, STATE, SOL)
    step(rule, 1, STATE, SOL * 7 // 10)
    assert heard.text().startswith("TEST: its value moved by −30 % within 1 s")


def test_what_cannot_be_sold_is_no_fall_to_nothing_but_its_price_counts() -> None:
    heard = Heard(RULES)
    rule = rule_of(heard)
    step(rule, 0, STATE)
    step(rule, 1, STATE, 0, "the pool is\nempty")
    assert heard.alerts == []
    step(rule, 2, moved(STATE, 50), 0, "the pool is\nempty")
    assert heard.text().endswith("; it cannot be sold now: the pool is empty")


def test_our_own_trade_is_no_move_and_a_closed_position_is_not_looked_at() -> None:
    heard = Heard(RULES)
    rule = rule_of(heard)
    step(rule, 0, STATE)
    order, filled, left = sold(HELD, share=50)
    rule.on_outcome(order, filled, left)
    step(rule, 1, moved(STATE, -30))
    step(rule, 2, moved(STATE, -31))
    assert heard.alerts == []
    order, filled, left = sold(HELD)
    rule.on_outcome(order, filled, left)
    step(rule, 3, moved(STATE, 100))
    step(rule, 4, moved(STATE, 300))
    assert heard.alerts == []
    rule.on_outcome(*bought())
    step(rule, 5, STATE)
    step(rule, 6, moved(STATE, 25))
    assert len(heard.alerts) == 1


def test_liquidity_that_is_taken_out_is_told_and_trades_take_none_out() -> None:
    heard = Heard(RULES)
    rule = rule_of(heard)
    less = replace_reserves(STATE, 88)
    step(rule, 0, STATE, SOL)
    step(rule, 1, moved(STATE, 15), SOL)
    assert heard.alerts == []
    step(rule, 2, less, SOL)
    assert heard.told == [("warning", "liquidity flight", POOL)]
    assert heard.text() == (
        "TEST: liquidity was taken out of its pool: the product of its reserves fell by 22.5 % within 2 s; it holds "
        "74.791515970 SOL"
    ).replace("74.791515970", "74.79151597")
    step(rule, 3, less, SOL)
    assert len(heard.alerts) == 1


def replace_reserves(state: PoolState, percent: int) -> PoolState:
    base, quote = state.base_reserve * percent // 100, state.quote_vault * percent // 100
    return PoolState(state.pool, state.address, base, quote, state.base_supply)


def test_a_pool_that_is_not_held_and_a_rule_that_is_off_tell_nothing() -> None:
    off, other = Heard({"large_move_bps": 0}), Heard(RULES)
    rule, another = rule_of(off), MoveRule(other.context, [replace(HELD, pool="elsewhere", mint=MINT)])
    for one in (rule, another):
        step(one, 0, STATE)
        step(one, 1, moved(STATE, 300))
        step(one, 2, graduate(base_reserve=1, quote_vault=1))
    assert (off.alerts, other.alerts) == ([], [])


@settings(max_examples=examples(50))
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(-60, 200)), min_size=2, max_size=30))
def test_it_tells_nothing_unless_two_prices_of_a_window_are_so_far_apart(steps: list[tuple[int, int]]) -> None:
    heard = Heard(RULES)
    rule, seconds, prices = rule_of(heard), 0, list[tuple[int, int]]()
    for pause, percent in steps:
        seconds += pause
        state = moved(STATE, percent)
        prices.append((seconds, state.effective_quote_reserve * 10**18 // state.base_reserve))
        step(rule, seconds, state, 0, "nothing but the price counts here")
    far = [
        (one, two)
        for place, (then, one) in enumerate(prices)
        for now, two in prices[place:]
        if now - then <= 61 and (abs(two - one) * 10_000 >= 2_000 * one)
    ]
    near = all(
        abs(two - one) * 10_000 < 2_000 * one
        for place, (then, one) in enumerate(prices)
        for now, two in prices[place:]
        if now - then <= 60
    )
    assert not heard.alerts or far
    assert bool(heard.alerts) or near
