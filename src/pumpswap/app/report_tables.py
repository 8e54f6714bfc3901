"""The tables of a report, for spreadsheets: every row, exact integers, and beside them what people read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pumpswap.analytics.performance.result import Slice
from pumpswap.analytics.tear_sheet import TearSheet, day_json, position_json, sheet_json, slice_json
from pumpswap.app.books import Books
from pumpswap.app.exports import COLUMNS, Export, Period, Row, export_rows
from pumpswap.clock import format_utc

__all__ = ["ReportTable", "report_tables"]


@dataclass(frozen=True, slots=True)
class ReportTable:
    """``rows`` are made while they are read."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Row]


def report_tables(books: Books, sheet: TearSheet) -> Iterator[ReportTable]:
    """Figures, rounds, trades, days, the parts by strategy, exit and token, scores, and the equity curve."""
    found = sheet.performance
    yield ReportTable("figures", ("figure", "value"), list(_figures(sheet)))
    yield _table("rounds", _ROUND, [position_json(one) for one in found.by_position])
    span = Period(sheet.time.since_ns, sheet.time.until_ns)
    yield ReportTable("trades", COLUMNS[Export.TRADES], export_rows(books.run, Export.TRADES, span))
    yield _table("days", _DAY, [day_json(day) for day in found.by_day])
    for name, parts in (("strategies", found.by_strategy), ("exits", found.by_exit), ("tokens", found.by_token)):
        yield _table(name, _SLICE, [_flat_slice(one) for one in parts])
    yield _table("scores", _SCORE, [_flat(band.to_json()) for band in sheet.bands])
    yield ReportTable("equity", ("at_ns", "time_utc", "equity_lamports", "net_lamports", "index"), _curve(sheet))


_TEXTS = frozenset(("name", "label", "key", "strategy", "exit_kind", "text"))  # of people and strangers: 007 stays 007
_ROUND = (
    "name", "pool", "mint", "number", "strategy", "exit_kind", "opened_at", "closed_at", "base_units",
    "bought_lamports", "sold_lamports", "realised_lamports", "gain_lamports", "sales", "cost_lamports",
    "value_lamports", "buys", "sells",
)  # fmt: skip
_DAY = ("day", "net_lamports", "gain_lamports", "other_lamports", "capital_lamports", "fills", "sales",
        "equity_lamports")  # fmt: skip
_SLICE = ("key", "label", "gain_lamports", "cost_lamports", "bought_lamports", "share", "sales", "closed", "won",
          "win_rate", "win_rate_low", "win_rate_high")  # fmt: skip
_SCORE = ("lowest_score", "highest_score", "mean_score", "rounds", "won", "gain_lamports", "mean_result.value",
          "mean_result.low", "mean_result.high", "win_rate.value", "win_rate.low", "win_rate.high")  # fmt: skip


def _table(name: str, columns: Sequence[str], found: Sequence[Mapping[str, Any]]) -> ReportTable:
    return ReportTable(name, columns, [{column: _cell(each[column], column) for column in columns} for each in found])


def _figures(sheet: TearSheet) -> Iterator[Row]:
    """Every figure that is no list, by its path, as in ``--json``."""
    for path, value in _flat(sheet_json(sheet)).items():
        if not isinstance(value, list):
            yield {"figure": path, "value": _cell(value, path.rpartition(".")[2])}


def _flat_slice(one: Slice) -> dict[str, Any]:
    rate = one.win_rate
    return slice_json(one) | {"win_rate": rate.value, "win_rate_low": rate.low, "win_rate_high": rate.high}


def _flat(found: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in found.items():
        path = f"{prefix}{name}"
        flat |= _flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return flat


def _curve(sheet: TearSheet) -> Iterator[Row]:
    for point in sheet.performance.curve:
        moment = f"{format_utc(point.at_ns).replace(' ', 'T')}Z"
        yield {
            "at_ns": point.at_ns,
            "time_utc": moment,
            "equity_lamports": point.equity_lamports,
            "net_lamports": point.net_lamports,
            "index": Decimal(repr(point.index)),
        }


def _cell(value: Any, name: str) -> int | Decimal | str | None:
    """Amounts are text in JSON; in a spreadsheet they are numbers. A text of a stranger stays one."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return Decimal(repr(value))
    if (
        isinstance(value, str)
        and name not in _TEXTS
        and value.removeprefix("-").isascii()
        and value.removeprefix("-").isdigit()
    ):
        return int(value)
    return value if isinstance(value, int | str) or value is None else str(value)
