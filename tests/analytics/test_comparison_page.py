"""The page of a comparison: its figures, charts that plotly accepts, and names of strangers that stay text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from pumpswap.analytics.comparison import Comparison
from pumpswap.analytics.comparison.charts import MOST_DOTS, calibration_figure, scatter_figure
from pumpswap.analytics.comparison.page import ComparisonPage, render_comparison, write_comparison
from tests.analytics.compared_scores import compared, market, observation
from tests.analytics.test_report import EVIL, Page, painted


def page_of(comparison: Comparison) -> ComparisonPage:
    return ComparisonPage(
        title="Base and enhanced score: export",
        comparison=comparison,
        size_lamports=1_500_000_000,
        latency_ms=1_200,
        later_pools=7,
        first_ns=1_793_577_600 * 10**9,
        last_ns=1_793_577_660 * 10**9,
        assumptions=("Fees: the `newest` schedule.",),
        command="pumpswap signal compare export",
    )


@pytest.fixture(scope="module")
def full() -> Comparison:
    rows = market("enhanced")
    rows.append(observation("gone", 60, 60, None, is_available=False, missing="the pool has no reserve"))
    rows.append(observation("else", 60, 60, None, dex="raydium"))
    return compared(rows)


@pytest.fixture(scope="module")
def page(full: Comparison) -> Page:
    return Page(render_comparison(page_of(full)))


def test_the_verdict_comes_first_with_its_figures(full: Comparison, page: Page) -> None:
    text = page.plain()
    assert text.index("Enhanced better.") < text.index("Base at or above 75")
    sentence = full.verdict.sentence
    assert sentence[:1].upper() + sentence[1:] in text
    assert "1 × the pool has no reserve" in text
    assert "raydium 1" in text
    assert "7 of 81" in text
    assert "1.5 SOL is bought 1.2 s after a snapshot" in text
    assert "400 draws of whole pools, seed 1" in text


def test_the_tables_have_the_figures(full: Comparison, page: Page) -> None:
    (returns,) = full.horizons
    assert returns.enhanced.mean is not None
    cells = [" ".join(cell.split()) for row in page.rows for cell in row]
    assert f"{100 * returns.enhanced.mean:+.1f} %" in cells
    assert f"{full.agreement.only_base:,}" in cells
    assert f"{returns.deciding} pools differ" in cells
    assert page.json("summary")["agreement"]["both"] == full.agreement.both
    assert "observations" not in page.json("summary")


def test_old_prices_are_told() -> None:
    (row,) = [observation("a", 90, 90, 0.1)]
    (trip,) = row.trips
    assert trip is not None
    late = replace(row, trips=(replace(trip, entry_ns=600 * 10**9, exit_ns=trip.exit_ns - 900 * 10**9),))
    told = "half were bought 600 s after the decision or later, and sold at a price 900 s old or older"
    assert told in Page(render_comparison(page_of(compared([late])))).plain()
    assert "Few prices" not in Page(render_comparison(page_of(compared([row])))).plain()


def test_charts_are_figures_that_plotly_accepts(full: Comparison) -> None:
    scatter = go.Figure(painted(scatter_figure(full.observations, 75.0)))
    assert [len(trace.x) for trace in scatter.data] == [240, 1]
    assert [shape.x0 for shape in scatter.layout.shapes] == [0, 75, 0]
    (returns,) = full.horizons
    calibration = go.Figure(painted(calibration_figure(returns)))
    assert [len(trace.x) for trace in calibration.data] == [len(returns.base_bands), len(returns.enhanced_bands)]
    for trace, bands in zip(calibration.data, (returns.base_bands, returns.enhanced_bands), strict=True):
        for height, up, down, band in zip(trace.y, trace.error_y.array, trace.error_y.arrayminus, bands, strict=True):
            assert band.mean_interval is not None
            assert height + up == pytest.approx(100 * band.mean_interval.high, abs=1e-3)
            assert height - down == pytest.approx(100 * band.mean_interval.low, abs=1e-3)


def test_a_crowd_of_dots_is_thinned() -> None:
    rows = [observation(f"p{number}", number % 100, 50) for number in range(3 * MOST_DOTS)]
    assert len(scatter_figure(rows, 75.0)["data"][0]["x"]) == MOST_DOTS


def test_only_the_two_scripts_of_the_page_may_run_and_nothing_is_loaded(page: Page) -> None:
    policy = next(attrs["content"] for tag, attrs in page.tags if tag == "meta" and "http-equiv" in attrs)
    run = [text for attrs, text in page.scripts if attrs.get("type") != "application/json"]
    hashes = {"sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run}
    assert set(re.findall(r"'(sha256-[^']+)'", policy or "")) == hashes
    assert all("src" not in attrs for tag, attrs in page.tags if tag in ("script", "img", "link"))


def test_names_of_strangers_stay_text() -> None:
    rows = [
        observation(
            "a", 90, 20, name=EVIL, missing=EVIL, is_available=False, shifts={"depth": -70.0}, facts={"depth": EVIL}
        ),
        observation("b", 20, 90, name="B", shifts={"depth": 70.0}),
        observation("c", 50, 50, None, dex=EVIL),
    ]
    html = render_comparison(page_of(compared(rows)))
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    Page(html)  # every element is closed, in order
    hover = scatter_figure(compared(rows).observations, 75.0)["data"][1]["hovertext"][0]
    assert "<img" not in hover
    assert "<script" not in hover


def test_a_comparison_of_nothing_has_a_page_too() -> None:
    text = Page(render_comparison(page_of(compared([])))).plain()
    assert "Not shown by this data." in text
    assert "0 snapshots of 0 PumpSwap pools" in text


def test_the_same_comparison_gives_the_same_bytes(tmp_path: Path, full: Comparison) -> None:
    first, second = tmp_path / "new" / "first.html", tmp_path / "second.html"
    assert write_comparison(first, page_of(full)) == first
    write_comparison(second, page_of(full))
    assert first.read_bytes() == second.read_bytes()
