"""What was not heard of for a day or two is forgotten, and nothing sooner."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.engine.lately import Lately

DAY_NS = 86_400 * 10**9


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2 * DAY_NS)), min_size=1, max_size=40))
def test_a_day_is_kept_and_two_days_are_not(puts: list[tuple[str, int]]) -> None:
    known: Lately[int] = Lately()
    last: dict[str, tuple[int, int]] = {}
    now = 10**18
    for number, (key, pause) in enumerate(puts):
        now += pause
        known.put(key, number, now)
        last[key] = number, now
        for other, (value, at_ns) in last.items():
            if now - at_ns < DAY_NS:
                assert known.get(other) == value
            elif now - at_ns >= 2 * DAY_NS:
                assert known.get(other) is None


def test_memory_does_not_grow_with_the_weeks() -> None:
    known: Lately[int] = Lately()
    for number in range(100_000):
        known.put(str(number), number, number * DAY_NS // 1_000)
    assert len(known) <= 2_000
