"""Charts of a comparison as plain plotly figures; colours are roles, as in ``pumpswap.analytics.charts``."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pumpswap.analytics.charts import AXIS, LAYOUT, Figure, heading, thinned
from pumpswap.analytics.comparison.observation import Observation
from pumpswap.analytics.comparison.returns import Band, HorizonReturns
from pumpswap.clock import format_utc

__all__ = ["MOST_DOTS", "calibration_figure", "scatter_figure"]

MOST_DOTS = 2_000
_LONGEST_NAME = 24
_MARGIN = 3  # score points around the scale, so that dots at 0 and 100 are whole


def scatter_figure(observations: Sequence[Observation], threshold: float) -> Figure:
    """Each snapshot by both scores: above the diagonal the enhanced score is the higher one."""
    known = [one for one in observations if one.is_available]
    unknown = [one for one in observations if not one.is_available]
    scale = {**AXIS, "range": [-_MARGIN, 100 + _MARGIN], "tickvals": [0, 25, 50, 75, 100]}
    line = {"type": "line", "layer": "below"}
    full = {"x0": 0, "y0": 0, "x1": 100, "y1": 100}
    return {
        "data": [
            _dots(known, "With PumpSwap data", "circle", "$accent"),
            _dots(unknown, "Without", "x-thin-open", "$loss"),
        ],
        "layout": {
            **LAYOUT,
            "height": 460,
            "hovermode": "closest",
            "margin": {"l": 8, "r": 8, "t": 8, "b": 40},
            "xaxis": {**scale, "title": {"text": "Base score", "font": {"color": "$muted", "size": 12}}},
            "yaxis": {**scale, "domain": [0, 0.93]},
            "annotations": [heading("Enhanced score", 1)],
            "shapes": [
                {**line, **full, "line": {"color": "$muted", "width": 1, "dash": "dot"}},
                {**line, **full, "x0": threshold, "x1": threshold, "line": {"color": "$held", "width": 1}},
                {**line, **full, "y0": threshold, "y1": threshold, "line": {"color": "$held", "width": 1}},
            ],
        },
    }


def calibration_figure(returns: HorizonReturns) -> Figure:
    """Mean return of each band of a score, with its interval: a score that predicts rises to the right."""
    lowest = min(band.mean_score for band in (*returns.base_bands, *returns.enhanced_bands))
    first = lowest // 10 * 10
    data = [
        _bands(returns.base_bands, "Base", "square", "$held"),
        _bands(returns.enhanced_bands, "Enhanced", "circle", "$accent"),
    ]
    return {
        "data": data,
        "layout": {
            **LAYOUT,
            "height": 360,
            "hovermode": "closest",
            "margin": {"l": 8, "r": 8, "t": 8, "b": 40},
            "xaxis": {
                **AXIS,
                "range": [first - 1, 101],
                "title": {"text": "Mean score of the band", "font": {"color": "$muted", "size": 12}},
            },
            "yaxis": {**AXIS, "domain": [0, 0.91], "ticksuffix": " %", "zeroline": True, "zerolinecolor": "$muted"},
            "annotations": [heading("Mean return after costs, %", 1)],
        },
    }


def _dots(every: Sequence[Observation], name: str, symbol: str, colour: str) -> Figure:
    shown = thinned(every, MOST_DOTS)
    return {
        "type": "scatter", "mode": "markers", "name": name, "hoverinfo": "text", "visible": bool(shown),
        "x": [round(one.base, 4) for one in shown],
        "y": [round(one.enhanced, 4) for one in shown],
        "hovertext": [_told(one) for one in shown],
        "marker": {"symbol": symbol, "size": 7 if len(shown) <= 600 else 5, "color": colour, "opacity": 0.6,
                   "line": {"width": 1.5 if symbol.endswith("open") else 0, "color": colour}},
    }  # fmt: skip


def _told(one: Observation) -> str:
    """What a reader who points at a dot is told; strangers choose the names of coins, so nothing in them is markup."""
    name = one.name or one.pool
    name = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    lines = [f"{escape(name)}, {format_utc(one.at_ns)}", f"base {one.base:.1f}, enhanced {one.enhanced:.1f}"]
    if one.missing:
        lines.append(escape(one.missing))
    lines += [f"{part} {escape(one.facts.get(part, ''))}: {points:+.1f}" for part, points in one.shifts.items()]
    return "<br>".join(lines).replace("-", "−")


def _bands(bands: Sequence[Band], name: str, symbol: str, colour: str) -> Figure:
    """A band at its mean score; without an interval its bar has no length."""
    intervals = [band.mean_interval for band in bands]
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "hoverinfo": "text", "visible": bool(bands),
        "x": [round(band.mean_score, 3) for band in bands],
        "y": [round(100 * band.mean, 4) for band in bands],
        "hovertext": [
            f"{name} {band.lowest:.1f} to {band.highest:.1f}: {100 * band.mean:+.1f} %, {100 * band.hit_rate:.0f} %"
            f" gained<br>{band.count:,} snapshots of {band.pools:,} pools".replace("-", "−")
            for band in bands
        ],
        "line": {"color": colour, "width": 1, "dash": "dot"},
        "marker": {"symbol": symbol, "size": 8, "color": colour},
        "error_y": {
            "type": "data", "symmetric": False, "color": colour, "thickness": 1, "width": 3,
            "array": [0 if one is None else round(100 * (one.high - one.point), 4) for one in intervals],
            "arrayminus": [0 if one is None else round(100 * (one.point - one.low), 4) for one in intervals],
        },
    }  # fmt: skip
