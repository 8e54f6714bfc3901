"""Short amounts, ages, names: what is shown is near enough to the truth, and the truth stands beside it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Verdict
from pumpswap.units import LAMPORTS_PER_SOL
from pumpswap.web.pages.words import (
    age_text,
    coin,
    numbers,
    setting_text,
    short_signed,
    short_sol,
    size_text,
    tokens,
    usd_text,
)

LAMPORTS = st.integers(min_value=-(10**18), max_value=10**18)


def read(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace(",", "")) * LAMPORTS_PER_SOL


@given(LAMPORTS)
def test_a_short_amount_is_off_by_half_of_its_last_digit_at_most(lamports: int) -> None:
    off = abs(read(short_sol(lamports)) - lamports)
    assert off <= 50_000 if abs(lamports) >= 10_000_000 else off == 0


@given(LAMPORTS)
def test_the_sign_of_a_short_amount_is_that_of_the_amount(lamports: int) -> None:
    text = short_signed(lamports)
    assert text == "0" if not lamports else text[0] == ("+" if lamports > 0 else "−")
    assert read(short_signed(-lamports)) == -read(text)


@pytest.mark.parametrize(
    ("lamports", "text"),
    [(0, "0"), (1, "0.000000001"), (24_778, "0.000024778"), (9_999_999, "0.009999999"), (10_000_000, "0.0100"),
     (1_000_050_000, "1.0000"), (1_000_150_000, "1.0002"), (1_000_050_001, "1.0001"), (-203_000_000, "−0.2030"),
     (1_234_567_000_000_000, "1,234,567.0000")],
)  # fmt: skip
def test_amounts_as_people_read_them(lamports: int, text: str) -> None:
    assert short_sol(lamports) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0\u00a0s ago"), (59, "59\u00a0s ago"), (60, "1\u00a0min ago"), (7_200, "2\u00a0h ago"),
     (-2, "0\u00a0s ago"), (-3, "in 3\u00a0s"), (90_000, "1\u00a0d ago")],
)  # fmt: skip
def test_ages(seconds: int, text: str) -> None:
    assert age_text(seconds * NS_PER_SECOND) == text


def test_a_coin_goes_by_its_name_without_the_quote_else_by_its_address() -> None:
    address = "5Nt2JS8jGEsraRAMq3nYo49Vs4iYvVre84Sb6fSEVbWj"
    assert ">TEST<" in coin("TEST / SOL", address)
    assert "<code>5Nt2…VbWj</code>" in coin("", address)
    assert "<code>5Nt2…VbWj</code>" in coin(" / SOL", address)
    assert "&lt;b&gt;" in coin("<b>")


def test_figures_of_a_verdict_are_in_units_for_people() -> None:
    told = {"max_lamports": "1500000000", "lamports": "1", "age_ns": "90000000000", "max_impact_bps": "150",
            "wait_seconds": "600", "impact": "1/250", "side": "long", "odd_lamports": "many",
            "zero": "1/0"}  # fmt: skip
    assert numbers(Verdict("size", True, "", told)) == [
        ("max", "1.5 SOL"),
        ("lamports", "0.000000001 SOL"),
        ("age", "1\u00a0min\u00a030\u00a0s"),
        ("max impact", "1.5\u00a0%"),
        ("wait", "10\u00a0min"),
        ("impact", "0.4000\u00a0%"),
        ("side", "long"),
        ("odd lamports", "many"),
        ("zero", "1/0"),
    ]


def test_tokens_are_whole_only_where_somebody_has_told_the_decimals() -> None:
    assert tokens(None, 6) == "–"
    assert tokens(1_234_567_890, 6) == '<data value="1234567890" title="1,234.56789">1,234.56</data>'
    assert tokens(1_234, None) == '<data value="1234">1,234</data> <small class="inline">raw</small>'


def test_settings_sizes_and_dollars() -> None:
    assert [setting_text(one) for one in (None, True, 3, "a", [], ["a", 1], {"a": None})] == [
        "null", "true", "3", "a", "none", "a, 1", "a: null",
    ]  # fmt: skip
    assert [size_text(count) for count in (0, 999, 1_000, 5_300_000)] == [
        "0\u00a0B",
        "999\u00a0B",
        "1.0\u00a0kB",
        "5.3\u00a0MB",
    ]
    assert usd_text(1_500_000_000, Decimal("150.5")) == "$225.75"
    assert usd_text(-1_500_000_000, Decimal(150)) == "−$225.00"
