"""Parameter types: exact, or refused with a hint."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.cli.failures import BadValue
from pumpswap.cli.params import (
    AMOUNT,
    BPS,
    DECIMALS,
    DURATION,
    PATH,
    PUBKEY,
    SIGNED_AMOUNT,
    SOL,
    SOURCE,
    UNITS,
    UTC_TIME,
    DurationType,
)
from pumpswap.units import format_units

KEY = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (SOL, "0.000000001", 1),
        (SOL, "1.5", 1_500_000_000),
        (SOL, "1e-3", 1_000_000),
        (AMOUNT, "0.25", Decimal("0.25")),
        (AMOUNT, "0", Decimal(0)),
        (SIGNED_AMOUNT, "-0.6", Decimal("-0.6")),
        (UNITS, "18446744073709551615", 2**64 - 1),
        (BPS, "0", 0),
        (BPS, "10000", 10_000),
        (DECIMALS, "9", 9),
        (PUBKEY, KEY, Pubkey.from_string(KEY)),
        (UTC_TIME, "2025-10-03", 1_759_449_600),
        (DURATION, "90s", 90),
        (DURATION, "30m", 1_800),
        (DURATION, "12h", 43_200),
        (DURATION, "7d", 604_800),
        (DURATION, "0s", 0),
        (DURATION, "5 min", 300),
        (DurationType(least=1, most=60), "1m", 60),
        (UTC_TIME, "2025-10-03T02:00:00+02:00", 1_759_449_600),
        (UTC_TIME, "2025-10-03T00:00:01Z", 1_759_449_601),
    ],
)
def test_text_becomes_an_exact_value(kind: click.ParamType, text: str, value: Any) -> None:
    assert kind.convert(text, None, None) == value
    assert kind.convert(value, None, None) == value  # click converts defaults again


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (SOL, "abc", "is not a number"),
        (SOL, "", "is not a number"),
        (SOL, "-1", "is negative"),
        (SOL, "0", "nothing to trade"),
        (SOL, "0.0000000001", "more than 9 decimals"),
        (SOL, "nan", "is no amount"),
        (SOL, "Infinity", "is no amount"),
        (SOL, "1e999999", "is no amount"),
        (SOL, "1e-999999", "is no amount"),
        (SOL, "20000000000", "more than there is"),
        (AMOUNT, "1,5", "is not a number"),
        (AMOUNT, "-0.1", "is negative"),
        (UNITS, "0", "do not exist"),
        (UNITS, "1.5", "no amount of raw units"),
        (UNITS, "-3", "no amount of raw units"),
        (UNITS, "²", "no amount of raw units"),
        (UNITS, "18446744073709551616", "do not exist"),
        (UNITS, "9" * 5000, "do not exist"),
        (BPS, "10001", "not an integer from 0 to 10000"),
        (BPS, "-1", "not an integer from 0 to 10000"),
        (BPS, "1.5", "not an integer from 0 to 10000"),
        (BPS, "9" * 5000, "not an integer from 0 to 10000"),
        (DECIMALS, "19", "not an integer from 0 to 18"),
        (PUBKEY, "abc", "is no Solana address"),
        (PUBKEY, KEY[:-3], "is no Solana address"),
        (UTC_TIME, "yesterday", "is no date"),
        (DURATION, "90", "is no span of time"),
        (DURATION, "1.5h", "is no span of time"),
        (DURATION, "m", "is no span of time"),
        (DURATION, "-5s", "is no span of time"),
        (DURATION, "x" * 64, "that is no span of time"),
        (DURATION, KEY, "^that is no span of time"),
        (DurationType(least=1), "0s", "'0s' is no span of time"),
        (DurationType(most=60), "61s", "'61s' is no span of time"),
        (UTC_TIME, "2025-13-01", "is no date"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(kind: click.ParamType, text: str, said: str) -> None:
    with pytest.raises(BadValue, match=said) as caught:
        kind.convert(text, None, None)
    assert caught.value.hint


@given(st.integers(1, 2**64 - 1))
def test_every_amount_of_lamports_survives_being_written_as_sol(lamports: int) -> None:
    assert SOL.convert(format_units(lamports, 9).replace(",", ""), None, None) == lamports


@given(st.text(max_size=60))
@pytest.mark.parametrize("kind", [SOL, AMOUNT, SIGNED_AMOUNT, UNITS, BPS, PUBKEY, UTC_TIME, DURATION])
def test_no_text_breaks_a_type(kind: click.ParamType, text: str) -> None:
    with suppress(BadValue):
        kind.convert(text, None, None)


@pytest.mark.parametrize("kind", [PATH, SOURCE])
@pytest.mark.parametrize("text", ["x" * 64, f"folder/{'k' * 88}", f"{'5' * 87}/file"])
def test_a_path_with_a_name_as_long_as_a_key_is_refused_and_not_repeated(kind: Any, text: str) -> None:
    with pytest.raises(BadValue) as caught:
        kind.convert(text, None, None)
    assert "too long" in caught.value.message and not set(caught.value.message) & {"5"}
    assert text not in caught.value.message + caught.value.hint


def test_paths_and_urls_pass() -> None:
    assert PATH.convert("a/b.csv", None, None) == Path("a/b.csv")
    assert SOURCE.convert(f"a/{'x' * 63}", None, None) == f"a/{'x' * 63}"
    url = f"postgresql://me:{'p' * 80}@host/db"
    assert SOURCE.convert(url, None, None) == url
