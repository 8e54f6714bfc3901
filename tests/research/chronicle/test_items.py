"""Transactions of several pools that were recorded apart come together again, each pool in its order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm.events import SweepPoolFeeEvent
from pumpswap.model import SeenAct, Swap
from pumpswap.research.chronicle.items import whole_transactions
from pumpswap.research.chronicle.weaver import Moment

AT = Moment(0, 7)
Told = tuple[Moment, Swap | SeenAct]


def mended(items: list[Told]) -> list[Told]:
    return [(moment, item) for moment, item in whole_transactions(iter(items)) if isinstance(item, Swap | SeenAct)]


@st.composite
def slots(draw: st.DrawFn) -> list[Told]:
    """What happened in a slot: transactions of one or several pools, with trades and other acts."""
    items: list[Told] = []
    for number in range(draw(st.integers(1, 6))):
        signature = f"tx{number}"
        trades = acts = 0
        for pool in draw(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=3)):
            if draw(st.integers(0, 4)) == 0:
                items.append((AT, SeenAct(pool, 0, 7, signature, acts, trades, SweepPoolFeeEvent())))
                acts += 1
            else:
                items.append((AT, Swap(pool, 0, True, 1, 1, signature=signature, slot=7, index=trades)))
                trades += 1
    return items


@given(slots())
def test_pools_that_were_recorded_apart_are_put_together_again(items: list[Told]) -> None:
    apart = [pair for pool in "ABCD" for pair in items if pair[1].pool == pool]
    found = mended(apart)
    assert sorted(map(repr, found)) == sorted(map(repr, items))
    for pool in "ABCD":
        assert [pair for pair in found if pair[1].pool == pool] == [pair for pair in items if pair[1].pool == pool]
    for signature in {pair[1].signature for pair in items}:
        places = [at for at, pair in enumerate(found) if pair[1].signature == signature]
        assert places == list(range(places[0], places[0] + len(places)))
        assert [found[at] for at in places] == [pair for pair in items if pair[1].signature == signature]


@given(slots())
def test_what_is_in_order_stays_as_it_is(items: list[Told]) -> None:
    assert mended(items) == items


def test_sources_that_contradict_each_other_keep_their_own_order() -> None:
    def trade(pool: str, signature: str, index: int) -> Told:
        return AT, Swap(pool, 0, True, 1, 1, signature=signature, slot=7, index=index)

    torn = [trade("A", "one", 0), trade("A", "two", 0), trade("B", "two", 1), trade("B", "one", 1)]
    assert mended(torn) == torn
