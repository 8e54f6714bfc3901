"""Figures as people read them: every digit that is shown is right, but some are left out. JSON has all of them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.units import format_units

__all__ = [
    "age_text",
    "bps_text",
    "counted",
    "decimal_text",
    "percent_text",
    "printable",
    "significant_text",
    "sol_text",
    "time_text",
]

_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)
_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def counted(count: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def sol_text(lamports: int, *, signed: bool = False) -> str:
    """``1.25 SOL``: nine decimals at most, zeros trimmed."""
    return f"{format_units(lamports, 9, signed=signed)} SOL"


def decimal_text(value: Fraction, places: int) -> str:
    """Plain digits with ``places`` decimals, half to even."""
    exact = _WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{exact.quantize(Decimal(1).scaleb(-places), context=_WIDE):,f}"


def percent_text(value: Fraction) -> str:
    """``+1.16 %``: signed, two decimals, more when it is small."""
    if value == 0:
        return "0 %"
    sign = "+" if value > 0 else "−"
    size = abs(value) * 100
    for places in (2, 4, 6):
        if size >= Fraction(1, 10 ** (places - 1)):
            return f"{sign}{decimal_text(size, places)} %"
    return f"{sign}{decimal_text(size, 6)} %" if size >= Fraction(1, 10**6) else f"under {sign}0.000001 %"


def bps_text(bps: int) -> str:
    """``30 bps``."""
    return f"{bps} bps"


def significant_text(value: Fraction, digits: int = 6) -> str:
    """``0.00000041078``: so many significant digits, never an exponent, zeros trimmed; large numbers keep all digits
    before the point.
    """
    if value == 0:
        return "0"
    exact = _WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))
    text = decimal_text(value, max(digits - 1 - exact.adjusted(), 0))
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_text(unix_seconds: int, now_ns: int | None = None) -> str:
    """``2026-08-08 08:15:29 UTC (12 s ago)``; a figure that is no time of this world stays a figure."""
    try:
        text = f"{format_utc(unix_seconds * NS_PER_SECOND)} UTC"
    except (ValueError, OverflowError, OSError):
        return str(unix_seconds)
    return text if now_ns is None else f"{text} ({age_text(now_ns // NS_PER_SECOND - unix_seconds)})"


def age_text(seconds: int) -> str:
    """``12 s ago``, ``3 h ago``, ``in 2 d``: the largest unit that fits."""
    size = next((f"{abs(seconds) // unit} {name}" for unit, name in _AGES if abs(seconds) >= unit), "0 s")
    return f"in {size}" if seconds < 0 else f"{size} ago"


def printable(text: str) -> str:
    """``text`` on one line, without anything that steers a terminal: such characters are shown, not sent."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
