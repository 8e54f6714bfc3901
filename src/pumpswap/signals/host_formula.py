"""HostScore: the host's base score of a pool, 0 to 100, with every part it is made of.

All growth rates, prices and scores are decimals: in binary floats a value exactly on a threshold would fall on either
side of it. "History" is what was seen of the same pool before; below two rows the volume and liquidity parts know no
trend (cold start), while one row is enough for the activity part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, localcontext

from pumpswap.errors import BadInput

__all__ = ["ActivityPart", "GrowthPart", "HostScore", "MomentumPart", "VolatilityPart", "host_score"]

_CONTEXT = Context(prec=28)
_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_LARGEST_EXPONENT = 300  # an amount beyond this is damage, not money; the sums stay finite as floats
_FULL_HISTORY = 2


@dataclass(frozen=True, slots=True)
class GrowthPart:
    """Volume or liquidity. ``flag`` is the spike of the one and the growth flag of the other; ``ceiling`` the most
    the part can reach (lower at cold start, where the trend is ``unknown`` and the growth 0).
    """

    amount_usd: Decimal
    growth: Decimal
    flag: bool
    trend: str
    score: Decimal
    ceiling: int


@dataclass(frozen=True, slots=True)
class MomentumPart:
    """``indicator`` is the weighted price change in percent, unbounded and signed."""

    indicator: Decimal
    strong: bool
    direction: str
    score: Decimal


@dataclass(frozen=True, slots=True)
class ActivityPart:
    """Numbers of transactions; ``increase`` compares the last 24 hours with their mean in the history."""

    buys_h1: int
    sells_h1: int
    transactions_h24: int
    high: bool
    increase: Decimal
    score: Decimal


@dataclass(frozen=True, slots=True)
class VolatilityPart:
    """``swing`` is the weighted absolute price change in percent."""

    swing: Decimal
    high: bool
    trend: str
    score: Decimal


@dataclass(frozen=True, slots=True)
class HostScore:
    """The five parts and their weighted ``total`` with bonuses, clamped to 0…100."""

    volume: GrowthPart
    liquidity: GrowthPart
    momentum: MomentumPart
    activity: ActivityPart
    volatility: VolatilityPart
    total: Decimal


def host_score(
    current: Mapping[str, object],
    history: Sequence[Mapping[str, object]],
    *,
    spike_growth: Decimal,
    liquidity_growth: Decimal,
) -> HostScore:
    """Score of ``current``. Missing and empty figures count as 0, numeric text is read, an unreadable count is 0.

    ``spike_growth`` and ``liquidity_growth`` are growth rates (1 means doubled). Raises BadInput for an amount that is
    no number.
    """
    with localcontext(_CONTEXT):
        try:
            volume = _volume(current, history, spike_growth)
            liquidity = _liquidity(current, history, liquidity_growth)
            hour = _amount(current, "price_change_percentage_h1")
            day = _amount(current, "price_change_percentage_h24")
            momentum = _momentum(hour, day)
            activity = _activity(current, history)
            volatility = _volatility(hour, day)
            total = (
                Decimal("0.3") * volume.score
                + Decimal("0.2") * (liquidity.score + momentum.score + activity.score)
                + Decimal("0.1") * volatility.score
                + 10 * volume.flag
                + 8 * liquidity.flag
                + 5 * momentum.strong
                + 5 * activity.high
            )
        except DecimalException:
            raise BadInput("the figures of this pool are beyond all measure", hint="check the source") from None
        return HostScore(volume, liquidity, momentum, activity, volatility, _clamp(total))


def _volume(
    current: Mapping[str, object], history: Sequence[Mapping[str, object]], spike_growth: Decimal
) -> GrowthPart:
    volume = _amount(current, "volume_usd_h24")
    if len(history) < _FULL_HISTORY:
        return GrowthPart(volume, _ZERO, volume > 10_000, "unknown", min(volume / 1_000, Decimal(50)), 50)
    growth = _growth(volume, [_amount(row, "volume_usd_h24") for row in history])
    spike = growth >= spike_growth
    if growth > Decimal("0.5"):
        trend = "spike" if spike else "increasing"
    elif growth > Decimal("0.1"):
        trend = "increasing"
    else:
        trend = "decreasing" if growth < Decimal("-0.3") else "stable"
    return GrowthPart(volume, growth, spike, trend, _clamp(volume / 100 + 50 * growth + 50 * spike), 100)


def _liquidity(
    current: Mapping[str, object], history: Sequence[Mapping[str, object]], flag_growth: Decimal
) -> GrowthPart:
    reserve = _amount(current, "reserve_in_usd")
    if len(history) < _FULL_HISTORY:
        return GrowthPart(reserve, _ZERO, reserve > 50_000, "unknown", min(reserve / 10_000, Decimal(30)), 30)
    growth = _growth(reserve, [_amount(row, "reserve_in_usd") for row in history])
    flag = growth >= flag_growth
    if growth > Decimal("0.3"):
        trend = "growing"
    else:
        trend = "shrinking" if growth < Decimal("-0.2") else "stable"
    return GrowthPart(reserve, growth, flag, trend, _clamp(reserve / 500 + 30 * growth + 30 * flag), 100)


def _momentum(hour: Decimal, day: Decimal) -> MomentumPart:
    indicator = (2 * hour + day) / 3
    strong = abs(indicator) > 10
    if indicator > 5:
        direction = "bullish"
    else:
        direction = "bearish" if indicator < -5 else "neutral"
    score = _clamp(5 * abs(indicator) + 20 * strong + 10 * (direction == "bullish"))
    return MomentumPart(indicator, strong, direction, score)


def _activity(current: Mapping[str, object], history: Sequence[Mapping[str, object]]) -> ActivityPart:
    buys = _count(current, "transactions_h1_buys")
    sells = _count(current, "transactions_h1_sells")
    hour = buys + sells
    day = _day_count(current)
    high = hour > 50 or day > 500
    increase = _growth(Decimal(day), [Decimal(_day_count(row)) for row in history])
    score = Decimal("0.5") * hour + Decimal("0.1") * day + 30 * increase + 20 * high
    if hour != 0:
        score += 40 * abs(Decimal(buys) / hour - Decimal("0.5"))
    return ActivityPart(buys, sells, day, high, increase, _clamp(score))


def _volatility(hour: Decimal, day: Decimal) -> VolatilityPart:
    swing = (2 * abs(hour) + abs(day)) / 3
    if swing > 20:
        trend = "extreme"
    elif swing > 10:
        trend = "high"
    else:
        trend = "moderate" if swing > 5 else "low"
    return VolatilityPart(swing, swing > 15, trend, min(_HUNDRED, 3 * swing))


def _growth(value: Decimal, past: Sequence[Decimal]) -> Decimal:
    """Growth over the mean of the past; 0 where there is no mean above 0 to compare with."""
    mean = _sum(past) / len(past) if past else _ZERO
    return value / mean - 1 if mean > 0 else _ZERO


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, start=_ZERO)


def _clamp(value: Decimal) -> Decimal:
    return max(_ZERO, min(_HUNDRED, value))


def _amount(row: Mapping[str, object], key: str) -> Decimal:
    value = row.get(key)
    if value is None or value == "":
        return _ZERO
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value))
    except DecimalException:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount.adjusted() > _LARGEST_EXPONENT:
        raise BadInput(f"{key} is {value!r}, which is no amount", hint="check the source of this row")
    return amount


def _day_count(row: Mapping[str, object]) -> int:
    return _count(row, "transactions_h24_buys") + _count(row, "transactions_h24_sells")


def _count(row: Mapping[str, object], key: str) -> int:
    value = row.get(key)
    if type(value) is int:
        return value
    if value is None or value == "":
        return 0
    try:
        # Through a float, as the host reads them: "3.9" is cut to 3, and an endless exponent cannot be asked for.
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return 0
