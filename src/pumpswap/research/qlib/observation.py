"""Observation: one row of a collector with the figures that QLib gets, and the rules by which rows are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol

from pumpswap.market.candle_file import Candle
from pumpswap.market.data_row import DataRow, SkippedRow

__all__ = [
    "CANDLE_FIELDS",
    "FIELDS",
    "FIGURE_COLUMNS",
    "PRICE_FIELDS",
    "Filters",
    "Kind",
    "Observation",
    "Source",
    "columns_wanted",
    "observed",
]

PRICE_FIELDS = ("open", "high", "low", "close")

# QLib's field: the host's column.
FIGURE_COLUMNS = {
    "volume": "volume_usd_h24",
    "liquidity": "reserve_in_usd",
    "market_cap": "market_cap_usd",
    "fdv": "fdv_usd",
    "rsi": "relative_strength_index",
    "macd": "moving_average_convergence",
    "volatility": "volatility_score",
    "activity": "activity_score",
    "signal": "signal_score",
    "buy_count": "transactions_h24_buys",
    "sell_count": "transactions_h24_sells",
    "return_1h": "price_change_percentage_h1",
    "return_24h": "price_change_percentage_h24",
}
FIELDS = (*PRICE_FIELDS, *FIGURE_COLUMNS)
CANDLE_FIELDS = (*PRICE_FIELDS, "volume")

_VOLUME, _LIQUIDITY = (list(FIGURE_COLUMNS).index(field) for field in ("volume", "liquidity"))


class Kind(Enum):
    """What a dataset is made of. They are never mixed: their ``volume`` means different things."""

    SNAPSHOTS = "snapshots"  # rows of a collector; volume is that of the last 24 hours
    CANDLES = "candles"  # volume is what was traded in the bar

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of such a dataset, in the order of FIELDS."""
        return FIELDS if self is Kind.SNAPSHOTS else CANDLE_FIELDS


@dataclass(frozen=True, slots=True)
class Observation:
    """``figures`` are in the order of FIGURE_COLUMNS; a missing one is None. ``price_usd`` is that of the token.

    ``wish`` is the symbol that the host has made for the pool, or empty.
    """

    pool_id: str
    at_ns: int
    price_usd: Decimal | None
    figures: tuple[Decimal | None, ...]
    quality: Decimal | None = None
    wish: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """The host's filters of rows. A missing figure passes none of them.

    Quality is asked for only where the source has such a column.
    """

    min_liquidity_usd: Decimal = Decimal(1_000)  # both sides of the pool
    min_volume_usd: Decimal = Decimal(100)  # of 24 hours
    min_quality: Decimal = Decimal(50)

    def keep(self, row: Observation, *, has_quality: bool) -> bool:
        """Whether a row is used."""
        checks = [(row.figures[_LIQUIDITY], self.min_liquidity_usd), (row.figures[_VOLUME], self.min_volume_usd)]
        if has_quality:
            checks.append((row.quality, self.min_quality))
        return all(figure is not None and figure >= least for figure, least in checks)


class Source(Protocol):
    """Where an export reads from. Both streams are in time order; each is read once per export.

    ``candles`` gets the longest bar that is of use, in seconds. ``skipped`` holds, after reading, what could not be
    used. Both streams raise what their data raise: BadInput, NotFound, StorageError.
    """

    location: str
    kind: Kind
    has_quality: bool
    skipped: list[SkippedRow]

    def observations(self) -> Iterable[Observation]: ...

    def candles(self, seconds: int) -> Iterable[Candle]: ...


def observed(row: DataRow, at_ns: int, price_column: str) -> Observation:
    """An observation from a row of either of the host's tables. Raises BadInput for what is no number."""
    pool_id = row.text("pool_id")
    if not pool_id:
        raise row.bad("pool_id", "is no pool")
    return Observation(
        pool_id=pool_id,
        at_ns=at_ns,
        price_usd=_positive(row.number(price_column)),
        figures=tuple(row.number(column) for column in FIGURE_COLUMNS.values()),
        quality=row.number("data_quality_score"),
        wish=row.text("qlib_symbol"),
    )


def columns_wanted(price_column: str) -> Sequence[str]:
    """What ``observed`` reads."""
    return ("pool_id", price_column, *FIGURE_COLUMNS.values(), "data_quality_score", "qlib_symbol")


def _positive(price: Decimal | None) -> Decimal | None:
    return price if price is not None and price > 0 else None
