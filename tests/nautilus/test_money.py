"""Units and Nautilus' numbers: exact both ways, refused where Nautilus would end the process."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.objects import Money, Quantity

from pumpswap.errors import BadInput
from pumpswap.nautilus.compat import FIXED, MONEY_MAX_WHOLE, PRICE_MAX_WHOLE, QUANTITY_MAX_WHOLE
from pumpswap.nautilus.constants import PRICE_PRECISION, SOL
from pumpswap.nautilus.instruments import currency_of
from pumpswap.nautilus.money import (
    lamports_of,
    money_raw,
    price,
    price_raw,
    qty,
    quantity_raw,
    sol,
    tokens,
    units_of,
)
from pumpswap.units import U64_MAX

U64 = st.integers(0, U64_MAX)
DECIMALS = st.integers(0, 9)
MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


@given(U64, DECIMALS)
def test_units_come_back_or_are_refused(units: int, decimals: int) -> None:
    if units > QUANTITY_MAX_WHOLE * 10**decimals:
        with pytest.raises(BadInput, match="are no quantity"):
            qty(units, decimals)
        return
    quantity = qty(units, decimals)
    assert (quantity.precision, units_of(quantity, decimals)) == (decimals, units)
    assert quantity.as_decimal() == Decimal(units).scaleb(-decimals)


@given(st.integers(-U64_MAX, U64_MAX))
def test_lamports_come_back(lamports: int) -> None:
    money = sol(lamports)
    assert (money.currency.precision, lamports_of(money)) == (9, lamports)
    assert money.as_decimal() == Decimal(lamports).scaleb(-9)


@given(U64, DECIMALS)
def test_tokens_are_money_of_their_mint(units: int, decimals: int) -> None:
    currency = currency_of(MINT, decimals)
    if units > MONEY_MAX_WHOLE * 10**decimals:
        with pytest.raises(BadInput, match="beyond any amount of money"):
            tokens(units, currency)
        return
    money = tokens(units, currency)
    assert (money.currency.code, money.raw) == (MINT, units * 10 ** (FIXED - decimals))


@given(U64, st.integers(1, U64_MAX), DECIMALS, st.integers(0, FIXED))
def test_a_price_is_the_ratio_rounded_half_up(lamports: int, units: int, decimals: int, precision: int) -> None:
    with localcontext() as context:
        context.prec = 120
        exact = Decimal(lamports).scaleb(-9) / Decimal(units).scaleb(-decimals)
        expected = exact.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)
    if expected > PRICE_MAX_WHOLE:
        with pytest.raises(BadInput, match="beyond any price"):
            price_raw(lamports, units, decimals, precision)
        return
    made = price(lamports, units, decimals, precision)
    assert (made.precision, made.raw) == (precision, int(expected.scaleb(FIXED)))


@given(st.integers(1, 10**12), st.integers(1, 10**15))
def test_what_rounding_loses_is_half_a_digit_of_the_price(lamports: int, units: int) -> None:
    """Times the quantity: less than a lamport up to two million tokens."""
    try:
        made = price(lamports, units, 6)
    except BadInput:
        return
    with localcontext() as context:
        context.prec = 120
        lost = abs(made.as_decimal() * Decimal(units).scaleb(-6) * 10**9 - lamports)
        assert lost <= Decimal("0.5").scaleb(-PRICE_PRECISION) * Decimal(units).scaleb(-6) * 10**9


@pytest.mark.parametrize(("lamports", "units"), [(1, 0), (1, -1), (-1, 1)])
def test_what_has_no_price_is_refused(lamports: int, units: int) -> None:
    with pytest.raises(BadInput, match="have no price"):
        price_raw(lamports, units, 6)


def test_the_limits_are_inclusive_and_beyond_them_nothing_is_made() -> None:
    assert quantity_raw(QUANTITY_MAX_WHOLE, 0) == QUANTITY_MAX_WHOLE * 10**FIXED
    assert money_raw(-MONEY_MAX_WHOLE, 0) == -MONEY_MAX_WHOLE * 10**FIXED
    assert qty(QUANTITY_MAX_WHOLE, 0).raw == QUANTITY_MAX_WHOLE * 10**FIXED
    for beyond in (lambda: quantity_raw(QUANTITY_MAX_WHOLE + 1, 0), lambda: money_raw(-MONEY_MAX_WHOLE - 1, 0)):
        with pytest.raises(BadInput):
            beyond()
    with pytest.raises(BadInput):
        quantity_raw(-1, 6)
    with pytest.raises(BadInput, match="decimals"):
        quantity_raw(1, FIXED + 1)


def test_a_finer_part_than_the_token_has_is_refused() -> None:
    """Nautilus takes such raw values in silence and prints a 0."""
    with pytest.raises(BadInput, match="finer than 6 decimals"):
        units_of(Quantity.from_raw(1, 6), 6)
    with pytest.raises(BadInput, match="finer than 9 decimals"):
        lamports_of(Money.from_raw(3, SOL))
    assert units_of(qty(5, 9), 9) == 5


def test_money_of_another_currency_is_no_lamports() -> None:
    with pytest.raises(BadInput, match="not an amount of SOL"):
        lamports_of(tokens(1, currency_of(MINT, 9)))
