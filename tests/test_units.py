"""Money in and out: exact or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import ManualClock, format_utc, parse_utc
from pumpswap.errors import AmountOutOfRange, UsageError
from pumpswap.units import checked_i64, format_sol, format_units, from_units, to_units


@given(st.integers(-(2**64), 2**64), st.integers(0, 18))
def test_units_survive_the_way_out_and_back(units: int, decimals: int) -> None:
    assert to_units(from_units(units, decimals), decimals) == units
    assert to_units(format_units(units, decimals).replace(",", ""), decimals) == units


@pytest.mark.parametrize("amount", [0.1, "1e999999", "NaN", "Infinity", "abc", "", "0.0000000001", None])
def test_what_is_not_exact_is_refused(amount: Any) -> None:
    with pytest.raises((UsageError, TypeError)):
        to_units(amount, 9)


@pytest.mark.parametrize(
    ("units", "signed", "text"),
    [(1_500_000_000, False, "1.5"), (10**18, False, "1,000,000,000"), (-1, True, "-0.000000001"), (0, True, "+0")],
)
def test_people_see_trimmed_decimals(units: int, signed: bool, text: str) -> None:
    assert format_units(units, 9, signed=signed) == text


@given(st.integers(-(2**70), 2**70) | st.integers(-20, 20).map(lambda sol: sol * 10**9))
def test_amounts_of_sol_are_told_like_those_of_any_unit(lamports: int) -> None:
    assert format_sol(lamports) == format_units(lamports, 9)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_64_bits_are_the_limit_of_the_books(value: int) -> None:
    with pytest.raises(AmountOutOfRange):
        checked_i64(value, "a test")
    assert checked_i64(2**63 - 1, "a test") == 2**63 - 1


def test_a_manual_clock_never_goes_back() -> None:
    clock = ManualClock(5)
    clock.advance_to(3)
    assert clock.now_ns() == 5


def test_times_are_utc_to_the_microsecond() -> None:
    assert parse_utc("2025-10-03T10:41:58.5Z") == parse_utc("2025-10-03 04:41:58.500000-06:00")
    assert format_utc(parse_utc("2025-10-03T10:41:58.5Z")) == "2025-10-03 10:41:58"
    assert from_units(1, 9) == Decimal("0.000000001")
