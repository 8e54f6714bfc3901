"""Charts of an account as plain plotly figures; colours are roles, as in ``pumpswap.analytics.charts``.

Each is bounded, however long the account: curves are sampled, dots thinned, everything else is counted in bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

from pumpswap.analytics.charts import AXIS, LAYOUT, Figure, heading, moment, period_axis, sampled, thinned
from pumpswap.analytics.performance.result import CurvePoint, Day
from pumpswap.analytics.tear_sheet.calibration import ScoreBand
from pumpswap.analytics.tear_sheet.prices import PricePath
from pumpswap.clock import format_utc
from pumpswap.model import TradeSide
from pumpswap.storage.fills import FillRow
from pumpswap.units import LAMPORTS_PER_SOL, format_units

__all__ = [
    "calibration_figure",
    "curve_figure",
    "days_figure",
    "gains_figure",
    "landing_figure",
    "price_figure",
    "slippage_figure",
]

MOST_DAYS = 400
MOST_MARKERS = 300
MOST_PRICES = 600
_BINS = 24
_FINEST = 1e-6  # width of a bin: what is finer is no difference to anybody
_LEAST_EDGE_NS = 60 * 10**9  # before the first and after the last trade
_BELOW: Figure = {"l": 8, "r": 8, "t": 8, "b": 40}
_SIDES = (
    (TradeSide.BUY, "triangle-up", "$accent", "Bought", "Buys"),
    (TradeSide.SELL, "triangle-down", "$held", "Sold", "Sales"),
)


def curve_figure(curve: Sequence[CurvePoint], moved_capital: bool) -> Figure:
    """Equity, what was earned of it (where capital was moved, the two differ), and the drawdown of the index."""
    falls = falls_of(curve)
    deepest = max(100 * max(falls), 1.0)
    chosen = sampled([point.equity_lamports for point in curve], falls)
    kept = [curve[index] for index in chosen]
    first = curve[0]
    earned = [point.net_lamports - first.net_lamports for point in kept]
    layout = {
        **LAYOUT,
        "height": 540 if moved_capital else 440,
        "xaxis": {**period_axis(first.at_ns, curve[-1].at_ns), "anchor": "y3"},
        "yaxis": {**AXIS, "domain": [0.56, 0.94] if moved_capital else [0.34, 0.93], "ticksuffix": " "},
        "yaxis3": {**AXIS, "domain": [0, 0.16] if moved_capital else [0, 0.19], "nticks": 3, "ticksuffix": " %",
                   "range": [-1.08 * deepest, 0.03 * deepest]},
        "annotations": [heading("Equity, SOL", 1), heading("Drawdown, %", 0.21 if moved_capital else 0.26)],
        "shapes": [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": _sol(first.equity_lamports),
                    "y1": _sol(first.equity_lamports), "line": {"color": "$muted", "width": 1, "dash": "dot"}}],
    }  # fmt: skip
    equity = _steps(kept, [_sol(point.equity_lamports) for point in kept], "Equity", "accent", "y", 2)
    equity["hovertext"] = [
        f"Equity {_exact(point.equity_lamports)}<br>{_change(gain)} since the start"
        for point, gain in zip(kept, earned, strict=True)
    ]
    data = [equity]
    if moved_capital:
        gained = _steps(kept, [_sol(gain) for gain in earned], "Earned", "held", "y2", 2)
        gained["hovertext"] = [f"{_change(gain)} earned, without what was put in or taken out" for gain in earned]
        data.append(gained)
        layout["yaxis2"] = {**AXIS, "domain": [0.3, 0.45], "nticks": 4, "zeroline": True, "zerolinecolor": "$muted",
                            "ticksuffix": " "}  # fmt: skip
        layout["annotations"].append(heading("Earned, SOL", 0.505))
    fall = _steps(kept, [round(-100 * falls[index], 6) for index in chosen], "Drawdown", "loss", "y3", 1)
    fall |= {"fill": "tozeroy", "fillcolor": "$loss-soft"}
    fall["hovertext"] = [f"{100 * falls[index]:.2f} % below the highest so far" for index in chosen]
    return {"data": [*data, fall], "layout": layout}


def falls_of(curve: Sequence[CurvePoint]) -> list[float]:
    """Share of the index below its highest so far, for each point."""
    falls, peak = [], 0.0
    for point in curve:
        peak = max(peak, point.index)
        falls.append((peak - point.index) / peak if peak > 0 else 0.0)
    return falls


def days_figure(days: Sequence[Day]) -> Figure:
    """What each day has earned; days without a movement are gaps."""
    shown = days[-MOST_DAYS:]
    return {
        "data": [{
            "type": "bar", "name": "Day", "hoverinfo": "text",
            "x": [format_utc(day.start_ns)[:10] for day in shown],
            "y": [_sol(day.net_lamports) for day in shown],
            "hovertext": [
                f"{format_utc(day.start_ns)[:10]}: {_change(day.net_lamports)}<br>"
                f"{day.sales:,} sale{'' if day.sales == 1 else 's'}, {day.fills:,} fill{'' if day.fills == 1 else 's'}"
                for day in shown
            ],
            "marker": {"color": ["$gain" if day.net_lamports >= 0 else "$loss" for day in shown]},
        }],
        "layout": {
            **LAYOUT, "height": 280, "bargap": 0.25, "hovermode": "closest",
            "xaxis": {**AXIS, "type": "date", "showgrid": False, "tickformat": "%m-%d\n%Y"},
            "yaxis": {**AXIS, "domain": [0, 0.9], "zeroline": True, "zerolinecolor": "$muted", "ticksuffix": " "},
            "annotations": [heading("Earned by day, SOL", 1)],
        },
    }  # fmt: skip


def gains_figure(shares: Sequence[float]) -> Figure:
    """How many closed rounds have earned which share of what was paid in."""
    edges = _edges(shares)
    counts = _counted(shares, edges)
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    told = [
        f"{_of_bin(index, edges)}: {count:,} round{'' if count == 1 else 's'}" for index, count in enumerate(counts)
    ]
    return _histogram(
        [(edges, counts, told, ["$gain" if middle >= 0 else "$loss" for middle in middles], "Rounds")],
        "Closed rounds by result, % of what was paid in",
        scale=100,
        suffix=" %",
    )


def slippage_figure(slippages: dict[TradeSide, Sequence[float]]) -> Figure:
    """How many fills were how far from their quotes."""
    edges = _edges([value for side in TradeSide for value in slippages[side]])
    bars = []
    for side, _, colour, _, label in _SIDES:
        counts = _counted(slippages[side], edges)
        told = [f"{label}, {_of_bin(index, edges)}: {count:,}" for index, count in enumerate(counts)]
        bars.append((edges, counts, told, [colour] * len(counts), label))
    return _histogram(bars, "Fills by slippage, % (above zero is worse than quoted)", scale=100, suffix=" %")


def landing_figure(seconds: Sequence[float]) -> Figure:
    """How many fills took how long."""
    edges = _edges(seconds)
    counts = _counted(seconds, edges)
    told = [
        f"{edges[index]:g} to {edges[index + 1]:g} s: {count:,} fill{'' if count == 1 else 's'}".replace("-", "−")
        for index, count in enumerate(counts)
    ]
    return _histogram(
        [(edges, counts, told, ["$bar"] * len(counts), "Fills")],
        "Fills by time from decision to confirmation",
        suffix=" s",
    )


def calibration_figure(bands: Sequence[ScoreBand]) -> Figure:
    """Mean result of the rounds of each band of scores, with its interval: a score that tells something rises."""
    known = [band for band in bands if band.mean.value is not None]
    data = {
        "type": "scatter", "mode": "lines+markers", "name": "Rounds", "hoverinfo": "text",
        "x": [round(band.mean_score, 3) for band in known],
        "y": [round(100 * (band.mean.value or 0.0), 4) for band in known],
        "hovertext": [
            f"Score {band.lowest:g} to {band.highest:g}: {100 * (band.mean.value or 0.0):+.1f} % on average<br>"
            f"{band.rounds:,} round{'' if band.rounds == 1 else 's'}, {band.won:,} won".replace("-", "−")
            for band in known
        ],
        "line": {"color": "$accent", "width": 1, "dash": "dot"},
        "marker": {"symbol": "circle", "size": [_dot(band.rounds) for band in known], "color": "$accent"},
        "error_y": {
            "type": "data", "symmetric": False, "color": "$accent", "thickness": 1, "width": 3,
            "array": [_arm(band.mean.high, band.mean.value) for band in known],
            "arrayminus": [_arm(band.mean.value, band.mean.low) for band in known],
        },
    }  # fmt: skip
    return {
        "data": [data],
        "layout": {
            **LAYOUT, "height": 340, "hovermode": "closest", "margin": _BELOW,
            "xaxis": {**AXIS, "title": {"text": "Score of the signal", "font": {"color": "$muted", "size": 12}}},
            "yaxis": {**AXIS, "domain": [0, 0.9], "ticksuffix": " %", "zeroline": True, "zerolinecolor": "$muted"},
            "annotations": [heading("Mean result of a round, % of what was paid in", 1)],
        },
    }  # fmt: skip


def price_figure(path: PricePath, since_ns: int, until_ns: int) -> Figure:
    """A pool's price with our trades on it."""
    points = _with_gaps(thinned([each for each in path.points if each[2]], MOST_PRICES))
    prices = [path.price(lamports, units) for _, lamports, units in points]
    label = "Price" if path.is_spot else "If sold"
    line = {
        "type": "scatter", "mode": "lines", "name": label, "hoverinfo": "text",
        "x": [moment(at_ns) for at_ns, _, _ in points], "y": prices,
        "hovertext": ["" if price is None else f"{label} {price:.6g} {path.unit}" for price in prices],
        "line": {"color": "$muted", "width": 1.25},
    }  # fmt: skip
    times = [at_ns for at_ns, _, _ in points] + [fill.at_ns for fill in path.fills]
    first, last = (min(times), max(times)) if times else (since_ns, until_ns)
    edge = max((last - first) // 30, _LEAST_EDGE_NS)
    levels = {price for price in prices if price is not None}
    levels |= {price for fill in path.fills if (price := path.price(fill.quote_lamports, fill.base_units)) is not None}
    scale: Figure = {"range": [0.9 * min(levels), 1.1 * max(levels)]} if len(levels) == 1 else {}
    return {
        "data": [line, *(_trades(path, *side) for side in _SIDES)],
        "layout": {
            **LAYOUT, "height": 230, "hovermode": "closest",
            "xaxis": {**period_axis(first - edge, last + edge), "nticks": 5},
            "yaxis": {**AXIS, "domain": [0, 0.88], "nticks": 5, "ticksuffix": " ", "exponentformat": "power",
                      **scale},
            "annotations": [heading(path.unit[0].upper() + path.unit[1:], 1)],
        },
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------- parts


def _with_gaps(points: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """With a point without a price wherever nobody has looked for long: a line would claim what nobody knows."""
    if len(points) < 3:
        return list(points)
    gaps = sorted(after[0] - before[0] for before, after in pairwise(points))
    long_ns = max(20 * gaps[len(gaps) // 2], (points[-1][0] - points[0][0]) // 10)
    found = [points[0]]
    for before, after in pairwise(points):
        if after[0] - before[0] > long_ns:
            found.append((before[0] + 1, 0, 0))
        found.append(after)
    return found


def _trades(path: PricePath, side: TradeSide, symbol: str, colour: str, verb: str, name: str) -> Figure:
    shown: list[FillRow] = thinned([fill for fill in path.fills if fill.side is side], MOST_MARKERS)
    return {
        "type": "scatter", "mode": "markers", "name": name, "hoverinfo": "text", "visible": bool(shown),
        "x": [moment(fill.at_ns) for fill in shown],
        "y": [path.price(fill.quote_lamports, fill.base_units) for fill in shown],
        "hovertext": [
            f"{verb} for {_exact(fill.quote_lamports)}" + (f"<br>{escape(fill.exit_kind)}" if fill.exit_kind else "")
            for fill in shown
        ],
        "marker": {"symbol": symbol, "size": 11 if len(shown) <= 40 else 7, "color": colour,
                   "line": {"color": "$panel", "width": 1}},
    }  # fmt: skip


def _steps(points: Sequence[CurvePoint], heights: list[float], name: str, role: str, axis: str, width: int) -> Figure:
    """Amounts hold until the next measurement: steps, not slopes."""
    return {
        "type": "scatter", "mode": "lines", "name": name, "hoverinfo": "text", "yaxis": axis, "y": heights,
        "x": [moment(point.at_ns) for point in points], "line": {"color": f"${role}", "width": width, "shape": "hv"},
    }  # fmt: skip


_Bars = tuple[list[float], list[int], list[str], list[str], str]


def _histogram(bars: Sequence[_Bars], title: str, *, scale: float = 1, suffix: str = "") -> Figure:
    data = [
        {
            "type": "bar", "name": name, "hoverinfo": "text", "hovertext": told, "y": counts,
            "x": [round(scale * (low + high) / 2, 9) for low, high in pairwise(edges)],
            "width": round(scale * (edges[1] - edges[0]) * 0.94, 9), "marker": {"color": colours},
        }
        for edges, counts, told, colours, name in bars
    ]  # fmt: skip
    few = max(sum(each) for each in zip(*(counts for _, counts, *_ in bars), strict=True)) <= 5
    ticks: Figure = {"dtick": 1} if few else {"nticks": 6}
    return {
        "data": data,
        "layout": {
            **LAYOUT, "height": 280, "barmode": "stack", "hovermode": "closest",
            "xaxis": {**AXIS, "showgrid": False, "ticksuffix": suffix, "zeroline": True, "zerolinecolor": "$muted"},
            "yaxis": {**AXIS, "domain": [0, 0.88], "tickformat": ",d", "rangemode": "tozero", "ticksuffix": " ",
                      **ticks},
            "annotations": [heading(title, 1)],
        },
    }  # fmt: skip


def _edges(values: Sequence[float]) -> list[float]:
    """Edges of bins of a round width over where most values lie, zero among them; what lies beyond is counted in the
    first and the last one.
    """
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 50], ordered[-1 - len(ordered) // 50]
    low, high = min(low, 0.0), max(high, 0.0)
    width = _round_width(max((high - low) / _BINS, _FINEST))
    first, last = floor(low / width), max(ceil(high / width), floor(low / width) + 1)
    return [round(index * width, 12) for index in range(first, last + 1)]


def _round_width(width: float) -> float:
    """1, 2 or 5 times a power of ten, not below ``width``."""
    size = 10.0 ** floor(log10(width))
    return next(step * size for step in (1, 2, 5, 10) if step * size >= width * (1 - 1e-9))


def _counted(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    counts = [0] * (len(edges) - 1)
    width = edges[1] - edges[0]
    for value in values:
        counts[min(max(floor((value - edges[0]) / width + 1e-9), 0), len(counts) - 1)] += 1
    return counts


def _of_bin(index: int, edges: Sequence[float]) -> str:
    return f"{100 * edges[index]:+g} to {100 * edges[index + 1]:+g} %".replace("-", "−")


def _arm(upper: float | None, lower: float | None) -> float:
    return 0.0 if upper is None or lower is None else round(100 * (upper - lower), 4)


def _dot(rounds: int) -> float:
    return round(min(6 + 2 * log10(max(rounds, 1)) * 2, 16), 1)


def _sol(lamports: int) -> float:
    return lamports / LAMPORTS_PER_SOL


def _exact(lamports: int) -> str:
    return f"{format_units(lamports, 9)} SOL".replace("-", "−")


def _change(lamports: int) -> str:
    return f"{format_units(lamports, 9, signed=True)} SOL".replace("-", "−")
