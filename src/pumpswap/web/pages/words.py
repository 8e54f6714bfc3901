"""How the pages say things, beside the words of the reports: short amounts, ages, names with their addresses."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from markupsafe import Markup, escape

from pumpswap.analytics.wording import coin_markup, duration_text, sol_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Verdict
from pumpswap.units import LAMPORTS_PER_SOL, format_units

__all__ = [
    "age_text",
    "coin",
    "numbers",
    "setting_text",
    "short_signed",
    "short_sol",
    "size_text",
    "tokens",
    "usd_text",
    "words",
]

_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_TWO_CLOCKS_NS = 3 * NS_PER_SECOND  # so little may lie in the future, by another clock
_PLACE = 100_000  # lamports: four decimals are shown of what has more
_SMALL = LAMPORTS_PER_SOL // 100  # below it all decimals are
_QUOTE = " / SOL"


def short_sol(lamports: int) -> str:
    """``49.6710``: four decimals where there are more, all nine of less than 0.01; the raw value stands beside it."""
    if abs(lamports) < _SMALL:
        return sol_text(lamports)
    places, rest = divmod(abs(lamports), _PLACE)
    places += 2 * rest > _PLACE or (2 * rest == _PLACE and places % 2)
    return f"{'−' if lamports < 0 else ''}{places // 10_000:,}.{places % 10_000:04d}"


def short_signed(lamports: int) -> str:
    """The same with a sign; nothing is ``0``."""
    text = short_sol(lamports)
    return f"+{text}" if lamports > 0 else text


def age_text(ns: int) -> str:
    """``12 s ago``, ``in 2 d``: the largest unit that fits."""
    if -_TWO_CLOCKS_NS < ns < 0:  # app.js says the same
        ns = 0
    seconds = abs(ns) // NS_PER_SECOND
    size = next((f"{seconds // unit}\u00a0{name}" for unit, name in _AGES if seconds >= unit), "0\u00a0s")
    return f"in {size}" if ns < 0 else f"{size} ago"


def coin(name: str, address: str = "") -> Markup:
    """A coin by its name, which a stranger chose, without the quote that all of them have; else by its address."""
    return coin_markup(name.removesuffix(_QUOTE).strip() or address)


def numbers(verdict: Verdict) -> list[tuple[str, str]]:
    """A verdict's figures for people: lamports as SOL, exact fractions as percentages, times in their units."""
    shown = []
    for name, value in verdict.numbers.items():
        known = _is_integer(value)
        if known and (name == "lamports" or name.endswith("_lamports")):
            shown.append((words(name.removesuffix("_lamports")), f"{sol_text(int(value))} SOL"))
        elif known and name.endswith("_ns"):
            shown.append((words(name.removesuffix("_ns")), duration_text(int(value))))
        elif known and name.endswith("_bps"):
            shown.append((words(name.removesuffix("_bps")), f"{int(value) / 100:g}\u00a0%"))
        elif known and name.endswith("_seconds"):
            shown.append((words(name.removesuffix("_seconds")), duration_text(int(value) * NS_PER_SECOND)))
        elif _is_fraction(value):
            shown.append((words(name), f"{float(Fraction(value)) * 100:.4f}\u00a0%".replace("-", "−")))
        else:
            shown.append((words(name), value))
    return shown


def tokens(base_units: int | None, decimals: int | None) -> Markup:
    """Whole tokens where the mint's decimals are known, else raw units, said so."""
    if base_units is None:
        return escape("–")
    if decimals is None:
        return Markup('<data value="{}">{:,}</data> <small class="inline">raw</small>').format(base_units, base_units)
    text = format_units(base_units, decimals)
    whole, _, part = text.partition(".")
    short = f"{whole}.{part[:2]}" if part and len(whole) < 7 else whole
    return Markup('<data value="{}" title="{}">{}</data>').format(base_units, text, short)


def setting_text(value: object) -> str:
    """A setting as a settings file has it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(setting_text, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {setting_text(one)}" for key, one in value.items()) or "none"
    return str(value)


def size_text(count: int) -> str:
    """``1.2 MB``: bytes as disks are sold."""
    for size, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            return f"{count / size:.1f}\u00a0{name}"
    return f"{count}\u00a0B"


def usd_text(lamports: int, usd: Decimal) -> str:
    """Lamports in dollars, to the cent."""
    cents = (usd * lamports / LAMPORTS_PER_SOL).quantize(Decimal("0.01"))
    return f"${cents:,}".replace("$-", "−$")


def words(name: str) -> str:
    """``lp_fee`` as people write it."""
    return name.replace("lp_", "LP_").replace("_", " ")


def _is_integer(value: str) -> bool:
    return value.removeprefix("-").isascii() and value.removeprefix("-").isdigit()


def _is_fraction(value: str) -> bool:
    above, slash, below = value.partition("/")
    return bool(slash) and _is_integer(above) and _is_integer(below) and int(below) != 0
