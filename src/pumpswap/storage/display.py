"""The figures that the host's reports expect, in SOL and whole tokens. Derived from exact integers, never read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

__all__ = ["figure", "host_pool_id", "percent", "price_per_token", "sol", "tokens", "utc_time"]

_SOL_DECIMALS = 9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMN_LIMIT = 10**20  # NUMERIC(38, 18) holds 20 digits before the point


def host_pool_id(pool: str) -> str:
    """The host's key of a pool: network and address."""
    return f"solana_{pool}"


def sol(lamports: int) -> Decimal:
    """Lamports as SOL."""
    return Decimal(lamports).scaleb(-_SOL_DECIMALS)


def tokens(base_units: int, decimals: int | None) -> Decimal | None:
    """Raw units as whole tokens; None when nobody has told the mint's decimals, which are never assumed."""
    return None if decimals is None else _fitting(Decimal(base_units).scaleb(-decimals))


def price_per_token(lamports: int, base_units: int, decimals: int | None) -> Decimal | None:
    """SOL per whole token."""
    if decimals is None or not base_units:
        return None
    with localcontext() as context:
        context.prec = 50
        return _fitting((Decimal(lamports) / Decimal(base_units)).scaleb(decimals - _SOL_DECIMALS))


def percent(part: int, whole: int) -> Decimal | None:
    """``part`` in percent of ``whole``; None of nothing."""
    with localcontext() as context:
        context.prec = 50
        return _fitting(Decimal(part) * 100 / Decimal(whole)) if whole else None


def figure(value: float | None) -> float | None:
    """A score or a strength; None where it is none, or so large that only the documents hold it."""
    return value if value is not None and abs(value) < _COLUMN_LIMIT else None


def utc_time(at_ns: int) -> datetime:
    """UTC without a zone, as the host writes times; below a microsecond nothing is kept."""
    return (_EPOCH + timedelta(microseconds=at_ns // 1_000)).replace(tzinfo=None)


def _fitting(value: Decimal) -> Decimal | None:
    return value if abs(value) < _COLUMN_LIMIT else None
