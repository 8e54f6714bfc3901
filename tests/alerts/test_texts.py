"""How alerts say names, amounts and times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.alerts.texts import (
    joined,
    part_text,
    share_text,
    short_address,
    signed_sol,
    sol_text,
    span_text,
    units_text,
)

ADDRESS = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 10, "0 %"),
        (1, 10, "10 %"),
        (1, 3, "33.3 %"),
        (-2, 10, "−20 %"),
        (19_999, 100_000, "19.9 %"),  # not 20: a limit that is not reached does not look reached
        (-19_999, 100_000, "−19.9 %"),
        (1, 10_000, "0.01 %"),
        (1, 10_000_000, "0 %"),
        (123, 10, "1,230 %"),
        (5, 0, "–"),
    ],
)
def test_shares_are_cut_towards_zero(part: int, whole: int, said: str) -> None:
    assert share_text(part, whole) == said


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**15))
def test_a_share_never_says_more_than_there_is(part: int, whole: int) -> None:
    said = share_text(part, whole).removesuffix(" %").replace(",", "").replace("−", "-")
    assert abs(float(said)) * whole <= abs(part) * 100 * (1 + 1e-12)
    assert abs(float(said)) * whole + whole * (0.1 if abs(part) * 10 >= whole else 0.01) >= abs(part) * 100 * (
        1 - 1e-12
    )


def test_parts_are_rounded() -> None:
    parts = ((1, 4), (249_999_999, 10**9), (2, 3), (99_994, 10**5), (-1, 8), (0, 3), (1, 0))
    said = ["25 %", "25 %", "66.7 %", "100 %", "12.5 %", "0 %", "–"]
    assert [part_text(*each) for each in parts] == said


def test_amounts_and_times() -> None:
    assert (sol_text(-1_500_000_000), signed_sol(5), signed_sol(0)) == ("−1.5 SOL", "+0.000000005 SOL", "0 SOL")
    assert units_text(1_234_567, 6) == "1.23457"
    assert units_text(123_456_789_000_000, 6) == "123,456,789"
    assert (units_text(0, 6), units_text(1, 9), units_text(12, None)) == ("0", "0.000000001", "12 raw units")
    spans = (0, 59, 60, 3_725, 90_000, -5)
    assert [span_text(s * 10**9) for s in spans] == ["0 s", "59 s", "1 min", "1 h 2 min", "1 d 1 h", "0 s"]
    assert (short_address(ADDRESS), short_address("short")) == ("7xKX…gAsU", "short")
    assert [joined(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
