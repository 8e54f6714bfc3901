"""GeckoTerminal's candles. They come newest first, without the times in which nobody traded, and sometimes twice."""

from __future__ import annotations

from decimal import Decimal

from pumpswap.errors import UnreadableAnswer, UsageError
from pumpswap.market.candle_file import TIMEFRAMES
from pumpswap.market.gecko.parse import answer_of
from pumpswap.market.gecko.records import CandlePage
from pumpswap.market.http_drift import DriftKind, Refused
from pumpswap.market.http_fields import Element, Place, Unusable, number_in, whole_in
from pumpswap.market.identifiers import bare_address
from pumpswap.model.collected import SeenCandle

__all__ = ["parse_candles"]

_FIELDS = 6  # start, open, high, low, close, volume
_LAST_START = 10**11  # seconds; anything above is milliseconds


def parse_candles(body: bytes, timeframe: str, *, endpoint: str = "ohlcv") -> CandlePage:
    """Candles of one pool. Raises UsageError for a ``timeframe`` that is none of TIMEFRAMES."""
    if timeframe not in TIMEFRAMES:
        raise UsageError(f"{timeframe[:20]!r} is no length of a candle", hint=f"one of {', '.join(TIMEFRAMES)}")
    answer = answer_of(body, endpoint)
    try:
        items = list(answer.child("data").child("attributes").items("ohlcv_list"))
        base, quote = _sides(answer)
    except Unusable as why:
        raise UnreadableAnswer(f"{endpoint}: {why}", hint="the service has changed: upgrade pumpswap") from None
    by_start: dict[int, SeenCandle] = {}
    doubled: list[int] = []
    refused: list[Refused] = []
    for value, place in items:
        try:
            candle = _candle(value, place, timeframe)
        except Unusable as why:
            refused.append(Refused(place.shown, why.reason))
            continue
        other = by_start.setdefault(candle.start_seconds, candle)
        if other != candle:
            doubled.append(candle.start_seconds)
            # Of equally wide ones the first of the answer stays.
            by_start[candle.start_seconds] = max(other, candle, key=lambda one: one.high_usd - one.low_usd)
    candles = tuple(by_start[start] for start in sorted(by_start))
    return CandlePage(candles, base, quote, tuple(sorted(set(doubled))), tuple(refused), answer.place.drift.notes())


def _candle(value: object, place: Place, timeframe: str) -> SeenCandle:
    if not isinstance(value, list) or len(value) != _FIELDS:
        place.refuse(DriftKind.TYPE, "is no list of start, four prices and volume")
    start = whole_in(value[0], place)
    if start >= _LAST_START or start % TIMEFRAMES[timeframe]:
        place.refuse(DriftKind.VALUE, f"does not start a candle of {timeframe}: {start}")
    prices: list[Decimal] = [number_in(one, place, plain=True) for one in value[1:5]]
    volume = number_in(value[5], place, plain=True)
    first, high, low, close = prices
    if low <= 0 or high != max(prices) or low != min(prices):
        place.refuse(DriftKind.VALUE, "its prices are not positive, or its high or low is not the highest or lowest")
    return SeenCandle(timeframe, start, first, high, low, close, volume)


def _sides(answer: Element) -> tuple[str | None, str | None]:
    meta = answer.optional_child("meta")
    if meta is None:
        return None, None
    sides = [meta.optional_child(name) for name in ("base", "quote")]
    base, quote = (None if side is None else bare_address(side.optional_text("address")) or None for side in sides)
    return base, quote
