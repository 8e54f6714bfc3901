"""Units of money and their conversions. Inside the package money is always a raw integer; people see Decimals."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation, Overflow, localcontext
from typing import NewType

from pumpswap.errors import AmountOutOfRange, UsageError

__all__ = [
    "BPS",
    "LAMPORTS_PER_SOL",
    "U64_MAX",
    "BaseUnits",
    "Bps",
    "Lamports",
    "QuoteUnits",
    "checked_i64",
    "format_sol",
    "format_units",
    "from_units",
    "to_units",
]

Lamports = NewType("Lamports", int)
BaseUnits = NewType("BaseUnits", int)
QuoteUnits = NewType("QuoteUnits", int)
Bps = NewType("Bps", int)

LAMPORTS_PER_SOL = 1_000_000_000
BPS = 10_000
U64_MAX = 2**64 - 1
I64_MAX = 2**63 - 1
MOST_DIGITS = 40


def to_units(amount: str | int | Decimal, decimals: int) -> int:
    """Raw units of a display amount, exactly: ``to_units("0.1", 9) == 100_000_000``.

    Raises UsageError for floats (they are not exact), for text that is no number, and for more digits than the
    token has: dropping a digit of somebody's money silently is not an option.
    """
    if isinstance(amount, float):
        raise UsageError(f"{amount!r} is a float and not exact", hint="pass the amount as text or Decimal")
    try:
        with localcontext() as context:
            context.prec = 60
            given = Decimal(amount)
            if given.is_finite() and given.adjusted() > MOST_DIGITS:  # 1e999999 would cost megabytes
                raise UsageError(f"{amount} is beyond any token", hint="amounts are at most 64 bits of raw units")
            scaled = given.scaleb(decimals)
            units = int(scaled)
            exact = scaled == units
    except (InvalidOperation, Overflow, ValueError, OverflowError):
        raise UsageError(f"{amount!r} is not a number", hint="write it in plain digits, for example 0.25") from None
    if not exact:
        raise UsageError(f"{amount} has more than {decimals} decimals", hint=f"round it to {decimals} decimals")
    return units


def from_units(units: int, decimals: int) -> Decimal:
    """Display amount of raw units, exactly."""
    return Decimal(units).scaleb(-decimals)


def format_units(units: int, decimals: int, *, signed: bool = False) -> str:
    """``from_units`` for people: no exponent, no trailing zeros, thousands separated."""
    text = f"{from_units(units, decimals):{'+' if signed else ''},f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_sol(lamports: int) -> str:
    """``format_units`` of SOL without the way over Decimal: a decision says many amounts."""
    whole, rest = divmod(abs(lamports), LAMPORTS_PER_SOL)
    sign = "-" if lamports < 0 else ""
    return f"{sign}{whole:,}.{rest:09d}".rstrip("0").rstrip(".")


def checked_i64(value: int, what: str) -> int:
    """``value`` when the books can hold it (signed 64 bit), else AmountOutOfRange."""
    if -I64_MAX - 1 <= value <= I64_MAX:
        return value
    raise AmountOutOfRange(f"{what} is {value}, beyond 64 bits", hint="such an amount can be observed but not traded")
