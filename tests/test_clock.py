"""A clock that is never set back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND, SteadyClock, datetime_ns, iso_utc, parse_utc

HOUR = 3_600


@dataclass
class Machine:
    """Its clock, which anybody may set, and what has really gone by since it was switched on."""

    wall_s: int = 100 * HOUR
    elapsed_s: int = 0

    def now_ns(self) -> int:
        return self.wall_s * NS_PER_SECOND

    def elapsed_ns(self) -> int:
        return self.elapsed_s * NS_PER_SECOND

    def pass_time(self, seconds: int) -> None:
        self.wall_s += seconds
        self.elapsed_s += seconds


def test_time_goes_on_when_the_clock_is_set_back() -> None:
    machine = Machine()
    clock = SteadyClock(machine, machine.elapsed_ns)
    began = clock.now_ns()
    machine.pass_time(10)
    assert (clock.now_ns() - began, clock.ahead_ns()) == (10 * NS_PER_SECOND, 0)
    machine.wall_s -= HOUR
    machine.pass_time(5)
    assert (clock.now_ns() - began, clock.ahead_ns()) == (15 * NS_PER_SECOND, HOUR * NS_PER_SECOND)
    machine.pass_time(7)
    assert clock.now_ns() - began == 22 * NS_PER_SECOND
    machine.wall_s += HOUR  # it is right again
    machine.pass_time(1)
    assert (clock.now_ns(), clock.ahead_ns()) == (machine.now_ns(), 0)


def test_a_suspension_is_followed() -> None:
    machine = Machine()
    clock = SteadyClock(machine, machine.elapsed_ns)
    machine.wall_s += 8 * HOUR  # while it slept nothing went by for the process
    assert (clock.now_ns(), clock.ahead_ns()) == (machine.now_ns(), 0)


@given(st.lists(st.tuples(st.integers(-2 * HOUR, 2 * HOUR), st.integers(0, HOUR))))
def test_it_never_goes_back_and_never_stands_still_for_long(steps: list[tuple[int, int]]) -> None:
    machine = Machine()
    clock = SteadyClock(machine, machine.elapsed_ns)
    before = clock.now_ns()
    for step, passed in steps:
        machine.wall_s += step
        machine.pass_time(passed)
        now = clock.now_ns()
        assert now - before >= (passed - 1) * NS_PER_SECOND
        assert now >= before
        assert now >= machine.now_ns()
        before = now


def test_programs_are_told_a_time_with_its_zone() -> None:
    at_ns = parse_utc("2025-10-03T10:41:58.5Z")
    assert iso_utc(at_ns) == "2025-10-03T10:41:58+00:00"
    assert iso_utc(at_ns, fraction=True) == "2025-10-03T10:41:58.500000+00:00"
    assert iso_utc(at_ns + NS_PER_SECOND // 2 - 500, fraction=True) == "2025-10-03T10:41:59+00:00"


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_microsecond_of_a_time_is_lost(moment: datetime) -> None:
    assert iso_utc(datetime_ns(moment), fraction=True) == moment.isoformat()
