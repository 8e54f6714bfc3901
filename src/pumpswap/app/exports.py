"""Exports of stored books: rows of exact integers, each beside what people read, made one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import Enum
from fractions import Fraction

from pumpswap.amm import BuyQuote
from pumpswap.amm.quote import amounts_of
from pumpswap.analytics.metrics import slippage_between
from pumpswap.clock import format_utc
from pumpswap.model import SOL, LedgerEntry
from pumpswap.portfolio.lots import TaxLot
from pumpswap.portfolio.stored import tax_lots
from pumpswap.storage.history import StoredTrade
from pumpswap.storage.run import Run
from pumpswap.units import BPS, from_units

__all__ = ["COLUMNS", "Export", "Period", "Row", "export_rows"]

# Numbers stand for themselves, Decimals are for people, texts may come from strangers, None is an empty cell.
Row = Mapping[str, int | Decimal | str | None]

_I64_MAX = 2**63 - 1
_PRICE_DIGITS = 12


class Export(Enum):
    """What can be exported; the value is the command's name."""

    TRADES = "trades"
    LEDGER = "ledger"
    TAX_LOTS = "tax-lots"


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since_ns`` to ``until_ns``, which is not included; None is open."""

    since_ns: int | None = None
    until_ns: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is all of the time."""
        return self.since_ns is None and self.until_ns is None

    def holds(self, at_ns: int) -> bool:
        """Whether a moment is in it."""
        return (self.since_ns is None or at_ns >= self.since_ns) and (self.until_ns is None or at_ns < self.until_ns)


COLUMNS: Mapping[Export, tuple[str, ...]] = {
    Export.TRADES: (
        "run_id", "order_id", "time_utc", "at_ns", "slot", "side", "name", "pool", "mint", "base_units",
        "base_decimals", "tokens", "quote_lamports", "quote_sol", "price_sol_per_token", "gross_quote_lamports",
        "lp_fee_lamports", "protocol_fee_lamports", "creator_fee_lamports", "cashback_lamports",
        "network_fee_lamports", "priority_fee_lamports", "tip_lamports", "rent_paid_lamports",
        "rent_returned_lamports", "wallet_change_lamports", "wallet_change_sol", "slippage_bps", "reason", "signature",
        "client_order_id",
    ),
    Export.LEDGER: (
        "run_id", "sequence", "time_utc", "at_ns", "slot", "asset", "units", "decimals", "amount", "kind", "order_id",
        "signature", "note",
    ),
    Export.TAX_LOTS: (
        "run_id", "end", "mint", "base_units", "base_decimals", "tokens", "acquired_utc", "acquired_ns",
        "disposed_utc", "disposed_ns", "held_seconds", "cost_lamports", "cost_sol", "proceeds_lamports",
        "proceeds_sol", "gain_lamports", "gain_sol", "acquired_pool", "acquired_order_id", "acquired_signature",
        "disposed_pool", "disposed_order_id", "disposed_signature",
    ),
}  # fmt: skip


def export_rows(run: Run, export: Export, period: Period) -> Iterator[Row]:
    """The rows of an export, each with the export's columns in their order.

    Memory does not grow with the rows, only with the number of different coins. A trader that writes meanwhile does no
    harm: the rows are of one moment. Of tax lots a period takes what was disposed of in it, and nothing that is held.
    Raises StorageError, and LedgerMismatch for books that no lots can be made of.
    """
    told = _Told(run)
    match export:
        case Export.TRADES:
            trades = run.history.trades(period.since_ns, period.until_ns)
            return (_trade_row(trade, told) for trade in trades)
        case Export.LEDGER:
            entries = run.books.entries()
            if not period.is_open:
                until_ns = _I64_MAX if period.until_ns is None else period.until_ns
                entries = run.books.between(period.since_ns or 0, until_ns)
            return (_entry_row(entry, told) for entry in entries)
        case Export.TAX_LOTS:
            return (_lot_row(lot, told) for lot in tax_lots(run) if _is_of(lot, period))


class _Told:
    """Decimals of mints and names of pools, each looked up once."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._decimals: dict[str, int | None] = {SOL: 9}
        self._names: dict[str, str] = {}

    def decimals(self, asset: str) -> int | None:
        if asset not in self._decimals:
            self._decimals[asset] = self.run.history.decimals(asset)
        return self._decimals[asset]

    def name(self, pool: str) -> str:
        if pool not in self._names:
            position = self.run.latest_position(pool)
            self._names[pool] = "" if position is None else position.name
        return self._names[pool]


def _is_of(lot: TaxLot, period: Period) -> bool:
    if lot.disposed_ns is None:
        return period.is_open
    return period.holds(lot.disposed_ns)


def _trade_row(trade: StoredTrade, told: _Told) -> Row:
    order, filled, quote, costs = trade.order, trade.filled, trade.filled.executed, trade.filled.costs
    base_units, lamports = amounts_of(quote)
    change = -lamports if isinstance(quote, BuyQuote) else lamports
    change += costs.rent_returned - costs.rent_paid - costs.spent
    decimals = told.decimals(order.mint) if trade.decimals is None else trade.decimals
    values = (
        told.run.run_id, order.order_id, _utc(filled.at_ns), filled.at_ns, filled.slot, order.side.value,
        told.name(order.pool), order.pool, order.mint, base_units, decimals, _whole(base_units, decimals), lamports,
        from_units(lamports, 9), _price(lamports, base_units, decimals), quote.gross_quote, quote.lp_fee,
        quote.protocol_fee, quote.creator_fee, quote.cashback, costs.network_fee, costs.priority_fee, costs.tip,
        costs.rent_paid, costs.rent_returned, change, from_units(change, 9),
        _rounded(slippage_between(order.quote, quote) * BPS, 2), order.reason, filled.signature or None,
        order.client_order_id or None,
    )  # fmt: skip
    return dict(zip(COLUMNS[Export.TRADES], values, strict=True))


def _entry_row(entry: LedgerEntry, told: _Told) -> Row:
    decimals = told.decimals(entry.asset)
    values = (
        told.run.run_id, entry.sequence, _utc(entry.at_ns), entry.at_ns, entry.slot, entry.asset, entry.units,
        decimals, _whole(entry.units, decimals), entry.kind.value, entry.order_id or None, entry.signature or None,
        entry.note or None,
    )  # fmt: skip
    return dict(zip(COLUMNS[Export.LEDGER], values, strict=True))


def _lot_row(lot: TaxLot, told: _Told) -> Row:
    decimals, gain = told.decimals(lot.mint), lot.gain_lamports
    proceeds = None if gain is None else lot.proceeds_lamports
    values = (
        told.run.run_id, lot.kind.value, lot.mint, lot.base_units, decimals, _whole(lot.base_units, decimals),
        _utc(lot.acquired_ns), lot.acquired_ns, _utc(lot.disposed_ns), lot.disposed_ns, lot.held_seconds,
        lot.cost_lamports, from_units(lot.cost_lamports, 9), proceeds, _whole(proceeds, 9), gain, _whole(gain, 9),
        lot.acquired_pool or None, lot.acquired_order_id or None, lot.acquired_signature or None,
        lot.disposed_pool or None, lot.disposed_order_id or None, lot.disposed_signature or None,
    )  # fmt: skip
    return dict(zip(COLUMNS[Export.TAX_LOTS], values, strict=True))


def _utc(at_ns: int | None) -> str | None:
    """ISO 8601 to the second, as spreadsheets read it; the exact moment stands beside it."""
    if at_ns is None:
        return None
    try:
        return f"{format_utc(at_ns).replace(' ', 'T')}Z"
    except (ValueError, OverflowError, OSError):
        return None


def _whole(units: int | None, decimals: int | None) -> Decimal | None:
    return None if units is None or decimals is None else from_units(units, decimals)


def _price(lamports: int, base_units: int, decimals: int | None) -> Decimal | None:
    if decimals is None or not base_units:
        return None
    with localcontext() as context:
        context.prec = _PRICE_DIGITS
        return Decimal(lamports) / Decimal(base_units) * Decimal(1).scaleb(decimals - 9)


def _rounded(value: Fraction, places: int) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1).scaleb(-places))
