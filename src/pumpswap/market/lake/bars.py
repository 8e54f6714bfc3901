"""Bars of swaps: by time, by number of trades, by volume. Prices are what traders paid or received, fees included.

A bar's prices are pairs of whole numbers, the amounts of one real trade: exact. A bar is known at ``known_ns`` and not
before; no bar depends on anything that came after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.market.lake.arrays import np
from pumpswap.market.lake.bar_maths import exact_sums, highest, lowest, position_of_first, position_of_last
from pumpswap.market.lake.data import collected, pl
from pumpswap.market.lake.reader import LakeReader

__all__ = ["Bar", "BarRule", "bars", "bars_in_pieces", "no_bars", "read_bars", "with_prices"]

_ROWS_AT_ONCE = 1_000_000
_ORDER = ("pool", "at_ns", "slot", "position", "index")
_AMOUNTS = ("is_buy", "base_units", "quote_units")
_POINTS = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class BarRule:
    """When a bar ends: after ``seconds`` (which divide a day), or ``trades``, or ``quote_units`` of volume.

    Bars of time begin at full multiples since midnight UTC. Bars of trades and volume are counted from the start of
    what is read, so that one and the same start gives the same bars. A trade is never divided: a bar of volume ends
    with the trade by which the pool's volume passes another multiple, so one large trade may pass several at once.
    """

    seconds: int = 0
    trades: int = 0
    quote_units: int = 0

    def __post_init__(self) -> None:
        given = [value for value in (self.seconds, self.trades, self.quote_units) if value]
        if len(given) != 1 or given[0] < 0:
            raise UsageError("a bar ends by time, by trades or by volume", hint="set exactly one of them, above 0")
        if self.seconds and 86_400 % self.seconds:
            raise UsageError(f"{self.seconds} seconds do not divide a day", hint="for example 60, 300, 3600, 86400")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. Prices are raw quote units per raw base unit; None when no trade of the bar has a price.

    ``start_ns`` is the first moment of a bar of time, and the first trade's time for the others.
    """

    pool: str
    start_ns: int
    known_ns: int
    open: Fraction | None
    high: Fraction | None
    low: Fraction | None
    close: Fraction | None
    base_units: int
    quote_units: int
    buys: int
    sells: int

    @staticmethod
    def price(raw: Fraction, base_decimals: int = 6, quote_decimals: int = 9) -> Decimal:
        """A raw price as quote per token for people, to 28 digits: SOL per token for pools quoted in SOL."""
        shown = raw * Fraction(10**base_decimals, 10**quote_decimals)
        return Decimal(shown.numerator) / Decimal(shown.denominator)


def bars(
    reader: LakeReader,
    rule: BarRule,
    pool: str | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    fill: bool = False,
) -> pl.DataFrame:
    """All bars as one frame, by pool and time. See ``bars_in_pieces``."""
    pieces = list(bars_in_pieces(reader, rule, pool, start_ns, end_ns, fill=fill))
    return pl.concat(pieces) if pieces else no_bars()


def no_bars() -> pl.DataFrame:
    """A frame with the columns of bars and no row."""
    return _as_frame([], [], {})


def read_bars(
    reader: LakeReader,
    rule: BarRule,
    pool: str | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    fill: bool = False,
) -> Iterator[Bar]:
    """Bars as records with exact prices, by pool and time."""
    for piece in bars_in_pieces(reader, rule, pool, start_ns, end_ns, fill=fill):
        for row in piece.iter_rows(named=True):
            prices: dict[str, Any] = {
                name: _fraction(row.pop(f"{name}_quote"), row.pop(f"{name}_base")) for name in _POINTS
            }
            yield Bar(**row, **prices)


def bars_in_pieces(
    reader: LakeReader,
    rule: BarRule,
    pool: str | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    fill: bool = False,
) -> Iterator[pl.DataFrame]:
    """Frames of bars, some pools at a time, so that memory does not grow with the number of pools.

    Only whole bars: of time those that lie between ``start_ns`` and ``end_ns``, of trades and volume those that are
    full. Bars of time without a trade are left out; with ``fill`` they repeat the last close, between the first and the
    last trade of their pool. Raises UsageError for ``fill`` with another rule.
    """
    if fill and not rule.seconds:
        raise UsageError("only bars of time can be empty", hint="leave fill out for bars by trades or volume")
    if rule.seconds:
        length = rule.seconds * NS_PER_SECOND
        start_ns = None if start_ns is None else -(-start_ns // length) * length
        end_ns = None if end_ns is None else end_ns // length * length
    swaps = reader.swaps(pool, start_ns, end_ns)
    for first, last in _pool_ranges(swaps):
        rows = _ordered(swaps.filter(pl.col("pool").is_between(pl.lit(first), pl.lit(last))))
        piece = _bars_of(rows, rule)
        yield _filled(piece, rule) if fill else piece


def with_prices(piece: pl.DataFrame, reader: LakeReader) -> pl.DataFrame:
    """A frame of bars with the columns ``open`` … ``close``: floats, in quote per token, for people and statistics.

    Decimals are those of the pool's recorded states; where there is none, 6 for the token and 9 for the quote.
    """
    decimals = reader.decimals(piece.get_column("pool").unique().to_list())
    joined = piece.join(decimals, on="pool", how="left", maintain_order="left")
    power = pl.col("base_decimals").fill_null(6).cast(pl.Int32) - pl.col("quote_decimals").fill_null(9).cast(pl.Int32)
    scale = pl.lit(10.0).pow(power)
    shown = [
        (pl.col(f"{name}_quote").cast(pl.Float64) / pl.col(f"{name}_base").cast(pl.Float64) * scale).alias(name)
        for name in _POINTS
    ]
    return joined.with_columns(shown).select(*piece.columns[:3], *_POINTS, *piece.columns[3:])


def _pool_ranges(swaps: pl.LazyFrame) -> Iterator[tuple[str, str]]:
    """Neighbouring pools that together have about as many swaps as fit into memory with ease."""
    counts = collected(swaps.group_by("pool").len().sort("pool"), streaming=True)
    first, last, held = None, "", 0
    for pool, count in counts.iter_rows():
        if first is not None and held + count > _ROWS_AT_ONCE:
            yield first, last
            first, held = None, 0
        first = first if first is not None else pool
        last, held = pool, held + count
    if first is not None:
        yield first, last


def _ordered(swaps: pl.LazyFrame) -> pl.DataFrame:
    """Swaps in order of execution. Signatures are long and decide only where nothing else does."""
    rows = collected(swaps.select(*_ORDER, *_AMOUNTS).sort(*_ORDER))
    ties = rows.select(pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in _ORDER).any()).item()
    if ties:
        return collected(swaps.select(*_ORDER, *_AMOUNTS, "signature").sort(*_ORDER, "signature")).drop("signature")
    return rows


def _bars_of(rows: pl.DataFrame, rule: BarRule) -> pl.DataFrame:
    number, is_full = _numbers(rows, rule)
    pool_code = rows.get_column("pool").rle_id().to_numpy()
    changes = (pool_code[1:] != pool_code[:-1]) | (number[1:] != number[:-1])
    starts = np.flatnonzero(np.concatenate(([True], changes)))
    ends = np.append(starts[1:], rows.height)
    base, quote = rows.get_column("base_units").to_numpy(), rows.get_column("quote_units").to_numpy()
    points = {
        "open": position_of_first(base, starts),
        "high": highest(base, quote, starts, ends),
        "low": lowest(base, quote, starts, ends),
        "close": position_of_last(base, starts),
    }
    at_ns = rows.get_column("at_ns").to_numpy()
    buys = np.add.reduceat(rows.get_column("is_buy").to_numpy().astype(np.int64), starts)
    length = rule.seconds * NS_PER_SECOND
    figures = {
        "start_ns": number[starts] * length if length else at_ns[starts],
        "known_ns": (number[starts] + 1) * length if length else at_ns[ends - 1],
        "base_units": exact_sums(base, starts),
        "quote_units": exact_sums(quote, starts),
        "buys": buys,
        "sells": (ends - starts) - buys,
    }
    frame = _as_frame(rows.get_column("pool").gather(starts), _prices(rows, points), figures)
    return frame if is_full is None else frame.filter(pl.Series(is_full[ends - 1]))


def _numbers(rows: pl.DataFrame, rule: BarRule) -> tuple[Any, Any]:
    """The number of each swap's bar, and for every swap whether its bar is full once it has happened."""
    if rule.seconds:
        return (rows.get_column("at_ns") // (rule.seconds * NS_PER_SECOND)).to_numpy(), None
    if rule.trades:
        before = rows.select(pl.int_range(pl.len()).over("pool")).to_series().to_numpy()
        return before // rule.trades, (before + 1) % rule.trades == 0
    volume = pl.col("quote_units").cast(pl.Int128)
    after = volume.cum_sum().over("pool")
    limit = pl.lit(rule.quote_units, pl.Int128)
    told = rows.select(((after - volume) // limit).alias("before"), (after // limit).alias("after"))
    is_full = (told.get_column("after") > told.get_column("before")).to_numpy()
    # The multiples themselves may be beyond 64 bits; only whether they differ from the neighbour's counts.
    return told.get_column("before").rle_id().to_numpy().astype(np.int64), is_full


def _prices(rows: pl.DataFrame, points: dict[str, Any]) -> list[pl.Series]:
    """The amounts of the trades at these places; −1 is none."""
    prices = []
    for name, places in points.items():
        where = pl.Series(np.where(places < 0, 0, places))
        is_there = pl.Series(places >= 0)
        for side in ("quote", "base"):
            amounts = rows.get_column(f"{side}_units").gather(where)
            prices.append(pl.select(pl.when(is_there).then(amounts).alias(f"{name}_{side}")).to_series())
    return prices


def _as_frame(pools: Any, prices: list[pl.Series], figures: dict[str, Any]) -> pl.DataFrame:
    types = {"base_units": pl.Int128, "quote_units": pl.Int128}
    columns = [pl.Series("pool", pools, pl.String)]
    for name in ("start_ns", "known_ns"):
        columns.append(pl.Series(name, figures.get(name, []), pl.Int64))
    columns += prices or [pl.Series(f"{name}_{side}", [], pl.UInt64) for name in _POINTS for side in ("quote", "base")]
    for name in ("base_units", "quote_units", "buys", "sells"):
        columns.append(pl.Series(name, figures.get(name, []), types.get(name, pl.Int64)))
    return pl.DataFrame(columns)


def _filled(piece: pl.DataFrame, rule: BarRule) -> pl.DataFrame:
    """Bars of time with those between them in which nobody traded."""
    length = rule.seconds * NS_PER_SECOND
    following = pl.col("start_ns").shift(-1).over("pool")
    count = piece.select(((following - pl.col("start_ns")) // length).fill_null(1)).to_series().to_numpy()
    place = np.repeat(np.arange(len(count)), count)
    step = pl.Series("step", np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count))
    is_real = pl.col("step") == 0
    sides = ("quote", "base")
    closes = piece.with_columns(pl.col(f"close_{side}").forward_fill().over("pool") for side in sides)
    return (
        closes[place]
        .with_columns(step)
        .with_columns(
            *(
                pl.when(is_real).then(f"{name}_{side}").otherwise(f"close_{side}").alias(f"{name}_{side}")
                for name in ("open", "high", "low")
                for side in sides
            ),
            *(
                pl.when(is_real).then(name).otherwise(0).alias(name)
                for name in ("base_units", "quote_units", "buys", "sells")
            ),
            *((pl.col(name) + pl.col("step") * length).alias(name) for name in ("start_ns", "known_ns")),
        )
        .select(piece.columns)
    )


def _fraction(quote: int | None, base: int | None) -> Fraction | None:
    return None if quote is None or base is None else Fraction(quote, base)
