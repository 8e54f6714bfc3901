"""What exits remember of a pool: our own trades are not what others have done."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import BuyQuote, SellQuote, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.execution.exit_pool import begun, grown, product_of, reduced, watched
from pumpswap.model import ExitState
from tests.execution.exit_world import HELD, POOL
from tests.support.market import SOL, graduate

BOOSTED = graduate(virtual_quote_reserves=17_584_505_294, quote_vault=67_405_853_790)


def buy(lamports: int) -> BuyQuote:
    return buy_exact_quote(BOOSTED, current_schedule(), lamports)


@given(lamports=st.integers(10_000, 60 * SOL), generation=st.sampled_from([1, 2]))
def test_the_entry_is_the_pool_as_our_fill_left_it_however_old_the_state_is(lamports: int, generation: int) -> None:
    quote = buy(lamports)
    after = BOOSTED.after(quote, generation)
    expected = ExitState(
        POOL, 1, entry_quote_lamports=after.real_quote_reserve, entry_product=product_of(after), entry_supply=10**15,
        bought_units=1_000,
    )  # fmt: skip
    assert begun(HELD, BOOSTED, quote) == begun(HELD, after, quote) == begun(HELD, after) == expected


@given(share=st.integers(1, 10_000), generation=st.sampled_from([1, 2]))
def test_our_own_trades_move_the_reference_exactly_as_they_move_the_pool(share: int, generation: int) -> None:
    first = buy(3 * SOL)
    state, known = BOOSTED.after(first, generation), begun(HELD, BOOSTED, first)
    second = buy_exact_quote(state, current_schedule(), 2 * SOL)
    state, known = state.after(second, generation), grown(known, HELD, state, second)
    assert known.entry_quote_lamports == state.real_quote_reserve
    assert known.entry_product == product_of(state)
    assert known.bought_units == 1_000 + second.base_out
    units = max((first.base_out + second.base_out) * share // 10_000, 1)
    sale = sell_exact_base(state, current_schedule(), units)
    assert isinstance(sale, SellQuote)
    state, known = state.after(sale, generation), reduced(known, sale)
    assert known.entry_quote_lamports == state.real_quote_reserve


def test_what_was_not_known_at_the_entry_counts_from_the_first_sight() -> None:
    blind = begun(HELD, None)
    assert (blind.entry_quote_lamports, blind.entry_product, blind.entry_supply) == (0, 0, 0)
    assert watched(blind, None) == blind
    assert watched(blind, BOOSTED) == begun(HELD, BOOSTED)


def test_the_supply_is_the_least_so_far_and_the_rest_stays() -> None:
    known = begun(HELD, BOOSTED)
    burnt = msgspec.structs.replace(BOOSTED, base_supply=10**15 - 5, quote_vault=1)
    back = msgspec.structs.replace(BOOSTED, base_supply=10**15 - 1)
    assert watched(watched(known, burnt), back) == replace(known, entry_supply=10**15 - 5)
