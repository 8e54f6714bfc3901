"""Trades: what a collector recorded of trades, as Swaps with prices and true times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.errors import BadInput
from pumpswap.market.csv_rows import csv_rows
from pumpswap.market.data_row import DataRow, SkippedRow
from pumpswap.market.identifiers import bare_address
from pumpswap.market.rebuild import BASE_DECIMALS, QUOTE_DECIMALS
from pumpswap.model import Swap
from pumpswap.units import U64_MAX

__all__ = ["TRADE_ASSUMPTIONS", "TRADE_COLUMNS", "ObservedTrade", "TradeFile", "Trades", "fetch_seconds"]

TRADE_COLUMNS = (
    "id",
    "pool_id",
    "block_number",
    "tx_hash",
    "tx_from_address",
    "from_token_amount",
    "to_token_amount",
    "price_usd",
    "volume_usd",
    "side",
    "block_timestamp",
)

TRADE_ASSUMPTIONS = (
    "Trade times: the wall clock of block_timestamp is UTC, whatever its label says; the fetch time in the id agrees.",
    "Trade prices: price_usd is the price of the token that was paid, so SOL's on buys and the token's on sells.",
    "Trade amounts: 6 decimals for the token, 9 for SOL; all fees are in them.",
    "Trades of one block: buys first, in rising price, then sells, in falling price; the export tells no order.",
    "Trades below USD 100 were never collected: prices anchor the curve, volumes and counts are too low.",
)

# Trades are fetched seconds after their block, in real exports up to 33. Half an hour leaves room for a slow collector
# and is still less than any two time zones are apart.
_LATEST_FETCH = 1_800
_EARLIEST_FETCH = -60  # clocks of two machines
_PRICE_TOLERANCE = Decimal("0.02")
_FETCH_TIME = re.compile(r".*_(\d{10})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ObservedTrade:
    """One trade. ``price`` is raw quote units per raw base unit, all in; ``token_usd`` and ``sol_usd`` are per unit."""

    swap: Swap
    volume_usd: Decimal
    token_usd: Decimal
    sol_usd: Decimal

    @property
    def price(self) -> Fraction:
        """What was paid or received per base unit, fees included."""
        return Fraction(self.swap.quote_units, self.swap.base_units)

    @property
    def order(self) -> tuple[int, int, bool, Fraction, str]:
        """Time order. Within a block no source tells one, and the order of the file is none: a run of buys can only
        have raised the price and a run of sells only lowered it, so buys come first, rising, then sells, falling. That
        is exact where a block has one side only, and ends on the lower price where it has both.
        """
        swap = self.swap
        return swap.at_ns, swap.slot, not swap.is_buy, self.price if swap.is_buy else -self.price, swap.signature


class Trades:
    """Reads all rows at once: ``trades`` in time order, ``skipped`` rows with their reasons.

    The same trade fetched twice has two ids, so trades are told apart by what they did. Raises BadInput for what cannot
    be read, and when most trades fail the check of their times or prices: then ``source`` is not what it is taken for.
    """

    def __init__(self, source: str, rows: Iterable[DataRow]) -> None:
        self.trades: list[ObservedTrade] = []
        self.skipped: list[SkippedRow] = []
        self.cut_amounts = 0
        count = 0
        seen: set[tuple[str, ...]] = set()
        for row in rows:
            count += 1
            trade = self._trade(row)
            if isinstance(trade, str):
                self.skipped.append(row.skipped(trade))
                continue
            did = tuple(row.text(key) for key in _IDENTITY)
            if did in seen:
                self.skipped.append(row.skipped("the same trade again"))
                continue
            seen.add(did)
            self.trades.append(trade)
        self.trades.sort(key=lambda trade: trade.order)
        _check_share(source, count, self.skipped)

    def _trade(self, row: DataRow) -> ObservedTrade | str:
        side = row.text("side").lower()
        if side not in ("buy", "sell"):
            return f"side is neither buy nor sell: {side[:20]!r}"
        at_ns = _block_time(row)
        if isinstance(at_ns, str):
            return at_ns
        if not row.text("block_number"):
            return "its block is missing"
        is_buy = side == "buy"
        paid, received = _positive(row, "from_token_amount"), _positive(row, "to_token_amount")
        price, volume = _positive(row, "price_usd"), _positive(row, "volume_usd")
        if paid is None or received is None or price is None or volume is None:
            return "an amount or a price is missing or not positive"
        # The price has 8 decimals only, so for cheap tokens its last digit may weigh more than the tolerance.
        if abs(price * paid - volume) > _PRICE_TOLERANCE * volume + Decimal("1e-8") * paid:
            return f"{_PRICE_REASON}: {price} × {paid} is not {volume} USD"
        sol, token = (paid, received) if is_buy else (received, paid)
        quote_units, base_units = self._units(sol, QUOTE_DECIMALS), self._units(token, BASE_DECIMALS)
        if not (0 < quote_units <= U64_MAX and 0 < base_units <= U64_MAX):
            return "an amount is less than one unit, or beyond 64 bits"
        swap = Swap(
            pool=bare_address(row.text("pool_id")),
            at_ns=at_ns,
            is_buy=is_buy,
            base_units=base_units,
            quote_units=quote_units,
            trader=row.text("tx_from_address"),
            signature=row.text("tx_hash"),
            slot=row.whole("block_number"),
        )
        return ObservedTrade(
            swap=swap,
            volume_usd=volume,
            token_usd=volume / received if is_buy else price,
            sol_usd=price if is_buy else volume / received,
        )

    def _units(self, amount: Decimal, decimals: int) -> int:
        scaled = Fraction(amount) * 10**decimals  # not scaleb, which rounds to the context's precision
        units = int(scaled)
        self.cut_amounts += units != scaled
        return units


class TradeFile(Trades):
    """The host's export of trades. Raises NotFound and BadInput, as Trades and csv_rows do."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name, csv_rows(path, TRADE_COLUMNS))


def fetch_seconds(row: DataRow) -> int | None:
    """Unix time at which a trade was fetched, where its id ends with it."""
    fetched = _FETCH_TIME.fullmatch(row.text("id"))
    return None if fetched is None else int(fetched[1])


_IDENTITY = ("pool_id", "tx_hash", "side", "from_token_amount", "to_token_amount")
_TIME_REASON = "its time and the time of its fetch disagree"
_PRICE_REASON = "price_usd is not the price of the token paid"


def _positive(row: DataRow, column: str) -> Decimal | None:
    figure = row.number(column)
    return figure if figure is not None and figure > 0 else None


def _block_time(row: DataRow) -> int | str:
    """Nanoseconds of the wall clock read as UTC, or why that cannot be trusted."""
    text = row.text("block_timestamp")
    if not text:
        return "its time is missing"
    try:
        labelled = datetime.fromisoformat(text.replace("Z", "+00:00"))
        wall = parse_utc(labelled.replace(tzinfo=UTC).isoformat())
    except (ValueError, OverflowError):
        raise row.bad("block_timestamp", "is no time") from None
    fetched = fetch_seconds(row)
    if fetched is None:
        offset = labelled.utcoffset()
        if offset:  # neither reading can be proven
            return f"its time cannot be checked: {text}, and the id does not end with the time of its fetch"
        return wall
    late = fetched - wall // NS_PER_SECOND
    if not _EARLIEST_FETCH <= late <= _LATEST_FETCH:
        return f"{_TIME_REASON}: {text} read as UTC, fetched {late} s later"
    return wall


def _check_share(source: str, rows: int, skipped: list[SkippedRow]) -> None:
    for reason, hint in (
        (_TIME_REASON, "these times are written in another way; the wall clock of block_timestamp must be UTC"),
        (_PRICE_REASON, "on buys price_usd must be the price of SOL, on sells that of the token"),
    ):
        failed = [one for one in skipped if one.reason.startswith(reason)]
        if 2 * len(failed) > rows:
            raise BadInput(f"{source}: {len(failed)} of {rows} trades are not usable; {failed[0]}", hint=hint)
