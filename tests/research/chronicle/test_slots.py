"""Slots and their times."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND
from pumpswap.research.chronicle.slots import SLOT_NS, EvenSlots, SlotTable


@st.composite
def recorded(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Slots with the seconds of their blocks, which never fall."""
    slot, second = draw(st.integers(1, 10**9)), draw(st.integers(1_700_000_000, 1_800_000_000))
    seen = []
    for _ in range(draw(st.integers(1, 30))):
        seen.append((slot, second * NS_PER_SECOND))
        slot += draw(st.integers(1, 4))
        second += draw(st.integers(0, 2))
    return seen


@given(recorded(), st.randoms())
def test_times_rise_strictly_and_stay_in_their_second(seen: list[tuple[int, int]], chance: object) -> None:
    shuffled = [*seen, *seen]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    table = SlotTable(shuffled)
    times = [table.time_of(slot) for slot, _ in seen]
    assert all(one < other for one, other in pairwise(times))
    assert [time // NS_PER_SECOND for time in times] == [at_ns // NS_PER_SECOND for _, at_ns in seen]


@given(recorded(), st.integers(-50, 200), st.integers(0, 10**9))
def test_a_moment_lies_in_the_slot_that_has_begun_and_not_in_the_next(
    seen: list[tuple[int, int]], more: int, within: int
) -> None:
    table = SlotTable(seen)
    slot = max(seen[0][0] + more, 0)
    begins = table.time_of(slot)
    assert table.slot_of(begins) == slot
    found = table.slot_of(begins + within)
    assert table.time_of(found) <= begins + within < table.time_of(found + 1)


def test_slots_of_one_second_follow_at_400_ms_unless_the_second_ends() -> None:
    second = NS_PER_SECOND
    free = SlotTable([(10, 5 * second), (11, 5 * second)])
    assert [free.time_of(slot) for slot in (9, 10, 11, 12)] == [5 * second + at * SLOT_NS for at in range(-1, 3)]
    narrow = SlotTable([(slot, 5 * second) for slot in range(10, 15)])
    assert [narrow.time_of(slot) - 5 * second for slot in range(10, 15)] == [at * 200_000_000 for at in range(5)]
    apart = SlotTable([(10, 5 * second), (20, 6 * second)])
    assert [apart.time_of(slot) - 5 * second for slot in (10, 11, 15)] == [0, second // 10, second // 2]


def test_seconds_that_fall_do_not_turn_the_order_of_slots() -> None:
    table = SlotTable([(10, 9 * NS_PER_SECOND), (11, 7 * NS_PER_SECOND), (12, 8 * NS_PER_SECOND)])
    assert table.time_of(10) < table.time_of(11) < table.time_of(12)


def test_even_slots_and_an_empty_table_count_400_ms() -> None:
    even = EvenSlots(100, 7_000)
    assert (even.time_of(101), even.slot_of(7_000 + SLOT_NS), even.slot_of(6_999)) == (7_000 + SLOT_NS, 101, 99)
    assert (SlotTable([]).time_of(5), SlotTable([]).slot_of(5 * SLOT_NS)) == (5 * SLOT_NS, 5)
