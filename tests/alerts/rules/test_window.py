"""MovingRange against the plain way: all values of the window, looked through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.alerts.rules.window import MovingRange
from pumpswap.clock import NS_PER_SECOND

STEPS = st.lists(st.tuples(st.integers(-(10**8), 4 * NS_PER_SECOND), st.integers(0, 50)), min_size=1, max_size=80)


@given(STEPS, st.integers(1, 20))
def test_the_extremes_are_those_of_the_window_or_of_a_second_more(steps: list[tuple[int, int]], seconds: int) -> None:
    window = seconds * NS_PER_SECOND
    seen, now, past = MovingRange(window), 10**12, list[tuple[int, int]]()
    for step, value in steps:
        now += step
        latest = max([now, *(at for at, _ in past)])
        past.append((latest, value))
        (low_ns, low), (high_ns, high) = seen.add(now, value)
        inside = [value for at, value in past if at >= latest - window]
        around = [value for at, value in past if at >= latest - window - NS_PER_SECOND]
        assert min(around) <= low <= min(inside)
        assert max(inside) <= high <= max(around)
        assert all(latest - window <= at <= latest for at in (low_ns, high_ns))


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=3_000))
def test_it_stays_small_however_often_it_is_fed(values: list[int]) -> None:
    seen = MovingRange(5 * NS_PER_SECOND)
    for number, value in enumerate(values):
        seen.add(number * 10_000_000, value)  # a hundred a second
        assert len(seen) <= 2 * 7


def test_after_a_restart_nothing_of_before_counts() -> None:
    seen = MovingRange(10 * NS_PER_SECOND)
    seen.add(1, 100)
    seen.restart()
    assert seen.add(2, 50) == ((2, 50), (2, 50))
