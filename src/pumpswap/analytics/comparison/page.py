"""The page of a comparison: one HTML file with the verdict, the tables and the charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pumpswap.analytics.charts import PALETTES, Figure
from pumpswap.analytics.comparison.charts import calibration_figure, scatter_figure
from pumpswap.analytics.comparison.comparison import QUANTILES, Comparison
from pumpswap.analytics.comparison.figures import comparison_json
from pumpswap.analytics.comparison.verdict import horizon_text, points_text
from pumpswap.analytics.page import csp_hash, page_environment, page_scripts, write_page
from pumpswap.units import format_sol

__all__ = ["ComparisonPage", "render_comparison", "write_comparison"]


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """What a page is made of. ``command`` repeats it; ``first_ns`` and ``last_ns`` are the times of the snapshots."""

    title: str
    comparison: Comparison
    size_lamports: int
    latency_ms: int
    later_pools: int
    first_ns: int
    last_ns: int
    assumptions: Sequence[str]
    command: str


def write_comparison(path: Path, page: ComparisonPage) -> Path:
    """Render the page and put it at ``path`` in one step. Returns ``path``. Raises OSError where that cannot be."""
    return write_page(path, render_comparison(page))


def render_comparison(page: ComparisonPage) -> str:
    """The page as text."""
    comparison, environment = page.comparison, _environment()
    scripts = page_scripts(environment)
    kind = comparison.verdict.kind.value
    return environment.get_template("comparison.html").render(
        page=page,
        comparison=comparison,
        headline=f"{kind[0].upper()}{kind[1:]}",
        threshold=f"{comparison.rules.threshold:g}",
        quantiles=list(_quantiles(comparison)),
        figures={name: value for name, value in comparison_json(comparison).items() if name != "observations"},
        charts=_charts(comparison),
        palettes=PALETTES,
        scripts=scripts,
        script_hashes=[csp_hash(script) for script in scripts],
    )


def _charts(comparison: Comparison) -> dict[str, Figure]:
    if not comparison.observations:
        return {}
    charts = {"scatter": scatter_figure(comparison.observations, comparison.rules.threshold)}
    for returns in comparison.horizons:
        if returns.base_bands:
            charts[f"calibration-{returns.horizon_ns}"] = calibration_figure(returns)
    return charts


def _quantiles(comparison: Comparison) -> list[tuple[str, float, float]]:
    base, enhanced = comparison.base, comparison.enhanced
    if base is None or enhanced is None:
        return []
    named = {0.0: "lowest", 0.5: "median", 1.0: "highest"}
    names = [named.get(share, f"{100 * share:g} % are below") for share in QUANTILES]
    return list(zip(names, base.quantiles, enhanced.quantiles, strict=True))


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.filters |= {
        "percent": _percent, "points": points_text, "score": _score, "horizon": horizon_text, "interval": _interval,
        "sol": format_sol, "signed": _correlation, "capital": _capital,
    }  # fmt: skip
    return environment


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:+.1f}\u00a0%".replace("-", "−")


def _score(value: float) -> str:
    return f"{value:.1f}"


def _correlation(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def _interval(interval: Any) -> str:
    if interval is None:
        return "–"
    return f"{points_text(100 * interval.low)} to {points_text(100 * interval.high)}"


def _capital(text: str) -> str:
    """With a capital, and nothing else changed."""
    return text[:1].upper() + text[1:]
