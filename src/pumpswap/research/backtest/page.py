"""The page of a back-test: one HTML file with both results side by side, and what a back-test cannot know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader

from pumpswap.analytics.charts import AXIS, LAYOUT, MOST_POINTS, PALETTES, Figure, heading, moment, period_axis, thinned
from pumpswap.analytics.page import csp_hash, page_environment, page_scripts, write_page
from pumpswap.analytics.wording import change_text, signed_sol, sol_text
from pumpswap.model import EquityPoint
from pumpswap.research.backtest.figures import LIMITS, groups_of
from pumpswap.research.backtest.result import BacktestResult
from pumpswap.research.significance.evidence import Evidence
from pumpswap.research.significance.told import luck_rows
from pumpswap.units import LAMPORTS_PER_SOL, format_sol

__all__ = ["BacktestPage", "PageSide", "render_backtest", "write_backtest"]


class PageSide(msgspec.Struct, frozen=True):
    """One result, the number of its run, its equity over time (none where no books were kept), what it is worth."""

    run_id: int
    result: BacktestResult
    equity: Sequence[EquityPoint] = ()
    evidence: Evidence | None = None


class BacktestPage(msgspec.Struct, frozen=True):
    """What a page is made of. ``assumptions`` are those of the source."""

    sides: Sequence[PageSide]
    counts: Sequence[tuple[str, int]] = ()
    assumptions: Sequence[str] = ()
    command: str = ""


def write_backtest(path: Path, page: BacktestPage) -> Path:
    """Render the page and put it at ``path`` in one step. Raises OSError where that cannot be."""
    return write_page(path, render_backtest(page))


def render_backtest(page: BacktestPage) -> str:
    """The page as text: the same results give the same bytes."""
    environment, results = _environment(), [side.result for side in page.sides]
    spec, first = results[0].spec, results[0]
    charts = {"equity": _equity(page.sides)} if any(side.equity for side in page.sides) else {}
    scripts = page_scripts(environment) if charts else []
    return environment.get_template("backtest.html").render(
        page=page,
        spec=spec,
        results=results,
        groups=groups_of(results),
        limits=LIMITS,
        luck_rows=luck_rows,
        headline=_headline(first),
        figures={side.result.spec.impact: msgspec.to_builtins(side.result) for side in page.sides},
        charts=charts,
        palettes=PALETTES,
        scripts=scripts,
        script_hashes=[csp_hash(script) for script in scripts],
    )


def _headline(result: BacktestResult) -> str:
    net, start = result.net_lamports, int(result.summary["start_lamports"])
    if not net:
        return "Nothing earned, nothing lost"
    share = f" ({change_text(net / start)})" if start else ""
    return f"{'Earned' if net > 0 else 'Lost'} {sol_text(abs(net))} SOL{share} in the {result.spec.impact} market"


def _equity(sides: Sequence[PageSide]) -> Figure:
    """Both curves over one axis of time."""
    data, times = [], [point.at_ns for side in sides for point in side.equity]
    for side, role, dash in zip(sides, ("accent", "held"), ("solid", "dot"), strict=False):
        points = thinned(side.equity, MOST_POINTS)
        data.append({
            "type": "scatter", "mode": "lines", "name": side.result.spec.impact, "hoverinfo": "text",
            "x": [moment(point.at_ns) for point in points],
            "y": [point.equity_lamports / LAMPORTS_PER_SOL for point in points],
            "hovertext": [f"{side.result.spec.impact}: {format_sol(point.equity_lamports)} SOL" for point in points],
            "line": {"color": f"${role}", "width": 2, "shape": "hv", "dash": dash},
        })  # fmt: skip
    layout = {
        **LAYOUT,
        "height": 340,
        "xaxis": period_axis(min(times), max(times)),
        "yaxis": {**AXIS, "domain": [0, 0.92], "ticksuffix": " "},
        "annotations": [heading("Equity, SOL", 1)],
    }
    return {"data": data, "layout": layout}


@cache
def _environment() -> Environment:
    environment = page_environment()
    shared = environment.loader
    assert shared is not None  # it has the package's templates
    environment.loader = ChoiceLoader([PackageLoader("pumpswap.research.backtest", "templates"), shared])
    environment.filters |= {"sol": sol_text, "signed": signed_sol}
    return environment
