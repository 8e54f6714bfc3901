"""What a signal's own figures say about size: Kelly, volatility, strength, regime.

These are statistics, so they are floats; parts of a size come out in millionths. Every figure is checked before it is
used: one that is no number, negative or absurd gives no size at all.
"""

from __future__ import annotations

from pumpswap.errors import BadInput

__all__ = ["PPM", "inverse_variance", "kelly", "ppm", "regime_ppm", "strength_ppm", "volatility_ppm"]

PPM = 1_000_000
_LARGEST_RATIO = 1e6  # of gain over loss
_LARGEST_VOL_RISK = 1e6  # a variance of relative price changes of an hour
_LARGEST_MULTIPLIER = 10.0  # as in the settings of the regimes
_HINT = "the signal's model told a figure that cannot be: nothing is bought on it"


def ppm(share: float) -> int:
    """A share in millionths, rounded down."""
    return int(share * PPM)


def kelly(win_probability: float, win_loss_ratio: float) -> float:
    """Full Kelly f* = (b·p − q) / b for odds of b and a chance of p: the share of the money that grows it fastest.

    Zero or less says: no edge. Raises BadInput.
    """
    chance = _within("win_probability", win_probability, 0.0, 1.0)
    odds = _within("win_loss_ratio", win_loss_ratio, 0.0, _LARGEST_RATIO)
    if odds == 0:
        return 0.0
    return (odds * chance - (1 - chance)) / odds


def inverse_variance(vol_risk: float) -> float:
    """The share of the balance that a trade of this variance deserves: 0.1 / max(1000·vol_risk, 0.1), at most 1.

    Raises BadInput.
    """
    risk = _within("vol_risk", vol_risk, 0.0, _LARGEST_VOL_RISK)
    return 0.1 / max(1_000 * risk, 0.1)


def volatility_ppm(vol_risk: float, base_fraction: float) -> int:
    """How much of the base is left in turbulence, in millionths: never more than all of it. Raises BadInput."""
    return min(ppm(inverse_variance(vol_risk) / base_fraction), PPM)


def strength_ppm(strength: float) -> int:
    """Half for the weakest signal that is a reason to trade, all for the strongest. Raises BadInput."""
    # A signal at the threshold already is a full reason; its strength scales within the upper half.
    return PPM // 2 + round(_within("strength", strength, 0.0, 1.0) * (PPM // 2))


def regime_ppm(multiplier: float) -> int:
    """The regime's factor of size; above a million it raises. Raises BadInput."""
    return round(_within("size_multiplier", multiplier, 0.0, _LARGEST_MULTIPLIER) * PPM)


def _within(name: str, value: float, least: float, most: float) -> float:
    if type(value) not in (int, float) or not least <= value <= most:
        raise BadInput(f"{name} is {value!r}, not within {least:g} to {most:g}", hint=_HINT)
    return value
