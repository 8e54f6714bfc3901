"""Exact conversions between raw units and Nautilus' numbers, by integers only.

Nautilus holds every number as ``raw``: scaled by ten to ``FIXED``, whatever its precision. ``from_raw`` takes a raw
value that is no multiple of its precision in silence, and ends the process beyond its maximum; so everything is
checked here first. Beyond what Nautilus can hold: BadInput.
"""

from __future__ import annotations

from nautilus_trader.model.objects import Currency, Money, Price, Quantity

from pumpswap.errors import BadInput
from pumpswap.nautilus.compat import FIXED, MONEY_MAX_WHOLE, PRICE_MAX_WHOLE, QUANTITY_MAX_WHOLE
from pumpswap.nautilus.constants import PRICE_PRECISION, SOL, SOL_DECIMALS

__all__ = [
    "lamports_of",
    "money_raw",
    "price",
    "price_raw",
    "quantity_raw",
    "qty",
    "sol",
    "tokens",
    "units_of",
]

_ONE = 10**FIXED


def price_raw(quote_lamports: int, base_units: int, base_decimals: int, precision: int = PRICE_PRECISION) -> int:
    """Raw price in SOL per whole token, rounded half up at ``precision``: the only loss there is.

    Raises BadInput for no base units, a negative amount, and a price that Nautilus cannot hold.
    """
    if base_units <= 0 or quote_lamports < 0:
        raise BadInput(f"{quote_lamports} lamports for {base_units} base units have no price")
    if not 0 <= precision <= FIXED:
        raise BadInput(f"a price of {precision} decimals", hint=f"this build of NautilusTrader has {FIXED} at most")
    scale = precision - SOL_DECIMALS + base_decimals
    # Below zero where a standard-precision build prices a token of few decimals.
    above, below = (10**scale, 1) if scale >= 0 else (1, 10**-scale)
    divisor = base_units * below
    raw = (2 * quote_lamports * above + divisor) // (2 * divisor) * 10 ** (FIXED - precision)
    if raw > PRICE_MAX_WHOLE * _ONE:
        raise BadInput(
            f"{quote_lamports} lamports for {base_units} base units of {base_decimals} decimals are beyond any price",
            hint=f"NautilusTrader holds prices up to {PRICE_MAX_WHOLE} SOL; such a pool cannot be an instrument",
        )
    return raw


def price(quote_lamports: int, base_units: int, base_decimals: int, precision: int = PRICE_PRECISION) -> Price:
    """Average price of a trade, see ``price_raw``."""
    return Price.from_raw(price_raw(quote_lamports, base_units, base_decimals, precision), precision)


def quantity_raw(units: int, decimals: int) -> int:
    """Raw quantity of raw units of a token. Raises BadInput for what Nautilus cannot hold."""
    raw = _scaled(units, decimals)
    if not 0 <= raw <= QUANTITY_MAX_WHOLE * _ONE:
        raise BadInput(
            f"{units} units of {decimals} decimals are no quantity",
            hint=f"NautilusTrader holds quantities from 0 to {QUANTITY_MAX_WHOLE} whole tokens",
        )
    return raw


def qty(units: int, decimals: int) -> Quantity:
    """Quantity of raw units of a token."""
    return Quantity.from_raw(quantity_raw(units, decimals), decimals)


def money_raw(units: int, decimals: int) -> int:
    """Raw money of raw units of a currency; may be negative. Raises BadInput for what Nautilus cannot hold."""
    raw = _scaled(units, decimals)
    if abs(raw) > MONEY_MAX_WHOLE * _ONE:
        raise BadInput(
            f"{units} units of {decimals} decimals are beyond any amount of money",
            hint=f"NautilusTrader holds up to {MONEY_MAX_WHOLE} whole units",
        )
    return raw


def sol(lamports: int) -> Money:
    """Lamports as money."""
    return Money.from_raw(money_raw(lamports, SOL_DECIMALS), SOL)


def tokens(units: int, currency: Currency) -> Money:
    """Raw units of a token as money of its currency."""
    return Money.from_raw(money_raw(units, currency.precision), currency)


def units_of(quantity: Quantity, decimals: int) -> int:
    """Raw units of a quantity. Raises BadInput when it has a finer part than the token."""
    return _whole(quantity.raw, decimals, quantity)


def lamports_of(amount: Quantity | Money) -> int:
    """Lamports of a quantity that counts SOL, or of money in SOL. Raises BadInput for another currency."""
    if isinstance(amount, Money) and amount.currency.code != SOL.code:
        raise BadInput(f"{amount} is not an amount of SOL")
    return _whole(amount.raw, SOL_DECIMALS, amount)


def _scaled(units: int, decimals: int) -> int:
    if not 0 <= decimals <= FIXED:
        raise BadInput(f"a token of {decimals} decimals", hint=f"this build of NautilusTrader has {FIXED} at most")
    return units * 10 ** (FIXED - decimals)


def _whole(raw: int, decimals: int, shown: object) -> int:
    if not 0 <= decimals <= FIXED:
        raise BadInput(f"a token of {decimals} decimals", hint=f"this build of NautilusTrader has {FIXED} at most")
    units, rest = divmod(int(raw), 10 ** (FIXED - decimals))
    if rest:
        raise BadInput(f"{shown} is finer than {decimals} decimals", hint="round it to what the instrument has")
    return units
