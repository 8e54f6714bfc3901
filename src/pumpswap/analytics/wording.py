"""How figures and names are said on pages: amounts, shares, times, the names that strangers gave their coins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any
from unicodedata import category

from markupsafe import Markup, escape

from pumpswap.clock import NS_PER_SECOND
from pumpswap.units import format_units, from_units

__all__ = [
    "change_text",
    "coin_markup",
    "counted",
    "duration_text",
    "figure_of",
    "percent_text",
    "plural",
    "price_text",
    "signed_sol",
    "sol_digits",
    "sol_text",
]

LONGEST_NAME = 120


def sol_text(lamports: int) -> str:
    """``1.25``: nine decimals at most, a true minus."""
    return format_units(lamports, 9).replace("-", "−")


def signed_sol(lamports: int) -> str:
    """``+1.25``; nothing is ``0``."""
    return format_units(lamports, 9, signed=True).replace("-", "−") if lamports else "0"


def sol_digits(lamports: int, *, signed: bool = False) -> str:
    """All nine decimals, for columns that are added up by eye."""
    return f"{from_units(lamports, 9):{'+' if signed and lamports else ''},.9f}".replace("-", "−")


def percent_text(share: float | Fraction) -> str:
    """``12.34 %``."""
    return f"{float(share) * 100:.2f}\u00a0%".replace("-", "−")


def change_text(share: float | Fraction) -> str:
    """A signed percentage; what is not zero is not shown as zero."""
    percent = float(share) * 100
    decimals = 2 if abs(percent) >= 0.01 or not percent else 5
    return f"{percent:+.{decimals}f}\u00a0%".replace("-", "−") if percent else "0\u00a0%"


def price_text(price: Fraction) -> str:
    """Six significant digits: prices of coins span many powers of ten."""
    text = f"{float(price):,.6g}"
    return text if "e" not in text else f"{float(price):,.0f}" if price >= 1 else f"{float(price):.12f}".rstrip("0")


def duration_text(ns: int) -> str:
    """``1 d 3 h``, ``4 min 12 s``, ``1.2 s``: the two largest units, tenths below ten seconds."""
    if ns < 10 * NS_PER_SECOND:
        return f"{ns * 10 // NS_PER_SECOND / 10:g}\u00a0s"
    left = ns // NS_PER_SECOND
    parts: list[tuple[int, str]] = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        amount, left = divmod(left, seconds)
        if amount or parts:
            parts.append((amount, unit))
    return "\u00a0".join(f"{amount}\u00a0{unit}" for amount, unit in parts[:2] if amount)


def counted(number: int, noun: str) -> str:
    """``1 trade``, ``2 trades``."""
    return f"{number:,}\u00a0{plural(noun, number)}"


def plural(noun: str, number: int) -> str:
    """The noun as it stands after so many."""
    return noun if number == 1 else f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def coin_markup(name: str) -> Markup:
    """A coin's name as strangers chose it: never markup, no control characters, isolated from the text around it."""
    clean = "".join("\ufffd" if category(letter) in ("Cc", "Cs") else letter for letter in name[:LONGEST_NAME])
    if re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]{32,44}", clean):
        return Markup('<bdi class="coin" title="{0}"><code>{1}…{2}</code></bdi>').format(clean, clean[:4], clean[-4:])
    return Markup('<bdi class="coin" title="{0}">{0}</bdi>').format(clean)


def figure_of(figures: Mapping[str, Any]) -> Callable[..., Markup]:
    """A figure of ``--json`` by its path, with its raw value beside the text: ``figure("orders.filled")``."""
    flat = _flat(figures)
    shapes: dict[str, Callable[[Any], str]] = {
        "sol": lambda value: sol_text(int(value)),
        "signed": lambda value: signed_sol(int(value)),
        "digits": lambda value: sol_digits(int(value)),
        "digits_signed": lambda value: sol_digits(int(value), signed=True),
        "digits_negated": lambda value: sol_digits(-int(value), signed=True),
        "count": lambda value: f"{value:,}",
        "percent": percent_text,
        "change": change_text,
        "text": str,
    }

    def figure(path: str, shape: str = "count", noun: str = "") -> Markup:
        value = flat[path]
        text = "–" if value is None else shapes[shape](value)
        raw = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        shown = Markup('<data data-figure="{}" value="{}">{}</data>').format(path, raw, text)
        return shown + escape(f" {plural(noun, value)}") if noun else shown

    return figure


def _flat(figures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Figures by their path."""
    flat: dict[str, Any] = {}
    for name, value in figures.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat
