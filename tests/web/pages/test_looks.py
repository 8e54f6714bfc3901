"""The templates and the style sheet keep to their rules: one palette, nothing that a page's policy would refuse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pumpswap.web
from pumpswap.analytics.charts import PALETTES
from pumpswap.web.pages.rendering import chart_marks

FOLDER = Path(pumpswap.web.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
STYLE = (FOLDER / "static" / "app.css").read_text()


def test_the_colours_are_those_of_the_reports() -> None:
    found = re.findall(r"--([a-z-]+): light-dark\((.+?), (#\w+|rgba\(.+?\))\);", STYLE)
    assert {role: (light, dark) for role, light, dark in found} == {
        role: (PALETTES["light"][role], PALETTES["dark"][role]) for role in PALETTES["light"]
    }


def test_every_colour_of_the_style_sheet_has_a_role() -> None:
    body = STYLE.partition("--serif")[2]
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", body)) <= {"#1d2227", "#14171a"}  # ink on ochre, in both lights
    assert set(re.findall(r"var\(--([a-z-]+)\)", STYLE)) <= {*PALETTES["light"], "serif", "mono"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_script_a_style_or_unescaped_text(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<style", text)
    assert not re.search(r"\|\s*safe\b|autoescape", text)
    for script in re.findall(r"<script[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script
    for form in re.findall(r'<form[^>]*method="post"[^>]*>.*?</form>', text, re.S):
        assert 'name="csrf"' in form or "ask_form.html" in form or 'action="/login"' in form


def test_the_chart_library_is_told_that_its_styles_are_here() -> None:
    base = (FOLDER / "templates" / "base.html").read_text()
    assert 'id="plotly.js-style-global" class="no-inline-styles"' in base
    assert len(chart_marks()) >= 1
    assert all(re.fullmatch("[0-9a-f]{64}", mark) for mark in chart_marks())
