"""Where an order lands, and how old a state is where nothing was missed."""

from __future__ import annotations

from random import Random

import pytest

from pumpswap.amm import buy_exact_quote, current_schedule
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.model import MarketUpdate, Order, TradeSide
from pumpswap.research.backtest.book import ReplayBook, is_complete
from pumpswap.research.backtest.landing import SlotLanding
from pumpswap.research.chronicle.slots import SLOT_NS, EvenSlots, SlotTable
from tests.support.market import START_NS, graduate

QUOTE = buy_exact_quote(graduate(), current_schedule(), 10**9)
ORDER = Order("o", "d", TradeSide.BUY, "p", "m", START_NS, 1, QUOTE)
SLOTS = EvenSlots(100, START_NS)
INSIDE = START_NS + SLOT_NS // 2


@pytest.mark.parametrize(("slots", "place", "waits_ns"), [
    (3, "first", 3 * SLOT_NS - SLOT_NS // 2),
    (3, "last", 4 * SLOT_NS - SLOT_NS // 2 - 1),
    (0, "first", 0),
    (0, "last", SLOT_NS - SLOT_NS // 2 - 1),
])  # fmt: skip
def test_an_order_lands_in_its_slot_before_or_after_all_others(slots: int, place: str, waits_ns: int) -> None:
    landing = SlotLanding(SLOTS, slots, place, Random(1))  # type: ignore[arg-type]
    assert landing.landing_ns(INSIDE, ORDER) - INSIDE == waits_ns


def test_a_drawn_place_is_in_the_slot_and_the_same_by_seed() -> None:
    def drawn(seed: int) -> list[int]:
        landing = SlotLanding(SLOTS, 2, "drawn", Random(seed))
        return [landing.landing_ns(INSIDE, ORDER) for _ in range(50)]

    assert all(SLOTS.slot_of(at_ns) == 102 for at_ns in drawn(1))
    assert drawn(1) == drawn(1) != drawn(2)
    assert len(set(drawn(1))) > 40
    now = SlotLanding(SLOTS, 0, "drawn", Random(1)).landing_ns(INSIDE, ORDER)
    assert INSIDE <= now < SLOTS.time_of(101)


def test_slots_of_a_recording_are_followed() -> None:
    table = SlotTable([(7, START_NS), (9, START_NS + NS_PER_SECOND), (20, START_NS + 5 * NS_PER_SECOND)])
    last = SlotLanding(table, 2, "last", Random(1)).landing_ns(START_NS, ORDER)
    assert last == table.time_of(10) - 1 > table.time_of(9) == START_NS + NS_PER_SECOND


def test_a_latency_below_zero_is_refused() -> None:
    with pytest.raises(UsageError, match="-1 slots"):
        SlotLanding(SLOTS, -1, "last", Random(1))


def test_a_state_is_as_of_now_where_nothing_can_have_been_missed() -> None:
    state = graduate()
    name, now = str(state.address), [START_NS]
    ranges = ((START_NS, START_NS + 100), (START_NS + 100, START_NS + 200), (START_NS + 500, START_NS + 600))
    book = ReplayBook({name: ranges})
    book.apply(MarketUpdate(START_NS + 5, name, state))
    assert book.observed_ns(name) == START_NS + 5  # nobody has said what time it is
    book.follow(lambda: now[0])
    for at_ns, observed in ((3, 5), (50, 50), (150, 150), (400, 200), (550, 200)):
        now[0] = START_NS + at_ns
        assert book.observed_ns(name) == START_NS + observed
    book.apply(MarketUpdate(START_NS + 550, name, state))
    assert book.observed_ns(name) == START_NS + 550
    assert book.observed_ns("other") is None
    assert [is_complete(ranges, START_NS + at) for at in (-1, 0, 199, 200, 599, 600)] == [
        False, True, True, False, True, False,
    ]  # fmt: skip
