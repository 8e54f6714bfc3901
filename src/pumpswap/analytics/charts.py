"""Charts of a run as plain plotly figures: data and roles of colours, so that one page can be light or dark.

A text like ``$accent`` names a role of PALETTES; the page puts the colour in when it draws. Amounts are floats here,
since a pixel has no lamports; what a reader can point at carries the exact amount as text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from pumpswap.amm.quote import amounts_of
from pumpswap.analytics.metrics import slippage_of
from pumpswap.analytics.record import Trade
from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.model import EquityPoint, TradeSide
from pumpswap.units import LAMPORTS_PER_SOL, format_units

__all__ = [
    "AXIS",
    "LAYOUT",
    "MOST_POINTS",
    "PALETTES",
    "Figure",
    "equity_figure",
    "heading",
    "moment",
    "period_axis",
    "sampled",
    "slippage_figure",
    "thinned",
]

Figure = dict[str, Any]

MOST_POINTS = 2_000  # more than a wide screen has pixels
MOST_MARKERS = 1_000

# Text on its background has a contrast of at least 4.5 : 1 in both; gains and losses also differ in lightness and sign.
PALETTES: Mapping[str, Mapping[str, str]] = {
    "light": {
        "page": "#fbfaf7", "panel": "#ffffff", "ink": "#1d2227", "muted": "#5c646c", "rule": "#e3dfd6",
        "accent": "#1f5d6b", "accent-soft": "rgba(31, 93, 107, 0.14)", "held": "#b98a2f",
        "held-soft": "rgba(185, 138, 47, 0.28)", "gain": "#2c6e49", "loss": "#a63d2f",
        "loss-soft": "rgba(166, 61, 47, 0.16)", "bar": "#8fb0b6",
    },
    "dark": {
        "page": "#14171a", "panel": "#1b1f23", "ink": "#e9e6df", "muted": "#a0a6ab", "rule": "#30363b",
        "accent": "#83c3cf", "accent-soft": "rgba(131, 195, 207, 0.16)", "held": "#d6ac59",
        "held-soft": "rgba(214, 172, 89, 0.26)", "gain": "#86c9a0", "loss": "#ec9684",
        "loss-soft": "rgba(236, 150, 132, 0.18)", "bar": "#45656c",
    },
}  # fmt: skip


def equity_figure(points: Sequence[EquityPoint], trades: Sequence[Trade], names: Mapping[str, str]) -> Figure:
    """Three strips over one axis of time: equity with entries and exits, what it consisted of, and the drawdown."""
    falls = _drawdowns(points)
    chosen = sampled([point.equity_lamports for point in points], falls)
    kept = [points[index] for index in chosen]
    start = _sol(points[0].equity_lamports)
    layout = {
        **LAYOUT,
        "height": 560,
        "xaxis": {**_period(points), "anchor": "y3"},
        "yaxis": {**AXIS, "domain": [0.5, 0.93], "ticksuffix": " "},
        "yaxis2": {**AXIS, "domain": [0.235, 0.385], "nticks": 4, "ticksuffix": " ", "rangemode": "tozero"},
        "yaxis3": {**AXIS, "domain": [0, 0.12], "nticks": 3, "ticksuffix": " %", "rangemode": "tozero"},
        "annotations": [
            heading("Equity, SOL", 1), heading("Cash and positions, SOL", 0.43), heading("Drawdown, %", 0.165),
        ],
        "shapes": [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": start, "y1": start,
             "line": {"color": "$muted", "width": 1, "dash": "dot"}},
        ],
    }  # fmt: skip
    equity = _line(kept, [_sol(point.equity_lamports) for point in kept], "Equity", "accent", "y", 2)
    equity["hovertext"] = [f"Equity {_exact(point.equity_lamports)}" for point in kept]
    fall = _line(kept, [round(-100 * falls[index], 6) for index in chosen], "Drawdown", "loss", "y3", 1)
    fall |= {"fill": "tozeroy", "fillcolor": "$loss-soft"}
    fall["hovertext"] = [f"{100 * falls[index]:.2f} % below the highest equity so far" for index in chosen]
    return {"data": [equity, *_markers(points, trades, names), *_parts(kept), fall], "layout": layout}


def slippage_figure(points: Sequence[EquityPoint], trades: Sequence[Trade], names: Mapping[str, str]) -> Figure:
    """Every fill by time and slippage: above the line the market had moved against us while the order flew."""
    data = []
    for side, symbol, colour, label in (
        (TradeSide.BUY, "triangle-up", "$accent", "Bought"),
        (TradeSide.SELL, "triangle-down", "$held", "Sold"),
    ):
        shown = thinned([trade for trade in trades if trade.order.side is side], MOST_MARKERS)
        slips = [float(slippage_of(trade)) * 100 for trade in shown]
        told = [f"{label} {_name(trade, names)}: {slip:+.3f} %" for trade, slip in zip(shown, slips, strict=True)]
        data.append({
            "type": "scatter", "mode": "markers", "name": label, "hoverinfo": "text", "hovertext": told,
            "x": [moment(trade.filled.at_ns) for trade in shown],
            "y": [round(slip, 6) for slip in slips],
            "marker": {"symbol": symbol, "size": 10, "color": colour, "opacity": 0.85},
        })  # fmt: skip
    layout = {
        **LAYOUT,
        "height": 320,
        "hovermode": "closest",
        "xaxis": _period(points),
        "yaxis": {**AXIS, "domain": [0, 0.9], "ticksuffix": " %", "zeroline": True, "zerolinecolor": "$muted"},
        "annotations": [heading("Slippage, % (above zero is worse than quoted)", 1)],
    }
    return {"data": data, "layout": layout}


def thinned(rows: Sequence[Any], most: int) -> list[Any]:
    """At most ``most`` of ``rows``, evenly spread, first and last among them."""
    if len(rows) <= most:
        return list(rows)
    return [rows[index * (len(rows) - 1) // (most - 1)] for index in range(most)]


AXIS: Figure = {
    "gridcolor": "$rule", "zeroline": False, "linecolor": "$rule", "fixedrange": True, "automargin": True,
    "tickfont": {"color": "$muted", "size": 11},
}  # fmt: skip
_TIME: Figure = {**AXIS, "type": "date", "showgrid": False, "fixedrange": False, "hoverformat": "%Y-%m-%d %H:%M:%S"}
LAYOUT: Figure = {
    "paper_bgcolor": "rgba(0, 0, 0, 0)",
    "plot_bgcolor": "rgba(0, 0, 0, 0)",
    "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
    "font": {"color": "$ink", "size": 12},
    "hovermode": "x",
    "hoverlabel": {"bgcolor": "$panel", "bordercolor": "$rule", "font": {"color": "$ink", "size": 12}, "align": "left"},
    "showlegend": False,  # the page has one of its own: it wraps, and can be read without drawing
}


def _period(points: Sequence[EquityPoint]) -> Figure:
    """The whole run, so that all charts of a page share one scale of time."""
    return period_axis(points[0].at_ns, points[-1].at_ns)


def period_axis(first: int, last: int) -> Figure:
    """An axis of time from one moment to another, with labels as fine as it needs."""
    minutes = (last - first) // (60 * NS_PER_SECOND)
    labels = "%H:%M:%S\n%Y-%m-%d" if minutes < 10 else "%H:%M\n%Y-%m-%d" if minutes < 3 * 1_440 else "%m-%d\n%Y"
    return {**_TIME, "range": [moment(first), moment(last)], "tickformat": labels}


def heading(text: str, height: float) -> Figure:
    """A strip's title, above its top left corner."""
    return {
        "text": text, "showarrow": False, "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": height,
        "yanchor": "top", "font": {"color": "$muted", "size": 12},
    }  # fmt: skip


def _line(points: Sequence[EquityPoint], heights: list[float], name: str, role: str, axis: str, width: int) -> Figure:
    """Amounts hold until the next measurement: steps, not slopes."""
    return {
        "type": "scatter", "mode": "lines", "name": name, "hoverinfo": "text", "yaxis": axis, "y": heights,
        "x": [moment(point.at_ns) for point in points], "line": {"color": f"${role}", "width": width, "shape": "hv"},
    }  # fmt: skip


def _parts(points: Sequence[EquityPoint]) -> list[Figure]:
    """What the equity consisted of: cash with the rent deposits below, positions on top."""
    cash = _line(points, [_sol(one.cash_lamports + one.rent_lamports) for one in points], "Cash", "accent", "y2", 1)
    cash["hovertext"] = [f"Cash and rent deposits {_exact(one.cash_lamports + one.rent_lamports)}" for one in points]
    held = _line(points, [_sol(one.marks_lamports) for one in points], "Positions", "held", "y2", 1)
    held["hovertext"] = [f"Positions {_exact(one.marks_lamports)} if sold" for one in points]
    cash |= {"stackgroup": "parts", "fillcolor": "$accent-soft"}
    held |= {"stackgroup": "parts", "fillcolor": "$held-soft"}
    return [cash, held]


def _markers(points: Sequence[EquityPoint], trades: Sequence[Trade], names: Mapping[str, str]) -> list[Figure]:
    """Entries and exits on the equity line; exits say what the round has earned so far."""
    measured = [point.at_ns for point in points]
    groups: dict[tuple[str, str, str], list[Trade]] = {
        ("Entry", "triangle-up", "$accent"): [trade for trade in trades if trade.order.side is TradeSide.BUY],
        ("Exit with a gain", "triangle-down", "$gain"): [trade for trade in trades if _has_won(trade)],
        ("Exit with a loss", "triangle-down", "$loss"): [trade for trade in trades if _has_lost(trade)],
    }
    figures, size = [], 11 if len(trades) <= 60 else 7
    for (label, symbol, colour), every in groups.items():
        shown = thinned(every, MOST_MARKERS)
        heights = [points[max(bisect_right(measured, trade.filled.at_ns) - 1, 0)] for trade in shown]
        figures.append({
            "type": "scatter", "mode": "markers", "name": label, "hoverinfo": "text", "visible": bool(shown),
            "x": [moment(trade.filled.at_ns) for trade in shown],
            "y": [_sol(point.equity_lamports) for point in heights],
            "hovertext": [_told(trade, names) for trade in shown],
            "marker": {"symbol": symbol, "size": size, "color": colour, "line": {"color": "$panel", "width": 1}},
        })  # fmt: skip
    return figures


def _has_won(trade: Trade) -> bool:
    return trade.order.side is TradeSide.SELL and trade.position.realised_lamports > 0


def _has_lost(trade: Trade) -> bool:
    return trade.order.side is TradeSide.SELL and trade.position.realised_lamports <= 0


def _told(trade: Trade, names: Mapping[str, str]) -> str:
    if trade.order.side is TradeSide.BUY:
        # A budget is what was meant to be spent; of an exact amount it is only the most.
        spent = amounts_of(trade.filled.executed)[1] if trade.order.is_exact_buy else trade.order.quote_lamports
        return f"Bought {_name(trade, names)} for {format_units(spent, 9)} SOL"
    return f"Sold {_name(trade, names)}: {format_units(trade.position.realised_lamports, 9, signed=True)} SOL"


def _name(trade: Trade, names: Mapping[str, str]) -> str:
    """A name for plotly, which reads a few HTML tags in texts; a coin's name must not be one of them."""
    name = names.get(trade.order.pool) or trade.order.pool
    return escape(name if len(name) <= 24 else f"{name[:23]}…")


def _drawdowns(points: Sequence[EquityPoint]) -> list[float]:
    """Share below the highest equity so far, for each point."""
    falls, peak = [], 0
    for point in points:
        peak = max(peak, point.equity_lamports)
        falls.append((peak - point.equity_lamports) / peak if peak else 0.0)
    return falls


def sampled(values: Sequence[int], falls: Sequence[float]) -> list[int]:
    """Indices of at most MOST_POINTS points that draw the same picture: of every stretch the first and last, the
    highest and lowest value, and the deepest fall.
    """
    if len(values) <= MOST_POINTS:
        return list(range(len(values)))
    stretches = MOST_POINTS // 5
    edges = [index * len(values) // stretches for index in range(stretches + 1)]
    kept: set[int] = set()
    for first, beyond in pairwise(edges):
        stretch = range(first, beyond)
        kept |= {first, beyond - 1, max(stretch, key=values.__getitem__), min(stretch, key=values.__getitem__)}
        kept.add(max(stretch, key=falls.__getitem__))
    return sorted(kept)


def _sol(lamports: int) -> float:
    return lamports / LAMPORTS_PER_SOL


def _exact(lamports: int) -> str:
    return f"{format_units(lamports, 9)} SOL"


def moment(at_ns: int) -> str:
    """A time as plotly reads it, to the millisecond."""
    return f"{format_utc(at_ns)}.{at_ns // 1_000_000 % 1_000:03d}"
