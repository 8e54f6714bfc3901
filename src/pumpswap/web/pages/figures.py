"""Charts of the pages as plain plotly figures, as in the reports: roles of colours, which the page paints."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape

from pumpswap.analytics.charts import AXIS, LAYOUT, Figure, heading
from pumpswap.analytics.wording import price_text, sol_text
from pumpswap.app.views.pools import PoolTrade, PoolView
from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.model import EquityPoint, TradeSide
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["equity_figure", "pool_figure"]

_TIME: Figure = {**AXIS, "type": "date", "showgrid": False, "fixedrange": False, "hoverformat": "%Y-%m-%d %H:%M:%S"}


def equity_figure(points: Sequence[EquityPoint]) -> Figure:
    """Equity over time, what of it is in positions, and how far below its highest it is."""
    times = [_moment(point.at_ns) for point in points]
    falls, peak = [], 0
    for point in points:
        peak = max(peak, point.equity_lamports)
        falls.append(100 * (point.equity_lamports - peak) / peak if peak else 0.0)
    start = _sol(points[0].equity_lamports)
    equity = _line(times, [_sol(point.equity_lamports) for point in points], "accent", "y", 2)
    equity["hovertext"] = [
        f"Equity {sol_text(point.equity_lamports)} SOL, {sol_text(point.marks_lamports)} of it in positions"
        for point in points
    ]
    fall = _line(times, [round(each, 6) for each in falls], "loss", "y2", 1)
    fall |= {"fill": "tozeroy", "fillcolor": "$loss-soft"}
    fall["hovertext"] = [f"{abs(each):.2f} % below the highest equity shown" for each in falls]
    layout = {
        **LAYOUT,
        "height": 360,
        "xaxis": {**_TIME, "tickformat": _labels(points[0].at_ns, points[-1].at_ns), "anchor": "y2"},
        "yaxis": {**AXIS, "domain": [0.32, 0.94], "ticksuffix": " ", "nticks": 6},
        "yaxis2": {**AXIS, "domain": [0, 0.17], "nticks": 3, "ticksuffix": " %", "rangemode": "tozero"},
        "annotations": [heading("Equity, SOL", 1), heading("Drawdown, %", 0.245)],
        "shapes": [_level(start)],
    }
    return {"data": [equity, fall], "layout": layout}


def pool_figure(view: PoolView) -> Figure | None:
    """Price with our trades on it, and what is really in the pool; None where nothing is known of the price.

    The price is SOL for a million tokens where the mint's decimals are known, else lamports for a million raw units.
    """
    seen = _seen(view)
    if not seen:
        return None
    scale = 1e6 if view.decimals is None else 10.0 ** (view.decimals + 6) / LAMPORTS_PER_SOL
    unit = "lamports for a million raw units" if view.decimals is None else "SOL for a million tokens"
    price = _line([_moment(at_ns) for at_ns, _ in seen], [scale * each for _, each in seen], "accent", "y", 2)
    price["line"] = {**price["line"], "shape": "linear"}
    price["hovertext"] = [f"Price {price_text(Fraction(scale * each))}" for _, each in seen]
    deep = bool(view.points)
    depth = _line(
        [_moment(point.at_ns) for point in view.points],
        [_sol(point.real_quote_lamports) for point in view.points], "held", "y2", 1,
    )  # fmt: skip
    depth |= {"fill": "tozeroy", "fillcolor": "$held-soft", "visible": deep}
    depth["hovertext"] = [f"{_sol(point.real_quote_lamports):,.2f} SOL in the pool" for point in view.points]
    first, last = seen[0][0], seen[-1][0]
    layout = {
        **LAYOUT,
        "height": 420,
        "hovermode": "closest",
        "xaxis": {**_TIME, "tickformat": _labels(first, last), "anchor": "y2" if deep else "y"},
        "yaxis": {**AXIS, "domain": [0.36 if deep else 0, 0.93], "ticksuffix": " ", "nticks": 6},
        "yaxis2": {**AXIS, "domain": [0, 0.2], "nticks": 3, "ticksuffix": " ", "rangemode": "tozero", "visible": deep},
        "annotations": [heading(f"Price, {unit}", 1), *([heading("SOL in the pool", 0.28)] if deep else ())],
    }
    return {"data": [price, *_marks(view.trades, scale), depth], "layout": layout}


def _seen(view: PoolView) -> list[tuple[int, float]]:
    """(when, lamports for a raw unit): what the engine kept, and the price that each trade of ours has met."""
    points = [(one.at_ns, one.effective_quote_lamports, one.base_units) for one in view.points]
    trades = [(one.at_ns, one.effective_quote_lamports, one.reserve_base_units) for one in view.trades]
    return [(at_ns, quote / base) for at_ns, quote, base in sorted(points + trades) if base]


def _marks(trades: Sequence[PoolTrade], scale: float) -> list[Figure]:
    """Our trades at the price that they were executed at, fees in."""
    figures = []
    for side, symbol, colour, word in (
        (TradeSide.BUY, "triangle-up", "$gain", "Bought"),
        (TradeSide.SELL, "triangle-down", "$loss", "Sold"),
    ):
        these = [trade for trade in trades if trade.side is side and trade.base_units]
        figures.append({
            "type": "scatter", "mode": "markers", "name": word, "hoverinfo": "text", "visible": bool(these),
            "x": [_moment(trade.at_ns) for trade in these],
            "y": [scale * trade.quote_lamports / trade.base_units for trade in these],
            "hovertext": [escape(f"{word} for {sol_text(one.quote_lamports)} SOL: {one.reason}") for one in these],
            "marker": {"symbol": symbol, "size": 13, "color": colour, "line": {"color": "$panel", "width": 1.5}},
        })  # fmt: skip
    return figures


def _line(times: Sequence[str], heights: Sequence[float | None], role: str, axis: str, width: int) -> Figure:
    """Amounts hold until the next measurement: steps, not slopes."""
    return {
        "type": "scatter", "mode": "lines", "hoverinfo": "text", "yaxis": axis, "x": list(times), "y": list(heights),
        "line": {"color": f"${role}", "width": width, "shape": "hv"},
    }  # fmt: skip


def _level(height: float) -> Figure:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": height, "y1": height,
        "line": {"color": "$muted", "width": 1, "dash": "dot"},
    }  # fmt: skip


def _labels(first_ns: int, last_ns: int) -> str:
    minutes = (last_ns - first_ns) // (60 * NS_PER_SECOND)
    return "%H:%M:%S\n%Y-%m-%d" if minutes < 10 else "%H:%M\n%Y-%m-%d" if minutes < 3 * 1_440 else "%m-%d\n%Y"


def _sol(lamports: int) -> float:
    return lamports / LAMPORTS_PER_SOL


def _moment(at_ns: int) -> str:
    return f"{format_utc(at_ns)}.{at_ns // 1_000_000 % 1_000:03d}"
