"""Texts: how alerts say amounts, times and names. What strangers have named stays harmless on every channel."""

from __future__ import annotations

from collections.abc import Sequence

from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.model.plain_text import coin_text, one_line, short_address
from pumpswap.units import format_units, from_units

__all__ = [
    "coin_text",
    "counted",
    "joined",
    "one_line",
    "part_text",
    "share_text",
    "short_address",
    "signed_sol",
    "sol_text",
    "span_text",
    "time_text",
    "units_text",
]

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


# ---------------------------------------------------------------------------------------------- figures


def sol_text(lamports: int) -> str:
    """``1.25 SOL``, exactly, with a true minus."""
    return f"{format_units(lamports, 9)} SOL".replace("-", "−")


def signed_sol(lamports: int) -> str:
    """``+1.25 SOL``; nothing is ``0 SOL``."""
    return f"{format_units(lamports, 9, signed=True)} SOL".replace("-", "−") if lamports else "0 SOL"


def units_text(units: int, decimals: int | None) -> str:
    """Tokens to six significant digits, whole ones above that; without their decimals as raw units."""
    if decimals is None:
        return f"{units:,} raw units"
    whole = from_units(units, decimals)
    if abs(whole) >= 100_000:
        return f"{whole:,.0f}"
    text = f"{whole:,.{max(5 - whole.adjusted(), 0) if whole else 0}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share_text(part: int, whole: int, *, signed: bool = False) -> str:
    """``12.3 %`` of ``whole``, cut towards zero, so that a limit that is not reached never looks reached; two decimals
    below ten percent.
    """
    if whole <= 0:
        return "–"
    size = _percent(abs(part) * 10_000 // whole)
    sign = "" if size == "0 %" else "−" if part < 0 else "+" if signed else ""
    return sign + size


def part_text(part: int, whole: int) -> str:
    """The same, rounded: for what is compared with no limit."""
    if whole <= 0:
        return "–"
    step = 10 if abs(part) * 10 >= whole else 1  # tenths of a percent are shown from ten percent on
    return _percent((abs(part) * 20_000 + step * whole) // (2 * step * whole) * step)


def _percent(hundredths: int) -> str:
    digits = f"{hundredths / 100:,.2f}" if hundredths < 1_000 else f"{hundredths // 10 / 10:,.1f}"
    return f"{digits.rstrip('0').rstrip('.')} %"


def span_text(ns: int) -> str:
    """``1 d 3 h``, ``4 min 12 s``, ``45 s``: the two largest units."""
    left = max(ns, 0) // NS_PER_SECOND
    parts: list[tuple[int, str]] = []
    for seconds, unit in _UNITS:
        amount, left = divmod(left, seconds)
        if amount or parts:
            parts.append((amount, unit))
    return " ".join(f"{amount} {unit}" for amount, unit in parts[:2] if amount) or "0 s"


def time_text(at_ns: int) -> str:
    """``2026-11-02 00:00:00 UTC``."""
    return f"{format_utc(at_ns)} UTC"


def counted(count: int, noun: str) -> str:
    """``1 trade``, ``2 trades``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def joined(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
