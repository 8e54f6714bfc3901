"""The page of a tear sheet: one HTML file that needs nothing else, no network and, but for its charts, no JavaScript.

It is made of the figures of ``sheet_json`` and carries them, so the page and ``--json`` cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment

from pumpswap.analytics.charts import PALETTES, Figure
from pumpswap.analytics.comparison.verdict import horizon_text
from pumpswap.analytics.page import csp_hash, page_environment, page_scripts, write_page
from pumpswap.analytics.performance.estimate import Estimate
from pumpswap.analytics.performance.result import Performance, PositionGain, Slice
from pumpswap.analytics.tear_sheet import charts
from pumpswap.analytics.tear_sheet.figures import sheet_json
from pumpswap.analytics.tear_sheet.metric_rows import metric_rows
from pumpswap.analytics.tear_sheet.sheet import TearSheet
from pumpswap.analytics.tear_sheet.words import headline, said
from pumpswap.analytics.wording import (
    change_text,
    coin_markup,
    counted,
    duration_text,
    figure_of,
    percent_text,
    price_text,
    signed_sol,
    sol_digits,
    sol_text,
)

__all__ = ["MOST_ROWS", "render_tear_sheet", "write_tear_sheet"]

MOST_ROWS = 60  # of a table; a page of thousands of rows is read by nobody
MOST_SLICES = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that a table shows, and how many there are."""

    rows: Sequence[Any]
    total: int

    @property
    def hidden(self) -> int:
        """Rows that are not shown."""
        return self.total - len(self.rows)


def write_tear_sheet(path: Path, sheet: TearSheet) -> Path:
    """Render the sheet and put it at ``path`` in one step: whoever opens the file sees all of it or the one before.

    Folders are made when missing. Returns ``path``. Raises OSError when it cannot be written.
    """
    return write_page(path, render_tear_sheet(sheet))


def render_tear_sheet(sheet: TearSheet) -> str:
    """The page as text."""
    found, environment = sheet.performance, _environment()
    drawn = _charts(sheet)
    scripts = page_scripts(environment) if drawn else []  # most of the file: a quiet day has none
    figures = sheet_json(sheet)
    closed = [one for one in found.by_position if not one.round.is_open]
    held = [one for one in found.by_position if one.round.is_open]
    return environment.get_template("tear_sheet/sheet.html").render(
        sheet=sheet,
        found=found,
        money=found.money,
        figures={name: value for name, value in figures.items() if name not in ("by_day", "by_token")},
        figure=figure_of(figures),
        headline=headline(sheet),
        moved_capital=_moved_capital(found),
        start_lamports=found.curve[0].equity_lamports if found.curve else None,
        charts=drawn,
        metrics=metric_rows(found),
        refused=sheet.refused[:MOST_SLICES],
        closed=_rows(closed, lambda one: abs(one.gain_lamports)),
        held=_rows(held, lambda one: one.round.cost_lamports),
        stale=sum(sheet.is_stale(one.round.pool, one.round.number) for one in held),
        slices=[(title, _slices(rows), kind) for title, rows, kind in _parts(found)],
        usd=sheet.sol.of,
        coin=lambda name, address: coin_markup(name.strip() or address),
        palettes=PALETTES,
        scripts=scripts,
        script_hashes=[csp_hash(script) for script in scripts],
    )


def _parts(found: Performance) -> list[tuple[str, Sequence[Slice], str]]:
    return [
        ("By strategy", found.by_strategy, "name"),
        ("By exit", found.by_exit, "name"),
        ("By token", found.by_token, "coin"),
    ]


def _charts(sheet: TearSheet) -> dict[str, Figure]:
    """Figures by name; none where there is nothing to draw."""
    found, made = sheet.performance, dict[str, Figure]()
    if len(found.curve) > 1 and found.curve[0].at_ns < found.curve[-1].at_ns:
        made["curve"] = charts.curve_figure(found.curve, _moved_capital(found))
    if len(found.by_day) > 1:
        made["days"] = charts.days_figure(found.by_day)
    shares = [
        one.round.realised_lamports / one.round.bought_lamports
        for one in found.by_position
        if not one.round.is_open and one.round.bought_lamports > 0
    ]
    if len(shares) > 2:
        made["gains"] = charts.gains_figure(shares)
    if sheet.bands:
        made["calibration"] = charts.calibration_figure(sheet.bands)
    done = sheet.execution
    if len({value for values in done.slippages.values() for value in values}) > 1:  # else the table says it all
        made["slippage"] = charts.slippage_figure(done.slippages)
    if len(set(done.landings)) > 1:
        made["landing"] = charts.landing_figure(done.landings)
    for number, path in enumerate(sheet.prices, start=1):
        made[f"price-{number}"] = charts.price_figure(path, sheet.time.since_ns, sheet.time.until_ns)
    return made


def _moved_capital(found: Performance) -> bool:
    """Whether money was put in or taken out while the curve went on, so that equity alone tells nothing."""
    if not found.curve:
        return False
    first, last = found.curve[0], found.curve[-1]
    return last.equity_lamports - first.equity_lamports != last.net_lamports - first.net_lamports


def _rows(rows: Sequence[PositionGain], weight: Callable[[PositionGain], int]) -> Rows:
    """All rows, or the MOST_ROWS weightiest of them in their own order."""
    if len(rows) <= MOST_ROWS:
        return Rows(rows, len(rows))
    heaviest = sorted(range(len(rows)), key=lambda index: weight(rows[index]), reverse=True)[:MOST_ROWS]
    return Rows([rows[index] for index in sorted(heaviest)], len(rows))


def _slices(rows: Sequence[Slice]) -> Rows:
    """The best and the worst, where there are too many."""
    if len(rows) <= MOST_SLICES:
        return Rows(rows, len(rows))
    half = MOST_SLICES // 2
    return Rows([*rows[:half], *rows[-half:]], len(rows))


# ---------------------------------------------------------------------------------------------------- how it is said


def _interval(one: Estimate, shape: str) -> str:
    """``51 % to 70 %``; empty without one."""
    if one.low is None or one.high is None:
        return ""
    return f"{said(one.low, shape)} to {said(one.high, shape)}"


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.filters |= {
        "sol": sol_text, "signed": signed_sol, "digits": sol_digits, "percent": percent_text, "change": change_text,
        "price": price_text, "duration": duration_text, "interval": _interval, "said": said,
    }  # fmt: skip
    environment.globals |= {"count": counted, "horizon": horizon_text}
    return environment
