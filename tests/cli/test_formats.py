"""Figures for people."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpswap.cli.formats import (
    age_text,
    bps_text,
    decimal_text,
    percent_text,
    printable,
    significant_text,
    sol_text,
    time_text,
)


@pytest.mark.parametrize(
    ("lamports", "text"),
    [(1, "0.000000001 SOL"), (1_500_000_000, "1.5 SOL"), (0, "0 SOL"), (1_234_567_000_000_000, "1,234,567 SOL")],
)
def test_sol_has_nine_decimals_at_most_and_no_trailing_zeros(lamports: int, text: str) -> None:
    assert sol_text(lamports) == text


def test_signed_sol_shows_its_sign() -> None:
    assert sol_text(5, signed=True) == "+0.000000005 SOL"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0 %"),
        (Fraction(1, 100), "+1.00 %"),
        (Fraction(-1, 3), "−33.33 %"),
        (Fraction(116207, 10_000_000), "+1.16 %"),
        (Fraction(5, 1_000_000), "+0.000500 %"),
        (Fraction(5, 100_000), "+0.0050 %"),
        (Fraction(1, 10**8), "+0.000001 %"),
        (Fraction(1, 10**9), "under +0.000001 %"),
        (Fraction(12_345), "+1,234,500.00 %"),
    ],
)
def test_percentages_carry_a_sign_and_never_round_a_change_to_nothing(value: Fraction, text: str) -> None:
    assert percent_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(5311897441, 12931250000000) / 1000, "0.00000041078"),
        (Fraction(1234567), "1,234,567"),
        (Fraction(0), "0"),
        (Fraction(1, 4), "0.25"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(999999999, 10**12), "0.001"),
    ],
)
def test_prices_show_six_significant_digits_and_no_exponent(value: Fraction, text: str) -> None:
    assert significant_text(value) == text


def test_rounding_is_half_to_even() -> None:
    assert decimal_text(Fraction(1, 8), 2) == "0.12"
    assert decimal_text(Fraction(3, 8), 2) == "0.38"


def test_rates_are_basis_points() -> None:
    assert bps_text(30) == "30 bps"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s ago"), (12, "12 s ago"), (119, "1 min ago"), (3 * 3600, "3 h ago"), (200_000, "2 d ago"), (-5, "in 5 s")],
)
def test_ages_use_the_largest_unit_that_fits(seconds: int, text: str) -> None:
    assert age_text(seconds) == text


def test_times_are_utc_with_their_age() -> None:
    assert time_text(1_786_176_929) == "2026-08-08 08:15:29 UTC"
    assert time_text(1_786_176_929, 1_786_176_941 * 10**9) == "2026-08-08 08:15:29 UTC (12 s ago)"


@pytest.mark.parametrize("figure", [2**63 - 1, -(2**63)])
def test_a_figure_that_is_no_time_stays_a_figure(figure: int) -> None:
    assert time_text(figure, 0) == str(figure)


def test_text_of_strangers_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[31mb\nc\u202e") == "a\\x1b[31mb\\nc\\u202e"
    assert printable("1 € − ok") == "1 € − ok"
